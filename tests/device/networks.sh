#!/bin/bash
# networks.sh PARE SOURCE KEPT WORK SAMPLES MACS [TARGET...]: every network that check_networks.py left in KEPT, at 8 bits and
# at mixed widths, on every target: each output equal to the host's, of SAMPLES samples, or of as many as take MACS
# multiply-accumulates (0: no matter how many). As many at a time as there are processors. The last line counts.
set -u
pare=$1 source=$2 kept=$3 work=$4 most=$5 macs=$6
shift 6
. "$source/tests/device/targets.sh"
[ $# -gt 0 ] || set -- cortex-m0 cortex-m3 cortex-m4 riscv32 powerpc

if ! ls "$kept"/*.pare >/dev/null 2>&1; then
    echo "skipped: no networks in $kept (the test onnx/networks puts them there)"
    exit
fi
rm -rf "$work"
mkdir -p "$work/said"

# The same for every target, so that they share one export.
samples_of() { # FILE.pare
    local each count=$most
    each=$("$pare" inspect "$1" --json | sed -n '/"totals"/,$s/^ *"macs": \([0-9]*\),*$/\1/p')
    if [ "$macs" -gt 0 ] && [ $((each * most)) -gt "$macs" ]; then
        count=$((macs / each))
    fi
    echo $((count > 2 ? count : 2))
}

# A board has so much memory: what is larger does not fit.
fits() { # FOLDER
    local flash arena
    flash=$(sed -n 's/^#define MODEL_SIZE \([0-9]*\).*/\1/p' "$1/model.h")
    arena=$(sed -n 's/^#define MODEL_ARENA_SIZE \([0-9]*\).*/\1/p' "$1/model.h")
    [ "$flash" -lt 3500000 ] && [ "$arena" -lt 900000 ] && [ "$(wc -c <"$1/test_vector.c")" -lt 30000000 ]
}

# Prints one line that begins with passed, failed or skipped.
run_one() { # TARGET NAME SAMPLES
    local folder=$work/$2-$1 said verdict=failed
    missing=
    target "$1"
    if [ -n "$missing" ]; then
        echo "skipped $1, $2: no$missing"
        return
    fi
    cp -r "$work/exported/$2" "$folder"
    said=$(check_folder "$folder" | tail -n 1)
    rm -rf "$folder"
    [[ $said =~ ^equal:\ $3\ samples,\ [1-9][0-9]*\ codes$ ]] && verdict=passed
    echo "$verdict $1, $2: $said"
}

started=0
for file in "$kept"/*.pare; do
    name=$(basename "$file" .pare)
    data=$kept/${name%-*}.npz
    samples=$(samples_of "$file")
    if ! "$pare" export "$file" --data "$data" --samples "$samples" -o "$work/exported/$name" --quiet; then
        echo "failed $name: cannot be exported" >"$work/said/$name"
        started=$((started + 1))
    elif ! fits "$work/exported/$name"; then
        echo "skipped $name: larger than a board's memory" >"$work/said/$name"
        started=$((started + 1))
    else
        for to; do
            while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
                wait -n
            done
            run_one "$to" "$name" "$samples" >"$work/said/$name-$to" &
            started=$((started + 1))
        done
    fi
done
wait
cat "$work"/said/*
count() { # VERDICT
    cat "$work"/said/* | grep -c "^$1 "
}
passed=$(count passed) failed=$(count failed) skipped=$(count skipped)
silent=$((started - passed - failed - skipped))
[ "$silent" -eq 0 ] || echo "$silent of $started jobs ended without a verdict"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$silent" -eq 0 ]

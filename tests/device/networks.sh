#!/bin/bash
# networks.sh PARE SOURCE KEPT WORK SAMPLES [TARGET...]: every network that check_networks.py left in KEPT, at 8 bits and
# at mixed widths, on every target: each output of SAMPLES samples equal to the host's. The last line counts.
set -u
pare=$1 source=$2 kept=$3 work=$4 samples=$5
shift 5
. "$source/tests/device/targets.sh"
[ $# -gt 0 ] || set -- cortex-m0 cortex-m3 cortex-m4 riscv32 powerpc
passed=0 failed=0 skipped=0

if ! ls "$kept"/*.pare >/dev/null 2>&1; then
    echo "skipped: no networks in $kept (the test onnx/networks puts them there)"
    exit
fi
rm -rf "$work"
mkdir -p "$work"

# A board has so much memory: what is larger does not fit.
fits() { # FOLDER
    local flash arena
    flash=$(sed -n 's/^#define MODEL_SIZE \([0-9]*\).*/\1/p' "$1/model.h")
    arena=$(sed -n 's/^#define MODEL_ARENA_SIZE \([0-9]*\).*/\1/p' "$1/model.h")
    [ "$flash" -lt 3500000 ] && [ "$arena" -lt 900000 ] && [ "$(wc -c <"$1/test_vector.c")" -lt 30000000 ]
}

run_one() { # TARGET NAME
    local folder=$work/$2-$1 said
    cp -r "$work/exported/$2" "$folder"
    said=$(check_folder "$folder" | tail -n 1)
    rm -rf "$folder"
    echo "$1, $2: $said"
    [[ $said =~ ^equal:\ $samples\ samples,\ [1-9][0-9]*\ codes$ ]]
}

tally() { # TARGET NAME
    missing=
    target "$1"
    if [ -n "$missing" ]; then
        echo "$1, $2: skipped: no$missing"
        skipped=$((skipped + 1))
    elif run_one "$1" "$2"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
}

for file in "$kept"/*.pare; do
    name=$(basename "$file" .pare)
    data=$kept/${name%-*}.npz
    if ! "$pare" export "$file" --data "$data" --samples "$samples" -o "$work/exported/$name" --quiet; then
        failed=$((failed + 1))
        continue
    fi
    if ! fits "$work/exported/$name"; then
        echo "$name: skipped: larger than a board's memory"
        skipped=$((skipped + 1))
        continue
    fi
    for to; do
        tally "$to" "$name"
    done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]

#!/bin/sh
# transcripts.sh PARE SHOW_NPZ INPUTS check|refresh CASE.command|FOLDER...
# Runs each command with `pare` and `show_npz` in the path, in a new folder that holds a copy of INPUTS.
set -u
pare=$1 show_npz=$2 inputs=$3 mode=$4
shift 4
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
mkdir "$work/bin"
ln -s "$pare" "$work/bin/pare"
ln -s "$show_npz" "$work/bin/show_npz"
PATH=$work/bin:$PATH
OMP_NUM_THREADS=1 LC_ALL=C
export PATH OMP_NUM_THREADS LC_ALL
failed=0

# keep FILE EXPECTED: an empty result is the absence of the file.
keep() {
    if [ -s "$1" ]; then cp "$1" "$2"; else rm -f "$2"; fi
}

# compare WHAT FILE EXPECTED
compare() {
    [ -e "$3" ] || set -- "$1" "$2" /dev/null
    diff -u --label "expected $1" --label "actual $1" "$3" "$2" || failed=1
}

one_case() {
    case=$1
    base=${case%.command}
    rm -rf "$work/run"
    cp -r "$inputs" "$work/run"
    (cd "$work/run" && sh "$case") >"$work/stdout" 2>"$work/stderr"
    code=$?
    if [ "$code" -eq 0 ]; then : >"$work/code"; else echo "$code" >"$work/code"; fi
    for what in stdout stderr code; do
        if [ "$mode" = refresh ]; then
            keep "$work/$what" "$base.$what"
        else
            compare "$what" "$work/$what" "$base.$what"
        fi
    done
}

for argument in "$@"; do
    if [ -d "$argument" ]; then
        for file in "$argument"/*.command; do one_case "$file"; done
    else
        one_case "$argument"
    fi
done
exit "$failed"

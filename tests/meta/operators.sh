#!/bin/sh
# operators.sh PROGRAM DOCUMENT [--update]: the list of operators in the document, between its marks, must be what the
# program prints from the table; --update writes it there.
set -eu
begin='<!-- operators: from src/graph/ops.def by tests/meta/operators.sh -->'
end='<!-- end of operators -->'
wanted=$(mktemp)
made=$(mktemp)
trap 'rm -f "$wanted" "$made"' EXIT
"$1" >"$wanted"
awk -v begin="$begin" -v end="$end" -v list="$wanted" '
    $0 == end { inside = 0 }
    !inside { print }
    $0 == begin { inside = 1; while ((getline line < list) > 0) print line }
' "$2" >"$made"
if ! grep -qF "$begin" "$2"; then
    echo "$2 has no mark $begin"
    exit 1
fi
if [ "${3:-}" = --update ]; then
    cp "$made" "$2"
elif ! diff -u "$2" "$made"; then
    echo "$2 is out of date: run $0 $1 $2 --update"
    exit 1
fi

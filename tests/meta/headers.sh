#!/bin/sh
# headers.sh ROOT CC PROTO [FLAG...]: every header compiles alone, in C11; the public ones in C99 too, and those of the
# runtime without a hosted library.
set -eu
root=$1 cc=$2 proto=$3
shift 3
unit=$(mktemp -d)
trap 'rm -rf "$unit"' EXIT

compile() { # HEADER FLAG...
    header=$1
    shift
    printf '#include "%s"\n#include "%s"\ntypedef int not_empty;\n' "$header" "$header" >"$unit/unit.c"
    "$cc" -fsyntax-only -Wall -Wextra -Werror -I"$root/include" "$@" "$unit/unit.c" ||
        { echo "$header does not compile alone"; exit 1; }
    count=$((count + 1))
}

count=0
for path in "$root"/src/*/*.h; do
    header=${path#"$root"/src/}
    case $header in
    runtime/*) compile "$header" -std=c99 -pedantic -ffreestanding -I"$root/src" ;;
    *) compile "$header" -std=c11 -D_POSIX_C_SOURCE=200809L -I"$root/src" -isystem "$proto" "$@" ;;
    esac
done
for path in "$root"/include/pare/*.h; do
    compile "${path#"$root"/include/}" -std=c99 -pedantic -ffreestanding
    compile "${path#"$root"/include/}" -std=c11 -pedantic
done
echo "$count compilations of headers alone"

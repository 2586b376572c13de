#!/bin/sh
# consumer.sh BUILD SOURCE CMAKE CC LIBDIR: installs BUILD into a temporary tree, moves the tree, and builds and runs a
# user of it by find_package and by pkg-config, with either library.
set -eu
build=$1 source=$2 cmake=$3 cc=$4 libdir=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$cmake" --install "$build" --prefix "$work/first" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
mv "$work/first" "$work/tree"
for path in bin/pare include/pare/pare.h "$libdir/libpare.a" "$libdir/libpare.so" "$libdir/pkgconfig/pare.pc"; do
    [ -e "$work/tree/$path" ] || { echo "$path is not installed"; exit 1; }
done
"$work/tree/bin/pare" --version

"$cmake" -S "$source" -B "$work/cmake" -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$work/tree" >"$work/log" 2>&1 &&
    "$cmake" --build "$work/cmake" >>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$work/cmake/consumer_pare"
"$work/cmake/consumer_static"

export PKG_CONFIG_PATH="$work/tree/$libdir/pkgconfig"
# shellcheck disable=SC2046 # flags are words
"$cc" "$source/consumer.c" -o "$work/shared" $(pkg-config --cflags --libs pare)
LD_LIBRARY_PATH="$work/tree/$libdir" "$work/shared"
rm "$work/tree/$libdir"/libpare.so*
# shellcheck disable=SC2046
"$cc" "$source/consumer.c" -o "$work/static" $(pkg-config --static --cflags --libs pare)
"$work/static"

#!/bin/sh
# sample.sh TARGET SOURCE WORK: the folders that prepare.sh exported, built and run on a target.
set -eu
target=$1 source=$2 work=$3
. "$source/tests/device/targets.sh"
target "$target"
if [ -n "$missing" ]; then
    echo "skipped: no$missing"
    exit
fi
rm -rf "$work/$target"
cp -r "$work/exported" "$work/$target"
for folder in "$work/$target"/*; do
    said=$(check_folder "$folder" | tail -n 1)
    echo "$target, $(basename "$folder"): $said"
    case $target in
    cortex*) make -s -C "$folder" stack CC="$cc" CFLAGS="$cflags" ;;
    esac
    [ "$said" = 'equal: 50 samples, 500 codes' ] || { echo "not equal to the host"; exit 1; }
done

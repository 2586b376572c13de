#!/bin/sh
# microcontroller.sh PARE SHOW_NPZ CC SOURCE: runs the commands of the guide's section "On a microcontroller" as they are
# written, on the sample network, and compares the classes of all samples with those of `pare eval`.
set -eu
pare=$1 show_npz=$2 cc=$3 source=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cd "$work"
mkdir bin
ln -s "$(command -v "$cc")" bin/cc
ln -s "$source/src" "$source/include" "$source/samples" .
PATH=$work/bin:$PATH

"$pare" quantize samples/fashion_mnist.onnx --data samples/fashion_mnist_val.npz --scale 1/255 --bits 8 -o out --quiet >text
"$pare" eval out/model.pare --data samples/fashion_mnist_val.npz --predictions y.npz --quiet >text
"$show_npz" y.npz predicted | od -An -v -td8 -w8 | tr -d ' ' >expected

sed -n '/^## On a microcontroller/,/^## /s/^    \(od \|cc \)/\1/p' "$source/docs/guide.md" >recipe
[ "$(wc -l <recipe)" -eq 2 ] || { echo "the guide's recipe is not one od and one cc"; exit 1; }
sh -e recipe
"$show_npz" samples/fashion_mnist_val.npz x | out/classify >actual
[ "$(wc -l <actual)" -eq 2000 ]
cmp expected actual

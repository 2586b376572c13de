#!/bin/sh
# prepare.sh PARE SOURCE WORK: the sample network at 8 and 16 bits, at mixed widths, and these in whole bytes, exported with 50
# samples each.
set -eu
pare=$1 source=$2 work=$3
data=$source/samples/fashion_mnist_val.npz
rm -rf "$work"
mkdir -p "$work"

quantize() { # NAME OPTION...
    name=$1
    shift
    "$pare" quantize "$source/samples/fashion_mnist.onnx" --data "$data" --scale 1/255 "$@" -o "$work/$name" --quiet
}

export_c() { # NETWORK NAME OPTION...
    network=$1 name=$2
    shift 2
    "$pare" export "$work/$network/model.pare" --data "$data" --samples 50 "$@" -o "$work/exported/$name"
}

quantize eight --bits 8
quantize mixed --bits 3,6 --max-drop 20%
quantize sixteen --bits 16
export_c eight eight
export_c mixed mixed
export_c mixed speed --pack speed
export_c sixteen sixteen # 64-bit accumulators, codes of two bytes

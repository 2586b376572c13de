#!/bin/bash
# microcontroller.sh PARE [SHARED] [NETWORK...]: the table of docs/performance.md, in Markdown: what a model takes on a
# Cortex-M4, at 8 bits. Needs arm-none-eabi-gcc and qemu-system-arm.
set -eu -o pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
pare=$(realpath "$1")
shared=${2:-$source/../shared}
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- mlperf_tiny_resnet8 mlperf_tiny_dscnn_kws paper_seq_mnist
boards=$source/samples/microcontroller/cortex_m
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

quantize() { # NAME
    local how
    case $1 in
    mlperf_tiny_resnet8) how="--data $shared/data/cifar10_val.npz" ;;
    mlperf_tiny_dscnn_kws) how="--data $shared/data/kws_val.npz --scale 0.5847029089927673 --mean 48.530341446397853" ;;
    paper_seq_mnist) how="--data $shared/data/mnist_val.npz --scale 1/255 --layout nhwc" ;;
    *) echo "no data are known for $1" >&2 && return 1 ;;
    esac
    "$pare" quantize "$shared/models/$1.onnx" $how --bits 8 -o "$work/$1" --quiet >/dev/null || [ $? -eq 4 ]
}

build() { # FOLDER PROGRAM.c
    (cd "$1" && arm-none-eabi-gcc -std=c99 -Os -mcpu=cortex-m4 -mthumb -ffunction-sections -fdata-sections -I. "$2" \
        model_data.c test_vector.c runtime/*.c $3 -Wl,--gc-sections -o program.elf)
}

# .text with constants, of the runtime and what it needs of the C library; the model is another column.
code_size() { # FOLDER
    build "$1" "$boards/size.c" "-nostartfiles -specs=nano.specs -Wl,-e,main"
    local all model
    all=$(arm-none-eabi-size "$1/program.elf" | awk 'NR == 2 { print $1 }')
    model=$(arm-none-eabi-nm -S "$1/program.elf" | awk '$4 == "model_file" { print $2 }')
    echo $((all - 16#$model))
}

instructions() { # FOLDER
    build "$1" "$boards/count.c" "$boards/start.c -nostartfiles --specs=nano.specs --specs=rdimon.specs -T $boards/link.ld
        -Wl,--defsym=FLASH_SIZE=4M,--defsym=RAM_SIZE=4M"
    qemu-system-arm -M mps2-an386 -icount shift=0 -nographic -monitor none -serial none \
        -semihosting-config enable=on,target=native -kernel "$1/program.elf" 2>/dev/null
}

number() { # KEY FILE.json: the first one
    sed -n "s/^ *\"$1\": \([0-9]*\),*\$/\1/p" "$2" | head -n 1
}

row() { # NAME
    local out=$work/$1 exact size open run
    quantize "$1"
    "$pare" export "$out/model.pare" -o "$out/c" --samples 1 --quiet
    "$pare" inspect "$out/model.pare" --memory --json >"$out/memory.json"
    "$pare" inspect "$out/model.pare" --json >"$out/layers.json"
    exact=$((($(number exact_bits "$out/layers.json") + 7) / 8))
    size=$(wc -c <"$out/model.pare")
    read -r _ open _ _ run _ < <(instructions "$out/c")
    printf '| %s | %d | %d | %d | %d | %d (%d) | %d (%d) | %d | %d (%d) | %.1f | %.1f |\n' "$1" "$(code_size "$out/c")" \
        "$(sed -n 's/^#define MODEL_SIZE \([0-9]*\).*/\1/p' "$out/c/model.h")" "$size" "$exact" \
        "$((size - exact))" "$((exact * 3 / 100 + 1024))" "$(wc -c <"$out/model.onnx")" "$(gzip -9 <"$out/model.onnx" | wc -c)" "$(number arena "$out/memory.json")" \
        "$(number lower_bound "$out/memory.json")" "$(number largest_pair "$out/memory.json")" \
        "$(awk "BEGIN { print $run / 1e6 }")" "$(awk "BEGIN { print $open / 1e6 }")"
}

echo '| network | code | model | .pare | exact bits | overhead (limit) | model.onnx (gzip) | arena | bound (pair) | run, M | open, M |'
echo '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |'
for name; do
    row "$name"
done

#!/bin/sh
# export.sh PARE SHOW_NPZ SOURCE WORK: what `pare export` writes, beside what sample.sh checks on every target.
set -eu
pare=$1 show_npz=$2 source=$3 work=$4
scratch=$work/export
data=$source/samples/fashion_mnist_val.npz
rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"

fail() {
    echo "$*"
    exit 1
}

# A wrong expectation is noticed.
"$pare" export "$work/eight/model.pare" -o wrong --samples 2 --seed 5
sed -i '/output_1_0\[/,/};/s/^    [-0-9]*,/    99,/' wrong/test_vector.c
! make -s -C wrong check >said 2>/dev/null || fail 'a wrong test vector passes'
grep -qx 'first: sample 1, output 0, code 0: expected 99, computed -*[0-9]*' said || fail "it says: $(cat said)"
grep -qx 'different: 1 of 20 codes' said || fail "it says: $(cat said)"
"$pare" export "$work/sixteen/model.pare" -o wider --samples 1
sed -i '/output_0_0\[/,/};/s/^    [-0-9]*,/    -99,/' wider/test_vector.c
! make -s -C wider check >said 2>/dev/null || fail 'a wrong test vector passes'
grep -qx 'first: sample 0, output 0, code 0: expected -99, computed -*[0-9]*' said || fail "it says: $(cat said)"

# Random codes follow the seed; a folder in use stays as it is.
"$pare" export "$work/eight/model.pare" -o a --seed 1
"$pare" export "$work/eight/model.pare" -o b --seed 1 --threads 1
"$pare" export "$work/eight/model.pare" -o c --seed 2
diff -r a b
! cmp -s a/test_vector.c c/test_vector.c || fail 'the seed changes nothing'
! "$pare" export "$work/mixed/model.pare" -o a 2>said || fail 'it writes over a folder'
grep -q 'a: exists already; remove it' said || fail "it says: $(cat said)"
diff -r a b
[ -z "$(find . -name '*.tmp-*')" ] || fail 'temporary folders are left behind'

# Only the kernels that the network needs are there.
[ -e a/runtime/kernels_pool.c ] && [ ! -e a/runtime/kernels_conv.c ] || fail 'the runtime is not trimmed'

# Another compiler or other flags build everything again, the same ones nothing.
make -s -C a libmodel.a CFLAGS=-O1
make -C a libmodel.a CFLAGS=-O1 >said
! grep -q 'runtime/model.c' said || fail 'the same flags build again'
make -C a libmodel.a CFLAGS="-O1 -DTEXT='\"a b\"'" >said
grep -q 'runtime/model.c' said || fail 'other flags are not seen'
make -s -C a size >said
grep -q '^ *[1-9][0-9]*.*runtime[.]o$' said || fail "size says: $(cat said)"
mkdir sources
cp -r a/. sources
make -s -C sources clean
touch sources/start.o sources/count.elf
make -s -C sources check size clean >/dev/null
[ -z "$(find sources -name '*.[oa]' -o -name '*.elf' -o -name check_model)" ] || fail 'clean leaves something'

# The page's kernels of one's own are taken, and wrong ones are seen.
sed -n '/^## Kernels of your own/,/^## Two/s/^    //p' "$source/docs/microcontroller.md" >a/my_kernels.c
said=$(make -s -C a check KERNELS=my_kernels.c CFLAGS='-O1 -Wall -Wextra -Werror' | tail -n 1)
[ "$said" = 'equal: 4 samples, 40 codes' ] || fail "own kernels: $said"
sed -i 's,/[*] yours [*]/,*(uint8_t *)data[op->output] ^= 1;,' a/my_kernels.c
! make -s -C a check KERNELS=my_kernels.c >said 2>/dev/null || fail 'wrong kernels pass'
grep -q '^different: ' said || fail "wrong kernels: $(cat said)"
said=$(make -s -C a check | tail -n 1)
[ "$said" = 'equal: 4 samples, 40 codes' ] || fail "without own kernels: $said"

# A C++ program links with it.
if command -v g++ >/dev/null; then
    cat >a/program.cpp <<'END'
#include "runtime/kernels.h"
#include "test_vector.h"

static uint32_t arena[MODEL_ARENA_SIZE / 4 + 1], output[MODEL_LARGEST_OUTPUT_SIZE];

int main() {
    pare_model model;
    void *outputs[] = {output};
    bool runs = pare_model_open(model_file, MODEL_SIZE, &model) == PARE_OK &&
                model.kernels[PARE_DENSE] == pare_run_dense_block &&
                pare_model_run(&model, arena, test_inputs[0], outputs) == PARE_OK;
    return runs ? 0 : 1;
}
END
    make -s -C a libmodel.a test_vector.o
    g++ -std=c++11 -Wall -Wextra -Werror -Ia a/program.cpp a/test_vector.o a/libmodel.a -o program
    ./program || fail 'a C++ program does not run'
else
    echo 'C++: not tested, no g++'
fi

# Two models of other names share one runtime, of the kinds of both, as the page says.
"$pare" export "$work/eight/model.pare" -o one --name eight_bits --samples 1
"$pare" export "$work/sixteen/model.pare" -o two --name sixteen --samples 1
said=$(make -s -C two check) || fail "with a name: $said"
! grep -rn 'MODEL_\|model_file\|model[.]h' one/*.[ch] one/Makefile || fail 'the name is not everywhere'
mkdir both
cp -r two/runtime two/pare both
cp -r one/runtime one/pare both
kinds() { # NAME FOLDER
    sed -n "s/^#define $1 \(.*)\|[01]\)\$/\1/p" "$2/runtime/kinds.h" | head -n 1
}
for name in PARE_KINDS PARE_WIDE PARE_LONG_FACTORS PARE_ADDENDS; do
    sed -i "0,/^#define $name /s/^#define $name .*/#define $name ($(kinds $name one) | $(kinds $name two))/" both/runtime/kinds.h
done
for folder in one two; do
    cc -c -Iboth -Dtest_inputs=${folder}_inputs -Dtest_outputs=${folder}_outputs $folder/test_vector.c -o $folder.o
done
cat >both/program.c <<'END'
#include "eight_bits.h"
#include "sixteen.h"

#include <string.h>

extern const void *const one_inputs[][1], *const one_outputs[][1], *const two_inputs[][1], *const two_outputs[][1];
static uint8_t arena[EIGHT_BITS_ARENA_SIZE > SIXTEEN_ARENA_SIZE ? EIGHT_BITS_ARENA_SIZE : SIXTEEN_ARENA_SIZE];

static int run(const uint8_t *file, size_t size, const void *const *inputs, const void *expected, size_t bytes) {
    struct pare_model model;
    uint8_t codes[SIXTEEN_OUTPUT_0_SIZE];
    void *outputs[] = {codes};
    return pare_model_open(file, size, &model) == PARE_OK && pare_model_run(&model, arena, inputs, outputs) == PARE_OK &&
           memcmp(codes, expected, bytes) == 0;
}

int main(void) {
    return run(eight_bits_file, EIGHT_BITS_SIZE, one_inputs[0], one_outputs[0][0], EIGHT_BITS_OUTPUT_0_SIZE) &&
                   run(sixteen_file, SIXTEEN_SIZE, two_inputs[0], two_outputs[0][0], SIXTEEN_OUTPUT_0_SIZE)
               ? 0
               : 1;
}
END
cc -std=c99 -Wall -Wextra -Werror -pedantic -Iboth -Ione -Itwo both/program.c both/runtime/*.c one/eight_bits_data.c \
    two/sixteen_data.c one.o two.o -o two_models
./two_models || fail 'two models do not run in one program'

# Every packing gives the same codes, and a stripped file is smaller.
size() {
    wc -c <"$1"
}
"$pare" export "$work/mixed/model.pare" --to pare -o plain.pare
"$pare" export "$work/mixed/model.pare" --to pare --pack size -o small.pare
"$pare" export "$work/mixed/model.pare" --to pare --pack speed -o large.pare
[ "$(size plain.pare)" -lt "$(size "$work/mixed/model.pare")" ] || fail 'nothing is stripped'
[ "$(size small.pare)" -le "$(size plain.pare)" ] && [ "$(size plain.pare)" -lt "$(size large.pare)" ] ||
    fail 'the packings have unexpected sizes'
for file in plain small large; do
    "$pare" eval $file.pare --data "$data" --scale 1/255 --predictions $file.npz --quiet >/dev/null
    "$show_npz" $file.npz predicted >$file.classes
    cmp plain.classes $file.classes
done

# The rewritten ONNX is the same network: the same file, and the same codes of the test.
for network in eight mixed sixteen; do
    "$pare" export "$work/$network/model.pare" --to pare -o of_pare
    "$pare" export "$work/$network/model.onnx" --to pare -o of_onnx
    cmp of_pare of_onnx || fail "$network: another file from model.onnx"
done
"$pare" export "$work/eight/model.onnx" -o d --seed 1
cmp a/test_vector.c d/test_vector.c || fail 'other codes from model.onnx'
said=$(make -s -C d check) || fail "from model.onnx: $said"

# What inspect tells of memory is what the header says.
"$pare" inspect "$work/eight/model.pare" --memory --json >memory.json
arena=$(sed -n 's/^ *"arena": \([0-9]*\),*$/\1/p' memory.json)
grep -qx "#define MODEL_ARENA_SIZE $arena .*" a/model.h || fail "the arena has $arena bytes, and other ones in model.h"
grep -q "\"lower_bound\": $arena,*$" memory.json || fail 'the arena is larger than its lower bound'
"$pare" inspect "$work/eight/model.onnx" --memory --json | grep -q "\"arena\": $arena,*$" ||
    fail 'the rewritten ONNX has another plan'

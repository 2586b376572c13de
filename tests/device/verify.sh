#!/bin/sh
# verify.sh PARE FAULTY WORK: `pare verify` on the networks of prepare.sh; the program FAULTY rounds half up, which must
# be seen.
set -eu
pare=$1 faulty=$2 work=$3
scratch=$work/verify
rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"

fail() {
    echo "$*"
    cat said
    exit 1
}

for network in eight mixed; do
    "$pare" verify "$work/$network" >said || fail "$network: exit $?"
    [ "$(tail -n 1 said)" = "$work/$network: 4 samples, 9 layers, equal" ] || fail "$network: another last line"
    [ "$(grep -c '^conv_.* equal  equal   equal ' said)" -eq 5 ] || fail "$network: not all convolutions are equal"
done

code=0
"$faulty" verify "$work/eight" >said 2>errors || code=$?
[ $code -eq 1 ] || fail "the faulty rounding ends with exit $code"
tail -n 1 said | grep -q ', NOT EQUAL$' || fail 'the faulty rounding is called equal'
grep -q '^first difference to the stored codes: conv_1$' said || fail 'the stored codes are not told'
grep -q '^first difference of model.onnx: conv_1, sample [0-9]*, element [0-9]*: [-0-9]*, reference [-0-9]*; operands: 9 products that sum to ' \
    said || fail 'no operands are told'

"$pare" verify "$work/eight" --python ./none >said || fail 'it fails without a Python'
grep -q '^ONNX Runtime: not compared: there is no Python' said || fail 'it does not say that there is no Python'

cp -r "$work/eight" copy
rm copy/test_vector.npz
code=0
"$pare" verify copy >said 2>&1 || code=$?
[ $code -eq 3 ] && grep -q 'test_vector.npz: there is no such file; quantize again' said || fail "without samples: exit $code"
"$pare" verify copy --python ./none --data "$work/mixed/test_vector.npz" >said 2>&1 && fail 'codes are no data' || true
cp "$work/mixed/test_vector.npz" copy
code=0
"$pare" verify copy >said 2>&1 || code=$?
[ $code -eq 1 ] || fail "with codes of other widths: exit $code"

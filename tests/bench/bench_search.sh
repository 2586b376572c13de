#!/bin/sh
# bench_search.sh BENCH SOURCES: the benchmark of the search on few images of the sample, so that it does not rot.
bench=$1
samples=$2/samples
failures=0
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT

check() { # check WHAT COMMAND...: the command must succeed
    what=$1
    shift
    "$@" || { echo "failed: $what"; failures=$((failures + 1)); }
}

exits() { # exits CODE ARGUMENTS...: the benchmark's exit code
    code=$1
    shift
    "$bench" "$@" >"$out/stdout" 2>"$out/stderr"
    [ $? -eq "$code" ]
}

rows() { # rows CONDITION: how many measured rows meet it; $3 method, $4 memory, $5 multiplications, $12 divergence, $13 evaluations
    awk -F' *[|] *' "NR > 2 && ($1) { n++ } END { print n + 0 }" "$out/table"
}

saves='$3 == "ours" && $4 > 30 && $4 < 100 && $5 > 30 && $5 < 100 && $13 > 2'
check "searches" exits 0 "$samples" --networks sample --samples 100 --max-drop 10 --threads 2 --ablated-searches
cp "$out/stdout" "$out/table"
check "sixteen rows" [ "$(rows 1)" -eq 16 ]
check "8 bits save nothing" [ "$(rows '$3 == "8 bits" && $4 == 0 && $5 == 0')" -eq 1 ]
check "the search saves" [ "$(rows "$saves")" -eq 1 ]
ours=$(awk -F' *[|] *' '$3 == "ours" { print $4 " " $5 " " $13 }' "$out/table")
check "leaving out matters" [ "$(rows "\$3 ~ /^without/ && \$4 \" \" \$5 \" \" \$13 != \"$ours\"")" -ge 6 ]

check "ablations" exits 0 "$samples" --networks sample --samples 100 --max-drop 10 --threads 2 --ablations
cp "$out/stdout" "$out/table"
check "fifteen rows" [ "$(rows 1)" -eq 15 ]
check "the same search" [ "$(rows "$saves")" -eq 1 ]
check "one point each" [ "$(rows '$3 ~ /^without/ && $13 == 2')" -eq 13 ]
divergence=$(awk -F' *[|] *' '$3 == "ours" { print $12 }' "$out/table")
check "leaving out harms" [ "$(rows "\$3 ~ /^without/ && \$12 > $divergence")" -ge 4 ]

check "JSON" exits 0 "$samples" --networks sample --samples 60 --max-drop 10 --json
check "rows in JSON" [ "$(grep -c '"method": "' "$out/stdout")" -eq 2 ]

check "exit code without files" exits 77 "$out"
check "which file is missing" grep -q "skipped: no .*models/paper_seq_mnist.onnx" "$out/stderr"
check "an unknown network" exits 1 "$samples" --networks nothing
check "its name" grep -q "no network is named 'nothing'" "$out/stderr"
check "an unknown option" exits 2 --nothing 1
check "a bound of nothing" exits 2 --max-drop 0

[ "$failures" -eq 0 ] || { cat "$out/table"; exit 1; }

#!/bin/sh
# layers.sh accepts a tree that keeps the rules and refuses each way of breaking them.
set -eu
check=$(dirname "$0")/layers.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/include/pare"
for folder in base tensor graph onnx float passes runtime fixed quant search report api cli; do
    mkdir -p "$tree/src/$folder"
done
printf '#include <stdint.h>\n#include <string.h>\n' >"$tree/src/runtime/kernel.c"
printf '#include "base/arena.h"\n#include "tensor/npy.h"\n#include <zip.h>\n' >"$tree/src/tensor/npz.c"
sh "$check" "$tree" >/dev/null || { echo "a correct tree is refused"; exit 1; }

refused() { # FOLDER INCLUDE
    printf '#include %s\n' "$2" >"$tree/src/$1/violation.c"
    if sh "$check" "$tree" >"$tree/output"; then
        echo "$1 may include $2, but should not"
        exit 1
    fi
    grep -q "src/$1/violation.c" "$tree/output" || { echo "the message does not name the file"; exit 1; }
    rm "$tree/src/$1/violation.c"
}
refused base '"tensor/tensor.h"'
refused graph '"passes/passes.h"'
refused runtime '"base/bytes.h"'
refused runtime '<stdlib.h>'
refused fixed '"graph/graph.h"'
refused cli '"base/context.h"'
refused passes '<protobuf-c/protobuf-c.h>'
refused float '"onnx.pb-c.h"'
refused graph '<zip.h>'
refused tensor '"npy.h"'
refused search '<curl/curl.h>'
refused search '  "api/api.h" /* spaces before */'
echo "every violation is refused"

#!/bin/sh
# page.sh PARE SOURCE WORK: the commands of docs/microcontroller.md, as they are written; those for the device only where its
# compiler and emulator are.
set -eu
pare=$1 source=$2 work=$3/page
. "$source/tests/device/targets.sh"
rm -rf "$work"
mkdir -p "$work/bin"
cd "$work"
ln -s "$pare" bin/pare
ln -s "$source/samples" .
PATH=$work/bin:$PATH

commands() { # PATTERN
    sed -n '/^## Quantise/,/^## In your/s/^    \(.*\)/\1/p' "$source/docs/microcontroller.md" | grep -E "$1"
}

for part in 'pare|make -C firmware check$' 'arm-none-eabi-gcc|clean'; do
    missing=
    [ "$part" = 'arm-none-eabi-gcc|clean' ] && target cortex-m4
    if [ -n "$missing" ]; then
        echo "only the host's part: no$missing"
        break
    fi
    commands "^($part)|^make.*($part)" >commands
    [ "$(wc -l <commands)" -ge 4 ] || { echo "the page has fewer commands than it should"; exit 1; }
    sh -e commands >said 2>&1 || { cat said; exit 1; }
    grep -qx 'equal: 8 samples, 80 codes' said || { cat said; echo "it is not equal"; exit 1; }
done
[ -n "$missing" ] || grep -q '^stack: pare_model_run: at most [1-9][0-9]* bytes$' said

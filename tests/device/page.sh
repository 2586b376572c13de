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
    sed -n '/^## Quantise/,/^## In your/s/^    //p; /^## What it takes/,/^## Kernels/s/^    //p' "$source/docs/microcontroller.md" |
        grep -E "$1"
}

for part in 'pare|make -C firmware check$' 'arm-none-eabi-gcc|clean|qemu-system-arm'; do
    missing=
    [ "$part" = 'pare|make -C firmware check$' ] || target cortex-m4
    if [ -n "$missing" ]; then
        echo "only the host's part: no$missing"
        break
    fi
    commands "^($part)|^make.*($part)" >commands
    [ "$(wc -l <commands)" -ge 4 ] || { echo "the page has fewer commands than it should"; exit 1; }
    sh -e commands >said 2>&1 || { cat said; exit 1; }
    grep -qx 'equal: 8 samples, 80 codes' said || { cat said; echo "it is not equal"; exit 1; }
done
# The firmware's part compiles as C and as C++.
sed -n '/^## In your firmware/,/^## What/s/^    //p' "$source/docs/microcontroller.md" >network.c
grep -q pare_model_run network.c || { echo "the page has no program"; exit 1; }
cc -std=c99 -Wall -Wextra -Werror -pedantic -Ifirmware -c network.c -o network.o
if command -v g++ >/dev/null; then
    g++ -std=c++11 -Wall -Wextra -Werror -pedantic -Ifirmware -x c++ -c network.c -o network.o
else
    echo 'the firmware as C++: not tested, no g++'
fi
if [ -z "$missing" ]; then
    for line in 'stack: pare_model_run: at most [1-9][0-9]* bytes' ' *[1-9][0-9]*.*runtime[.]o' 'instructions: [1-9][0-9]* to open, [1-9][0-9]* to run'; do
        grep -qx "$line" said || { cat said; echo "it does not say: $line"; exit 1; }
    done
    # Data and arena fit, and leave too little for the stack.
    small=$(echo "$ldflags" | sed 's/RAM_SIZE=4M/RAM_SIZE=10K/')
    ! make -s -C firmware check_model CC="$cc" AR="$ar" CFLAGS="$cflags" LDFLAGS="$small" >said 2>&1 || { echo "it links without a stack"; exit 1; }
    grep -q 'less than STACK_SIZE for the stack' said || { cat said; exit 1; }
fi

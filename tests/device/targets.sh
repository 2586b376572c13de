# Sourced: how an exported folder is built and run on a target. target NAME sets the variables, or `missing`.
boards=$source/samples/microcontroller/cortex_m
missing=

need() { # PROGRAM...
    for program; do
        command -v "$program" >/dev/null || missing="$missing $program"
    done
}

cortex() { # CPU FLASH RAM MACHINE [OPTION...]
    need arm-none-eabi-gcc qemu-system-arm
    cc=arm-none-eabi-gcc ar=arm-none-eabi-ar cflags="-Os -mcpu=$1 -mthumb" start=$boards/start.c
    ldflags="start.o -nostartfiles --specs=nano.specs --specs=rdimon.specs -T $boards/link.ld \
-Wl,--defsym=FLASH_SIZE=$2,--defsym=RAM_SIZE=$3"
    shift 3
    run="qemu-system-arm -M $* -nographic -monitor none -serial none -semihosting-config enable=on,target=native -kernel"
}

target() { # NAME
    start=
    case $1 in
    host) need cc make && cc=cc ar=ar cflags='-O2 -Wall -Wextra -Werror -pedantic' ldflags='' run='' ;;
    # A Cortex-M0 with the memory that its board does not have.
    cortex-m0) cortex cortex-m0 4M 1M microbit -global nrf51-soc.flash-size=0x400000 -global nrf51-soc.sram-size=0x100000 ;;
    cortex-m3) cortex cortex-m3 4M 4M mps2-an385 ;;
    cortex-m4) cortex cortex-m4 4M 4M mps2-an386 ;;
    riscv32)
        need riscv64-unknown-elf-gcc riscv64-unknown-elf-ld qemu-riscv32
        [ -e /usr/lib/picolibc ] || missing="$missing picolibc"
        cc=riscv64-unknown-elf-gcc ar=riscv64-unknown-elf-ar start=$source/samples/microcontroller/riscv32/start.c run=qemu-riscv32
        cflags='-Os -march=rv32imac -mabi=ilp32 -mstrict-align --specs=picolibc.specs'
        ldflags='start.o -nostartfiles -T start.ld -Wl,--no-relax'
        ;;
    powerpc) # big-endian
        need powerpc-linux-gnu-gcc qemu-ppc
        cc=powerpc-linux-gnu-gcc ar=powerpc-linux-gnu-ar cflags=-Os ldflags=-static run=qemu-ppc
        ;;
    *)
        echo "there is no target $1"
        exit 2
        ;;
    esac
}

# Builds and runs the exported folder: prints what its check prints.
check_folder() { # FOLDER
    if [ -n "$start" ]; then
        $cc $cflags -c "$start" -o "$1/start.o" || return
    fi
    case $ldflags in
    *start.ld*) riscv64-unknown-elf-ld --verbose -m elf32lriscv | sed '1,/^====/d; /^====/,$d' >"$1/start.ld" ;;
    esac
    timeout 1800 make -s -C "$1" check CC="$cc" AR="$ar" CFLAGS="$cflags" LDFLAGS="$ldflags" RUN="$run" 2>&1
}

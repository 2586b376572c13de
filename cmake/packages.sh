#!/bin/sh
# packages.sh GROUP...: installs those Debian packages of the groups build, test and ci that are missing. The one place
# that lists them; third_party/README.md says what each is for.
set -eu

packages_of() { # GROUP
    case $1 in
    build)
        echo gcc cmake ninja-build pkg-config binutils libc6-dev
        echo libprotobuf-c-dev protobuf-c-compiler libzip-dev zlib1g-dev libjansson-dev libopenblas-dev
        ;;
    test) echo check libonnx-testdata make ;;
    ci)
        echo clang clang-format clang-tidy cppcheck
        echo python3 python3-venv protobuf-compiler
        echo gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm qemu-user
        echo gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf gcc-powerpc-linux-gnu libc6-dev-powerpc-cross
        ;;
    *)
        echo "packages.sh: unknown group $1; there are build, test and ci" >&2
        exit 2
        ;;
    esac
}

missing() { # PACKAGE...
    for package; do
        dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

wanted=$(for group; do packages_of "$group" || exit; done)
if ! command -v apt-get >/dev/null; then
    echo "This is no Debian: install what corresponds to" $wanted >&2
    exit 0
fi
# shellcheck disable=SC2086 # words are packages
absent=$(missing $wanted)
[ -n "$absent" ] || exit 0
echo "installing:" $absent
as_root apt-get update -q
# shellcheck disable=SC2086
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $absent </dev/null

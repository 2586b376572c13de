#!/bin/sh
# install.sh [PREFIX]: installs what is missing, builds, and installs pare into PREFIX (default: /usr/local).
set -eu
prefix=${1:-/usr/local}
case $prefix in
/*) ;;
*) prefix=$PWD/$prefix ;;
esac
cd "$(dirname "$0")"
sh cmake/packages.sh build
cmake --preset release -DBUILD_TESTING=OFF
cmake --build --preset release
if mkdir -p "$prefix" 2>/dev/null && [ -w "$prefix" ]; then
    cmake --install build/release --prefix "$prefix"
else
    sudo cmake --install build/release --prefix "$prefix"
fi
if [ "$prefix" = /usr/local ] && [ "$(id -u)" -eq 0 ]; then
    ldconfig
fi

#!/bin/sh
# symbols.sh NM LIBRARY...: a library gives its users names that begin with pare_, and no others.
set -eu
nm=$1
shift
for library; do
    case $library in
    *.a) names=$("$nm" -g --defined-only "$library" | awk 'NF == 3 { print $3 }') ;;
    *) names=$("$nm" -D --defined-only "$library" | awk 'NF == 3 { print $3 }') ;;
    esac
    echo "$names" | grep -q '^pare_' || { echo "$library: exports no pare_ function"; exit 1; }
    foreign=$(echo "$names" | grep -v '^pare_' | grep -v -E '^(_init|_fini|__(asan|ubsan|odr_asan|sanitizer).*)$' || true)
    if [ -n "$foreign" ]; then
        echo "$library: exports what should be hidden:"
        echo "$foreign"
        exit 1
    fi
    echo "$library: $(echo "$names" | wc -l) names, all pare_"
done

#!/bin/sh
# layers.sh ROOT: every #include of ROOT/src and ROOT/include goes the way that layers.txt allows, and the runtime sees
# nothing but freestanding headers and string.h.
set -eu
root=$1
table=$(dirname "$0")/layers.txt

find "$root/src" "$root/include/pare" -name '*.[ch]' -o -name '*.def' | sort | while read -r file; do
    folder=${file#"$root"/src/}
    [ "$folder" = "$file" ] && folder=pare/ # a file of include/pare
    sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*\(["<][^">]*[">]\).*/\1/p' "$file" |
        sed "s|^|${file#"$root"/} ${folder%%/*} |"
done | awk -v table="$table" '
BEGIN {
    while ((getline line < table) > 0) {
        if (line ~ /^#/ || line !~ /:/) continue
        key = line; sub(/:.*/, "", key)
        sub(/^[^:]*:/, "", line)
        if (key !~ /[<"]/) known[key] = 1; else library[key] = 1
        count = split(line, allowed, " ")
        for (i = 1; i <= count; i++) may[key, allowed[i]] = 1
        may[key, key] = 1
    }
    split("float iso646 limits stdalign stdarg stdbool stddef stdint stdnoreturn string", free, " ")
    for (i in free) freestanding["<" free[i] ".h>"] = 1
}
function refuse(what) { printf "%s: includes %s: %s\n", $1, $3, what; bad = 1 }
{
    files[$1] = 1
    if (!($2 in known)) { refuse("folder " $2 " is not in layers.txt"); next }
    if ($3 in library) { if (!(($3, $2) in may)) refuse("this library belongs to other folders"); next }
    if ($3 ~ /^</) {
        if (($2 == "runtime" || $2 == "pare") && !($3 in freestanding)) refuse("not a freestanding header")
        else if ($3 ~ /\// && $3 !~ /^<sys\//) refuse("an unknown library; list it in layers.txt")
        next
    }
    target = $3; gsub(/"/, "", target)
    if (!sub(/\/.*/, "", target)) refuse("write it as \"folder/file.h\"")
    else if (!(($2, target) in may)) refuse($2 " may not include " target)
}
END {
    for (f in files) seen++
    if (seen == 0) { print "no file with an #include found"; exit 1 }
    if (!bad) print seen " files include only what they may"
    exit bad
}'

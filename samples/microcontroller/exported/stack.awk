# awk -f stack.awk FILE.ci...: the most stack that a call into the runtime can take, from what gcc -fcallgraph-info=su
# writes. A call through a table may reach every function of that table. Functions of the C library, which gcc knows
# nothing of (memcpy, memset, memcmp), count 64 bytes each. Exit code 1 where a function calls itself, or has no bound.
function field(name,    at, rest) {
    at = index($0, name ": \"")
    rest = substr($0, at + length(name) + 3)
    return at == 0 ? "" : substr(rest, 1, index(rest, "\"") - 1)
}

# What an indirect call in a file may reach.
function pattern(place) {
    if (place ~ /model[.]c/) return "^pare_run_"
    if (place ~ /\/check[.]c/) return "(/check[.]c:check_|^pare_check_(conv|dense|matmul|pool|prelu)$)"
    if (place ~ /decode[.]c/) return "/parameters[.]c:take_"
    if (place ~ /kernels_block[.]c/) return "/kernels_block[.]c:gather_"
    if (place ~ /kernels_conv[.]c/) return "/kernels_conv[.]c:.*_row"
    return "."
}

/^node/ {
    title = field("title")
    label = field("label")
    if (match(label, /[0-9]+ bytes \([^)]*\)/)) {
        split(substr(label, RSTART, RLENGTH), words, " ")
        own[title] = words[1] + 0
        if (words[3] != "(static)" && words[3] != "(dynamic,bounded)") {
            print "stack: " title " has no bound"
            failed = 1
        }
    }
}

/^edge/ {
    source = field("sourcename")
    calls[source] = calls[source] SUBSEP (field("targetname") == "__indirect_call" ? "*" pattern(field("label")) : field("targetname"))
}

function most(patterned,    name, deepest, bytes) {
    deepest = 0
    for (name in own) {
        if (name ~ patterned) {
            bytes = depth(name)
            deepest = bytes > deepest ? bytes : deepest
        }
    }
    return deepest
}

function depth(name,    parts, count, i, bytes, deepest) {
    if (name in known) return known[name]
    if (!(name in own)) return 64
    if (name in open) {
        print "stack: " name " calls itself"
        failed = 1
        return 0
    }
    open[name] = 1
    deepest = 0
    count = split(calls[name], parts, SUBSEP)
    for (i = 2; i <= count; i++) {
        bytes = substr(parts[i], 1, 1) == "*" ? most(substr(parts[i], 2)) : depth(parts[i])
        deepest = bytes > deepest ? bytes : deepest
    }
    delete open[name]
    return known[name] = own[name] + deepest
}

END {
    roots = split("pare_model_open pare_model_run pare_model_input pare_model_output", root, " ")
    for (r = 1; r <= roots; r++) {
        if (!(root[r] in own)) {
            print "stack: nothing is known of " root[r]
            failed = 1
        } else {
            printf "stack: %s: at most %d bytes\n", root[r], depth(root[r])
        }
    }
    exit failed
}

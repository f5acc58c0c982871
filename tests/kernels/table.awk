# The consoles of the virtual machines, as run.sh leaves them -> a table. Exits with 1 where a machine did not finish,
# had tests that failed or were ignored, or measured nothing.
BEGIN {
    format = "%-30s %-11s %-10s %11s %11s %-6s %s\n"
    printf format, "kernel", "hook", "transport", "RetransSegs", "segments", "equal", "tests"
}

FNR == 1 { kernel = "?"; test = ""; result = "did not finish"; offers = ""; rows = compared = equal = 0 }

/^@kernel / { kernel = $2 }

/^test \[/ { test = $3 }

match($0, /RetransSegs [0-9]+, segments [0-9]+/) {
    split(substr($0, RSTART, RLENGTH), words, /[ ,]+/)
    same = words[2] == words[4]
    compared++
    equal += same
    if (match(test, /^(tp_btf|tracepoint)_(ringbuf|perf)_counts/)) {
        hook = test
        sub(/_(ringbuf|perf)_.*/, "", hook)
        transport = test
        sub(/^(tp_btf|tracepoint)_/, "", transport)
        sub(/_.*/, "", transport)
        row[++rows] = hook " " transport " " words[2] " " words[4] " " (same ? "yes" : "NO")
    }
}

match($0, /offers: .*/) { offers = substr($0, RSTART + 8) }

/^test result: / {
    for (i = 2; i < NF; i++) {
        word = $(i + 1)
        sub(/;/, "", word)
        if (word ~ /^(passed|failed|ignored)$/) count[word] = $i
    }
    result = sprintf("%d passed, %d failed, %d ignored", count["passed"], count["failed"], count["ignored"])
    for (word in count) total[word] += count[word]
}

/^@release / { release = $2 }

/^@exit / { finished = 1; if ($2 != 0) bad = 1 }

/^@seconds / {
    if (!finished || result == "did not finish" || rows == 0 || count["passed"] == 0 || count["ignored"] > 0) bad = 1
    for (i = 1; i <= rows || i == 1; i++) {
        split(i <= rows ? row[i] : "- - - - -", cell, " ")
        note = ""
        if (i == 1) note = finished ? result : "DID NOT FINISH"
        if (i == 2) note = equal " of " compared " counts equal"
        if (i == 3) note = release ", " $2 " s"
        if (i == 4) note = offers
        printf format, i == 1 ? kernel : "", cell[1], cell[2], cell[3], cell[4], cell[5], note
    }
    kernels++
    finished = 0
    delete count
}

END {
    printf "%d kernels: %d passed, %d failed, %d ignored\n", kernels, total["passed"], total["failed"], total["ignored"]
    exit bad
}

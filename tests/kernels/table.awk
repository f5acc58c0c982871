# Makes a table of the consoles of the virtual machines, as boot.sh writes them. Exits with 1 if a machine did not
# finish, had tests that failed or were ignored, or measured nothing.
BEGIN {
    format = "%-30s %-11s %-10s %11s %11s %-6s %s\n"
    printf format, "kernel", "hook", "transport", "RetransSegs", "segments", "equal", "tests"
}

FNR == 1 { kernel = "?"; machine = page = ""; test = ""; result = ""; offers = ""; rows = compared = equal = 0 }

/^@kernel / { kernel = $2; machine = "  " $3 }

/^@page KernelPageSize: +[0-9]+ kB$/ { page = "  pages of " $3 * 1024 " bytes" }

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

/^@name / { name = $2 }

/^@exit / { finished = 1; if ($2 != 0) bad = 1 }

/^@seconds / {
    if (!finished || result == "") total["failed"]++
    if (!finished || result == "" || page == "" || rows == 0 || count["passed"] == 0 || count["ignored"] > 0) bad = 1
    left[1] = kernel; left[2] = machine; left[3] = page; left[4] = ""
    right[1] = finished && result != "" ? result : "DID NOT FINISH"
    right[2] = equal " of " compared " counts equal"
    right[3] = name ", " $2 " s"
    right[4] = offers
    for (i = 1; i <= rows || i <= 4; i++) {
        split(i <= rows ? row[i] : "- - - - -", cell, " ")
        printf format, left[i], cell[1], cell[2], cell[3], cell[4], cell[5], right[i]
    }
    kernels++
    finished = 0
    delete count
}

END {
    printf "%d kernels: %d passed, %d failed, %d ignored\n", kernels, total["passed"], total["failed"], total["ignored"]
    exit bad
}

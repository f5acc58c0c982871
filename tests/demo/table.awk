# The demo's table, for any POSIX awk: awk -v kernel=SEGMENTS -v versions=2 -f table.awk DEBUG-OUTPUT SCRAPE
#
# Reads what the debug exporter printed:
#   system.network.tcp.retransmits{network.type=ipv4,...} 42 {segment} cumulative since TIME
#   ipv4 192.0.2.1:40000 -> 192.0.2.2:5201 fast established ACK segments=2 bytes=2896 ... failed=EBUSY
# and the self-telemetry in the Prometheus text format, which says what was lost where. Ends with exit code 1 in three
# cases: the kernel counted more than we did, by more than was lost; it counted less than we did; or there was nothing
# to count.

# The value of `key=` in a list. Its separator is `,` for metric attributes and ` ` for the line of a record.
function value(list, key, separator,    items, count, i) {
	count = split(list, items, separator)
	for (i = 1; i <= count; i++)
		if (index(items[i], key "=") == 1)
			return substr(items[i], length(key) + 2)
	return ""
}

# A Prometheus label's value.
function label(labels, key,    from) {
	if (!match(labels, "[{,]" key "=\"[^\"]*\""))
		return ""
	from = RSTART + length(key) + 3
	return substr(labels, from, RSTART + RLENGTH - 1 - from)
}

function add(what, row, column, amount,    key) {
	key = what SUBSEP row
	if (!(key in known)) {
		known[key] = 1
		rows[what] = rows[what] row "\n"
	}
	cell[what, row, column] += amount
	total[what, column] += amount
	total[what] += amount
}

function line(row, v4, v6, all) {
	printf "  %-34s %12.0f %12.0f %12.0f\n", row, v4, v6, all
}

# Sorts in place by insertion, since there are few rows.
function sort(list, count,    i, j, item) {
	for (i = 2; i <= count; i++) {
		item = list[i]
		for (j = i - 1; j > 0 && list[j] > item; j--)
			list[j + 1] = list[j]
		list[j + 1] = item
	}
}

function section(title, what,    names, count, i) {
	printf "\n%-36s %12s %12s %12s\n", title, "IPv4", "IPv6", "both"
	count = split(rows[what], names, "\n") - 1
	sort(names, count)
	for (i = 1; i <= count; i++)
		line(names[i], cell[what, names[i], "ipv4"], cell[what, names[i], "ipv6"], \
			cell[what, names[i], "ipv4"] + cell[what, names[i], "ipv6"] + cell[what, names[i], "none"])
	if (count != 1)
		line(count > 0 ? "all" : "none", total[what, "ipv4"], total[what, "ipv6"], total[what])
}

{ file = FILENAME == ARGV[1] ? 1 : 2 }

# Sums are cumulative, so only the last one of a series counts. A series with a new start is another series.
file == 1 && (at = index($0, "system.network.tcp.retransmit")) {
	text = substr($0, at)
	open = index(text, "{")
	close_ = index(text, "} ")
	if (!open || close_ < open)
		next
	split(substr(text, close_ + 2), field, " ")
	series = substr(text, 1, close_) " since " field[5]
	names[series] = substr(text, 1, open - 1)
	attributes[series] = substr(text, open + 1, close_ - open - 1)
	last[series] = field[1]
	temporality[series] = field[3]
	next
}

# A retransmission. The largest one shows how many segments a lost event may have had. A gap stands for many events, so
# it is left out.
file == 1 && / segments=[0-9]+/ && !/ gap / {
	segments = value($0, "segments", " ") + 0
	if (segments > largest)
		largest = segments
	next
}

# What was lost, by place and reason. Only the receiver's events, and records that a metrics pipeline dropped, are
# missing in the sums. What exporters dropped is shown too, but the next cumulative point has it.
file == 2 && /^otelcol_tcpretrans_.*reason="/ && !/^otelcol_tcpretrans_unobserved_segments/ && $NF > 0 {
	where = label($0, "place")
	if (where == "")
		where = "pipeline " label($0, "pipeline")
	if ((exporter = label($0, "exporter")) != "")
		where = where ", exporter " exporter
	else if (/^otelcol_tcpretrans_unobserved/ || label($0, "signal") == "metrics")
		lost += $NF
	where = where ": " label($0, "reason")
	if (!(where in lost_at))
		lost_names[++lost_count] = where
	lost_at[where] += $NF
}

# Events that came back from the kernel side's counters, as gaps, are in the sums.
file == 2 && /^otelcol_tcpretrans_gap_events[{ ]/ {
	returned += $NF
	next
}

END {
	for (series in last) {
		if (temporality[series] != "cumulative") {
			print "demo: not a cumulative sum: " series | "cat 1>&2"
			exit broken = 1
		}
		if (last[series] == 0) # each series begins with 0
			continue
		network = value(attributes[series], "network.type", ",")
		if (network == "")
			network = "none"
		if (names[series] == "system.network.tcp.retransmits")
			add("segments", reason(attributes[series]), network, last[series])
		else if (names[series] == "system.network.tcp.retransmit.events")
			add("events", reason(attributes[series]), network, last[series])
		else if (names[series] == "system.network.tcp.retransmit.failures")
			add("failures", failure(attributes[series]), network, last[series])
	}

	ours = total["segments"] + 0
	difference = kernel - ours
	if (largest < 1)
		largest = 64 # without any record: more than 64 KiB have at the MSS of an Ethernet
	allowed = lost > returned ? (lost - returned) * largest : 0

	section("segments in our metric, by reason", "segments")
	section("events (skbs), by reason", "events")
	section("failed attempts, by error.type", "failures")
	print "\nevents lost, by place and reason"
	for (i = 1; i <= lost_count; i++)
		printf "  %-60s %12.0f\n", lost_names[i], lost_at[lost_names[i]]
	if (!lost_count)
		print "  none"
	if (returned)
		printf "  %-60s %12.0f\n", "of these, back in the sums as gaps", returned

	printf "\n  %-60s %12.0f\n", "segments the kernel counted (RetransSegs)", kernel
	printf "  %-60s %12.0f\n", "segments in our metric (system.network.tcp.retransmits)", ours
	printf "  %-60s %12.0f\n", "difference", difference
	printf "  %-60s %12.0f\n\n", "accounted as lost, at most", allowed

	if (difference > allowed)
		verdict = "DIFFERENT: the counts differ by more than is accounted for"
	else if (difference < 0) # loss can't make our count larger
		verdict = "DIFFERENT: more was counted than the kernel did"
	else if (kernel == 0 || total["segments", "ipv4"] == 0 || (versions == 2 && total["segments", "ipv6"] == 0))
		verdict = "NOTHING TO COUNT: the link lost nothing, or one IP version is missing"
	else if (difference == 0)
		verdict = "EQUAL: every segment that the kernel counted, counted once"
	else
		verdict = "ACCOUNTED FOR: the counts differ by no more than what was lost"
	print verdict
	exit verdict ~ /^(DIFFERENT|NOTHING)/
}

function reason(list,    type, role) {
	if (value(list, "otel.metric.overflow", ",") != "")
		return "(beyond max_series)"
	type = value(list, "network.tcp.retransmit.type", ",")
	role = value(list, "network.tcp.handshake.role", ",")
	return role == "" ? type : type ", " role
}

function failure(list,    type) {
	type = value(list, "error.type", ",")
	return type == "" ? "(in a gap, which does not know)" : type
}

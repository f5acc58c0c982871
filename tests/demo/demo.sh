#!/usr/bin/env bash
# The demo: on a link that loses every tenth packet, it compares the kernel's count of retransmitted segments
# with ours. Two network namespaces are joined by a veth pair (IPv4 and IPv6). nftables on the receiving side
# drops packets. otel-tcpretrans runs with config/demo.yaml in the sending namespace, and counts only the
# sockets of that namespace.
#
#   tests/demo/demo.sh [BINARY]       `make demo` builds the binary first
#   DEMO_SECONDS=4                    seconds of traffic, for each IP version
#
# Exit codes: 0 the counts agree; 1 they don't, or something failed; 77 not permitted here.
# It removes its namespaces, its temporary files and its processes (by their pid), also after Ctrl-C.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

binary=${1:-target/release/otel-tcpretrans}
seconds=${DEMO_SECONDS:-4}
readonly config=config/demo.yaml scrape_port=8888
readonly tx=otr-demo-$$-tx rx=otr-demo-$$-rx
readonly tx4=192.0.2.1 rx4=192.0.2.2 tx6=fd00:0:0:1::1 rx6=fd00:0:0:1::2
readonly port=5201 black_hole=5202

say() { printf '\n== %s\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }
refuse() { printf 'demo: %s\n' "$*" >&2; exit 77; }

((EUID == 0)) || refuse "network namespaces and BPF programs need root: run  sudo ${BASH_SOURCE[0]} $binary"
[[ $seconds =~ ^[1-9][0-9]?$ ]] || die "DEMO_SECONDS is a number of seconds from 1 to 99, not '$seconds'"
[[ -x $binary ]] || die "$binary is not there: 'make demo' builds it"
for tool in ip nft iperf3 ss nsenter timeout awk; do
    command -v "$tool" >/dev/null || die "'$tool' is missing: '.ci/setup demo' installs it"
done

# --- leave nothing behind
work='' started=''
stop() { # PID: sends TERM, and KILL after five seconds
    local pid=$1 tries
    kill -TERM "$pid" 2>/dev/null || return 0
    for ((tries = 0; tries < 50; tries++)); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
}
cleanup() {
    trap '' INT TERM HUP # first: a second signal must not stop the clean-up
    trap - EXIT
    local status=$1 pid
    for pid in $(jobs -pr); do stop "$pid"; done
    ip netns del "$tx" 2>/dev/null || true
    ip netns del "$rx" 2>/dev/null || true
    if [[ -n $work ]]; then rm -rf "$work"; fi
    exit "$status"
}
trap 'cleanup $?' EXIT
trap 'cleanup 130' INT
trap 'cleanup 143' TERM HUP

# Changes only the network namespace. `ip netns exec` would also replace /sys, which has tracefs and cgroups
# in it.
inside() { nsenter --net="/run/netns/$1" -- "${@:2}"; }
start() { # NAMESPACE COMMAND...: runs it in the background and sets `started` to its pid
    nsenter --net="/run/netns/$1" -- "${@:2}" </dev/null & # without a subshell, so that the pid is the command's
    started=$!
}
retrans_segs() {
    # shellcheck disable=SC2016  # awk's own fields
    inside "$tx" awk '$1 == "Tcp:" { if (++n == 1) for (i = 2; i <= NF; i++) at[$i] = i; else print $at["RetransSegs"] }' /proc/net/snmp
}
until_deadline() { # SECONDS COMMAND...: repeats the command until it succeeds
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}
scrape() { # the self-telemetry, over loopback inside the namespace
    # shellcheck disable=SC2016  # expanded by the inner shell
    inside "$tx" timeout 5 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"; printf "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n" >&3; cat <&3' \
        - "$scrape_port" 2>/dev/null | tr -d '\r'
}

work=$(mktemp -d)
out=$work/stdout err=$work/stderr
: >"$err"

# --- the link
say "making the link: $tx4 and $tx6 -> $rx4 and $rx6, every tenth packet lost"
if ! ip netns add "$tx" 2>"$work/why" || ! ip netns add "$rx" 2>"$work/why"; then
    refuse "cannot make network namespaces here: $(<"$work/why")"
fi
ip link add demo netns "$tx" type veth peer name demo netns "$rx"
versions=(4)
if [[ -e /proc/net/if_inet6 ]]; then versions+=(6); else echo "this kernel has no IPv6: IPv4 only"; fi
for side in "$tx $tx4 $tx6" "$rx $rx4 $rx6"; do
    read -r namespace address4 address6 <<<"$side"
    ip -n "$namespace" link set lo up
    ip -n "$namespace" addr add "$address4/24" dev demo
    if [[ ${#versions[@]} == 2 ]]; then ip -n "$namespace" addr add "$address6/64" dev demo nodad; fi
    ip -n "$namespace" link set demo up
done
inside "$rx" nft -f - <<RULES
table inet demo {
    chain input {
        type filter hook input priority 0;
        tcp dport $port numgen inc mod 10 == 0 drop
        tcp dport $black_hole drop
    }
}
RULES

# --- the agent
before=$(retrans_segs)
say "starting $binary run --config $config"
start "$tx" "$binary" run --config "$config" \
    --set "service.telemetry.metrics.prometheus=127.0.0.1:$scrape_port" >"$out" 2>"$err"
agent=$started
ready_or_gone() { grep -qiw ready "$err" || ! kill -0 "$agent" 2>/dev/null; }
until_deadline 20 ready_or_gone || { cat "$err" >&2; die "not ready within 20 s"; }
if ! kill -0 "$agent" 2>/dev/null; then
    status=0
    wait "$agent" || status=$?
    cat "$err" >&2
    if ((status == 77)); then refuse "not permitted here"; fi
    die "it ended instead of getting ready, exit code $status"
fi
head -n 5 "$err"

# --- the traffic
start "$rx" iperf3 -s -p "$port" >"$work/server" 2>&1
server=$started
listening() { inside "$rx" ss -Htln "sport = :$port" | grep -q .; }
until_deadline 10 listening || die "iperf3 does not listen: $(<"$work/server")"
knocks=()
for version in "${versions[@]}"; do
    remote=rx$version
    say "IPv$version: iperf3 for $seconds s, and a connection that is never answered"
    # shellcheck disable=SC2016  # expanded by the inner shell
    start "$tx" timeout 4 bash -c 'exec 3<>"/dev/tcp/$1/$2"' - "${!remote}" "$black_hole" >/dev/null 2>&1
    knocks+=("$started")
    # This runs in the background too, since a signal to this script interrupts `wait` but no command.
    start "$tx" timeout $((seconds + 30)) iperf3 "-$version" -c "${!remote}" -p "$port" -t "$seconds" -f m >"$work/client" 2>&1
    wait "$started" || { cat "$work/client" >&2; die "iperf3 failed over IPv$version"; }
    grep -E 'sender|receiver' "$work/client" || true
done
for pid in "${knocks[@]}"; do wait "$pid" || true; done
stop "$server"
# After the last reading of the kernel's count, nothing may be retransmitted until our count ends.
quiet() { ! inside "$tx" ss -Htan state connected exclude time-wait | grep -q .; }
until_deadline 30 quiet || die "connections stay open: $(inside "$tx" ss -tan)"
after=$(retrans_segs)

# --- the end: first what was lost so far, then the drain, which prints the last sums
books_are_still() { # true once the reader has read all events
    scrape >"$work/scrape" && sleep 0.5 && scrape >"$work/later" &&
        cmp -s <(grep '^otelcol_.*tcpretrans' "$work/scrape") <(grep '^otelcol_.*tcpretrans' "$work/later")
}
until_deadline 15 books_are_still || die "the self-telemetry at port $scrape_port cannot be scraped, or never stops changing"
kill -TERM "$agent"
gone() { ! kill -0 "$agent" 2>/dev/null; }
until_deadline 40 gone || die "it did not end within 40 s of SIGTERM"
status=0
wait "$agent" || status=$?
((status == 0)) || { tail -n 20 "$err" >&2; die "it ended with exit code $status"; }

say "what the debug exporter printed ($(wc -l <"$out") lines), in part"
awk '!/system\.network\.tcp\./ && n < 4 { print; n++ } /system\.network\.tcp\.retransmits\{/ && !/\} 0 / { last[m++ % 4] = $0 }
    END { print "..."; for (i = m < 4 ? 0 : m; i < (m < 4 ? m : m + 4); i++) print last[i % 4] }' "$out" | cut -c 1-200

say "its own books"
grep -w books "$err" || true

say "the count"
awk -v kernel=$((after - before)) -v versions="${#versions[@]}" -f tests/demo/table.awk "$out" "$work/scrape"

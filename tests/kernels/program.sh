#!/bin/sh
# Inside of a virtual machine: runs the packages' program on this kernel, lets SYNs get lost, and compares the kernel's
# count with the program's. Prints what table.awk reads.
PATH=/bin
busybox ip link set lo up
# A packet for an address that is routed to the loopback device and is on no device is dropped where it arrives.
busybox ip address add 10.9.9.1/32 dev lo
busybox ip route add 192.0.2.0/24 dev lo src 10.9.9.1

/otel-tcpretrans --version
/otel-tcpretrans check --text >/tmp/check || exit
busybox cat /tmp/check
/otel-tcpretrans trace --summary reason >/tmp/shown 2>/tmp/log &
program=$!
within() { # SECONDS COMMAND...
    left=$1
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        busybox sleep 1
    done
}
begun() { busybox grep -q '^TIME' /tmp/shown; }
sent_again() { [ "$(busybox awk '/^Tcp:/ && f { print $f } /^Tcp:/ { for (i = 1; i <= NF; i++) if ($i == "RetransSegs") f = i }' /proc/net/snmp)" -ge 8 ]; }
within 60 begun || echo "it does not start"
for peer in 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4; do
    busybox timeout 60 busybox nc "$peer" 9 </dev/null &
    peers="$peers $!"
done
within 60 sent_again || echo "nothing is lost"
# shellcheck disable=SC2086 # several words
kill $peers
busybox sleep 1
kill -TERM "$program"
wait "$program"
status=$?
busybox cat /tmp/shown /tmp/log

# The receiver tcpretrans starts here: tp_btf, a ring buffer of 1024 KiB.
chosen=$(busybox sed -n -e 's/.* starts here: \([a-z_]*\), a ring buffer .*/\1_ringbuf/p' -e 's/.* starts here: \([a-z_]*\), .*perf .*/\1_perf/p' /tmp/check)
counts=$(busybox sed -n 's/.* grew by \([0-9]*\)\. Shown of it: \([0-9]*\) segments.*/RetransSegs \1, segments \2/p' /tmp/shown)
echo "test [root] ${chosen}_counts ... $counts"
if [ "$status" = 0 ] && busybox grep -q 'This is equal' /tmp/shown && sent_again; then
    echo "test result: ok. 1 passed; 0 failed; 0 ignored"
else
    echo "test result: FAILED. 0 passed; 1 failed; 0 ignored"
    exit 1
fi

#!/usr/bin/env bash
# Boots one kernel in a virtual machine, and writes the output of its console to a file, with lines of our own at the
# end.
#
#   boot.sh NAME ARCHITECTURE VMLINUZ INITRAMFS CONSOLE SECONDS LOCKDOWN
set -Eeuo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/kernels/machine.sh
. "$here/machine.sh"
(($# == 7)) || { echo "usage: boot.sh NAME ARCHITECTURE VMLINUZ INITRAMFS CONSOLE SECONDS LOCKDOWN" >&2; exit 2; }
name=$1 architecture=$2 vmlinuz=$3 initramfs=$4 log=$5 deadline=$6 lockdown=$7
machine "$architecture"

# The tests send an eighth of their traffic here. The machines are slow, and Debian's kernels have only cubic, which
# waits for its timer at such loss.
divisor=8
arguments="console=$console panic=-1 quiet OTEL_TCPRETRANS_REQUIRE_PRIVILEGED=1"
arguments+=" OTEL_TCPRETRANS_TRAFFIC_DIVISOR=$divisor${lockdown:+ lockdown=$lockdown} -- --color=never"
# A kernel that is locked down has no tracefs, and so no classic tracepoints.
[[ -z $lockdown ]] || arguments+=" --skip tracepoint"

printf 'test-kernels: booting %s\n' "$name" >&2
start=$SECONDS
# The exit code of qemu says nothing about the tests, so it is ignored: the console has their result. qemu runs in the
# foreground, so that Ctrl-C reaches it.
timeout --foreground --kill-after=5 "$deadline" \
    "${emulator[@]}" -nodefaults -display none -no-reboot -serial stdio -m 1G -smp 2 \
    -kernel "$vmlinuz" -initrd "$initramfs" -append "$arguments" </dev/null 2>&1 | tr -d '\r' >"$log" || true
printf '@name %s\n@seconds %d\n' "$name" $((SECONDS - start)) >>"$log"

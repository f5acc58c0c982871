#!/usr/bin/env bash
# Checks that a static binary resolves names on a machine whose nsswitch.conf names sources that glibc loads as shared
# libraries: those need the machine's own glibc, and crashed the binary before it left them out. Needs root, for a mount
# in a namespace of its own.
#
#   names.sh BINARY
set -Eeuo pipefail

here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
binary=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { printf 'names: %s\n' "$*" >&2; tail -n 5 "$work"/log >&2; exit 1; }

cat >"$work/config.yaml" <<YAML
receivers: { replay: { file: "$here/../replay/retransmits.otr" } }
exporters: { otlp: { endpoint: "http://collector.test:4317", retry_on_failure: { enabled: false } } }
service:
  telemetry: { metrics: { prometheus: null } }
  pipelines: { logs: { receivers: [replay], exporters: [otlp] } }
YAML
echo 'hosts: files mymachines myhostname mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] dns' >"$work/nsswitch.conf"
echo '127.0.0.1 collector.test' >"$work/hosts"
echo 'nameserver 127.0.0.1' >"$work/resolv.conf" # nobody answers there: the network namespace is empty
for hosts in "$work/hosts" /dev/null; do
    # shellcheck disable=SC2016  # the inner shell expands it
    unshare --mount --net sh -ec 'ip link set lo up; mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
        mount --bind "$2" /etc/hosts; mount --bind "$1/resolv.conf" /etc/resolv.conf
        exec timeout 60 strace --follow-forks --trace=openat,connect --output="$1/calls" "$3" run --config "$1/config.yaml"' \
        sh "$work" "$hosts" "$binary" >"$work/log" 2>&1 || fail "the binary ended with $?"
    ! grep -E 'libnss_|libc\.so' "$work/calls" || fail "it loads libraries of this machine"
done
grep -q 'sin_port=htons(53)' "$work/calls" || fail "it does not ask the DNS for what is not in /etc/hosts"

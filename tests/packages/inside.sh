#!/usr/bin/env bash
# Runs inside of the virtual machine, as root under systemd: installs the package with apt, and looks at what an operator
# relies on. Lines that run.sh reads begin with '@'.
set -u
export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin
unit=otel-tcpretrans.service
config=/etc/otel-tcpretrans/config.yaml

pass() { echo "@pass $*"; }
info() { echo "@info $*"; }
fail() {
    echo "@fail $*"
    systemctl --no-pager --full status "$unit"
    journalctl --no-pager --quiet -u "$unit" -n 30 -o cat
    page 8889 | grep -E '^otelcol_(receiver|tcpretrans|exporter)'
    page 9464 | grep -E '^system_network_tcp_retransmits.* [1-9]'
    exit 1
}
# Waits until a command succeeds, for at most so many seconds. The machine is emulated and slow.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.3
    done
}
property() { systemctl show --value --property "$1" "$unit"; }
# Active, with another process than 'pid'. The process is asked first: a service whose process has just been killed may still
# be called active, and has the process 0 a moment later.
revived() {
    local now
    now=$(property MainPID)
    [[ $now != 0 && $now != "$pid" ]] && active
}
active() { [[ $(property ActiveState) == active ]]; }
# The first line that begins with 'Tcp:' has the names, the second the values.
# shellcheck disable=SC2016  # awk expands it
retransmitted() { ip netns exec loss awk '/^Tcp:/ && f { print $f } /^Tcp:/ { for (i = 1; i <= NF; i++) if ($i == "RetransSegs") f = i }' /proc/net/snmp; }
page() { curl --silent --fail --max-time 10 "http://127.0.0.1:$1/metrics"; }
counted() { page 9464 | awk '/^system_network_tcp_retransmits_total\{.*network_peer_address="10.99.0.1"/ { sum += $NF } END { print sum + 0 }'; }
equal() { [[ $(counted) == $(($(retransmitted) - before)) ]]; }

# Loses packets of a connection, and compares the counts. 'before' is the kernel's count when the process was started. The
# connection has a network namespace of its own: so the kernel's count does not change while the pages are read.
lose() {
    local kernel
    ip netns exec loss python3 /test/traffic.py || fail "$1: the traffic"
    kernel=$(($(retransmitted) - before))
    ((kernel > 0)) || fail "$1: nothing was retransmitted"
    within 60 equal || fail "$1: the kernel counted $(($(retransmitted) - before)) segments, we $(counted)"
    pass "$1: the kernel counted $kernel segments, we as many"
}

# All files, without what the kernel, the package manager and the log keep by themselves. systemd makes /var/lib/private
# for the first unit with a dynamic user, and keeps it.
files() {
    find / -xdev \( -path /test -o -path /tmp -o -path /var/tmp -o -path /var/log -o -path /var/cache -o -path /var/lib/apt \) -prune \
        -o ! -path '/var/lib/dpkg/*-old' ! -path /var/lib/private ! -path '/var/lib/systemd/random-seed' -print | sort
}

info "$(uname -r), $(systemctl --version | head -n 1)"
ip netns add loss
ip -n loss link set lo up
ip -n loss address add 10.99.0.1/32 dev lo
ip netns exec loss nft -f - <<'NFT' || fail "nft"
table inet loss {
    chain input {
        type filter hook input priority 0;
        tcp dport 5201 numgen inc mod 5 == 0 drop
    }
}
NFT
files >/tmp/files-before
getent passwd >/tmp/users-before

# --- a new installation
before=$(retransmitted)
apt-get install -q -y --no-install-recommends /test/first.deb </dev/null || fail "apt-get install"
active || fail "the service is $(property ActiveState) after the installation"
[[ $(systemctl is-enabled "$unit") == enabled ]] || fail "the service is not enabled"
pass "install: active and enabled; $(dpkg-query -W -f '${Package} ${Version} depends=[${Depends}]' otel-tcpretrans)"
info "status: $(property StatusText)"
info "$(grep -E '^(CapEff|CapPrm|CapAmb|NoNewPrivs|Seccomp):' "/proc/$(property MainPID)/status" | tr '\t\n' '= ')"
info "memory: $(grep VmRSS "/proc/$(property MainPID)/status" | tr -s '\t ' ' ')"
page 8889 >/dev/null || fail "no page of the self-telemetry"
lose install

# --- restart, reload, and what the service manager does about a dead or a hung process
pid=$(property MainPID) before=$(retransmitted)
systemctl restart "$unit" || fail "restart"
revived || fail "restart: $(property ActiveState)"
lose restart

pid=$(property MainPID)
sed -i 's/timeout: 1s/timeout: 2s/' "$config"
echo '# Changed by the administrator.' >>"$config"
systemctl reload "$unit" || fail "reload"
reloaded() { page 8889 | grep -E '^otelcol_tcpretrans_reloads' | grep -qE ' 1(\.0)?$'; }
within 60 reloaded || fail "reload: not in the self-telemetry"
if revived || ! active; then fail "reload: $(property ActiveState), another process"; fi
lose reload

pid=$(property MainPID) before=$(retransmitted)
kill -KILL "$pid"
within 90 revived || fail "kill -9: $(property ActiveState)"
lose "kill -9"

if [[ $(property WatchdogUSec) != 0 ]]; then
    pid=$(property MainPID) before=$(retransmitted)
    kill -STOP "$pid"
    within 150 revived || fail "watchdog: $(property ActiveState)"
    journalctl --quiet -u "$unit" | grep -qi 'watchdog timeout' || fail "watchdog: not in the journal"
    lose watchdog
fi

# --- an upgrade, with a configuration that both the administrator and the new version have changed
pid=$(property MainPID) before=$(retransmitted)
apt-get install -q -y --no-install-recommends -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold /test/next.deb </dev/null ||
    fail "the upgrade"
revived || fail "upgrade: $(property ActiveState), process $(property MainPID)"
grep -q 'Changed by the administrator' "$config" || fail "upgrade: the administrator's configuration is gone"
grep -q 'timeout: 2s' "$config" || fail "upgrade: the administrator's configuration is gone"
[[ -e $config.dpkg-dist ]] || fail "upgrade: the new configuration is not beside it"
pass "upgrade: $(dpkg-query -W -f '${Version}' otel-tcpretrans), another process, the configuration kept"
lose upgrade

info "$(systemd-analyze --no-pager security "$unit" | tail -n 1)"
info "restarts: $(property NRestarts); stops with: $(property TimeoutStopUSec)"

# --- removal and purge
touch /etc/otel-tcpretrans/networks.yaml /var/lib/otel-tcpretrans/left-by-a-queue || fail "the folders of the service"
apt-get remove -q -y otel-tcpretrans </dev/null || fail "apt-get remove"
! active || fail "remove: still active"
[[ -e $config ]] || fail "remove: the configuration is gone"
pass "remove: stopped, the configuration kept"
apt-get install -q -y --no-install-recommends /test/next.deb </dev/null || fail "the second installation"
active || fail "the service is $(property ActiveState) after the second installation"
grep -q 'Changed by the administrator' "$config" || fail "second installation: the configuration is gone"
pass "install after remove: active, with the same configuration"
apt-get purge -q -y otel-tcpretrans </dev/null || fail "apt-get purge"
[[ $(property LoadState) == not-found && $(property ActiveState) == inactive ]] || fail "purge: the unit is $(property LoadState), $(property ActiveState)"
files >/tmp/files-after
left=$(diff /tmp/files-before /tmp/files-after) || fail "purge: files differ: $left"
getent passwd | diff - /tmp/users-before || fail "purge: users differ"
! grep -qsx otel-tcpretrans /proc/[0-9]*/comm || fail "purge: a process is left"
pass "purge: no file, no unit, no user, no process left"
echo "@done"

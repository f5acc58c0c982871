#!/usr/bin/env bash
# Makes the disk of a virtual machine with a minimal Debian 12 under systemd, and prints the folder that has it: disk,
# vmlinuz and initrd. Everything else goes to stderr. Needs root, for debootstrap. It stays in the user's cache folder,
# and is used from there without the network. Remove its folder there to get the present Debian.
set -Eeuo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/private-apt.sh
. "$here/../private-apt.sh"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/otel-tcpretrans
# Its name changes with this script, so that a machine of an older script is not used.
target=$cache/debian-12-$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-8)

say() { printf 'test-package: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

mkdir -p "$cache"
exec 9>"$cache/debian-12.lock"
flock 9
if [[ ! -d $target ]]; then
    for tool in debootstrap mke2fs; do
        command -v "$tool" >/dev/null || fail "'$tool' is missing: run '.ci/setup package'"
    done
    ((EUID == 0)) || fail "debootstrap needs root"
    rm -rf "$cache"/debian-12-*
    work=$(mktemp -d "$cache/debian-12-new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    mirrors=$(debian_mirrors "$work") || fail "no mirror"
    read -r mirror <<<"$mirrors"
    say "debootstrap from $mirror (takes minutes, once)"
    # The kernel's package has all modules, and makes an initrd for any virtual machine.
    include=systemd,systemd-sysv,dbus,udev,kmod,linux-image-cloud-amd64,initramfs-tools,zstd,nftables,iproute2,python3-minimal,curl
    debootstrap --variant=minbase --include="$include" bookworm "$work/root" "$mirror" >"$work/log" 2>&1 ||
        { tail -n 20 "$work/log" >&2; fail "debootstrap failed"; }
    mkdir "$work/out"
    cp "$(realpath "$work/root/vmlinuz")" "$work/out/vmlinuz"
    cp "$(realpath "$work/root/initrd.img")" "$work/out/initrd"
    rm -rf "$work"/root/boot/* "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/*

    echo '/dev/vda / ext4 defaults 0 1' >"$work/root/etc/fstab"
    echo machine >"$work/root/etc/hostname"
    mkdir "$work/root/test"
    cat >"$work/root/etc/systemd/system/package-test.service" <<'UNIT'
[Unit]
Description=The test of the package
After=multi-user.target
[Service]
Type=oneshot
TimeoutStartSec=infinity
# The second disk has the test and its packages. It is mounted here, since systemd would not wait long enough for udev.
ExecStartPre=/bin/mount -t ext4 -o ro /dev/vdb /test
ExecStart=/bin/bash /test/inside.sh
ExecStopPost=/bin/systemctl --force --force poweroff
StandardInput=null
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=graphical.target
UNIT
    wants=$work/root/etc/systemd/system
    mkdir -p "$wants/graphical.target.wants"
    ln -s ../package-test.service "$wants/graphical.target.wants/"
    # A login prompt would write into the output of the test. The others take time, and there is nothing for them to do.
    for unit in serial-getty@ttyS0.service getty@tty1.service apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer \
        systemd-timesyncd.service; do
        ln -sf /dev/null "$wants/$unit"
    done
    truncate -s 2G "$work/out/disk"
    mke2fs -q -t ext4 -d "$work/root" "$work/out/disk"
    mv "$work/out" "$target"
fi
printf '%s\n' "$target"

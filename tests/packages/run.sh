#!/usr/bin/env bash
# Installs the Debian package in a virtual machine with Debian 12 and systemd, and tests it there (see inside.sh). Needs
# no KVM; root only for the first run (see base.sh).
#
#   run.sh DEB
#
# The output of the machine's console stays in the target folder, in test-package.log. The machine gets PACKAGE_DEADLINE
# seconds (900).
set -Eeuo pipefail
export LC_ALL=C

tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
here=$tests/../kernels
# shellcheck source=tests/kernels/machine.sh
. "$here/machine.sh"
console_log=${CARGO_TARGET_DIR:-$tests/../../target}/test-package.log
deadline=${PACKAGE_DEADLINE:-900}

say() { printf 'test-package: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
if (($# != 1)) || [[ ! -r $1 ]]; then fail "usage: run.sh DEB"; fi
for tool in dpkg-deb mke2fs qemu-system-x86_64; do
    command -v "$tool" >/dev/null || fail "'$tool' is missing: run '.ci/setup package'"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

base=$("$tests/base.sh")
machine amd64

# The same package with a higher version and another configuration.
mkdir "$work/test"
cp "$1" "$work/test/first.deb"
dpkg-deb --raw-extract "$1" "$work/next"
sed -i -E 's/^(Version: .*)/\1+next/' "$work/next/DEBIAN/control"
echo '# Changed by the next version.' >>"$work/next/etc/otel-tcpretrans/config.yaml"
dpkg-deb --root-owner-group -Zgzip --build "$work/next" "$work/test/next.deb" >/dev/null
cp "$tests/inside.sh" "$tests/traffic.py" "$work/test/"
truncate -s 128M "$work/test.disk"
mke2fs -q -t ext4 -d "$work/test" "$work/test.disk"

say "booting Debian 12"
start=$SECONDS
timeout --foreground --kill-after=5 "$deadline" \
    "${emulator[@]}" -nodefaults -display none -no-reboot -serial stdio -m 1G -smp 2 \
    -kernel "$base/vmlinuz" -initrd "$base/initrd" -append "root=/dev/vda ro console=$console panic=-1 quiet systemd.default_timeout_start_sec=900" \
    -drive "file=$base/disk,format=raw,if=virtio,snapshot=on" \
    -drive "file=$work/test.disk,format=raw,if=virtio,readonly=on" \
    </dev/null 2>&1 | tr -d '\r' | tee "$console_log" | grep --line-buffered -aE '^@(pass|fail|info)' || true

passed=$(grep -ac '^@pass' "$console_log" || true)
failed=$(grep -ac '^@fail' "$console_log" || true)
if ((failed > 0)) || ! grep -aqx '@done' "$console_log"; then
    say "it failed or did not finish; the end of the console ($console_log):"
    tail -n 60 "$console_log" | sed 's/^/    /' >&2
    ((failed > 0)) || failed=1
fi
printf 'test result: %d passed, %d failed after %d s\n' "$passed" "$failed" $((SECONDS - start))
((failed == 0 && passed > 0))

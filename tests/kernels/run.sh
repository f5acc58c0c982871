#!/usr/bin/env bash
# The tests on a real kernel, on other kernels than this machine's: Debian's, each in a virtual machine under qemu's
# software emulation. Needs neither root nor KVM.
#
#   run.sh [RELEASE...]      Debian releases (see fetch.sh); by default all of them
#
# A machine boots from an initramfs that holds a static build of the test binary and busybox, runs every test, and turns
# itself off. Prints a table: kernel, hook, transport, the kernel's count against ours, tests. Exits non-zero where a
# test failed or was ignored, or a machine did not finish within KERNELS_DEADLINE seconds (300).
# The machines' consoles are left in the target folder, in test-kernels/.
set -Eeuo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
target=${CARGO_TARGET_DIR:-$root/target}
deadline=${KERNELS_DEADLINE:-300}
# The machines are slow, and Debian's kernels have cubic alone, which waits for its timer at such loss.
divisor=8
triple=x86_64-unknown-linux-gnu

say() { printf 'test-kernels: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
(($# > 0)) || set -- bullseye bookworm trixie sid
for tool in qemu-system-x86_64 busybox cargo strip timeout; do
    command -v "$tool" >/dev/null || fail "'$tool' is missing: run '.ci/setup build kernels'"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fetched=$("$here/fetch.sh" "$@") || exit 1
mapfile -t images <<<"$fetched"

say "building the tests, statically"
# --target: the flags are not for the build scripts.
RUSTFLAGS="${RUSTFLAGS-} -C target-feature=+crt-static" "${CARGO:-cargo}" test --quiet --locked \
    --manifest-path "$root/Cargo.toml" --target "$triple" --package otel-tcpretrans-source --test kernel \
    --no-run --message-format=json-render-diagnostics >"$work/build.json"
binary=$(sed -nE 's/.*"executable":"([^"]+)".*/\1/p' "$work/build.json" | tail -n 1)
[[ -x $binary ]] || fail "cargo named no test binary"

say "packing the initramfs"
mkdir -p "$work/root/bin"
cp "$(command -v busybox)" "$work/root/bin/busybox"
ln -s busybox "$work/root/bin/sh"
strip -o "$work/root/kernel" "$binary"
install -m 755 "$here/init.sh" "$work/root/init"
(cd "$work/root" && find . | busybox cpio -o -H newc 2>/dev/null) >"$work/initramfs"

# Where kernels crashed under qemu 7.2's emulation, far from any program of ours, the cause is avoided: code patched under
# another CPU's thread ("Oops: int3" at boot), by one thread for both CPUs; and the flags that cmpxchg16b left (a double
# fault in kmalloc, with a pointer's bits in EFLAGS), by a CPU without it.
machine=(qemu-system-x86_64 -nodefaults -display none -no-reboot -serial stdio -m 1G -smp 2
    -accel "tcg,thread=single" -cpu "qemu64,-cx16"
    -initrd "$work/initramfs"
    -append "console=ttyS0 panic=-1 quiet OTEL_TCPRETRANS_REQUIRE_PRIVILEGED=1 OTEL_TCPRETRANS_TRAFFIC_DIVISOR=$divisor -- --color=never")

logs=$target/test-kernels
mkdir -p "$logs"
status=0 consoles=()
for image in "${images[@]}"; do
    release=${image%/*} release=${release##*/}
    console=$logs/$release.log start=$SECONDS
    say "booting $release"
    # Each within its deadline; qemu's own exit says nothing about the tests: the console does.
    timeout --kill-after=5 "$deadline" "${machine[@]}" -kernel "$image" </dev/null 2>&1 | tr -d '\r' >"$console" || true
    printf '@release %s\n@seconds %d\n' "$release" $((SECONDS - start)) >>"$console"
    consoles+=("$console")
    if ! grep -qx '@exit 0' "$console"; then
        status=1
        say "$release failed; the end of its console ($console):"
        tail -n 40 "$console" | sed 's/^/    /' >&2
    fi
done

awk -f "$here/table.awk" "${consoles[@]}" || status=1
exit "$status"

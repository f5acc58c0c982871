#!/usr/bin/env bash
# Runs the kernel tests on Debian's kernels, each in a virtual machine under qemu's software emulation. Needs neither
# root nor KVM.
#
#   run.sh [NAME...]      kernels (see fetch.sh), such as sid or sid-arm64; by default all that are listed below.
#                         NAME-lockdown boots that kernel with lockdown=confidentiality
#
# If OTEL_TCPRETRANS_BINARIES is set, the machines run the program in place of the tests (program.sh): the static binary
# otel-tcpretrans-ARCHITECTURE of that folder.
#
# A machine boots from an initramfs with busybox and a static build of the test binary, runs every test, and turns
# itself off. As many machines run at a time as this one has CPUs. Prints a table: kernel, hook, transport, the kernel's
# count and ours, tests. Exits non-zero if a test failed or was ignored, or if a machine did not finish within
# KERNELS_DEADLINE seconds (600). The output of the machines' consoles stays in the target folder, in test-kernels/.
set -Eeuo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/kernels/machine.sh
. "$here/machine.sh"
root=$here/../..
target=${CARGO_TARGET_DIR:-$root/target}
deadline=${KERNELS_DEADLINE:-600}
everything=(bullseye bookworm trixie sid sid-lockdown
    bullseye-arm64 bookworm-arm64 trixie-arm64 sid-arm64 trixie-arm64-16k sid-arm64-16k)

say() { printf 'test-kernels: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
need() { command -v "$1" >/dev/null || fail "'$1' is missing: run '.ci/setup build kernels'"; }
(($# > 0)) || set -- "${everything[@]}"
for tool in busybox cargo timeout xargs; do need "$tool"; done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Writes the initramfs of an architecture to the work folder.
#   pack ARCHITECTURE
pack() {
    local parts binary files=$work/files-$1
    machine "$1"
    need "${emulator[0]}"
    parts=$("$here/fetch.sh" "parts-$1") || exit 1
    mkdir -p "$files/bin"
    cp "$parts/busybox" "$files/bin/busybox"
    ln -s busybox "$files/bin/sh"
    if [[ -n ${OTEL_TCPRETRANS_BINARIES-} ]]; then
        cp "$OTEL_TCPRETRANS_BINARIES/otel-tcpretrans-$1" "$files/otel-tcpretrans"
        install -m 755 "$here/program.sh" "$files/program.sh"
    else
        say "building the tests for $1"
        binary=$(CARGO_PROFILE_DEV_STRIP=true "$root/deploy/static.sh" "$1" test --package otel-tcpretrans-source \
            --test kernel --no-run) || fail "the tests can't be built for $1"
        cp "$binary" "$files/kernel"
    fi
    install -m 755 "$here/init.sh" "$files/init"
    (cd "$files" && find . | busybox cpio -o -H newc 2>/dev/null) >"$work/$1.initramfs"
}

fetched=$("$here/fetch.sh" "${@%-lockdown}") || exit 1
mapfile -t folders <<<"$fetched"

logs=$target/test-kernels consoles=() machines=()
mkdir -p "$logs"
for asked; do
    folder=${folders[0]} folders=("${folders[@]:1}") lockdown=''
    name=${folder##*/}
    IFS=- read -r _ architecture _ <<<"$name"
    if [[ $asked == *-lockdown ]]; then name+=-lockdown lockdown=confidentiality; fi
    [[ -e $work/$architecture.initramfs ]] || pack "$architecture"
    consoles+=("$logs/$name.log")
    machines+=("$name" "$architecture" "$folder/vmlinuz" "$work/$architecture.initramfs" "$logs/$name.log" "$deadline" "$lockdown")
done
printf '%s\0' "${machines[@]}" | xargs -0 -n 7 -P "$(nproc)" "$here/boot.sh"

status=0
for console in "${consoles[@]}"; do
    if ! grep -qx '@exit 0' "$console"; then
        status=1
        say "a kernel failed; the end of its console ($console):"
        tail -n 40 "$console" | sed 's/^/    /' >&2
    fi
done
awk -f "$here/table.awk" "${consoles[@]}" || status=1
exit "$status"

#!/usr/bin/env bash
# Builds static binaries: one file that runs on each Linux since 5.10, whatever libraries are there. Prints the path of
# what it built; everything else goes to stderr.
#
#   static.sh ARCHITECTURE                       the release binary for amd64 or arm64
#   static.sh ARCHITECTURE CARGO_ARGUMENT...     what this cargo command builds, such as: test --test kernel --no-run
#
# Needs what '.ci/setup build kernels' or '.ci/setup build package' installs. The C library is glibc; Debian's libelf and
# libz are linked statically (tests/kernels/fetch.sh gets them for both architectures, and installs nothing).
set -Eeuo pipefail
export LC_ALL=C

root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")

fail() { printf 'static: %s\n' "$*" >&2; exit 1; }
case ${1-} in
amd64) triple=x86_64-unknown-linux-gnu compiler=x86_64-linux-gnu-gcc linker=$compiler ;;
arm64) triple=aarch64-unknown-linux-gnu compiler=aarch64-linux-gnu-gcc linker=$root/deploy/static-pie.sh ;;
*) fail "usage: static.sh amd64|arm64 [CARGO_ARGUMENT...]" ;;
esac
architecture=$1
shift
(($# > 0)) || set -- build --release --bin otel-tcpretrans
command -v "$compiler" >/dev/null || fail "'$compiler' is missing: run '.ci/setup build package'"
parts=$("$root/tests/kernels/fetch.sh" "parts-$architecture")

# No path of this machine gets into the binary, so two folders give the same file. With --target, the flags do not apply
# to build scripts.
upper=${triple^^} lower=${triple//-/_}
home=${CARGO_HOME:-$HOME/.cargo}
flags="-C target-feature=+crt-static --remap-path-prefix=$target=/target --remap-path-prefix=$root=/source"
flags+=" --remap-path-prefix=$home=/cargo"
built=$(env RUSTFLAGS="${RUSTFLAGS-} $flags" \
    "CFLAGS_$lower=-ffile-prefix-map=$home=/cargo -ffile-prefix-map=$target=/target" \
    "LIBBPF_SYS_LIBRARY_PATH_$lower=$parts" "CARGO_TARGET_${upper//-/_}_LINKER=$linker" CARGO_TARGET_DIR="$target" \
    "${CARGO:-cargo}" "$@" --quiet --locked --manifest-path "$root/Cargo.toml" --target "$triple" \
    --message-format=json-render-diagnostics)
binary=$(sed -nE 's/.*"executable":"([^"]+)".*/\1/p' <<<"$built" | tail -n 1)
[[ -x $binary ]] || fail "cargo named no binary"
printf '%s\n' "$binary"

#!/usr/bin/env bash
# Makes all packages of this version in target/package: Debian packages, RPMs and tarballs with static binaries, the SBOM,
# and their checksums. The same commit makes the same files.
#
#   package.sh [ARCHITECTURE...]     amd64, arm64; both by default
#
# Needs what '.ci/setup build package' installs.
set -Eeuo pipefail
export LC_ALL=C
umask 022

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# The packages are below target/ in any case: the manifest names files there.
CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR
# The time of all files: that of the commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
cargo=${CARGO:-cargo}
out=target/package files=target/package/files
version=$(sed -nE '/^\[workspace.package\]/,/^$/s/^version = "(.*)"/\1/p' Cargo.toml)

say() { printf 'package: %s\n' "$*" >&2; }
(($# > 0)) || set -- amd64 arm64
rm -rf "$out"
mkdir -p "$files/man"

triple() {
    case $1 in
    amd64) echo x86_64-unknown-linux-gnu ;;
    arm64) echo aarch64-unknown-linux-gnu ;;
    *) say "unknown architecture '$1'"; return 1 ;;
    esac
}
triples=()
for architecture; do
    triples+=("$(triple "$architecture")")
    say "building the binary for $architecture"
    deploy/static.sh "$architecture" >/dev/null
done

# --- what the binary knows, and what is the same in all packages
own=$(triple "$(dpkg --print-architecture)")
binary=$CARGO_TARGET_DIR/$own/release/otel-tcpretrans
[[ " ${triples[*]} " == *" $own "* ]] || binary=$(deploy/static.sh "$(dpkg --print-architecture)")
"$binary" man --output "$files/man"
"$binary" completions bash >"$files/otel-tcpretrans.bash"
"$binary" completions zsh >"$files/_otel-tcpretrans"
"$binary" completions fish >"$files/otel-tcpretrans.fish"
deploy/libraries.sh "${triples[@]}" >"$files/LIBRARIES"
cp -r "$files/man" "$files/man.plain"
gzip -9n "$files"/man/*
gzip -9nc "$files/LIBRARIES" >"$files/LIBRARIES.gz"
gzip -9nc CHANGELOG.md >"$files/changelog.gz" # the project's own; Debian's is below
cat >"$files/changelog" <<CHANGELOG
otel-tcpretrans ($version-1) stable; urgency=medium

  * Version $version. Its changes are in changelog.gz.

 -- $(sed -nE 's/^maintainer = "(.*)"/\1/p' Cargo.toml)  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
CHANGELOG

# --- packages
# The RPM has the times of its files, but none after that of the commit. So it is made from a fresh copy.
folder=$PWD/$out tree=$files/tree
mkdir "$tree"
git ls-files -z -- '*Cargo.toml' Cargo.lock '*.rs' '*.md' LICENSE config deploy | xargs -0 cp --parents -t "$tree"
ln -s "$PWD/target" "$tree/target"
for architecture; do
    triple=$(triple "$architecture")
    say "packing for $architecture"
    "$cargo" deb --quiet --no-build --no-strip --target "$triple" --output "$out/" >&2
    (cd "$tree" && "$cargo" generate-rpm --target "$triple" --target-dir "$CARGO_TARGET_DIR" --output "$folder/" >&2)
    name=otel-tcpretrans-$version-linux-$architecture
    unpacked=$files/$name
    mkdir -p "$unpacked"/{man,completions,systemd,examples}
    cp "$CARGO_TARGET_DIR/$triple/release/otel-tcpretrans" README.md CHANGELOG.md LICENSE "$files/LIBRARIES" "$unpacked/"
    cp config/service.yaml "$unpacked/config.yaml"
    cp config/*.yaml "$unpacked/examples/"
    cp deploy/systemd/* "$unpacked/systemd/"
    cp "$files"/man.plain/* "$unpacked/man/"
    cp "$files"/otel-tcpretrans.{bash,fish} "$files/_otel-tcpretrans" "$unpacked/completions/"
    tar --create --sort=name --format=ustar --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
        --mode=u=rwX,go=rX --directory "$files" "$name" | gzip -9n >"$out/$name.tar.gz"
done

# --- the SBOM: of the binary's crates on all targets. The tool writes beside each manifest, here into the copy.
say "listing the parts of the binary"
(cd "$tree" && "$cargo" cyclonedx --quiet --format json --spec-version 1.5 --all --no-build-deps)
mv "$tree/otel-tcpretrans.cdx.json" "$out/otel-tcpretrans-$version.cdx.json"

(cd "$out" && sha256sum -- *.deb *.rpm *.tar.gz *.cdx.json >SHA256SUMS)
say "in $out:"
(cd "$out" && ls -sh1 -- *.deb *.rpm *.tar.gz *.cdx.json SHA256SUMS) >&2

#!/usr/bin/env bash
# Builds the container image from static binaries, without a registry. Prints the image's name on stdout; everything else goes to stderr.
#
#   build.sh [ARCHITECTURE...]      amd64 (the default) and arm64; with two of them the image is a list of both
#
# Environment:
#   IMAGE               name of the image (localhost/otel-tcpretrans:VERSION)
#   CONTAINER_ENGINE    podman, buildah or docker (the first that is there). It may have options: "podman --root /tmp/images"
#   BINARIES            a folder with otel-tcpretrans-ARCHITECTURE, used in place of a build by deploy/static.sh
#   CA_BUNDLE           the authorities that the image trusts (/etc/ssl/certs/ca-certificates.crt)
#   SOURCE_DATE_EPOCH   the time of all that is in the image, in seconds (the last commit's), so that two builds are equal
set -Eeuo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(realpath "$here/../..")
ca_bundle=${CA_BUNDLE:-/etc/ssl/certs/ca-certificates.crt}

say() { printf 'container: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

read -ra engine <<<"${CONTAINER_ENGINE-}"
if ((${#engine[@]} == 0)); then
    for name in podman buildah docker; do
        if command -v "$name" >/dev/null; then engine=("$name"); break; fi
    done
    ((${#engine[@]} > 0)) || fail "no podman, buildah or docker: run '.ci/setup container'"
fi
[[ -r $ca_bundle ]] || fail "no authorities in $ca_bundle: install ca-certificates, or set CA_BUNDLE"
(($# > 0)) || set -- amd64
for architecture in "$@"; do
    [[ $architecture == amd64 || $architecture == arm64 ]] || fail "usage: build.sh [amd64] [arm64]"
done

version=$(sed -nE '/^\[workspace.package\]/,/^\[/ s/^version = "(.*)"/\1/p' "$root/Cargo.toml")
revision=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}
image=${IMAGE:-localhost/otel-tcpretrans:$version}

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
install -m 644 "$ca_bundle" "$context/ca-certificates.crt"
install -m 644 "$here/config.yaml" "$root/LICENSE" "$context"
for architecture in "$@"; do
    if [[ -n ${BINARIES-} ]]; then
        binary=$BINARIES/otel-tcpretrans-$architecture
    else
        say "building the static binary for $architecture"
        binary=$("$root/deploy/static.sh" "$architecture")
    fi
    install -m 755 "$binary" "$context/otel-tcpretrans-$architecture"
done
# What docker takes of the files' times is what they have.
find "$context" -exec touch --no-dereference --date "@$epoch" {} +

build=(--file "$here/Containerfile" --build-arg "VERSION=$version" --build-arg "REVISION=$revision")
platforms=$(printf 'linux/%s,' "$@")
build+=(--platform "${platforms%,}")
case ${engine[0]##*/} in
podman | buildah)
    build+=(--format oci --timestamp "$epoch")
    "${engine[@]}" rmi --force "$image" >/dev/null 2>&1 || true # a list would get more members
    if (($# > 1)); then build+=(--manifest "$image"); else build+=(--tag "$image"); fi
    ;;
*) build+=(--tag "$image") ;;
esac
say "building $image for ${platforms%,}"
"${engine[@]}" build "${build[@]}" "$context" >&2
printf '%s\n' "$image"

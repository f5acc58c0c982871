#!/usr/bin/env bash
# Fetches the parts of virtual machines from Debian, and prints for each given name the folder that has it. Everything
# else goes to stderr.
#
#   fetch.sh NAME...
#
#   RELEASE[-ARCHITECTURE[-16k]]   a kernel, with pages of 16 KiB or the usual ones, as vmlinuz:
#                                  bullseye, bookworm, trixie, sid; amd64 (the default), arm64
#   parts-ARCHITECTURE             busybox, and the static libraries that the tests link: libelf.a, libz.a
#   qemu                           qemu-system-x86_64 of bookworm-backports and its data (see machine.sh)
#
# Nothing is installed (see tests/private-apt.sh). What was fetched once stays in the user's cache folder, and is used
# from there without the network. Remove its folder there to get the present one of the release.
set -Eeuo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/private-apt.sh
. "$here/../private-apt.sh"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/otel-tcpretrans/kernels

say() { printf 'kernels: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
(($# > 0)) || fail "usage: fetch.sh NAME..."
for name in "$@"; do
    [[ $name =~ ^((bullseye|bookworm|trixie|sid)(-amd64|-arm64(-16k)?)?|parts-(amd64|arm64)|qemu)$ ]] ||
        fail "unknown name '$name'; expected a release such as sid, sid-arm64 or sid-arm64-16k"
done
for tool in apt-get apt-config dpkg-deb flock; do
    command -v "$tool" >/dev/null || fail "'$tool' is missing; this needs a Debian machine"
done

work=''
cleanup() { if [[ -n $work ]]; then rm -rf "$work"; fi; }
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir -p "$cache"
exec 9>"$cache/lock"
if ! flock -n 9; then
    say "another fetch is running; waiting for it"
    flock 9
fi
rm -rf "$cache"/fetch.?????? # left by a killed fetch: nobody else holds the lock

# Sets 'packages' to the packages that contain the kernel of a release. A metapackage depends on them. The image is in
# linux-image-VERSION, or in linux-binary-VERSION if the former is a stub; apt installs the right ones.
kernel_packages() {
    local metapackage=linux-image-cloud-$architecture
    [[ -z $pages ]] || metapackage=linux-image-$architecture-$pages # there is no cloud kernel with these pages
    apt-get -q -y --no-install-recommends --print-uris install "$metapackage" >"$work/closure" 2>"$work/log" ||
        fail "apt finds no $metapackage in $release: $(tail -n 3 "$work/log")"
    mapfile -t packages < <(awk '/^\047/ { sub(/_.*/, "", $2); print $2 }' "$work/closure" |
        grep -E '^linux-(image|binary)-[0-9]')
    ((${#packages[@]} > 0)) || fail "$metapackage of $release needs no kernel"
}

# Moves one file out of the unpacked packages, by its name and its least size: take PATTERN SIZE NEW_NAME
take() {
    local found
    found=$(find "$work/root" -name "$1" -type f -size "+$2" | sort -V | tail -n 1)
    [[ -n $found ]] || fail "no $1 in ${packages[*]}"
    mv "$found" "$work/out/$3"
}

mirrors=()
for name in "$@"; do
    IFS=- read -r release architecture pages <<<"$name"
    architecture=${architecture:-amd64}
    target=$cache/$release-$architecture${pages:+-$pages}
    if [[ ! -d $target ]]; then
        [[ -n $work ]] || work=$(mktemp -d "$cache/fetch.XXXXXX")
        if ((${#mirrors[@]} == 0)); then
            found=$(debian_mirrors "$work") || fail "no mirror"
            mapfile -t mirrors <<<"$found"
        fi
        suite=$release
        # The parts are from bookworm. They need no other libraries, and no newer libc than that of any machine.
        [[ $release != parts ]] || suite=bookworm
        [[ $release != qemu ]] || suite=bookworm-backports
        say "reading the package lists of $suite for $architecture"
        APT_CONFIG=$(private_apt "$work/apt" "$suite" "$architecture" "${mirrors[@]}") ||
            fail "apt could not read the package lists of $suite"
        export APT_CONFIG
        case $release in
        parts) packages=(busybox-static libelf-dev zlib1g-dev) ;;
        qemu) packages=(qemu-system-x86 qemu-system-data) ;;
        *) kernel_packages ;;
        esac
        say "downloading ${packages[*]}"
        mkdir "$work/debs" "$work/root" "$work/out"
        (cd "$work/debs" && apt-get -q download "${packages[@]}") >"$work/log" 2>&1 ||
            fail "apt could not download them: $(tail -n 3 "$work/log")"
        for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
        case $release in
        parts)
            take busybox 100k busybox
            take libelf.a 0 libelf.a
            take libz.a 0 libz.a
            ;;
        qemu)
            take qemu-system-x86_64 1M qemu-system-x86_64
            mv "$work/root/usr/share/qemu" "$work/out/data"
            ;;
        *) take 'vmlinuz*' 1M vmlinuz ;;
        esac
        mv "$work/out" "$target" # a rename on one file system, so the folder is never there in part
        unset APT_CONFIG
        rm -rf "${work:?}"/*
    fi
    printf '%s\n' "$target"
done

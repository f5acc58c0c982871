#!/usr/bin/env bash
# Fetches Debian's kernels for virtual machines and prints, for each release asked for, the path of its vmlinuz on
# stdout (everything else goes to stderr).
#
#   fetch.sh RELEASE...      releases: bullseye, bookworm, trixie, sid
#
# Nothing is installed: see tests/private-apt.sh. A kernel once fetched is kept in the user's cache folder and used
# without asking the network again; remove its folder there to get the release's present one.
set -Eeuo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/private-apt.sh
. "$here/../private-apt.sh"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/otel-tcpretrans/kernels
architecture=amd64
metapackage=linux-image-cloud-$architecture

say() { printf 'kernels: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
(($# > 0)) || fail "usage: fetch.sh RELEASE..."
for release in "$@"; do
    case $release in bullseye | bookworm | trixie | sid) ;; *) fail "unknown release '$release'" ;; esac
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
rm -rf "$cache"/fetch.?????? # left by one that was killed: nobody else holds the lock

mirrors=()
for release in "$@"; do
    target=$cache/$release-$architecture
    if [[ ! -e $target/vmlinuz ]]; then
        [[ -n $work ]] || work=$(mktemp -d "$cache/fetch.XXXXXX")
        if ((${#mirrors[@]} == 0)); then
            found=$(debian_mirrors "$work") || fail "no mirror"
            mapfile -t mirrors <<<"$found"
        fi
        say "reading the package lists of $release"
        config=$(private_apt "$work/$release" "$release" "$architecture" "${mirrors[@]}") ||
            fail "apt could not read the package lists of $release"
        # The metapackage names the kernel. Its image lies in linux-image-VERSION, or, that being a stub, in
        # linux-binary-VERSION: whichever of them apt would install.
        APT_CONFIG=$config apt-get -q -y --no-install-recommends --print-uris install "$metapackage" \
            >"$work/closure" 2>"$work/log" || fail "apt finds no $metapackage in $release: $(tail -n 3 "$work/log")"
        mapfile -t packages < <(awk '/^\047/ { sub(/_.*/, "", $2); print $2 }' "$work/closure" |
            grep -E '^linux-(image|binary)-[0-9]')
        ((${#packages[@]} > 0)) || fail "$metapackage of $release needs no kernel"
        say "downloading ${packages[*]}"
        mkdir "$work/$release/debs" "$work/$release/root" "$work/$release/out"
        (cd "$work/$release/debs" && APT_CONFIG=$config apt-get -q download "${packages[@]}") >"$work/log" 2>&1 ||
            fail "apt could not download them: $(tail -n 3 "$work/log")"
        for deb in "$work/$release"/debs/*.deb; do dpkg-deb -x "$deb" "$work/$release/root"; done
        image=$(find "$work/$release/root" -name 'vmlinuz*' -type f -size +1M | sort -V | tail -n 1)
        [[ -n $image ]] || fail "no vmlinuz in ${packages[*]}"
        mv "$image" "$work/$release/out/vmlinuz"
        rm -rf "$target"
        mv "$work/$release/out" "$target" # a rename on one file system: there whole, or not there
        rm -rf "${work:?}/$release"
    fi
    printf '%s\n' "$target/vmlinuz"
done

#!/usr/bin/env bash
# Fetches the seccomp profile that podman 5 and CRI-O use by default, from Debian trixie, and prints its path on stdout. Everything else goes to
# stderr. The profile of bookworm's podman is older: it admits bpf() only with CAP_SYS_ADMIN. No package is installed (see
# tests/private-apt.sh): one file is put into the user's cache folder, outside of the checkout, so that every clone finds it.
set -Eeuo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/private-apt.sh
. "$here/../private-apt.sh"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/otel-tcpretrans
profile=$cache/seccomp/trixie.json

say() { printf 'container: %s\n' "$*" >&2; }
(($# == 0)) || { say "usage: fetch.sh"; exit 2; }

if [[ ! -r $profile ]]; then
    mkdir -p "$cache/seccomp"
    work=$(mktemp -d "$cache/seccomp/fetch.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    say "fetching a seccomp profile from Debian trixie"
    found=$(debian_mirrors "$work") || { say "no mirror"; exit 1; }
    mapfile -t mirrors <<<"$found"
    APT_CONFIG=$(private_apt "$work/apt" trixie "$(dpkg --print-architecture)" "${mirrors[@]}") ||
        { say "apt could not read the package lists of trixie"; exit 1; }
    export APT_CONFIG
    (cd "$work" && apt-get -q download golang-github-containers-common) >"$work/log" 2>&1 ||
        { tail -n 5 "$work/log" >&2; exit 1; }
    dpkg-deb -x "$work"/golang-github-containers-common_*.deb "$work/root"
    mv -f "$work/root/usr/share/containers/seccomp.json" "$profile"
fi
printf '%s\n' "$profile"

#!/usr/bin/env bash
# Fetches VictoriaMetrics for the tests from Debian trixie, and prints the path of the binary on stdout. Everything else
# goes to stderr. No package is installed (see tests/private-apt.sh): the package, 41 MB, is unpacked into the user's cache
# folder, outside of the checkout, so that every clone finds it.
#
#   fetch.sh           fetches it unless it is cached
#   fetch.sh --cached  prints the cached one's path, or fails without touching the network
set -Eeuo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/private-apt.sh
. "$here/../private-apt.sh"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/otel-tcpretrans
binary=$cache/victoria-metrics/victoria-metrics

say() { printf 'victoriametrics: %s\n' "$*" >&2; }

case ${1-} in
'' | --cached) ;;
*) say "usage: fetch.sh [--cached]"; exit 2 ;;
esac

if [[ -x $binary ]]; then
    printf '%s\n' "$binary"
    exit 0
fi
[[ ${1-} != --cached ]] || { say "not fetched yet: run tests/victoriametrics/fetch.sh"; exit 1; }

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # another one may fetch it
if [[ ! -x $binary ]]; then
    rm -rf "$cache"/fetch.?????? # left by a killed one: nobody else holds the lock
    work=$(mktemp -d "$cache/fetch.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    say "fetching it from Debian trixie"
    found=$(debian_mirrors "$work") || { say "no mirror"; exit 1; }
    mapfile -t mirrors <<<"$found"
    APT_CONFIG=$(private_apt "$work/apt" trixie "$(dpkg --print-architecture)" "${mirrors[@]}") ||
        { say "apt could not read the package lists of trixie"; exit 1; }
    export APT_CONFIG
    (cd "$work" && apt-get -q download victoria-metrics) >"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; exit 1; }
    dpkg-deb -x "$work"/victoria-metrics_*.deb "$work/root"
    mkdir -p "${binary%/*}"
    mv -f "$work/root/usr/bin/victoria-metrics" "$binary"
fi
printf '%s\n' "$binary"

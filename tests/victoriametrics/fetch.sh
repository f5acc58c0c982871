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
folder=${XDG_CACHE_HOME:-$HOME/.cache}/otel-tcpretrans/victoria-metrics

say() { printf 'victoriametrics: %s\n' "$*" >&2; }

case ${1-} in
'') debian_programs "$folder" trixie victoria-metrics victoria-metrics ;;
--cached) [[ -x $folder/victoria-metrics ]] ||
    { say "not fetched yet: run tests/victoriametrics/fetch.sh"; exit 1; } ;;
*) say "usage: fetch.sh [--cached]"; exit 2 ;;
esac
printf '%s\n' "$folder/victoria-metrics"

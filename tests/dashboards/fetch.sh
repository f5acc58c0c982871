#!/usr/bin/env bash
# Fetches Prometheus and promtool for the tests from Debian bookworm, and prints the folder that has them on stdout.
# Everything else goes to stderr. No package is installed and no service is started (see tests/private-apt.sh): the package
# is unpacked into the user's cache folder, outside of the checkout, so that every clone finds it.
#
#   fetch.sh           fetches them unless they are cached
#   fetch.sh --cached  prints the folder, or fails without touching the network
set -Eeuo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/private-apt.sh
. "$here/../private-apt.sh"
folder=${XDG_CACHE_HOME:-$HOME/.cache}/otel-tcpretrans/prometheus

say() { printf 'prometheus: %s\n' "$*" >&2; }

case ${1-} in
'') debian_programs "$folder" bookworm prometheus prometheus promtool ;;
--cached) [[ -x $folder/prometheus && -x $folder/promtool ]] ||
    { say "not fetched yet: run tests/dashboards/fetch.sh"; exit 1; } ;;
*) say "usage: fetch.sh [--cached]"; exit 2 ;;
esac
printf '%s\n' "$folder"

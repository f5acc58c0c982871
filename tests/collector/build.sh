#!/usr/bin/env bash
# Builds the real OpenTelemetry Collector for the tests from Debian sid's packages of the Collector and of Go, and
# prints the path of the binary on stdout. Everything else goes to stderr.
#
#   build.sh           builds it unless it is cached
#   build.sh --cached  prints the cached one's path, or fails without touching the network
#
# No package is installed (see tests/private-apt.sh): the packages are unpacked into a temporary folder. The result is
# one static binary in the user's cache folder, outside of the checkout, so that every clone finds it. The build needs 4
# GB of free disk space, and takes about two minutes on two cores.
set -Eeuo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/private-apt.sh
. "$here/../private-apt.sh"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/otel-tcpretrans
expected=0.152 # main.go is written for this release; any other one in sid is tried, with a warning

say() { printf 'collector: %s\n' "$*" >&2; }

# The newest cached Collector that was built from the main.go of this checkout.
cached() {
    local dir
    while IFS= read -r dir; do
        if [[ -x $dir/otelcol ]] && cmp -s "$here/main.go" "$dir/main.go"; then
            printf '%s\n' "$dir/otelcol"
            return 0
        fi
    done < <(find "$cache" -maxdepth 1 -type d -name 'collector-*' 2>/dev/null | sort -rV)
    return 1
}

case ${1-} in
'') ;;
--cached) cached || { say "not built yet: run 'make collector'"; exit 1; }; exit 0 ;;
*) say "usage: build.sh [--cached]"; exit 2 ;;
esac
if cached; then exit 0; fi

step='preparing' work='' log=''
begin() { step=$1; say "$step"; }
fail() { say "failed while $step: $*"; exit 1; }
on_error() { # a command failed: prints the step, and the last lines of its output
    say "failed while $step (line $1: $2)"
    if [[ -n $log && -s $log ]]; then tail -n 15 "$log" | sed 's/^/collector: | /' >&2; fi
}
cleanup() { if [[ -n $work ]]; then chmod -R u+w "$work" 2>/dev/null || true; rm -rf "$work"; fi; }
trap 'on_error "$LINENO" "$BASH_COMMAND"' ERR
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for tool in apt-get apt-config dpkg-deb flock awk; do
    command -v "$tool" >/dev/null || fail "'$tool' is missing; this needs a Debian machine"
done
mkdir -p "$cache"
exec 9>"$cache/lock"
if ! flock -n 9; then
    say "another build is running; waiting for it"
    flock 9
fi
if cached; then exit 0; fi          # the other build has made it
rm -rf "$cache"/build.??????        # left by a killed build: nobody else holds the lock
(($(df -Pk "$cache" | awk 'NR == 2 { print $4 }') > 4000000)) || fail "less than 4 GB free in $cache"
work=$(mktemp -d "$cache/build.XXXXXX")
log=$work/log
seconds=$SECONDS

begin "finding this machine's Debian mirror"
mkdir -p "$work/debs" "$work/root" "$work/home"
found=$(debian_mirrors "$work") || fail "no mirror"
mapfile -t mirrors <<<"$found"

begin "reading the package lists of sid"
APT_CONFIG=$(private_apt "$work/apt" sid "$(dpkg --print-architecture)" "${mirrors[@]}") ||
    fail "apt could not read the package lists of sid"
export APT_CONFIG

begin "working out the packages needed"
# apt lists all packages that an empty system needs. Only Go and the Go libraries are used; the rest is for a C
# compiler.
apt-get -q -y --no-install-recommends --print-uris install golang-opentelemetry-collector-dev golang-go \
    >"$work/closure" 2>"$log"
mapfile -t packages < <(awk '/^\047/ { sub(/_.*/, "", $2); print $2 }' "$work/closure" |
    grep -E '^golang-([0-9.]+-(go|src)|.*-dev)$')
((${#packages[@]} > 0)) || fail "apt named no golang packages"
package_version=$(apt-cache show --no-all-versions golang-opentelemetry-collector-dev | awk '$1 == "Version:" { print $2 }')
version=${package_version#*:} version=${version%%[-+]*}
[[ $version == "$expected".* ]] || say "warning: sid has $version, main.go was written for $expected"

begin "downloading ${#packages[@]} packages (Collector $version)"
(cd "$work/debs" && apt-get -q download "${packages[@]}") >"$log" 2>&1

begin "unpacking them"
for deb in "$work"/debs/*.deb; do
    dpkg-deb -x "$deb" "$work/root" >"$log" 2>&1
    rm "$deb"
done

begin "compiling"
goroot=$(find "$work/root/usr/lib" -maxdepth 1 -name 'go-*' | sort -V | tail -n 1)
[[ -x $goroot/bin/go ]] || fail "no Go among the unpacked packages"
mkdir "$work/out"
env -i PATH="$PATH" HOME="$work/home" LC_ALL=C GOROOT="$goroot" GOPATH="$work/root/usr/share/gocode" \
    GO111MODULE=off GOCACHE="$work/gocache" GOTMPDIR="$work" GOENV=off GOTOOLCHAIN=local GOPROXY=off \
    GOTELEMETRY=off CGO_ENABLED=0 \
    "$goroot/bin/go" build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$version" \
    -o "$work/out/otelcol" "$here/main.go" >"$log" 2>&1

begin "checking the result"
OTLP_PORT=4317 "$work/out/otelcol" validate --config "$here/config.yaml" >"$log" 2>&1

begin "putting it into the cache"
target=$cache/collector-$version
mkdir -p "$target"
cp "$here/main.go" "$work/out/main.go"
mv -f "$work/out/otelcol" "$target/otelcol"   # both are renames on one file system; the second one, main.go,
mv -f "$work/out/main.go" "$target/main.go"   # shows that the pair is complete
say "built $version in $((SECONDS - seconds)) s"
printf '%s\n' "$target/otelcol"

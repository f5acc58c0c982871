#!/usr/bin/env bash
# Makes a real Kubernetes API server for the tests, and prints the path of its folder on stdout: it has kube-apiserver, built
# from the sources of Debian bookworm's package `kubernetes` (1.20) with bookworm's Go, and etcd of Debian trixie.
# Everything else goes to stderr.
#
#   build.sh           builds it unless it is cached
#   build.sh --cached  prints the cached one's path, or fails without touching the network
#
# No package is installed (see tests/private-apt.sh): the packages, 180 MB, are unpacked into a temporary folder. The result is
# in the user's cache folder, outside of the checkout, so that every clone finds it. The build needs 4 GB of free disk space
# and takes about eight minutes on two cores, once.
set -Eeuo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/private-apt.sh
. "$here/../private-apt.sh"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/otel-tcpretrans
target=$cache/kubernetes-1.20
go=golang-1.19

say() { printf 'kubernetes: %s\n' "$*" >&2; }
cached() { [[ -x $target/kube-apiserver && -x $target/etcd ]] && printf '%s\n' "$target"; }

case ${1-} in
'') ;;
--cached) cached || { say "not built yet: run 'make kubernetes'"; exit 1; }; exit 0 ;;
*) say "usage: build.sh [--cached]"; exit 2 ;;
esac
if cached; then exit 0; fi

step='preparing' work='' log=''
begin() { step=$1; say "$step"; }
fail() { say "failed while $step: $*"; exit 1; }
on_error() { # a command failed: prints the step, and the last lines of its output
    say "failed while $step (line $1: $2)"
    if [[ -n $log && -s $log ]]; then tail -n 15 "$log" | sed 's/^/kubernetes: | /' >&2; fi
}
cleanup() { if [[ -n $work ]]; then chmod -R u+w "$work" 2>/dev/null || true; rm -rf "$work"; fi; }
trap 'on_error "$LINENO" "$BASH_COMMAND"' ERR
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for tool in apt-get apt-config dpkg-deb dpkg-source flock make gcc; do
    command -v "$tool" >/dev/null || fail "'$tool' is missing; this needs a Debian machine (.ci/setup test)"
done
mkdir -p "$cache"
exec 9>"$cache/kubernetes.lock"
if ! flock -n 9; then
    say "another build is running; waiting for it"
    flock 9
fi
if cached; then exit 0; fi             # the other build has made it
rm -rf "$cache"/kubernetes.??????      # left by a killed build: nobody else holds the lock
(($(df -Pk "$cache" | awk 'NR == 2 { print $4 }') > 4000000)) || fail "less than 4 GB free in $cache"
work=$(mktemp -d "$cache/kubernetes.XXXXXX")
log=$work/log
seconds=$SECONDS

begin "finding this machine's Debian mirror"
mkdir -p "$work/debs" "$work/root" "$work/home" "$work/tools"
found=$(debian_mirrors "$work") || fail "no mirror"
mapfile -t mirrors <<<"$found"
architecture=$(dpkg --print-architecture)

begin "downloading etcd"
APT_CONFIG=$(private_apt "$work/trixie" trixie "$architecture" "${mirrors[@]}") ||
    fail "apt could not read the package lists of trixie"
export APT_CONFIG
(cd "$work/debs" && apt-get -q download etcd-server) >"$log" 2>&1

begin "downloading the sources and Go"
APT_CONFIG=$(private_apt "$work/bookworm" bookworm "$architecture" "${mirrors[@]}") ||
    fail "apt could not read the package lists of bookworm"
sed -i 's/^deb \(.*\)$/&\ndeb-src \1/' "$work/bookworm/sources.list"
apt-get -q update -o APT::Update::Error-Mode=any >"$log" 2>&1
(cd "$work/debs" && apt-get -q download "$go-go" "$go-src" && apt-get -q source --download-only kubernetes) \
    >"$log" 2>&1

begin "unpacking"
for deb in "$work"/debs/*.deb; do
    dpkg-deb -x "$deb" "$work/root" >"$log" 2>&1
    rm "$deb"
done
# apt has checked the signatures of the lists that the sources are in.
dpkg-source --no-check -x "$work"/debs/kubernetes_*.dsc "$work/kubernetes" >"$log" 2>&1

begin "compiling kube-apiserver"
# The Makefile calls rsync only to copy single files.
cat >"$work/tools/rsync" <<'COPY'
#!/bin/sh
[ "$#" = 3 ] && [ "$1" = -pc ] && exec cp -p "$2" "$3"
echo "rsync $*: not expected" >&2
exit 1
COPY
chmod +x "$work/tools/rsync"
goroot=$work/root/usr/lib/${go/golang/go}
[[ -x $goroot/bin/go ]] || fail "no Go among the unpacked packages"
(cd "$work/kubernetes" && env -i PATH="$work/tools:$goroot/bin:$PATH" HOME="$work/home" LC_ALL=C GOROOT="$goroot" \
    GO111MODULE=off GOCACHE="$work/gocache" GOPROXY=off CGO_ENABLED=0 \
    KUBE_GIT_VERSION=v1.20.2 KUBE_GIT_COMMIT=debian KUBE_GIT_TREE_STATE=archive \
    nice make WHAT=cmd/kube-apiserver) >"$log" 2>&1
mkdir "$work/out"
cp -L "$work/kubernetes/_output/bin/kube-apiserver" "$work/root/usr/bin/etcd" "$work/out"

begin "checking the result"
"$work/out/kube-apiserver" --version >"$log" 2>&1
"$work/out/etcd" --version >"$log" 2>&1

begin "putting it into the cache"
rm -rf "$target"
mv "$work/out" "$target" # a rename on one file system, so that the folder is complete
say "built in $((SECONDS - seconds)) s"
printf '%s\n' "$target"

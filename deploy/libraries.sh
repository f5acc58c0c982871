#!/usr/bin/env bash
# Prints the licenses of all libraries that the static binary contains, as these licenses ask for.
#
#   libraries.sh TRIPLE...     Rust's names of the targets
set -Eeuo pipefail
export LC_ALL=C

root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
registry=${CARGO_HOME:-$HOME/.cargo}/registry/src
targets=()
for triple; do targets+=(--target "$triple"); done

cat <<'HEAD'
The binary of otel-tcpretrans is static. Beside its own code (Apache-2.0) it contains:

glibc 2.36, LGPL-2.1-or-later, and elfutils' libelf 0.188, GPL-2.0-or-later or LGPL-3.0-or-later, and zlib 1.2.13, Zlib,
as Debian 12 has them: https://sources.debian.org has their sources and full copyright files. The source of
otel-tcpretrans and deploy/static.sh link it anew with other versions of them.

Rust's standard library, MIT or Apache-2.0: https://github.com/rust-lang/rust

and the crates below, each with its license. A license text that several crates have is printed at the first of them.
HEAD

declare -A first
while read -r name version license; do
    printf '\n%s\n%s %s: %s\n' "$(printf '=%.0s' {1..80})" "$name" "${version#v}" "$license"
    folder=$(find "$registry" -mindepth 2 -maxdepth 2 -name "$name-${version#v}" | head -n 1)
    [[ -n $folder ]] || { echo "libraries: no source of $name $version" >&2; exit 1; }
    while IFS= read -r file; do
        sum=$(sha256sum <"$file")
        if [[ -n ${first[$sum]-} ]]; then
            printf '%s: as of %s\n' "${file#"$folder/"}" "${first[$sum]}"
        else
            first[$sum]="$name ${version#v}, ${file#"$folder/"}"
            printf '\n%s:\n\n' "${file#"$folder/"}"
            tr -d '\r' <"$file"
        fi
    done < <(find "$folder" -type f -regextype egrep -iregex '.*/(license|licence|copying|copyright|notice|unlicense)[^/]*' \
        ! -name '*.rs' ! -path '*/target/*' | sort)
done < <("${CARGO:-cargo}" tree --quiet --locked --manifest-path "$root/Cargo.toml" --package otel-tcpretrans --edges normal \
    --prefix none --format '{p} {l}' "${targets[@]}" |
    sed -nE 's/ \(proc-macro\)//; s/ \(\*\)$//; /\(\//!p' | sort -u | awk 'NF > 2 { print }')

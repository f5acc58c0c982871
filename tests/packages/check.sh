#!/usr/bin/env bash
# Looks at the packages in target/package without installing them on this machine: what is in them, with the real tools of
# Debian (lintian, rpm, man, zsh, fish), and that each binary starts. Prints what it checked, and exits with 1 at the first
# thing that is wrong. Needs root, for rpm's scripts run in a root folder of their own.
set -Eeuo pipefail
export LC_ALL=C

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=target/package
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pass() { printf 'check: %s\n' "$*"; }
fail() { printf 'check: WRONG: %s\n' "$*" >&2; exit 1; }
trap 'fail "line $LINENO"' ERR

(cd "$out" && sha256sum --check --quiet SHA256SUMS) || fail "SHA256SUMS"
[[ $(cd "$out" && find . -maxdepth 1 -type f ! -name SHA256SUMS | wc -l) == "$(wc -l <"$out/SHA256SUMS")" ]] || fail "files without checksum"

# Runs a program, in an emulator if it is none of this machine's architecture.
run() {
    local architecture=$1
    shift
    if [[ $architecture == "$(dpkg --print-architecture)" ]]; then "$@"; else "qemu-$machine-static" "$@"; fi
}

for deb in "$out"/*.deb; do
    architecture=$(dpkg-deb --field "$deb" Architecture)
    case $architecture in
    amd64) rpm_architecture=x86_64 machine=x86_64 ;;
    arm64) rpm_architecture=aarch64 machine=aarch64 ;;
    esac
    rpm=$(find "$out" -name "*.$rpm_architecture.rpm")
    tarball=$(find "$out" -name "*-linux-$architecture.tar.gz")
    root=$work/$architecture
    mkdir -p "$root"/{deb,tar,rpm/bin}
    dpkg-deb --extract "$deb" "$root/deb"
    tar --extract --file "$tarball" --directory "$root/tar" --strip-components 1

    # --- the RPM is installed for real, with its scripts, into a folder where only a shell is
    cp /bin/busybox "$root/rpm/bin/sh"
    rpm --root "$root/rpm" --initdb
    rpm --root "$root/rpm" --force-debian --install --nodeps --ignorearch "$rpm" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "rpm --install"; }
    [[ ! -s $work/log ]] || { cat "$work/log" >&2; fail "rpm --install wrote this"; }
    [[ $(rpm -qp --configfiles "$rpm" | sort | xargs) == "/etc/default/otel-tcpretrans /etc/otel-tcpretrans/config.yaml" ]] || fail "configuration files of the RPM"
    [[ $(dpkg-deb --info "$deb" conffiles | sort | xargs) == "/etc/default/otel-tcpretrans /etc/otel-tcpretrans/config.yaml" ]] || fail "conffiles"
    ! rpm -qp --requires "$rpm" | grep -vE '^(/bin/sh|rpmlib\(.*|config\(otel-tcpretrans\).*)$' || fail "the RPM requires more than a shell"
    [[ $(dpkg-deb --field "$deb" Depends) == "init-system-helpers (>= 1.51)" ]] || fail "the Debian package depends on $(dpkg-deb --field "$deb" Depends)"
    pass "$architecture: the RPM installs; neither package needs a library"

    # --- one binary in all of them, static, and it starts
    binary=$root/deb/usr/bin/otel-tcpretrans
    for other in "$root/rpm/usr/bin/otel-tcpretrans" "$root/tar/otel-tcpretrans"; do cmp "$binary" "$other"; done
    [[ $(readelf --file-header "$binary") == *"Machine: "*"$([[ $architecture == arm64 ]] && echo AArch64 || echo X86-64)"* ]] || fail "machine"
    ! readelf --dynamic "$binary" | grep NEEDED || fail "the binary needs libraries"
    ! readelf --program-headers "$binary" | grep INTERP || fail "the binary needs an interpreter"
    ! grep -qaF "$PWD" "$binary" || fail "the binary has paths of this machine"
    ! grep -qaF "${CARGO_HOME:-$HOME/.cargo}" "$binary" || fail "the binary has paths of this user"
    run "$architecture" "$binary" --version >"$work/version"
    [[ $(cat "$work/version") == "otel-tcpretrans $(dpkg-deb --field "$deb" Version | sed 's/-.*//')" ]] || fail "version"
    for config in "$root"/{deb,rpm}/etc/otel-tcpretrans/config.yaml "$root/tar/config.yaml"; do
        cmp "$config" config/service.yaml
        run "$architecture" "$binary" validate --config "$config" >"$work/log" 2>&1 || fail "validate: $(cat "$work/log")"
    done
    pass "$architecture: one static binary in all three, without paths of this machine; it runs: $(cat "$work/version")"

    if [[ $architecture == "$(dpkg --print-architecture)" ]]; then
        tests/packages/names.sh "$binary" || fail "names.sh"
        pass "$architecture: names are resolved by /etc/hosts and DNS, without a library of the machine"
    fi

    # --- the same content in both packages, but for what each distribution has elsewhere
    contents() { (cd "$1" && find usr etc -type f | sed -E 's#/(vendor-completions|site-functions)/#/zsh/#' |
        grep -vE '^usr/(share/(doc|licenses|lintian)/|lib/sysimage/)' | sort); }
    diff <(contents "$root/deb") <(contents "$root/rpm") || fail "the packages differ"
    [[ $(stat -c '%a %u' "$root/deb/etc/default/otel-tcpretrans" "$root/rpm/etc/default/otel-tcpretrans" | sort -u) == "600 0" ]] || fail "the environment can be read by others"
    cmp "$root/deb/usr/lib/systemd/system/otel-tcpretrans.service" deploy/systemd/otel-tcpretrans.service

    # --- documentation and completions, read by those who read them
    for page in "$root"/deb/usr/share/man/man?/*.gz; do
        man --warnings --local-file "$page" >"$work/page" 2>"$work/log"
        [[ ! -s $work/log ]] || fail "man warns of $page: $(cat "$work/log")"
        [[ $(wc -l <"$work/page") -gt 10 ]] || fail "$page is empty"
    done
    zsh -n "$root/deb/usr/share/zsh/vendor-completions/_otel-tcpretrans"
    fish --no-execute "$root/deb/usr/share/fish/vendor_completions.d/otel-tcpretrans.fish"
    bash -n "$root/deb/usr/share/bash-completion/completions/otel-tcpretrans"
    pass "$architecture: $(find "$root/deb/usr/share/man" -type f | wc -l) manual pages without a warning; completions for bash, zsh and fish"

    # --- the tools that know the rules
    lintian --allow-root --tag-display-limit 0 --fail-on error,warning "$deb" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "lintian"; }
    pass "$architecture: lintian finds nothing ($(grep -cv '^#' deploy/debian/lintian-overrides) overrides)"
    ! tar --list --verbose --numeric-owner --file "$tarball" | grep -v ' 0/0 ' || fail "owners in $tarball"

    rpm --root "$root/rpm" --force-debian --erase otel-tcpretrans >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "rpm --erase"; }
    left=$(cd "$root/rpm" && find . -type f ! -path './bin/sh' ! -path './var/lib/rpm/*' ! -path './usr/lib/sysimage/*' ! -path './root/.rpmdb/*')
    [[ -z $left ]] || fail "rpm --erase leaves $left"
    pass "$architecture: rpm --erase leaves nothing"
done

# --- the SBOM has all crates of the binary
sbom=$(find "$out" -maxdepth 1 -name '*.cdx.json')
crates=0
while read -r name version; do
    grep -qF "pkg:cargo/$name@${version#v}" "$sbom" || fail "the SBOM has no $name $version"
    crates=$((crates + 1))
done < <("${CARGO:-cargo}" tree --quiet --locked --edges normal --prefix none --format '{p}' --target x86_64-unknown-linux-gnu \
    --target aarch64-unknown-linux-gnu | awk 'NF > 1 { print $1, $2 }' | sort -u)
pass "the SBOM has all $crates crates of the binary"

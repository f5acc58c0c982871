# shellcheck shell=bash
# For scripts that need packages of another Debian release than this machine's. apt runs with a configuration of its own
# (own state, cache and sources, and an empty package status), so that nothing is installed and nothing of the machine
# changes. The mirror is the one that this machine's apt uses already. Signatures are checked with this machine's
# debian-archive-keyring. Other scripts source this file. If a function fails, it prints why and returns non-zero.

# Prints the machine's mirrors of Debian, one per line. Works before any 'apt-get update', too.
#   debian_mirrors SCRATCH_FOLDER
debian_mirrors() {
    local codename
    # shellcheck disable=SC1091  # the machine's own file
    codename=$(. /etc/os-release && [[ ${ID-} == debian ]] && echo "${VERSION_CODENAME:-sid}") ||
        { echo "this is not Debian, so its apt has no mirror of Debian" >&2; return 1; }
    mkdir -p "$1/mirrors/lists/partial"
    # Where the machine's own apt would look for its main suite.
    apt-get update --print-uris -o Dir::State="$1/mirrors" |
        sed -nE "s#^'([^']*)/dists/($codename|(old)*stable|testing|unstable|sid)/InRelease'.*#\1#p" | sort -u |
        grep . || { echo "no source for '$codename' in /etc/apt" >&2; return 1; }
}

# Makes a configuration in FOLDER for SUITE, reads the package lists of the suite, and prints the path of the file that
# APT_CONFIG has to name after that.
#   private_apt FOLDER SUITE ARCHITECTURE MIRROR...
private_apt() {
    local apt=$1 suite=$2 architecture=$3 keyring mirror
    shift 3
    for keyring in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do [[ ! -r $keyring ]] || break; done
    [[ -r $keyring ]] || { echo "no debian-archive-keyring; install that package" >&2; return 1; }
    mkdir -p "$apt/empty" "$apt/state/lists/partial" "$apt/cache/archives/partial"
    : >"$apt/state/status"
    {
        # The settings by which this machine reaches its mirror, such as proxies, are kept. Its hooks and preferences
        # are not.
        apt-config dump | grep -E '^Acquire::(https?|Check-[A-Za-z-]+|Retries|ForceIPv[46])[: ]' || true
        cat <<CONF
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
Dir::State "$apt/state";
Dir::State::status "$apt/state/status";
Dir::Cache "$apt/cache";
Dir::Etc::Main "/dev/null";
Dir::Etc::Parts "$apt/empty";
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "$apt/empty";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "$apt/empty";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Get::AllowUnauthenticated "false";
APT::Sandbox::User "root";  // as root: the download user could not enter the cache folder
CONF
    } >"$apt/apt.conf"
    for mirror; do # there are more if other vendors use Debian's names; their signatures fail
        echo "deb [signed-by=$keyring] $mirror $suite main" >"$apt/sources.list"
        if APT_CONFIG=$apt/apt.conf apt-get -q update -o APT::Update::Error-Mode=any >"$apt/log" 2>&1; then
            printf '%s\n' "$apt/apt.conf"
            return 0
        fi
    done
    tail -n 5 "$apt/log" >&2
    return 1
}

# Puts programs of a PACKAGE of SUITE into FOLDER, unless all of them are there. Says on stderr what it does.
#   debian_programs FOLDER SUITE PACKAGE PROGRAM...
debian_programs() {
    local folder=$1 suite=$2 package=$3 program missing='' cache work found mirrors
    shift 3
    for program; do [[ -x $folder/$program ]] || missing=yes; done
    [[ -n $missing ]] || return 0
    cache=$(dirname "$folder")
    mkdir -p "$folder"
    (
        exec 9>"$cache/lock"
        flock 9 # another one may fetch it
        missing=''
        for program; do [[ -x $folder/$program ]] || missing=yes; done
        [[ -n $missing ]] || exit 0
        rm -rf "$cache"/fetch.?????? # left by a killed one: nobody else holds the lock
        work=$(mktemp -d "$cache/fetch.XXXXXX")
        trap 'rm -rf "$work"' EXIT
        echo "fetching $package from Debian $suite" >&2
        found=$(debian_mirrors "$work") || { echo "no mirror" >&2; exit 1; }
        mapfile -t mirrors <<<"$found"
        APT_CONFIG=$(private_apt "$work/apt" "$suite" "$(dpkg --print-architecture)" "${mirrors[@]}") ||
            { echo "apt could not read the package lists of $suite" >&2; exit 1; }
        export APT_CONFIG
        (cd "$work" && apt-get -q download "$package") >"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; exit 1; }
        dpkg-deb -x "$work/${package}"_*.deb "$work/root" || exit 1
        for program; do mv -f "$work/root/usr/bin/$program" "$folder/$program" || exit 1; done
    )
}

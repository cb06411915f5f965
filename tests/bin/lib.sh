# shellcheck shell=bash
# Shared by the scripts of this folder: messages, root, Debian packages, the Docker engine.
# Sourced, never run.

# shellcheck disable=SC2034 # used by the scripts
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# log MESSAGE: to standard error, and to $log_file where a script has set one.
log() {
    printf '%s: %s\n' "$(basename "$0")" "$*" | tee -a "${log_file:-/dev/null}" >&2
}

fail() {
    log "$*"
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "needs root for: $* (become root or install sudo)"
    fi
}

# apt_install PACKAGE...: installs those that are missing, and asks nobody anything.
apt_install() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail "needs ${missing[*]}: install them with the package manager of this system"
    log "installing ${missing[*]}"
    as_root apt-get update -qq >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

engine_answers() {
    command -v docker >/dev/null && timeout 10 docker version >/dev/null 2>&1
}

have_pip() {
    python3 -m pip --version >/dev/null 2>&1
}

have_venv() {
    python3 -c 'import ensurepip, venv' >/dev/null 2>&1
}

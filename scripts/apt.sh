# Sourced by the set-up scripts.

# Install Debian packages where that is allowed; otherwise say what to type, and stop.
# Usage: install_packages WHY PACKAGE...
install_packages() {
    local why=$1 sudo=()
    shift
    if ! command -v apt-get >/dev/null; then
        stop "$why" "Install what your system calls these Debian packages: $*. Then run make again."
    elif [ "$(id -u)" != 0 ]; then
        sudo=(sudo -n)
        sudo -n true 2>/dev/null || stop "$why" "Type this (as root without sudo), then run make again:" \
            "    sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
    fi
    echo "Installing $* with apt-get."
    export DEBIAN_FRONTEND=noninteractive
    "${sudo[@]}" apt-get update -qq &&
        "${sudo[@]}" apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends "$@" >/dev/null ||
        stop "$why" "apt-get could not install $*; its own words are above."
}

# Print each argument as a line on stderr and end the script.
stop() {
    printf '%s\n' "$@" >&2
    exit 1
}

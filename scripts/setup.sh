#!/usr/bin/env bash
# Makes .venv with the pinned dependencies and the project itself. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/apt.sh

# labmaze, which dm_control needs, has no wheel for Python 3.13 and later.
supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))'

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3.12 python3}; do
        if "$candidate" -c "$supported" 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    stop "ambidex needs Python 3.11 or 3.12; tried ${PYTHON:-python3.11, python3.12 and python3}," \
        "and python3 is $(python3 --version 2>&1 || echo missing)." \
        "On Debian 12 type: sudo apt-get install python3.11 python3.11-venv." \
        "Elsewhere point to one: make demo PYTHON=/path/to/python3.11."
}

if ! .venv/bin/python -c "$supported" 2>/dev/null; then
    python=$(find_python)
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    # Debian ships Python without the part of venv that installs pip.
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        install_packages "Python $version has no venv module, which set-up needs." "python$version-venv"
    echo "Making .venv with $("$python" --version)."
    "$python" -m venv --clear .venv
fi

echo "Installing the pinned dependencies into .venv; the first time takes a minute or two."
export PIP_DISABLE_PIP_VERSION_CHECK=1
.venv/bin/python -m pip install --quiet --constraint constraints.txt setuptools
# Without build isolation, because an isolated build would fetch an unpinned setuptools.
.venv/bin/python -m pip install --quiet --constraint constraints.txt --no-build-isolation --editable '.[train,uniact,robovlms,remote,lerobot,plot,docs,dev]'
touch .venv/.ready

#!/usr/bin/env bash
# Makes sure that frames can be rendered, by opening an OpenGL context; installs Mesa when that fails.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/apt.sh

# EGL with Mesa in software; PyOpenGL looks for libGL too. OSMesa would do, but newer releases no longer have it.
packages=(libegl1 libgl1 libgl1-mesa-dri)
probe='from ambidex.envs.simulation.opengl import make_context; make_context(64, 64)[0].free()'

if ! .venv/bin/python -c "$probe" 2>/dev/null; then
    install_packages "Rendering needs OpenGL, and no context could be opened." "${packages[@]}"
    .venv/bin/python -c "$probe" 2>&1 | tail -n 1 >&2
fi

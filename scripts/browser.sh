#!/usr/bin/env bash
# Makes sure that the gallery can be tested in headless Chromium; installs it when it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/apt.sh

if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    install_packages "The tests of the gallery need Chromium and its driver." chromium chromium-driver
fi

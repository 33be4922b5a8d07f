#!/usr/bin/env bash
# Records three episodes of each task with the installed command, and says where they are.
set -euo pipefail
cd "$(dirname "$0")/.."

for task in insertion transfer_cube; do
    # Only what an earlier demo recorded is removed; whatever else lies in demo/ stays.
    rm -rf -- "demo/$task"
    .venv/bin/record-episodes --task "$task" --num-episodes 3 --output-dir "demo/$task" --video all
done

echo
for task in insertion transfer_cube; do
    echo "$task"
    ls -1 "demo/$task"/*.hdf5 "demo/$task"/videos/* | sed "s|^|    $PWD/|"
done

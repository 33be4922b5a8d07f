#!/usr/bin/env bash
# From nothing to success rates: records, trains for a minute, benchmarks, compares, and makes a page to look at.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
began=$SECONDS

# Show a command and run it.
try() {
    printf '\n[%d s] $ %s\n' "$((SECONDS - began))" "$*"
    "$@"
}

# One line for each task of a results folder: policy, task, and the success rate with its interval.
rate() {
    python - "$1" <<'PYTHON'
import json, pathlib, sys
from ambidex.intervals import format_rate

summary = json.loads((pathlib.Path(sys.argv[1]) / "summary.json").read_text())
for task, found in summary["tasks"].items():
    print(f"    {summary['policy']:<9} {task}  {format_rate(found['successes'], found['n'])}")
PYTHON
}

# Only what an earlier demo made is removed; other files in demo/ are left.
rm -rf -- demo/insertion demo/transfer_cube demo/states demo/runs demo/results demo/gallery.html

# A few episodes to look at, from three cameras.
for task in insertion transfer_cube; do
    try record-episodes --task "$task" --num-episodes 3 --output-dir "demo/$task" --video all
done

# Fifty without pictures, to train on: the policy of this demo sees the poses of objects instead.
try record-episodes --task transfer_cube --num-episodes 50 --cameras none --output-dir demo/states
# One thread is enough for so small a network; two are slower if other programs use the cores.
try env OMP_NUM_THREADS=1 train-policy --policy act --preset tiny --observations state --data demo/states \
    --steps 1000 --output-dir demo/runs/act

for policy in act scripted; do
    from=()
    if [ "$policy" = act ]; then from=(--checkpoint demo/runs/act); fi
    try run-benchmark --policy "$policy" "${from[@]}" --task transfer_cube --episodes 20 --video all \
        --output-dir "demo/results/$policy"
done
try compare-policies demo/results/act demo/results/scripted
try watch-rollouts demo/results/act demo/results/scripted --export demo/gallery.html

cat <<END

Done in $((SECONDS - began)) s. On 20 held-out seeds:

$(rate demo/results/act)
$(rate demo/results/scripted)

Episodes:   $PWD/demo/insertion and $PWD/demo/transfer_cube, with videos
The page:   file://$PWD/demo/gallery.html
To watch:   .venv/bin/watch-rollouts demo/results/act demo/results/scripted
END

"""Writes the experts' rates into docs/libero.md: `python scripts/write_expert_rates.py COMMIT RATES.json ...`.

Each file is one that `python -m ambidex.benchmarks.studies.expert_rates --task SUITE -n 50 --spread published --output
RATES.json` wrote, all of them at the same commit. The rest of the page stays as it is.
"""

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from ambidex.envs.registry import SUITES
from ambidex.intervals import wilson_interval

PAGE = Path(__file__).resolve().parents[1] / "docs" / "libero.md"
SUMMARY, TABLES = ("<!-- rates of suites -->", "<!-- rates of tasks -->")
END = "<!-- end -->"
LOW = 0.9
Episode = Mapping[str, object]


def main() -> None:
    commit, *paths = sys.argv[1:]
    tasks: defaultdict[str, list[Episode]] = defaultdict(list)
    for path in paths:
        for episode in json.loads(Path(path).read_text(encoding="utf-8"))["episodes"]:
            tasks[episode["task"]].append(episode)
    text = PAGE.read_text(encoding="utf-8")
    swept = [suite for suite in SUITES if suite.startswith("libero") and any(task in tasks for task in SUITES[suite])]
    text = _replaced(text, SUMMARY, _summary(swept, tasks, commit))
    text = _replaced(text, TABLES, "\n".join(line for suite in swept for line in _table(suite, tasks)))
    PAGE.write_text(text, encoding="utf-8")


def _summary(suites: Iterable[str], tasks: Mapping[str, list[Episode]], commit: str) -> str:
    lines = [f"| suite | strict success, commit {commit} | tasks below 90 % |", "|---|---|---|"]
    for suite in suites:
        episodes = [episode for task in SUITES[suite] for episode in tasks[task]]
        low = [str(number) for number, task in enumerate(SUITES[suite]) if _share(tasks[task]) < LOW]
        lines.append(f"| `{suite}` | {_rate(episodes)} | {', '.join(low) or 'none'} |")
    return "\n".join(lines)


def _table(suite: str, tasks: Mapping[str, list[Episode]]) -> list[str]:
    lines = [
        f"### {suite}",
        "",
        "| # | task | strict success | steps, median / most | failed seeds |",
        "|---|---|---|---|---|",
    ]
    for number, task in enumerate(SUITES[suite]):
        steps = [int(str(episode["steps"])) for episode in tasks[task] if _succeeded(episode)]
        took = f"{statistics.median(steps):.0f} / {max(steps)}" if steps else "never"
        failed = ", ".join(str(episode["seed"]) for episode in tasks[task] if not _succeeded(episode))
        words = task.partition("/")[2].replace("_", " ")
        lines.append(f"| {number} | {words} | {_rate(tasks[task])} | {took} | {failed} |")
    return [*lines, ""]


def _rate(episodes: list[Episode]) -> str:
    successes = sum(map(_succeeded, episodes))
    low, high = wilson_interval(successes, len(episodes))
    share = 100 * successes / len(episodes)
    return f"{successes}/{len(episodes)} = {share:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _share(episodes: list[Episode]) -> float:
    return sum(map(_succeeded, episodes)) / len(episodes)


def _succeeded(episode: Episode) -> bool:
    return episode["outcome"] == "success"


def _replaced(text: str, marker: str, new: str) -> str:
    before, found, rest = text.partition(marker)
    if not found:
        raise SystemExit(f"{PAGE} has no line {marker}; put it where the rates shall be, and {END} behind.")
    return f"{before}{marker}\n\n{new.rstrip()}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    main()

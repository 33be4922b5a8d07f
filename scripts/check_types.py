"""Runs mypy over the package and makes sure that it looked at every file.

The folders at the top are links inside src/ambidex; a checker that does not follow one would report success.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "ambidex"


def all_modules() -> set[str]:
    """Dotted names of all Python files of the package, links followed."""
    files = [*PACKAGE.glob("*.py")]
    for folder in PACKAGE.iterdir():
        if folder.is_dir():
            files += [folder / file.relative_to(folder.resolve()) for file in folder.resolve().rglob("*.py")]
    return {".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__") for file in files}


def checked_modules(report: Path) -> set[str]:
    """Dotted names of the modules in mypy's report of line counts; none if mypy gave up before."""
    lines = report.read_text().splitlines() if report.exists() else []
    return {line.split()[-1] for line in lines}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "mypy", "-p", "ambidex", "--linecount-report", folder]
        code = subprocess.run(command, cwd=ROOT).returncode
        missed = sorted(all_modules() - checked_modules(Path(folder) / "linecount.txt"))
    if missed:
        print(f"mypy did not look at: {', '.join(missed)}.", file=sys.stderr)
    return code or bool(missed)


if __name__ == "__main__":
    sys.exit(main())

"""Runs mypy over the package and makes sure that it looked at every file.

The folders at the top are links inside src/ambidex; a checker that does not follow one would report success.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "ambidex"


def source_files() -> list[Path]:
    """Every Python file of the package, by its real path."""
    folders = [PACKAGE, *(link.resolve() for link in PACKAGE.iterdir() if link.is_dir())]
    return sorted({file for folder in folders for file in folder.rglob("*.py")})


def main() -> int:
    mypy = subprocess.run([sys.executable, "-m", "mypy", "-p", "ambidex"], cwd=ROOT, capture_output=True, text=True)
    print(mypy.stdout + mypy.stderr, end="")
    counted = re.search(r"(?:in|checked) (\d+) source files?", mypy.stdout)
    checked = int(counted.group(1)) if counted else 0
    files = source_files()
    if checked != len(files):
        lost = [str(file.relative_to(ROOT)) for file in files if not (file.parent / "__init__.py").exists()]
        hint = f" Their folder has no __init__.py: {', '.join(lost)}." if lost else ""
        print(f"mypy looked at {checked} files, and the package has {len(files)}.{hint}", file=sys.stderr)
        return 1
    return mypy.returncode


if __name__ == "__main__":
    sys.exit(main())

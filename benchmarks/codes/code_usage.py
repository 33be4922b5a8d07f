"""How a policy used its codes in benchmarks: `python -m ambidex.benchmarks.codes.code_usage RESULTS_FOLDER ...`.

Figures for the terminal, a picture of them, and beside it a JSON file of the same name.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from ambidex.atomic_files import write_json
from ambidex.benchmarks.codes.drawing import check_picture_name, write_picture
from ambidex.benchmarks.codes.figures import codebook_picture
from ambidex.benchmarks.codes.folder import CodedFolder, codebook_size
from ambidex.benchmarks.codes.report import report, usage_to_json
from ambidex.benchmarks.codes.usage import CodebookUse, check_alike
from ambidex.command_line import print_message, run
from ambidex.errors import UsageError
from ambidex.flags import OptionalPath, Switch

COMMAND = "code-usage"


@dataclass(frozen=True, kw_only=True)
class CodeUsageConfig:
    """Say and draw how a policy used its codebook over the episodes of benchmarks.

    Perplexity is how many codes are in use, as it were. The Jensen-Shannon divergence of two tasks is 0 bits if they
    use codes alike, and 1 if they have none in common. Beside it: what it would be by chance, had the codes of one been
    renamed at random. A code counts as often as actions were made from it.
    """

    results: tyro.conf.Positional[tuple[Path, ...]] = ()
    """Results folders of run-benchmark, all of one checkpoint."""
    checkpoint: OptionalPath = None
    """Checkpoint or run folder that made them; none given: where it lay then."""
    output: Path = Path("results/code_usage.png")
    """The picture to write, .png or .jpg; the figures are written beside it as .json."""
    quiet: Switch = False
    """Say nothing but errors."""
    debug: Switch = False
    """Show tracebacks."""


def main(config: CodeUsageConfig) -> None:
    """Count, write the picture and the figures, and print them."""
    if not config.results:
        raise UsageError("Give results folders of run-benchmark, one or more, e.g. results/uniact-transfer_cube.")
    check_picture_name(config.output)
    folders = [CodedFolder.read(path) for path in config.results]
    for folder in () if config.quiet else folders:
        if folder.unfinished:
            print_message(COMMAND, folder.unfinished)
    use = _counted(folders, config)
    figures = config.output.with_suffix(".json")
    write_picture(config.output, codebook_picture(use))
    write_json(figures, usage_to_json(use))
    if not config.quiet:
        sys.stdout.write(f"{report(use)}\n\n{config.output}\n{figures}\n")


def _counted(folders: Sequence[CodedFolder], config: CodeUsageConfig) -> CodebookUse:
    check_alike(folders)
    return CodebookUse.of(folders, codebook_size(folders[0].checkpoint, config.checkpoint))


if __name__ == "__main__":
    run(COMMAND, main, CodeUsageConfig)

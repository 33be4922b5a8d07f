"""Statistics of a policy's codes: `python -m ambidex.benchmarks.codes.code_usage RESULTS_FOLDER ...`.

Prints tables, draws an image of them and writes a JSON file of the same name.
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from ambidex.atomic_files import write_json
from ambidex.benchmarks.codes.drawing import check_image_name, write_image
from ambidex.benchmarks.codes.figures import codebook_image
from ambidex.benchmarks.codes.folder import CodedResults, codebook_size
from ambidex.benchmarks.codes.report import format_usage, usage_to_json
from ambidex.benchmarks.codes.usage import CodebookUsage, check_combinable
from ambidex.command_line import print_message, print_result, run
from ambidex.errors import UsageError
from ambidex.flags import OptionalPath, Switch

COMMAND = "code-usage"


@dataclass(frozen=True, kw_only=True)
class CodeUsageConfig:
    """Report and draw how a policy used its codebook in the episodes of benchmarks.

    Perplexity is the effective number of codes in use. The Jensen-Shannon divergence of two tasks is 0 bits if they
    use codes alike, and 1 bit if they have none in common. It is compared with chance: the codes of one renamed at
    random. A code counts once for each action that was made from it.
    """

    results: tyro.conf.Positional[tuple[Path, ...]] = ()
    """Results folders of run-benchmark, all of one checkpoint."""
    checkpoint: OptionalPath = None
    """Checkpoint or run folder that was benchmarked; auto is the path that the results name."""
    output: Path = Path("results/code_usage.png")
    """The image to write, .png or .jpg; the numbers are written beside it as .json."""
    quiet: Switch = False
    """Print nothing but errors."""
    debug: Switch = False
    """Show tracebacks."""


def main(config: CodeUsageConfig) -> None:
    """Count the codes, write the image and the JSON file, and print the tables."""
    if not config.results:
        raise UsageError("No results folder is given.", "Give one or more of run-benchmark, e.g. results/uniact.")
    check_image_name(config.output)
    folders = [CodedResults.read(path) for path in config.results]
    for folder in () if config.quiet else folders:
        if folder.unfinished:
            print_message(COMMAND, folder.unfinished)
    check_combinable(folders)
    usage = CodebookUsage.of(folders, codebook_size(folders[0].checkpoint, config.checkpoint))
    numbers = config.output.with_suffix(".json")
    write_image(config.output, codebook_image(usage))
    write_json(numbers, usage_to_json(usage))
    if not config.quiet:
        print_result(f"{format_usage(usage)}\n\n{config.output}\n{numbers}")


if __name__ == "__main__":
    run(COMMAND, main, CodeUsageConfig)

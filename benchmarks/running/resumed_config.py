"""`run-benchmark --resume --output-dir FOLDER` alone: the other flags are in the folder."""

from dataclasses import fields, replace

from ambidex.benchmarks.running.benchmark_config import RUN_ONLY, BenchmarkConfig
from ambidex.benchmarks.running.benchmark_info import BENCHMARK_JSON, BenchmarkInfo
from ambidex.command_line import from_text
from ambidex.errors import UsageError

COMMAND = "run-benchmark"
MAY_BE_GIVEN = RUN_ONLY | {"episodes"}


def resumed(config: BenchmarkConfig) -> BenchmarkConfig:
    """The config with what the results folder was made with, if no policy is named and the folder is to be resumed.

    How it is run, and how many episodes, is as given.

    Raises:
        UsageError: Other flags are given, but no policy.
        DatasetError: benchmark.json is damaged, or of a version whose flags are not understood.
    """
    folder = config.output_dir
    if config.policy or not config.resume or folder is None or not (folder / BENCHMARK_JSON).is_file():
        return config
    _check_nothing_else(config)
    then = from_text(COMMAND, BenchmarkInfo.read(folder).command, BenchmarkConfig)
    how = {name: getattr(config, name) for name in RUN_ONLY}
    return replace(then, **how, episodes=config.episodes or then.episodes)


def _check_nothing_else(config: BenchmarkConfig) -> None:
    usual = BenchmarkConfig()
    given = [f.name for f in fields(config) if getattr(config, f.name) != getattr(usual, f.name)]
    flags = [f"--{name.replace('_', '-')}" for name in given if name not in MAY_BE_GIVEN]
    if flags:
        raise UsageError(
            f"--resume: {', '.join(flags)} is given, but no --policy. Give --output-dir alone, and all flags are those "
            f"that {config.output_dir} was made with; or give them all again, as then."
        )

"""How many codes a checkpoint has, without loading it."""

import json
from pathlib import Path

from ambidex.benchmarks.running.benchmark_info import CheckpointId
from ambidex.benchmarks.running.policy_host import WEIGHTS, checkpoint_id
from ambidex.errors import CheckpointError, UsageError
from ambidex.policies.run_folder import CONFIG, find_checkpoint


def codebook_size(acted: CheckpointId, given: Path | None) -> int:
    """The number of codes of the checkpoint that acted.

    Args:
        acted: Who acted, as the results say.
        given: Where the user says it lies; None for where it lay then.

    Raises:
        UsageError: It is not there, another one is there, or it has no codes.
        CheckpointError: It is damaged.
    """
    if given is None and not (Path(acted.path) / CONFIG).is_file():
        raise UsageError(
            f"The checkpoint of these results is not at {acted.path}, where it lay when they were made: there is no "
            f"{CONFIG}, which says how many codes there are. Say where it is now with --checkpoint RUN; if it is gone, "
            "run the benchmark again with one that is there."
        )
    folder = find_checkpoint(given or Path(acted.path))
    _check_weights(folder, acted)
    return _codes(folder / CONFIG)


def _check_weights(folder: Path, acted: CheckpointId) -> None:
    if not (folder / WEIGHTS).is_file():
        raise CheckpointError(
            f"{folder} has no {WEIGHTS}, so whether it made these results cannot be told. Restore the checkpoint from "
            "a copy, or name another place with --checkpoint."
        )
    found = checkpoint_id(folder).sha256
    if found != acted.sha256:
        raise UsageError(
            f"{folder} is not the checkpoint of these results: its {WEIGHTS} has the SHA-256 {found[:12]}..., expected "
            f"{acted.sha256[:12]}... of {acted.path}. Name that one with --checkpoint."
        )


def _codes(config: Path) -> int:
    try:
        values = json.loads(config.read_text(encoding="utf-8"))
        codes = values["config"].get("codes")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{config} cannot be read: {type(error).__name__}: {error}. Restore the checkpoint from a copy."
        ) from error
    if not isinstance(codes, int) or codes < 1:
        raise UsageError(
            f"{config}: its setting `codes` is {codes!r}, expected the number of codes of a codebook, 1 or more. Give "
            "results and the checkpoint of a policy such as uniact."
        )
    return codes

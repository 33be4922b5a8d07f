"""Makes the extractor of a config, and checks its weight files."""

from collections.abc import Sequence

from ambidex.errors import UsageError
from ambidex.policies.uniact.config import UniActConfig
from ambidex.policies.uniact.extractor.extractor import Extractor
from ambidex.policies.uniact.extractor.llava import LlavaExtractor, missing_packages
from ambidex.policies.uniact.extractor.llava_weights import NONE, weights_folder
from ambidex.policies.uniact.extractor.scratch import ScratchExtractor


def make_extractor(config: UniActConfig, instructions: Sequence[str]) -> Extractor:
    """A new extractor.

    Args:
        config: Its kind and sizes.
        instructions: Of the training data, on which a byte tokenizer is trained.

    Raises:
        UsageError: It needs a package that is not installed.
    """
    if config.extractor == "scratch":
        return ScratchExtractor(config.scratch, instructions)
    return LlavaExtractor(config.llava, instructions, config.extractor_weights, config.attention)


def missing_extractor_weights(config: UniActConfig) -> UsageError | None:
    """The error that loading the extractor's weights would raise for a missing file or package; None if none."""
    if config.extractor == "scratch" or config.extractor_weights == NONE:
        return None
    try:
        weights_folder(config.extractor_weights)
    except UsageError as error:
        return error
    except ModuleNotFoundError as error:
        return missing_packages(error)
    return None

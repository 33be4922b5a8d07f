"""The extractor that a configuration asks for."""

from collections.abc import Sequence

from ambidex.errors import UsageError
from ambidex.policies.uniact.config import UniActConfig
from ambidex.policies.uniact.extractor.extractor import Extractor
from ambidex.policies.uniact.extractor.llava import LlavaExtractor, not_installed
from ambidex.policies.uniact.extractor.llava_weights import NONE, weights_folder
from ambidex.policies.uniact.extractor.scratch import ScratchExtractor


def make_extractor(config: UniActConfig, texts: Sequence[str]) -> Extractor:
    """A fresh extractor.

    Args:
        config: Which, and its sizes.
        texts: Instructions, of which a tokenizer of our own learns.

    Raises:
        UsageError: It needs a package that is not installed.
    """
    if config.extractor == "scratch":
        return ScratchExtractor(config.scratch, texts)
    return LlavaExtractor(config.llava, texts, config.extractor_weights, config.attention)


def missing_extractor_weights(config: UniActConfig) -> str:
    """What the extractor's weights lack to be loaded, and what to do about it, in words; empty if nothing."""
    if config.extractor == "scratch" or config.extractor_weights == NONE:
        return ""
    try:
        weights_folder(config.extractor_weights)
    except UsageError as error:
        return str(error)
    except ModuleNotFoundError as error:
        return not_installed(error)
    return ""

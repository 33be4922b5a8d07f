"""The extractor that a configuration asks for."""

from collections.abc import Sequence

from ambidex.policies.uniact.config import UniActConfig
from ambidex.policies.uniact.extractor.extractor import Extractor
from ambidex.policies.uniact.extractor.llava_extractor import LlavaExtractor
from ambidex.policies.uniact.extractor.scratch_extractor import ScratchExtractor


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

"""Sizes of an interpreter."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class InterpreterSizes:
    """What an interpreter has to do with, and how large it is.

    Attributes:
        views: Cameras, V.
        channels: Of the image features, C.
        code_width: Dimensions of a universal action, W.
        proprio: Dimensions of proprioception, P.
        actions: Dimensions of an action, A.
        chunk: Actions at once, K.
        d_model: Width of tokens, D.
        heads: Attention heads.
        feedforward: Hidden width of feed-forward layers.
        encoder_layers: Layers of the encoder.
        decoder_layers: Layers of the decoder.
    """

    views: int
    channels: int
    code_width: int
    proprio: int
    actions: int
    chunk: int
    d_model: int
    heads: int
    feedforward: int
    encoder_layers: int
    decoder_layers: int

"""Configuration of ACT."""

from dataclasses import dataclass
from typing import Literal

ObservationKind = Literal["images", "state"]
CameraTokens = Literal["grid", "pooled"]
BackboneNorm = Literal["frozen", "group"]


@dataclass(frozen=True, kw_only=True)
class ActConfig:
    """What ACT looks at, its sizes and the weights of its loss. The defaults are the original's.

    Attributes:
        observations: "images", or "state" for object poses instead of cameras (the original's env_state).
        cameras: Camera names; empty for all of the dataset.
        chunk_size: Actions predicted at once.
        d_model: Width of every token.
        heads: Attention heads.
        feedforward: Hidden width of feed-forward layers.
        encoder_layers: Layers of the encoder.
        decoder_layers: Layers of the decoder. The original builds 7 and uses the output of the first; here the last.
        cvae_layers: Layers of the CVAE encoder.
        latent: Dimensions of the latent variable.
        dropout: Share of activations dropped in training.
        kl_weight: Weight of the KL divergence.
        padding_weight: Weight of predicting which actions lie beyond the end; 0 leaves that head out.
        backbone_width: Channels of ResNet-18's first layers; 64 as published.
        backbone_norm: "frozen" batch norm, for published weights; "group" norm learns better from scratch.
        backbone_weights: A file with ResNet-18's weights (.safetensors or .pth); "cached" takes torchvision's ImageNet
            file from torch's cache if it is there; "none" starts from scratch.
        camera_tokens: "grid" takes the whole feature map of each camera, "pooled" a small grid by the camera's role.
        camera_attention: Attention between cameras of different roles; needs camera_tokens "pooled".
        camera_roles: Camera and role, "NAME=wrist_detail|wrist_context|global_overview", beside the known ones.
    """

    observations: ObservationKind = "images"
    cameras: tuple[str, ...] = ()
    chunk_size: int = 100
    d_model: int = 512
    heads: int = 8
    feedforward: int = 3200
    encoder_layers: int = 4
    decoder_layers: int = 1
    cvae_layers: int = 4
    latent: int = 32
    dropout: float = 0.1
    kl_weight: float = 10.0
    padding_weight: float = 0.0
    backbone_width: int = 64
    backbone_norm: BackboneNorm = "frozen"
    backbone_weights: str = "cached"
    camera_tokens: CameraTokens = "grid"
    camera_attention: bool = False
    camera_roles: tuple[str, ...] = ()

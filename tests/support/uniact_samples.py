"""Small UniAct policies, and small trainings of them."""

import dataclasses

import torch
from act_samples import make_statistics
from synthetic_episode import make_spec

from ambidex.policies.train_policy import train_config
from ambidex.policies.uniact.config import UniActConfig
from ambidex.policies.uniact.policy import UniActPolicy
from ambidex.policies.vision_language.llava import LlavaShape
from ambidex.policies.vision_language.scratch import ScratchShape

CHUNK = 8  # as in act_samples, whose batches fit
CAMERAS = ("top", "left_wrist", "right_wrist", "front_close")
SMALL = {
    "extractor": "scratch",
    "scratch": ScratchShape(image_size=32, width=32, layers=2, heads=4, vocabulary=300),
    "codes": 16,
    "code_width": 8,
    "temperature_steps": 100,
    "chunk_size": CHUNK,
    "d_model": 32,
    "heads": 4,
    "feedforward": 48,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "backbone_width": 8,
    "backbone_norm": "layer",
    "backbone_weights": "none",
}
SMALL_LLAVA = LlavaShape(
    vocabulary=320,
    video_token=2,
    image_token=0,
    width=32,
    layers=2,
    heads=4,
    key_value_heads=2,
    feedforward=48,
    image_size=56,
    patch=14,
    vision_width=32,
    vision_layers=2,
    vision_heads=4,
    vision_feedforward=48,
)


def make_config(**changes):
    return UniActConfig(**{**SMALL, **changes})


def make_policy(*, cameras=CAMERAS, seed=0, **changes):
    torch.manual_seed(seed)
    return UniActPolicy(make_config(**changes), make_spec(cameras=cameras, image_size=(48, 64)), make_statistics())


def uniact_settings(data, run, *, preset="tiny", model=None, **changes):
    """A few steps on a dataset, or on a tuple of several."""
    config = train_config("uniact", preset)
    usual = {"steps": 6, "batch_size": 4, "warmup_steps": 1, "save_every": 6, "validate_every": 3}
    usual |= {"device": "cpu", "precision": "fp32", "quiet": True}
    sizes = dataclasses.replace(config.model, **{**SMALL, **(model or {})})
    datasets = data if isinstance(data, tuple) else (data,)
    return dataclasses.replace(config, data=datasets, output_dir=run, model=sizes, **{**usual, **changes})

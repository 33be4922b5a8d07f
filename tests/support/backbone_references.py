"""Tiny backbones, and the forward pass of transformers with which each must agree."""

import torch

from ambidex.policies.robovlms.backbones.registry import BACKBONES, make_backbone

UNCHANGED = {"do_resize": False, "do_rescale": False, "do_normalize": False, "return_tensors": "pt"}
TEXTS = ("pick up the cube", "insert the peg into the socket with both arms")
PRETRAINED = sorted(set(BACKBONES.own) - {"scratch"})


def make_tiny(name, *, discrete=False, seed=0, attention="auto"):
    torch.manual_seed(seed)
    backbone = make_backbone(name, "tiny", TEXTS, attention, discrete)
    for parameter in backbone.parameters():  # so that norms and biases matter, and queries, keys and positions do
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    return backbone.eval()


def random_images(count=2, height=24, width=40, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (count, 3, height, width), dtype=torch.uint8, generator=generator)


def reference_states(name, backbone, pieces, pixels, suffix=0):
    """transformers' last hidden states of one sequence, shape (S, D).

    Args:
        name: Name of the backbone.
        backbone: A tiny one.
        pieces: Token ids of the text before the first image, between the images, and after the last one.
        pixels: Pixel values of the images, shape (V, 3, S, S).
        suffix: How many of the last ids belong to the answer rather than to the prompt.
    """
    ids, is_image = [], []
    for index, piece in enumerate(pieces):
        image = backbone.image_tokens if index < len(pieces) - 1 else 0
        ids += [*piece, *[2] * image]
        is_image += [0] * len(piece) + [1] * image
    inputs = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.int64)}
    arguments = INPUTS.get(name, lambda *_: {"pixel_values": pixels})(
        backbone, torch.tensor([is_image]), pixels, suffix
    )
    with torch.no_grad():
        return backbone.model(**inputs, **arguments, use_cache=False).last_hidden_state[0]


def _paligemma(backbone, is_image, pixels, suffix):
    types = torch.zeros_like(is_image)
    types[:, is_image.shape[1] - suffix :] = 1
    return {"pixel_values": pixels, "token_type_ids": types}


def _kosmos2(backbone, is_image, pixels, suffix):
    return {"pixel_values": pixels, "image_embeds_position_mask": is_image}


def _llava(backbone, is_image, pixels, suffix):
    return {"pixel_values_videos": pixels[:, None]}


def _qwen(backbone, is_image, pixels, suffix):
    found = _qwen_processor()(list(pixels.numpy()), **UNCHANGED)
    return {**found, "mm_token_type_ids": is_image}


def qwen_patches(pixels):
    """The patches of transformers' own image processor, which is given pixels that it need not resize or normalise."""
    return _qwen_processor()(list(pixels.numpy()), **UNCHANGED)["pixel_values"]


def _qwen_processor(**settings):
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    return Qwen2VLImageProcessorPil(patch_size=14, temporal_patch_size=2, merge_size=2, **settings)


def published_pixels(name, backbone, image):
    """What the image processor of a published model makes of an image (3, H, H), at the size of a backbone."""
    import transformers

    side = backbone.image_processor(image[None]).shape[-1]
    square = {"height": side, "width": side}
    processor, settings = {
        "paligemma": ("SiglipImageProcessorPil", {"size": square}),
        "kosmos2": ("CLIPImageProcessorPil", {"size": {"shortest_edge": side}, "crop_size": square}),
        "llava_onevision": (
            "LlavaOnevisionImageProcessorPil",
            {"size": square, "image_grid_pinpoints": [[side, side]]},
        ),
        "smolvlm": (
            "SmolVLMImageProcessorPil",
            {"size": {"longest_edge": 4 * side}, "max_image_size": {"longest_edge": side}, "do_image_splitting": False},
        ),
        "qwen2_5_vl": ("", {"size": {"shortest_edge": side**2, "longest_edge": side**2}}),
    }[name]
    make = getattr(transformers, processor) if processor else _qwen_processor
    made = make(**settings, image_mean=list(backbone.image_mean), image_std=list(backbone.image_std))
    found = made([image.permute(1, 2, 0).numpy()], return_tensors="pt")["pixel_values"]
    return found if name == "qwen2_5_vl" else found.reshape(-1, 3, side, side)[:1]


def _smolvlm(backbone, is_image, pixels, suffix):
    return {"pixel_values": pixels[None]}


INPUTS = {
    "paligemma": _paligemma,
    "kosmos2": _kosmos2,
    "llava_onevision": _llava,
    "qwen2_5_vl": _qwen,
    "smolvlm": _smolvlm,
}

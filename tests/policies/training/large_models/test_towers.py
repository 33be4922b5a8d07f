"""Freeze switches and LoRA on a tiny vision-language model of transformers."""

import builtins
import dataclasses

import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot

from ambidex.errors import MissingPackageError, UsageError
from ambidex.policies.training.large_models.lora import merged_state, without_lora
from ambidex.policies.training.large_models.settings import TrainedWeights
from ambidex.policies.training.large_models.towers import choose_trained

transformers = pytest.importorskip("transformers", reason="pip install -e '.[robovlms]'")
LORA = TrainedWeights(lora_rank=4, train_vision=False, train_text_embedding=False)
LINEAR_LAYERS = 2 * 7  # of two layers of Gemma
IMAGE, WORDS = 40, 41  # ids; number of ids


class TinyPaliGemma(nn.Module):
    """PaliGemma with the properties of a backbone."""

    def __init__(self, settings):
        super().__init__()
        text = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
        text |= {"num_key_value_heads": 1, "head_dim": 8, "vocab_size": WORDS, "model_type": "gemma"}
        vision = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
        vision |= {"image_size": 28, "patch_size": 14, "model_type": "siglip_vision_model", "vision_use_head": False}
        config = transformers.PaliGemmaConfig(
            text_config=text, vision_config=vision, image_token_index=IMAGE, projection_dim=16, pad_token_id=0
        )
        self.model = transformers.PaliGemmaModel(config)
        self.model.multi_modal_projector.linear.bias.requires_grad_(False)  # as what no output depends on
        choose_trained(self, settings)

    @property
    def text_tower(self):
        return self.model.language_model

    @property
    def vision_tower(self):
        return self.model.vision_tower

    @property
    def word_embedding(self):
        return self.model.get_input_embeddings()

    def forward(self):
        ids = torch.tensor([[IMAGE] * 4 + [2, 3, 5]])
        images = torch.linspace(-1, 1, 3 * 28 * 28).view(1, 3, 28, 28)
        return self.model(input_ids=ids, pixel_values=images).last_hidden_state


def made(settings, device="cpu"):
    torch.manual_seed(0)
    with torch.device(device):
        return TinyPaliGemma(settings)


def trained(model):
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def part(name):
    parts = {"embed_tokens": "words", "vision_tower": "vision", "multi_modal_projector": "projector"}
    return next((value for key, value in parts.items() if key in name), "text")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"words", "vision", "projector", "text"}),
        ({"freeze_backbone": True}, {"words", "vision"}),
        ({"freeze_backbone": True, "train_vision": False, "train_text_embedding": False}, set()),
        ({"train_vision": False}, {"words", "projector", "text"}),
        ({"train_text_embedding": False}, {"vision", "projector", "text"}),
        ({"train_decoder_layers": 1}, {"words", "vision", "text"}),
    ],
)
def test_each_switch_freezes_its_part_and_unfreezes_nothing(changes, expected):
    model = made(TrainedWeights(**changes))
    names = trained(model)
    assert {part(name) for name in names} == expected
    assert "model.multi_modal_projector.linear.bias" not in names
    if "train_decoder_layers" in changes:
        assert {name.split(".")[3] for name in names if part(name) == "text"} == {"1"}
    else:
        assert {name for name, _ in model.named_parameters() if part(name) in expected} - names <= {
            "model.multi_modal_projector.linear.bias"
        }


def test_more_layers_than_the_tower_has_are_refused():
    with pytest.raises(UsageError) as caught:
        made(TrainedWeights(train_decoder_layers=3))
    assert (caught.value.facts["got"], caught.value.facts["expected"]) == (3, 2)


@pytest.mark.parametrize(
    "values", [{"lora_rank": -1}, {"lora_dropout": 1.0}, {"lora_rank": 4, "train_decoder_layers": 1}]
)
def test_settings_out_of_range_or_that_exclude_each_other_are_refused(values):
    with pytest.raises(UsageError):
        TrainedWeights(**values)


@pytest.mark.parametrize("words", [True, False])
def test_with_lora_the_text_tower_trains_only_its_matrices_and_every_one_gets_a_gradient(words):
    settings = dataclasses.replace(LORA, train_text_embedding=words, lora_dropout=0.0)
    model = made(settings)
    names = trained(model)
    assert {name for name in names if "lora_" not in name} == {
        "model.multi_modal_projector.linear.weight",
        *(["model.language_model.embed_tokens.weight"] if words else []),
    }
    assert len(names) - 1 - words == 2 * LINEAR_LAYERS
    assert {value.shape[0] for name, value in model.named_parameters() if "lora_A" in name} == {4}
    for parameter in model.parameters():
        if parameter.requires_grad and parameter.shape[-1] == 4:  # the second matrices start from 0
            nn.init.normal_(parameter)
    (model() * one_hot(torch.tensor(3), 16)).sum().backward()
    assert {name for name, value in model.named_parameters() if value.grad is not None and value.grad.any()} == names


def test_a_new_model_with_lora_has_the_outputs_and_weights_of_one_without():
    plain, lora = made(TrainedWeights()).eval(), made(LORA).eval()
    with without_lora(lora):
        assert lora.state_dict().keys() == plain.state_dict().keys()
        lora.load_state_dict(plain.state_dict())
    assert len(lora.state_dict()) == len(plain.state_dict()) + 2 * LINEAR_LAYERS
    assert torch.equal(lora(), plain())


def test_merged_lora_gives_the_same_outputs_in_a_model_without():
    model = made(LORA).eval()
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            nn.init.normal_(parameter, std=0.3)
    before = model()
    assert not torch.allclose(before, made(TrainedWeights()).eval()(), atol=1e-2)
    plain = made(TrainedWeights()).eval()
    plain.load_state_dict(merged_state(model))
    assert torch.allclose(plain(), before, atol=1e-5) and torch.equal(model(), before)


def test_a_state_dict_with_lora_is_loaded_strictly_and_made_on_the_meta_device():
    model, meta, other = made(LORA), made(LORA, "meta"), made(dataclasses.replace(LORA, lora_rank=2))
    assert {name: value.shape for name, value in meta.state_dict().items()} == {
        name: value.shape for name, value in model.state_dict().items()
    }
    assert trained(meta) == trained(model)
    made(LORA).load_state_dict(model.state_dict())
    for wrong in (other, made(TrainedWeights())):
        with pytest.raises(RuntimeError, match="lora_A"):
            wrong.load_state_dict(model.state_dict())


def test_without_peft_the_package_is_named(monkeypatch):
    found = builtins.__import__

    def missing(name, *rest):
        if name == "peft":
            raise ModuleNotFoundError(name="peft")
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingPackageError) as caught:
        made(LORA)
    assert (caught.value.facts["package"], caught.value.facts["extra"]) == ("peft", "robovlms")

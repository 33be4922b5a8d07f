"""Weights from folders as they are published, which transformers writes here at tiny sizes."""

import json
from functools import partial
from unittest.mock import Mock

import pytest
import torch
from backbone_references import PRETRAINED, TEXTS, make_tiny
from legacy_configs import LEGACY_CONFIGS
from robovlms_samples import make_policy
from safetensors.torch import load_file, save_file

from ambidex.errors import CheckpointError, UsageError
from ambidex.policies.robovlms.backbones.registry import backbone_class, make_backbone
from ambidex.policies.vision_language import attention
from ambidex.policies.vision_language.weights import INDEX, config_differences

transformers = pytest.importorskip("transformers", reason="pip install -e '.[robovlms]'")


def write_tokenizer(folder, special_tokens):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    specials = ["<pad>", "<end>", "<picture>", *special_tokens]
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))


def published(name, folder, *, shard_size="5GB", architecture=""):
    """Writes a published folder of a backbone at its tiny size; returns the model in it."""
    kind = backbone_class(name)
    model_class = getattr(transformers, architecture or kind.architecture.replace("Model", "ForConditionalGeneration"))
    torch.manual_seed(9)
    model = model_class(model_class.config_class(**kind.sizes["tiny"].config)).eval()
    model.save_pretrained(folder, max_shard_size=shard_size)
    write_tokenizer(folder, kind.special_tokens)
    statistics = {"image_mean": list(kind.image_mean), "image_std": list(kind.image_std)}
    (folder / "preprocessor_config.json").write_text(json.dumps(statistics))
    return model


@pytest.fixture(scope="module")
def paligemma(tmp_path_factory):
    """A folder of PaliGemma, in several files."""
    folder = tmp_path_factory.mktemp("paligemma")
    published("paligemma", folder, shard_size="60KB")
    assert len(list(folder.glob("*.safetensors"))) > 2
    return folder


@pytest.fixture
def copy(paligemma, tmp_path):
    for file in paligemma.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def refused(folder, name="paligemma"):
    """The lines of the error that loading a folder raises; nothing may have been loaded."""
    backbone = make_tiny(name)
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    tokenizer = backbone.tokenizer
    with pytest.raises((CheckpointError, UsageError)) as caught:
        backbone.load_pretrained(folder)
    assert caught.value.facts["path"] == folder and str(folder) in str(caught.value)
    assert all(torch.equal(value, before[key]) for key, value in backbone.state_dict().items())
    assert backbone.tokenizer is tokenizer
    return caught.value.facts.get("got", [str(caught.value)])


@pytest.mark.parametrize("name", PRETRAINED)
@pytest.mark.parametrize("discrete", [False, True])
def test_published_weights_and_tokenizer_are_loaded(name, discrete, tmp_path):
    theirs = published(name, tmp_path)
    backbone = make_tiny(name, discrete=discrete)
    source = backbone.load_pretrained(tmp_path)
    assert str(tmp_path) in source and "Attention: sdpa" in source
    expected = theirs.state_dict()
    for key, value in backbone.model.state_dict().items():
        assert torch.equal(value, expected[key if key in expected else f"model.{key}"])
    if discrete:
        states = torch.randn(3, backbone.hidden_size)
        every = torch.arange(backbone.vocabulary)
        torch.testing.assert_close(backbone.logits(states, every), theirs.get_output_embeddings()(states))
    again = make_tiny(name, discrete=discrete)
    again.load_tokenizer(backbone.tokenizer.to_json())
    assert again.prompt(TEXTS[0]) == backbone.prompt(TEXTS[0])


@pytest.mark.parametrize("name", PRETRAINED)
def test_special_tokens_of_prompts_are_one_id_each(name, tmp_path):
    backbone = make_tiny(name)
    published(name, tmp_path)
    backbone.load_pretrained(tmp_path)
    specials = {backbone.tokenizer.special(token) for token in backbone.special_tokens}
    prompt = backbone.prompt(TEXTS[0])
    assert specials <= {*prompt.before, *prompt.between, *prompt.after}
    assert not specials & set(backbone.action_ids(256))


def test_a_published_tokenizer_is_kept_when_instructions_are_added(copy, monkeypatch):
    backbone = make_tiny("paligemma")
    backbone.load_pretrained(copy)
    tokenizer, longest = backbone.tokenizer, backbone.longest_prompt(1)
    backbone.set_instructions([*TEXTS, TEXTS[1] * 2])
    assert backbone.tokenizer is tokenizer and backbone.longest_prompt(1) > longest
    expected = backbone.action_ids(256)
    monkeypatch.setattr(tokenizer, "_tokenizer", Mock(get_vocab_size=lambda: 10**12))
    assert len(backbone.action_ids(256)) == len(expected)  # the vocabulary is not walked through


def test_prompts_count_as_soon_as_their_tokenizer_is_known(copy):
    """340 * 6 positions without prompts fit into 2048; where no tokenizer follows, prompts count at once."""
    weights = {"backbone": "paligemma", "backbone_weights": str(copy), "history": 340}
    policy = make_policy("interleaved_continuous", **weights)
    scratch = partial(make_policy, "interleaved_continuous", **{**weights, "backbone_weights": "none"})
    for make in (policy.load_pretrained, scratch):
        with pytest.raises(UsageError) as caught:
            make()
        assert caught.value.facts["got"] > caught.value.facts["expected"] == policy.structure.backbone.context


def test_more_bins_than_ids_of_the_published_tokenizer_are_refused(copy):
    policy = make_policy("one_step_discrete", backbone="paligemma", backbone_weights=str(copy), bins=600)
    with pytest.raises(UsageError, match="--bins 600"):
        policy.load_pretrained()


def test_smolvlm_may_be_published_as_idefics3(tmp_path):
    theirs = published("smolvlm", tmp_path, architecture="Idefics3ForConditionalGeneration")
    backbone = make_tiny("smolvlm", discrete=True)
    backbone.load_pretrained(tmp_path)
    assert torch.equal(
        backbone.model.connector.modality_projection.proj.weight, theirs.model.connector.modality_projection.proj.weight
    )
    assert torch.equal(backbone.head.weight, theirs.lm_head.weight)


def test_a_folder_of_another_model_that_lacks_files_is_described_with_both(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(
        UsageError, match=r"no tokenizer\.json.*and in config\.json model_type is bert, expected paligemma"
    ):
        backbone_class("paligemma").check_folder(tmp_path)


def test_files_that_are_missing_are_named(copy):
    shard = sorted(copy.glob("*.safetensors"))[1]
    names = ["config.json", "tokenizer.json", "preprocessor_config.json", shard.name]
    for name in names:
        (copy / name).unlink()
    assert refused(copy) == names
    (copy / INDEX).unlink()
    assert refused(copy) == [*names[:3], "model.safetensors"]


def test_weights_of_another_model_are_refused(tmp_path):
    published("kosmos2", tmp_path)
    model = "model_type is kosmos-2, expected paligemma"
    assert refused(tmp_path) == [model, "<bos> is missing in tokenizer.json"]


def test_a_tokenizer_of_another_model_is_refused(copy):
    write_tokenizer(copy, ["<s>"])
    assert refused(copy) == ["<bos> is missing in tokenizer.json"]
    write_tokenizer(copy, ["<bos>", *[f"<loc{number}>" for number in range(500)]])
    assert refused(copy) == ["tokenizer.json has 760 ids, the model 640"]


def test_settings_that_differ_are_all_listed(copy):
    config = json.loads((copy / "config.json").read_text())
    config["text_config"]["num_hidden_layers"] = 3
    config["vision_config"]["image_size"] = 56
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.4] * 3, "resample": 2}))
    assert refused(copy) == [
        "text_config.num_hidden_layers is 3, expected 2",
        "vision_config.image_size is 56, expected 28",
        "image_mean is [0.4, 0.4, 0.4], expected [0.5, 0.5, 0.5]",
        "resample is 2, expected 3",
    ]


def test_tensors_that_do_not_fit_are_all_listed(copy):
    bias = "multi_modal_projector.linear.bias"
    shards = {file: load_file(file) for file in copy.glob("*.safetensors")}
    file, key = next((file, key) for file, tensors in shards.items() for key in tensors if key.endswith(bias))
    gone = next(name for name in shards[file] if name != key)
    tensors = {name: value for name, value in shards[file].items() if name != gone}
    save_file({**tensors, key: torch.ones(3), "model.another": torch.ones(1)}, file, metadata={"format": "pt"})
    index = json.loads((copy / INDEX).read_text())
    index["weight_map"] = {**index["weight_map"], "model.another": file.name}
    del index["weight_map"][gone]
    (copy / INDEX).write_text(json.dumps(index))
    lines = refused(copy)
    assert len(lines) == 3 and lines[0].endswith(" is missing") and gone.rpartition(".")[2] in lines[0]
    assert lines[1].endswith("another is unknown") and lines[2] == f"{bias} is (3,), expected (32,)"


def test_damaged_files_are_reported(copy):
    shard = sorted(copy.glob("*.safetensors"))[0]
    shard.write_bytes(shard.read_bytes()[:100])
    assert "cannot be read" in refused(copy)[0]
    (copy / INDEX).write_text("{")
    assert "cannot be read" in refused(copy)[0]
    (copy / INDEX).write_text("{}")
    assert "cannot be read" in refused(copy)[0]
    (copy / INDEX).unlink()
    (copy / "model.safetensors").write_bytes(shard.read_bytes())
    (copy / "config.json").write_text("{")
    assert "cannot be read" in refused(copy)[0]


def test_the_output_layer_of_words_is_needed_for_actions_as_words(tmp_path):
    published("smolvlm", tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["lm_head.weight"]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    make_tiny("smolvlm").load_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=r"lm_head\.weight is missing"):
        make_tiny("smolvlm", discrete=True).load_pretrained(tmp_path)


def test_scratch_has_no_published_weights(tmp_path):
    with pytest.raises(UsageError):
        make_tiny("scratch").load_pretrained(tmp_path)


def test_flash_attention_computes_in_bf16_and_is_refused_where_it_cannot_be_right(monkeypatch):
    monkeypatch.setattr(attention, "choose_attention", lambda wanted, device: (attention.FLASH, ""))
    backbone, dtypes = make_tiny("llava_onevision"), []
    monkeypatch.setattr(backbone.model, "set_attn_implementation", lambda name: None)  # flash-attn needs a GPU
    layers = (backbone.text_tower.layers[0], backbone.vision_tower.encoder.layers[0])
    for layer in layers:
        layer.self_attn.q_proj.register_forward_hook(lambda module, inputs, output: dtypes.append(output.dtype))
    images = backbone.encode_images(torch.zeros(1, 3, 42, 42))
    backbone(backbone.assemble(images[:, None], TEXTS[:1]))
    assert dtypes == [torch.bfloat16, torch.bfloat16]
    for name in ("paligemma", "kosmos2", "scratch"):
        with pytest.raises(UsageError, match="Use --attention"):
            make_backbone(name, "tiny", TEXTS, "flash_attention_2")


@pytest.mark.parametrize("name", sorted(LEGACY_CONFIGS))
def test_the_published_settings_are_those_of_the_published_size(name, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(LEGACY_CONFIGS[name]))
    kind = backbone_class(name)
    values = kind.sizes["published"].config
    config_class = getattr(transformers, kind.architecture).config_class
    found = config_class.from_pretrained(tmp_path)
    assert config_differences(config_class(**values), found, values) == []
    assert config_differences(config_class(**kind.sizes["tiny"].config), found, values)

"""LLaVA-OneVision through transformers, with a few thousand parameters."""

import dataclasses
import json

import pytest
import torch
from extractor_checks import (
    TEXTS,
    check_gradients,
    check_independence_of_other_prompts,
    check_inputs_matter,
    decoded,
    random_images,
)
from safetensors.torch import load_file, save_file
from synthetic_dataset import write_dataset
from uniact_samples import SMALL_LLAVA as SMALL
from uniact_samples import uniact_settings

from ambidex.errors import CheckpointError, UsageError
from ambidex.policies.checkpoint import load
from ambidex.policies.training.train import train

transformers = pytest.importorskip("transformers", reason="pip install -e '.[uniact]'")

from ambidex.policies.uniact.extractors.extractor import Prompts  # noqa: E402
from ambidex.policies.uniact.extractors.llava import LlavaExtractor, weights_folder  # noqa: E402
from ambidex.policies.vision_language import attention  # noqa: E402
from ambidex.policies.vision_language.attention import choose_attention  # noqa: E402
from ambidex.policies.vision_language.llava import llava_config  # noqa: E402


def make_extractor(seed=0, weights="none", **shape):
    torch.manual_seed(seed)
    return LlavaExtractor(dataclasses.replace(SMALL, **shape), TEXTS, str(weights), "auto")


def test_features_depend_on_image_and_instruction():
    check_inputs_matter(make_extractor())


def test_features_do_not_depend_on_other_prompts():
    check_independence_of_other_prompts(make_extractor())


def test_every_trained_parameter_gets_a_gradient():
    trained = check_gradients(make_extractor())
    assert any("q_proj" in name for name in trained) and any("k_proj" in name for name in trained)


def test_the_prompt_is_the_chat_template_with_a_video():
    extractor = make_extractor()
    ids, image = extractor.prompt(TEXTS[0]), [SMALL.video_token]
    text = decoded(extractor.tokenizer, ids)
    pieces = "<video>" * SMALL.image_tokens
    assert text == f"<|im_start|>user {pieces}\n{TEXTS[0]}<|im_end|><|im_start|>assistant\n"
    assert ids.count(image[0]) == SMALL.image_tokens


def write_tokenizer(folder):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<image>", "<pad>", "<video>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=SMALL.vocabulary, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A folder of published files, and its model."""
    folder = tmp_path_factory.mktemp("llava")
    torch.manual_seed(9)
    model = transformers.LlavaOnevisionForConditionalGeneration(llava_config(SMALL)).eval()
    model.save_pretrained(folder)
    write_tokenizer(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.5] * 3}))
    return folder, model


def copied(published, to):
    for file in published[0].iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


def test_the_features_are_those_of_the_published_model(published):
    folder, model = published
    extractor = make_extractor(weights=folder).eval()
    source = extractor.load_pretrained()
    assert str(folder) in source and "Attention: sdpa" in source
    prompts = [extractor.prompt(text) for text in TEXTS]
    longest = max(map(len, prompts))
    with torch.no_grad():
        pixels = torch.nn.functional.interpolate(random_images().float(), (56, 56), mode="bicubic", antialias=True)
        states = model(
            input_ids=torch.tensor([[*ids, *[1] * (longest - len(ids))] for ids in prompts]),
            attention_mask=torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in prompts]),
            pixel_values_videos=(pixels.clamp(0, 255) / 127.5 - 1)[:, None],
            output_hidden_states=True,
        ).hidden_states[-1]
        features = extractor(random_images(), TEXTS)
    expected = torch.stack([state[len(ids) - 1] for state, ids in zip(states, prompts, strict=True)])
    assert torch.allclose(features, expected, atol=1e-5)


def test_both_kinds_of_tokenizer_can_be_written_and_read(published):
    extractor, other = make_extractor(weights=published[0]), make_extractor()
    extractor.load_pretrained()
    trained = other.tokenizer.to_json()
    other.load_tokenizer(extractor.tokenizer.to_json())
    assert other.tokenizer.encode("<|im_start|>the cube") == extractor.tokenizer.encode("<|im_start|>the cube")
    assert other.tokenizer.encode("<|im_start|>") == [extractor.tokenizer.special("<|im_start|>")]
    other.load_tokenizer(trained)
    assert other.tokenizer.to_json() == trained
    for text in ("", '{"version": "1.0"}'):
        with pytest.raises(CheckpointError, match=r"tokenizer\.json cannot be read"):
            other.load_tokenizer(text)


def test_a_published_tokenizer_is_kept_when_instructions_are_added(published):
    extractor = make_extractor(weights=published[0])
    trained = extractor.tokenizer.to_json()
    extractor.set_instructions(["put the bowl on the plate", "close the bottom drawer"])
    assert extractor.tokenizer.to_json() != trained
    extractor.load_pretrained()
    loaded = extractor.tokenizer.to_json()
    extractor.set_instructions(["open the top drawer"])
    assert extractor.tokenizer.to_json() == loaded


def test_tensors_that_do_not_fit_are_listed(published, tmp_path):
    folder = copied(published, tmp_path)
    tensors = load_file(folder / "model.safetensors")
    gone = next(name for name in tensors if "image_newline" in name)
    save_file({name: value for name, value in tensors.items() if name != gone}, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match="image_newline is missing"):
        make_extractor(weights=folder).load_pretrained()
    save_file({**tensors, "model.another": torch.ones(1)}, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match="another is unknown"):
        make_extractor(weights=folder).load_pretrained()
    save_file({**tensors, gone: torch.ones(3)}, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"image_newline is \(3,\), expected \(32,\)"):
        make_extractor(weights=folder).load_pretrained()


def test_a_damaged_file_of_weights_is_reported(published, tmp_path):
    file = copied(published, tmp_path) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="cannot be read"):
        make_extractor(weights=tmp_path).load_pretrained()


def test_weights_of_other_sizes_or_image_statistics_are_refused(published, tmp_path):
    with pytest.raises(CheckpointError, match=r"text_config\.num_hidden_layers is 2, expected 3"):
        make_extractor(weights=published[0], layers=3).load_pretrained()
    folder = copied(published, tmp_path)
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.4] * 3}))
    with pytest.raises(CheckpointError, match="image_mean is"):
        make_extractor(weights=folder).load_pretrained()


def test_missing_weights_are_an_error(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="--extractor-weights none") as caught:
        make_extractor(weights=tmp_path).load_pretrained()
    assert caught.value.facts == {"field": "extractor_weights", "path": tmp_path}
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UsageError) as caught:
        weights_folder("cached")
    assert caught.value.facts["path"] is None
    snapshot = tmp_path / "models--llava-hf--llava-onevision-qwen2-0.5b-ov-hf" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").touch()
    assert weights_folder("cached") == snapshot


def test_flash_attention_is_used_where_possible_and_else_refused_with_the_command(monkeypatch):
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert choose_attention("auto", cpu)[0] == "sdpa" and choose_attention("eager", gpu)[0] == "eager"
    with pytest.raises(UsageError, match=r"needs a CUDA device.*pip install flash-attn --no-build-isolation"):
        choose_attention("flash_attention_2", cpu)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: (7, 5))
    assert "8.0" in choose_attention("auto", gpu)[1]
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: (9, 0))
    for installed, expected in ((False, "sdpa"), (True, "flash_attention_2")):
        monkeypatch.setattr("transformers.utils.is_flash_attn_2_available", lambda value=installed: value)
        assert choose_attention("auto", gpu)[0] == expected
    assert "--precision" in choose_attention("auto", gpu)[1]


@pytest.mark.parametrize(("name", "dtype"), [("flash_attention_2", torch.bfloat16), ("sdpa", torch.float32)])
def test_flash_attention_computes_in_bf16(monkeypatch, name, dtype):
    """It has no kernels for float32, in which a loaded policy is."""
    monkeypatch.setattr(attention, "choose_attention", lambda wanted, device: (name, ""))
    extractor, dtypes = make_extractor().eval(), []
    monkeypatch.setattr(extractor.llava, "set_attn_implementation", lambda name: None)  # flash-attn needs a GPU
    extractor.llava.language_model.layers[0].self_attn.q_proj.register_forward_hook(
        lambda module, inputs, output: dtypes.append(output.dtype)
    )
    extractor(random_images(1), TEXTS[:1])
    assert dtypes == [dtype]


def test_prompts_are_padded_on_the_right():
    prompts = Prompts.of([[5, 6, 7], [8]], torch.device("cpu"))
    assert prompts.ids.tolist() == [[5, 6, 7], [8, 8, 8]] and prompts.last.tolist() == [2, 0]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data"), image_size=(48, 64), cameras=("top",))


def settings(data, run, **changes):
    sizes = {"extractor": "llava_ov", "llava": SMALL, "extractor_weights": "none"}
    changes = {"steps": 3, "quiet": False, **changes}
    return uniact_settings(data, run, preset="llava_ov_0.5b", model=sizes, **changes)


def extractor_weights(policy):
    return dict(policy.model.extractor.named_parameters())


@pytest.mark.usefixtures("one_thread")
def test_training_changes_the_extractor(data, tmp_path, capsys):
    run = train(settings(data, tmp_path / "run", learning_rate=1e-2, backbone_learning_rate=1e-2))
    assert capsys.readouterr().err.count("Attention: sdpa; flash_attention_2 needs a CUDA device") == 1
    policy, fresh = load(run), train(settings(data, tmp_path / "fresh", steps=1, backbone_learning_rate=0.0))
    before = extractor_weights(load(fresh))
    moved = [name for name, value in extractor_weights(policy).items() if not torch.equal(value, before[name])]
    assert any("q_proj" in name for name in moved) and any("embed_tokens" in name for name in moved)
    assert not [name for name in moved if "post_layernorm" in name]


@pytest.mark.usefixtures("one_thread")
def test_with_a_backbone_rate_of_zero_the_extractor_does_not_change(data, tmp_path):
    short, long = (
        extractor_weights(load(train(settings(data, tmp_path / f"{steps}", steps=steps, backbone_learning_rate=0.0))))
        for steps in (1, 3)
    )
    assert all(torch.equal(short[name], value) for name, value in long.items())

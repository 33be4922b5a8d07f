"""The path through transformers, in a few thousand parameters with random weights."""

import dataclasses
import json

import pytest
import torch
from extractor_laws import (
    TEXTS,
    check_a_longer_neighbour_changes_nothing,
    check_seen_and_said_both_matter,
    check_what_is_trained_gets_a_gradient,
    pictures,
)
from safetensors.torch import load_file, save_file
from uniact_samples import SMALL_LLAVA as SMALL

from ambidex.errors import CheckpointError, UsageError

transformers = pytest.importorskip("transformers", reason="pip install 'ambidex[uniact]'")

from ambidex.policies.uniact.extractor import llava as llava_extractor  # noqa: E402
from ambidex.policies.uniact.extractor.extractor import Prompts  # noqa: E402
from ambidex.policies.uniact.extractor.llava import LlavaExtractor, choose_attention  # noqa: E402
from ambidex.policies.uniact.extractor.llava_config import llava_config  # noqa: E402
from ambidex.policies.uniact.extractor.llava_weights import weights_folder  # noqa: E402


def make_extractor(seed=0, weights="none", **shape):
    torch.manual_seed(seed)
    return LlavaExtractor(dataclasses.replace(SMALL, **shape), TEXTS, str(weights), "auto")


def test_what_is_seen_and_what_is_said_both_matter():
    check_seen_and_said_both_matter(make_extractor())


def test_a_longer_neighbour_changes_nothing():
    check_a_longer_neighbour_changes_nothing(make_extractor())


def test_everything_that_is_trained_gets_a_gradient():
    trained = check_what_is_trained_gets_a_gradient(make_extractor())
    assert any("q_proj" in name for name in trained) and any("k_proj" in name for name in trained)


def test_the_prompt_is_the_chat_template_with_a_video():
    extractor = make_extractor()
    ids, image = extractor.prompt(TEXTS[0]), [SMALL.video_token]
    said = extractor.tokenizer.decode(ids)
    pieces = "<video>" * SMALL.image_tokens
    assert said == f"<|im_start|>user {pieces}\n{TEXTS[0]}<|im_end|><|im_start|>assistant\n"
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
    """A folder as one gets it, and the model that is in it."""
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
    said = extractor.load_pretrained()
    assert str(folder) in said and "Attention: sdpa" in said
    prompts = [extractor.prompt(text) for text in TEXTS]
    longest = max(map(len, prompts))
    with torch.no_grad():
        pixels = torch.nn.functional.interpolate(pictures().float(), (56, 56), mode="bicubic", antialias=True)
        states = model(
            input_ids=torch.tensor([[*ids, *[1] * (longest - len(ids))] for ids in prompts]),
            attention_mask=torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in prompts]),
            pixel_values_videos=(pixels.clamp(0, 255) / 127.5 - 1)[:, None],
            output_hidden_states=True,
        ).hidden_states[-1]
        features = extractor(pictures(), TEXTS)
    expected = torch.stack([state[len(ids) - 1] for state, ids in zip(states, prompts, strict=True)])
    assert torch.allclose(features, expected, atol=1e-5)


def test_a_tokenizer_survives_a_checkpoint(published):
    extractor, other = make_extractor(weights=published[0]), make_extractor()
    extractor.load_pretrained()
    ours = other.tokenizer.to_json()
    other.read_tokenizer(extractor.tokenizer.to_json())
    assert other.tokenizer.encode("<|im_start|>the cube") == extractor.tokenizer.encode("<|im_start|>the cube")
    assert other.tokenizer.encode("<|im_start|>") == [extractor.tokenizer.special("<|im_start|>")]
    other.read_tokenizer(ours)
    assert other.tokenizer.to_json() == ours
    for text in ("", '{"version": "1.0"}'):
        with pytest.raises(CheckpointError, match=r"tokenizer\.json cannot be read"):
            other.read_tokenizer(text)


def test_weights_that_do_not_fit_are_listed(published, tmp_path):
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


def test_weights_of_another_shape_or_other_pixels_are_refused(published, tmp_path):
    with pytest.raises(CheckpointError, match=r"text_config\.num_hidden_layers is 2, expected 3"):
        make_extractor(weights=published[0], layers=3).load_pretrained()
    folder = copied(published, tmp_path)
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.4] * 3}))
    with pytest.raises(CheckpointError, match="image_mean is"):
        make_extractor(weights=folder).load_pretrained()


def test_weights_that_are_not_there_are_an_error_that_says_what_to_do(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=r"has no config\.json.*--extractor-weights none"):
        make_extractor(weights=tmp_path).load_pretrained()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match="cache has none"):
        weights_folder("cached")
    snapshot = tmp_path / "models--llava-hf--llava-onevision-qwen2-0.5b-ov-hf" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").touch()
    assert weights_folder("cached") == snapshot


def test_flash_attention_is_taken_where_it_can_be_and_else_refused_with_the_command(monkeypatch):
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert choose_attention("auto", cpu)[0] == "sdpa" and choose_attention("eager", gpu)[0] == "eager"
    with pytest.raises(UsageError, match=r"needs a CUDA device.*pip install flash-attn --no-build-isolation"):
        choose_attention("flash_attention_2", cpu)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: (7, 5))
    assert "8.0" in choose_attention("auto", gpu)[1]
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: (9, 0))
    for there, expected in ((False, "sdpa"), (True, "flash_attention_2")):
        monkeypatch.setattr("transformers.utils.is_flash_attn_2_available", lambda there=there: there)
        assert choose_attention("auto", gpu)[0] == expected


@pytest.mark.parametrize(("name", "dtype"), [("flash_attention_2", torch.bfloat16), ("sdpa", torch.float32)])
def test_flash_attention_is_given_no_float32(monkeypatch, name, dtype):
    """It has no kernels for that, and a policy in use is in float32."""
    monkeypatch.setattr(llava_extractor, "choose_attention", lambda wanted, device: (name, ""))
    extractor, seen = make_extractor().eval(), []
    monkeypatch.setattr(extractor.llava, "set_attn_implementation", lambda name: None)  # flash-attn needs a GPU
    extractor.llava.language_model.layers[0].self_attn.q_proj.register_forward_hook(
        lambda module, inputs, output: seen.append(output.dtype)
    )
    extractor(pictures(1), TEXTS[:1])
    assert seen == [dtype]


def test_prompts_end_where_they_end():
    prompts = Prompts.of([[5, 6, 7], [8]], torch.device("cpu"))
    assert prompts.ids.tolist() == [[5, 6, 7], [8, 8, 8]] and prompts.last.tolist() == [2, 0]

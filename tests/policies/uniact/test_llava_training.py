"""LLaVA-OneVision through the shared trainer, in a few thousand parameters."""

import pytest
import torch
from synthetic_dataset import write_dataset
from uniact_samples import SMALL_LLAVA, uniact_settings

from ambidex.policies.checkpoint import load
from ambidex.policies.train import train

pytest.importorskip("transformers", reason="pip install 'ambidex[uniact]'")
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data"), image_size=(48, 64), cameras=("top",))


def settings(data, run, **changes):
    sizes = {"extractor": "llava_ov", "llava": SMALL_LLAVA, "extractor_weights": "none"}
    changes = {"steps": 3, "quiet": False, **changes}
    return uniact_settings(data, run, preset="llava_ov_0.5b", model=sizes, **changes)


def of_llava(policy):
    return dict(policy.model.extractor.named_parameters())


def test_it_trains_and_is_loaded_back(data, tmp_path, capsys):
    run = train(settings(data, tmp_path / "run", learning_rate=1e-2, backbone_learning_rate=1e-2))
    said = capsys.readouterr().err
    assert said.count("Attention: sdpa; flash_attention_2 needs a CUDA device") == 1
    policy, fresh = load(run), train(settings(data, tmp_path / "fresh", steps=1, backbone_learning_rate=0.0))
    before = of_llava(load(fresh))
    moved = [name for name, value in of_llava(policy).items() if not torch.equal(value, before[name])]
    assert any("q_proj" in name for name in moved) and any("embed_tokens" in name for name in moved)
    assert not [name for name in moved if "post_layernorm" in name]


def test_without_a_rate_the_extractor_stays_as_it_is(data, tmp_path):
    short, long = (
        of_llava(load(train(settings(data, tmp_path / f"{steps}", steps=steps, backbone_learning_rate=0.0))))
        for steps in (1, 3)
    )
    assert all(torch.equal(short[name], value) for name, value in long.items())

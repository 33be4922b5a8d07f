"""Timing of UniAct's forward pass."""

import weakref
from dataclasses import replace

import pytest
import torch
from uniact_samples import SMALL_LLAVA

from ambidex.benchmarks.speed import forward_speed
from ambidex.benchmarks.speed.forward_speed import INSTRUCTION, ForwardSpeedConfig, main, make_policy, timed_passes
from ambidex.benchmarks.speed.training_speed import make_observation
from ambidex.errors import UsageError

QUICK = ForwardSpeedConfig(preset="tiny", batch_sizes=(1, 2), passes=2, device="cpu", precision="fp32")
CPU = torch.device("cpu")


def table(capsys):
    """The cells of the rows that were printed."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in capsys.readouterr().out.splitlines()[3:]]


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_each_pass_is_timed_and_predicts_a_chunk(monkeypatch, precision):
    policy, observation, made = make_policy("tiny", "sdpa").eval(), make_observation(2, CPU, INSTRUCTION), []
    predict = policy.predict

    def recorded(observation):
        made.append((predict(observation).shape, torch.is_autocast_enabled("cpu")))

    monkeypatch.setattr(policy, "predict", recorded)
    seconds = timed_passes(policy, observation, replace(QUICK, precision=precision))
    assert len(seconds) == 2 and min(seconds) > 0
    assert made == [((2, 50, 14), precision == "bf16")] * (3 + 2)


def test_table_has_a_row_for_each_batch_size(monkeypatch, capsys):
    monkeypatch.setattr(forward_speed, "timed_passes", lambda policy, observation, config: [0.010, 0.020, 0.060])
    main(QUICK)
    assert table(capsys) == [
        ["sdpa", "1", "20.0", "10.0 to 60.0", "50.0"],
        ["sdpa", "2", "20.0", "10.0 to 60.0", "100.0"],
    ]


def test_attention_implementations_are_timed_with_one_model_in_memory(monkeypatch, capsys):
    pytest.importorskip("transformers")
    alive, chosen = [], forward_speed.preset("llava_ov_0.5b")
    small = replace(chosen.config, llava=SMALL_LLAVA, d_model=32, heads=4, feedforward=48)
    monkeypatch.setattr(forward_speed, "preset", lambda name: replace(chosen, config=small))
    make = forward_speed.make_policy

    def counting(name, attention):
        assert not any(policy() for policy in alive)
        policy = make(name, attention)
        alive.append(weakref.ref(policy))
        return policy

    monkeypatch.setattr(forward_speed, "make_policy", counting)
    main(replace(QUICK, preset="llava_ov_0.5b", batch_sizes=(1,), attention=("sdpa", "flash_attention_2", "eager")))
    sdpa, flash, eager = table(capsys)
    assert len(alive) == 2 and (sdpa[0], eager[0]) == ("sdpa", "eager")
    assert flash[:2] == ["flash_attention_2", ""] and "needs a CUDA device" in flash[2]


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"passes": 0}, {"passes": 0}),
        ({"batch_sizes": ()}, {"batch_sizes": ()}),
        ({"batch_sizes": (1, 0)}, {"batch_sizes": (1, 0)}),
        ({"preset": "tinny"}, {"got": "tinny"}),
        ({"device": "cuda:99"}, {}),
    ],
)
def test_wrong_flags_are_refused(changes, facts):
    with pytest.raises(UsageError) as raised:
        main(replace(QUICK, **changes))
    assert raised.value.facts.items() >= facts.items()

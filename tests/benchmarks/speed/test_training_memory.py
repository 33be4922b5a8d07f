"""Memory of a training step, counted without numbers."""

from dataclasses import replace

import pytest
import torch

from ambidex.benchmarks.speed.training_memory import Allocations, defaults_for, meta_policy, report, training_memory
from ambidex.benchmarks.speed.training_speed import make_batch, make_policy, random_settings
from ambidex.policies.training.large_models.layers import checkpoint_layers
from ambidex.policies.training.learner import LossModule

CPU = torch.device("cpu")


def test_tensors_count_while_they_live_and_views_and_known_ones_do_not():
    known = torch.zeros(1000)
    with Allocations([known]) as allocations:
        first = known + 1
        view = first[10:].view(-1, 9)
        known.mul_(2)
        assert allocations.current == 4000
        second = torch.zeros(500, dtype=torch.float64)
        assert (allocations.current, allocations.peak) == (8000, 8000)
        del first, second
        assert allocations.current == 4000  # the view keeps its memory
        del view
    assert (allocations.current, allocations.peak) == (0, 8000)


@pytest.mark.parametrize(("name", "precision"), [("act", "fp32"), ("robovlms", "bf16")])
def test_the_count_is_that_of_a_step_with_numbers(name, precision):
    """Except for buffers inside of the LSTM's kernel, which depend on the processor."""
    settings = random_settings(name, "tiny")
    if name == "robovlms":
        settings = replace(settings, history_dropout=0.0)  # the count is that of the largest step
    found = training_memory(meta_policy(name, settings), 2, precision)
    policy = make_policy(name, settings)
    batch = make_batch(policy.inputs, policy.chunk_size, 2, CPU)
    with Allocations([*policy.parameters(), *policy.buffers()]) as allocations:
        loss = LossModule(policy, precision)(batch)["loss"]
        kept = allocations.current
        loss.backward()
    assert found.kept == pytest.approx(kept, rel=0.02) and found.peak == pytest.approx(allocations.peak, rel=0.02)
    trained = sum(parameter.numel() for parameter in policy.parameters())
    buffers = sum(buffer.nbytes for buffer in policy.buffers())
    assert (found.parameters, found.weights, found.gradients) == (trained, 4 * trained + buffers, 4 * trained)
    assert found.moments == 8 * trained and found.total == found.weights + found.moments + found.peak


def test_lora_frozen_towers_and_checkpointing_take_less():
    pytest.importorskip("peft")
    settings = random_settings("robovlms", "tiny")
    frozen = replace(settings, lora_rank=2, train_vision=False, train_text_embedding=False)
    plain = training_memory(meta_policy("robovlms", settings), 2, "fp32")
    policy = meta_policy("robovlms", frozen)
    checkpoint_layers(policy)
    lora = training_memory(policy, 2, "fp32")
    assert lora.parameters > plain.parameters and lora.trained < plain.trained
    assert lora.moments == 8 * lora.trained
    assert lora.kept < plain.kept


def test_the_table_has_a_row_without_and_with_checkpointing(capsys):
    words = ["--policy", "robovlms", "--preset", "tiny"]
    report(replace(defaults_for(words), batch_size=2))
    *_, without, with_ = capsys.readouterr().out.splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in (without, with_)]
    assert [row[0] for row in cells] == ["no", "yes"] and cells[0][1:3] == cells[1][1:3]
    assert float(cells[1][6]) <= float(cells[0][6])

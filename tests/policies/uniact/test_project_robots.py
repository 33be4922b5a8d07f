"""Every robot family of the project has an interpreter of its own in the registry."""

import numpy as np
import pytest
import torch
from uniact_samples import CHUNK, make_config

from ambidex.envs.env import make
from ambidex.envs.registry import FAMILIES
from ambidex.errors import UsageError
from ambidex.policies.batch import ObservationBatch, TrainingBatch
from ambidex.policies.normalization import FieldStatistics, Statistics
from ambidex.policies.uniact.interpreters.registry import INTERPRETERS
from ambidex.policies.uniact.policy import UniActPolicy

TASKS = {"aloha": "transfer_cube", "libero": "libero_goal/1"}
SIZE = (48, 64)
BATCH = 2


def spec_of(family):
    """As a task of the family has it, with all its cameras."""
    env = make(TASKS[family], cameras=FAMILIES[family].cameras, image_size=SIZE)
    env.close()
    return env.spec


def statistics_of(spec):
    rng = np.random.default_rng(0)
    sizes = (len(spec.joint_names), 7 * len(spec.object_names), len(spec.action_names))
    qpos, objects, actions = (FieldStatistics.of(rng.normal(size=(20, n)).astype(np.float32)) for n in sizes)
    return Statistics(qpos=qpos, objects=objects, actions=actions)


def batch_of(spec):
    seen = ObservationBatch(
        qpos=torch.randn(BATCH, len(spec.joint_names)),
        objects=torch.zeros(BATCH, 7 * len(spec.object_names)),
        images={name: torch.randint(256, (BATCH, 3, *SIZE), dtype=torch.uint8) for name in spec.cameras},
        instructions=(spec.instruction,) * BATCH,
    )
    actions = torch.randn(BATCH, CHUNK, len(spec.action_names))
    return TrainingBatch(observation=seen, actions=actions, is_pad=torch.zeros(BATCH, CHUNK, dtype=torch.bool))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_registered_interpreter_is_for_it_and_learns(family):
    spec = spec_of(family)
    sizes = (len(FAMILIES[family].cameras), len(spec.action_names), len(spec.joint_names))
    (name,) = (name for name, kind in INTERPRETERS.items() if (kind.views, kind.actions, kind.proprio) == sizes)
    torch.manual_seed(0)
    policy, batch = UniActPolicy(make_config(interpreter=name), spec, statistics_of(spec)).train(), batch_of(spec)
    before = {key: value.clone() for key, value in policy.named_parameters() if ".interpreter." in key}
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-3)
    policy.losses(batch)["loss"].backward()
    optimizer.step()
    after = dict(policy.named_parameters())
    assert before and not [key for key, value in before.items() if torch.equal(value, after[key])]
    assert policy.eval().predict(batch.observation).shape == (BATCH, CHUNK, len(spec.action_names))


def test_the_published_panda_is_another():
    """Its state has nine numbers, ours eight, and a registered interpreter is for one robot alone."""
    spec = spec_of("libero")
    with pytest.raises(UsageError, match=r"the data have 8 joint positions, it has 9\."):
        UniActPolicy(make_config(interpreter="ACT_2RGB_7DoFs_9Proprio"), spec, statistics_of(spec))

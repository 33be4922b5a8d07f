"""A task as a few numbers: its model, its initial states, and where fixed commands lead."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256, shake_256
from itertools import product
from typing import Self

import mujoco
import numpy as np

from ambidex.envs.env import SPREADS, Environment, make
from ambidex.envs.rollout import rollout
from ambidex.envs.types import FloatArray
from ambidex.scripted_policies.registry import make_expert

SEEDS = (0, 1, 2)  # of the initial states, in both spreads
STEPS = 50  # of the fixed commands [control steps]
AMPLITUDE, PERIOD = 0.03, 25  # of the sinusoid that is added to them [rad, opening of a gripper], [control steps]
PROJECTIONS = 8
DIGITS = 13  # of projections after the point, well below the tolerance
PHYSICAL = (
    *(f"body_{name}" for name in ("parentid", "pos", "quat", "ipos", "iquat", "mass", "inertia", "gravcomp")),
    *(f"jnt_{name}" for name in ("type", "pos", "axis", "range", "stiffness", "solref", "solimp")),
    *(f"dof_{name}" for name in ("armature", "damping", "frictionloss")),
    *(f"geom_{name}" for name in ("type", "contype", "conaffinity", "condim", "size", "pos", "quat", "friction")),
    *(f"geom_{name}" for name in ("solmix", "solref", "solimp", "margin", "gap")),
    *(f"actuator_{name}" for name in ("gainprm", "biasprm", "ctrlrange", "forcerange", "gear")),
    *(f"eq_{name}" for name in ("type", "data", "solref", "solimp")),
    "qpos0",
)
"""Arrays of a model on which the motion of bodies depends."""
OPTIONS = ("timestep", "gravity", "integrator", "cone", "impratio", "iterations", "tolerance", "noslip_iterations")
"""Options of a model, likewise."""


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """An array, without its numbers.

    A hash of rounded numbers would not tell last bits from more: of 300 numbers that differ by 1e-11, one is rounded to
    another multiple of 1e-9 with a probability of 95 %. Sums with random signs change as little as the numbers do, and
    the root mean square of their changes estimates the Euclidean norm of that of the numbers (Achlioptas 2003,
    "Database-friendly random projections").

    Attributes:
        sha256: SHA-256 of the exact bytes, perhaps of more than the numbers.
        projections: Sums of the numbers with fixed random signs, `PROJECTIONS` of them.
    """

    sha256: str
    projections: tuple[float, ...]

    @classmethod
    def of(cls, exact: bytes, numbers: FloatArray) -> Self:
        """The fingerprint of some bytes and numbers (N,)."""
        sums = _signs(len(numbers)) @ numbers
        return cls(sha256=sha256(exact).hexdigest(), projections=tuple(round(float(each), DIGITS) for each in sums))

    def distance(self, other: "Fingerprint") -> float:
        """About the Euclidean norm of the difference of the numbers, in their unit."""
        return math.dist(self.projections, other.projections) / math.sqrt(PROJECTIONS)


def _signs(count: int) -> FloatArray:
    """Fixed random signs, shape (PROJECTIONS, count), the same in every version of NumPy."""
    rows = [shake_256(f"ambidex drift {row}".encode()).digest((count + 7) // 8) for row in range(PROJECTIONS)]
    bits = np.unpackbits(np.frombuffer(b"".join(rows), np.uint8).reshape(PROJECTIONS, -1), axis=1)[:, :count]
    return np.where(bits, 1.0, -1.0)


@dataclass(frozen=True, kw_only=True)
class ExpertOutcome:
    """How many of the first training seeds, from 0 on, the expert of a task solved."""

    successes: int
    seeds: int


@dataclass(frozen=True, kw_only=True)
class TaskFingerprint:
    """A task under one version of MuJoCo.

    Attributes:
        model: The compiled model: its SHA-256, and the numbers on which the motion of bodies depends.
        initial_states: Those of `SEEDS` in both spreads; the numbers are positions of joints [m, rad].
        physics: The state after the fixed commands from seed 0, likewise.
        expert: What the expert reached; None if it was not run.
    """

    model: Fingerprint
    initial_states: Fingerprint
    physics: Fingerprint
    expert: ExpertOutcome | None = None


def make_handler(expert_seeds: int) -> Callable[[str], TaskFingerprint]:
    """Take the fingerprint of each task whose name is given, in a worker process."""
    return partial(take_fingerprint, expert_seeds=expert_seeds)


def take_fingerprint(task: str, expert_seeds: int = 0) -> TaskFingerprint:
    """The fingerprint of a task here and now.

    Args:
        task: Its canonical name.
        expert_seeds: Seeds that its expert tries; 0 for none.

    Raises:
        AmbidexError: The model, an initial state or the motion cannot be computed.
    """
    spreads = {spread: make(task, spread=spread, control="joint", cameras=()) for spread in SPREADS}
    env = spreads["published"]
    return TaskFingerprint(
        model=_of_model(env),
        initial_states=_of_states([(spreads[name], seed) for name, seed in product(SPREADS, SEEDS)]),
        physics=_of_physics(env),
        expert=expert_outcome(task, expert_seeds) if expert_seeds else None,
    )


def _of_model(env: Environment) -> Fingerprint:
    model = env.scene.model
    arrays = [*(getattr(model, name) for name in PHYSICAL), *(getattr(model.opt, name) for name in OPTIONS)]
    numbers = np.concatenate([np.asarray(array, np.float64).ravel() for array in arrays])
    # Relative differences for large numbers, absolute ones for small.
    return Fingerprint.of(env.scene.model_sha256.encode(), numbers / (1.0 + np.abs(numbers)))


def _of_states(episodes: Sequence[tuple[Environment, int]]) -> Fingerprint:
    states, positions = [], []
    for env, seed in episodes:
        states.append(env.reset(seed).state)
        positions.append(env.scene.data.qpos.copy())
    return Fingerprint.of(np.concatenate(states).tobytes(), np.concatenate(positions))


def _of_physics(env: Environment) -> Fingerprint:
    env.reset(0)
    hold = env.controller.idle(env.scene, hold_gripper=True)
    for step in range(STEPS):
        waves = [math.sin(2 * math.pi * step / PERIOD + joint) - math.sin(joint) for joint in range(len(hold))]
        env.step((hold + AMPLITUDE * np.array(waves)).astype(np.float32))
    return Fingerprint.of(env.scene.state().tobytes(), env.scene.data.qpos.copy())


def expert_outcome(task: str, seeds: int) -> ExpertOutcome:
    """Let the expert of a task try training seeds, from 0 on."""
    env = make(task, cameras=())
    expert = make_expert(env)
    solved = [rollout(env, expert, seed, stop_at_success=True).success for seed in range(seeds)]
    return ExpertOutcome(successes=sum(solved), seeds=seeds)


def mujoco_version() -> str:
    """The version of MuJoCo that computes here."""
    return str(mujoco.mj_versionString())

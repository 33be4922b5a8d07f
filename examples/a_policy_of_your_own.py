"""Evaluate a policy of your own: a function, or any object with `reset` and `act`.

    python examples/a_policy_of_your_own.py [OUT]

Both may call any model: of another framework, behind a network connection, or, as here, a few lines of NumPy. The same
from a terminal, in the folder of this file:

    run-benchmark --policy a_policy_of_your_own:WaveAgent --policy-name wave --task transfer_cube --episodes 4

To train a policy with `train-policy` instead, see "A policy" in CONTRIBUTING.md.
"""

import sys
from pathlib import Path

import numpy as np

import ambidex


class WaveAgent:
    """Moves the waist of both arms to and fro, and holds the other joints where they are."""

    def __init__(self, env: ambidex.Environment) -> None:
        self._waists = [i for i, name in enumerate(env.spec.action_names) if name.endswith("waist")]

    def reset(self, observation: ambidex.Observation, seed: int) -> None:
        self._initial = observation.qpos.astype(np.float32)

    def act(self, observation: ambidex.Observation) -> np.ndarray:
        action = self._initial.copy()  # under joint control an action is a target for every joint
        action[self._waists] += 0.3 * np.sin(2 * np.pi * observation.time)  # [rad]
        return action


def hold_still(observation: ambidex.Observation) -> np.ndarray:
    """A policy without a memory is a function."""
    return observation.qpos


def main(out: Path) -> None:
    env = ambidex.make("transfer_cube", cameras=())
    result = ambidex.rollout(env, WaveAgent(env), seed=100_000)
    print(result, result.reason, sep="\n")

    for policy, name in ((WaveAgent, "wave"), (hold_still, "hold-still")):
        summary = ambidex.benchmark(
            policy,
            name=name,
            task="transfer_cube",
            episodes=2,
            video="none",
            output_dir=out / name,
            resume=True,
        )
        print(summary)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/a_policy_of_your_own"))

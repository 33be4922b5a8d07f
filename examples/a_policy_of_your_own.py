"""Evaluate a policy of your own: any object with `reset` and `act`.

    python examples/a_policy_of_your_own.py [OUT]

`act` may call any model: of another framework, behind a network connection, or, as here, a few lines of NumPy. To train
a policy with `train-policy` instead, see "A policy" in CONTRIBUTING.md.
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


def main(out: Path) -> None:
    env = ambidex.make("transfer_cube", cameras=())
    result = ambidex.rollout(env, WaveAgent(env), seed=100_000)
    print(result, result.reason, sep="\n")

    config = ambidex.BenchmarkConfig(
        policy="wave",
        task="transfer_cube",
        episodes=4,
        video="none",
        workers=0,  # in this process, where the agent may hold anything; else it must be picklable
        output_dir=out / "results",
        resume=True,
    )
    print(ambidex.benchmark(config, agent_factory=WaveAgent))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/a_policy_of_your_own"))

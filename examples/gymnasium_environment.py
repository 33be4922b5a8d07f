"""Use the tasks as Gymnasium environments: one by its id, and several at once as a vector environment.

    python examples/gymnasium_environment.py [OUT]

Observations have the form that LeRobot's evaluator expects: images by camera under `pixels`, `agent_pos`, and
`info["is_success"]`. With `obs_type="flat"` images stand beside `agent_pos`, as Stable-Baselines3 needs them.
"""

import sys
from pathlib import Path

import gymnasium
from PIL import Image

import ambidex  # noqa: F401  # registers the ids


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    options = {"obs_type": "pixels_agent_pos", "cameras": ("top",), "image_size": (120, 160)}
    env = gymnasium.make("ambidex/TransferCube-v0", render_mode="rgb_array", **options)
    env.reset(seed=0)
    for key, space in env.observation_space.items():
        print(f"{key}: {space}")
    for _ in range(20):
        _observation, reward, _terminated, _truncated, info = env.step(env.action_space.sample())
    print(f"reward {reward} (the stage), success {info['is_success']}, checks {info['checks']}")
    Image.fromarray(env.render()).save(out / "rendered.png")
    env.close()

    # One process for each environment; images are rendered there too.
    envs = gymnasium.make_vec("ambidex/TransferCube-v0", num_envs=2, vectorization_mode="async", **options)
    envs.reset(seed=[0, 1])
    observations, rewards, *_ = envs.step(envs.action_space.sample())
    print("Two environments:", observations["pixels"]["top"].shape, observations["agent_pos"].shape, rewards)
    envs.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/gymnasium_environment"))

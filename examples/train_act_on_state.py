"""Train ACT on the poses of objects instead of images, for a few steps.

    python examples/train_act_on_state.py [OUT]

Enough to see that everything works, not to solve the task: that takes 50 episodes and 1000 steps, a few minutes on
two cores. Curves: `tensorboard --logdir OUT`.
"""

import sys
from pathlib import Path

import ambidex


def main(out: Path) -> None:
    demonstrations = ambidex.RecordConfig(
        task="transfer_cube", num_episodes=4, cameras=(), output_dir=out / "data", resume=True, quiet=True
    )
    ambidex.record(demonstrations)
    # A config holds every setting of training and, in `model`, those of the policy; the rest comes from the preset.
    config = ambidex.train_config(
        "act",
        "tiny",
        "state",
        data=out / "data",
        steps=40,
        warmup_steps=5,
        log_every=10,
        output_dir=out / "run",
        resume=(out / "run").exists(),
    )
    print(config.model)
    folder = ambidex.train(config)
    policy = ambidex.load(folder)
    weights = sum(parameter.numel() for parameter in policy.parameters())
    print(f"{policy.name} for {policy.spec.task}: {weights / 1e6:.1f} M parameters in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/train_act_on_state"))

"""Evaluate a trained policy: its success rate with interval, and single episodes in this process.

    python examples/evaluate_a_checkpoint.py [OUT] [RUN]

RUN is a run folder of `train-policy` for `transfer_cube`, by default the one that train_act_on_state.py writes; that
policy is trained for a few steps only, and fails.
"""

import sys
from pathlib import Path

import ambidex


def main(out: Path, run: Path) -> None:
    config = ambidex.BenchmarkConfig(
        policy="act",
        checkpoint=run,
        task="transfer_cube",
        episodes=4,
        video="none",
        output_dir=out / "results",
        resume=True,
    )
    summary = ambidex.benchmark(config)  # in worker processes, on seeds from 100000 on
    print(summary)
    tally = summary.tasks["transfer_cube"]
    print(f"rate {tally.rate}, 95 % interval {tally.interval[0]:.2f} to {tally.interval[1]:.2f}")

    # The same policy as an agent, for a closer look at one episode.
    env = ambidex.make("transfer_cube", cameras=())
    agent = ambidex.make_agent(ambidex.load(run), env, execution="ensemble")
    result = ambidex.rollout(env, agent, seed=100_000, stop_at_success=True)
    print(result, result.reason, sep="\n")


if __name__ == "__main__":
    arguments = [Path(argument) for argument in sys.argv[1:]]
    defaults = [Path("out/evaluate_a_checkpoint"), Path("out/train_act_on_state/run")]
    main(*arguments, *defaults[len(arguments) :])

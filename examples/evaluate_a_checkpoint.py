"""Evaluate a trained policy: its success rate with interval, and single episodes in this process.

    python examples/evaluate_a_checkpoint.py [OUT] [RUN]

RUN is a run folder of `train-policy` for `transfer_cube`; without it a policy is trained for a few steps, which fails.
"""

import sys
from dataclasses import replace
from pathlib import Path

import ambidex


def train_briefly(out: Path) -> Path:
    ambidex.record(
        ambidex.RecordConfig(
            task="transfer_cube", num_episodes=2, cameras=(), output_dir=out / "data", resume=True, quiet=True
        )
    )
    config = ambidex.train_config(
        "act", "tiny", "state", data=out / "data", steps=20, warmup_steps=5, output_dir=out / "run", quiet=True
    )
    return ambidex.train(replace(config, resume=(out / "run").exists()))


def main(out: Path, run: Path | None) -> None:
    run = run or train_briefly(out)
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
    main(arguments[0] if arguments else Path("out/evaluate_a_checkpoint"), arguments[1] if arguments[1:] else None)

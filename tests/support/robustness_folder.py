"""Hand-made folders of robustness benchmarks."""

from results_folder import make_row, write_results
from synthetic_episode import make_spec

from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.robustness.folder import EXPERT, RobustnessInfo
from ambidex.flags import flags_to_json

SEED = 100_000
SENT = {"images.top": "a", "qpos": "b", "instruction": "insert the peg"}


def write_cell(folder, outcomes, *, policy="act", wall_s=1.0, sent=None, failed_stage=2, perturb=(), **changes):
    """Results of the seeds from 100000: "1" is a success, "0" a failure; `perturb` is an axis and its level."""
    perturbs = [perturb] if perturb else []
    rows = [
        make_row(
            seed=SEED + i,
            outcome="success" if outcome == "1" else "failure",
            stage=4 if outcome == "1" else failed_stage,
            policy=policy,
            wall_s=wall_s,
            first_request=sent or {},
            perturbed={axis: {"level": level, "amount": 0.25 + i} for axis, level in perturbs},
        )
        for i, outcome in enumerate(outcomes)
    ]
    spec = make_spec(perturb=("{}:{}".format(*perturb),) if perturb else ())
    write_results(folder, rows, **{"videos": False, "env_specs": {"insertion": spec}, **changes})


def write_suite(folder, clean, cells, *, experts=None, axes=("camera", "dynamics"), levels=(1, 2), took=1.0, **changes):
    """A folder as `run-benchmark --suite robustness` writes it; cells are folder name -> outcomes."""
    config = BenchmarkConfig(policy="act", suite="robustness", task="insertion", axes=axes, levels=levels)
    info = RobustnessInfo(command="run-benchmark", config=flags_to_json(config, leave_out=set()), versions={})
    write_cell(folder / "clean", clean, sent=SENT, wall_s=took, **changes)
    info.write(folder)
    for number, (name, outcomes) in enumerate(cells.items()):
        changed = {"images.top": "c"} if name.startswith("camera") else {}
        perturb = (name[:-1], int(name[-1]))
        write_cell(folder / name, outcomes, wall_s=took + 1 + number, sent=SENT | changed, perturb=perturb, **changes)
    for name, outcomes in (experts or {}).items():
        write_cell(folder / EXPERT / name, outcomes, policy="scripted")
    return folder

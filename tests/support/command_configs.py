"""The dataclass of the flags of every command."""

from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.export_results import ExportConfig
from ambidex.benchmarks.merge_results import MergeResultsConfig
from ambidex.benchmarks.report_robustness import ReportRobustnessConfig
from ambidex.benchmarks.robot.config import RobotConfig
from ambidex.benchmarks.verify_results import VerifyResultsConfig
from ambidex.benchmarks.watch_rollouts import WatchConfig
from ambidex.policies.serve_policy import ServeConfig
from ambidex.policies.training.config import TrainConfig
from ambidex.recorders.inspect_dataset import InspectConfig
from ambidex.recorders.merge_datasets import MergeDatasetsConfig
from ambidex.recorders.recording.config import RecordConfig
from ambidex.recorders.rendering.config import ConvertConfig, RenderConfig
from ambidex.recorders.verify_episodes import VerifyConfig

CONFIGS = {
    "record-episodes": RecordConfig,
    "render-episodes": RenderConfig,
    "convert-dataset": ConvertConfig,
    "verify-episodes": VerifyConfig,
    "train-policy": TrainConfig,
    "serve-policy": ServeConfig,
    "run-benchmark": BenchmarkConfig,
    "merge-results": MergeResultsConfig,
    "evaluate-robot": RobotConfig,
    "compare-policies": CompareConfig,
    "inspect-dataset": InspectConfig,
    "merge-datasets": MergeDatasetsConfig,
    "export-results": ExportConfig,
    "report-robustness": ReportRobustnessConfig,
    "verify-results": VerifyResultsConfig,
    "watch-rollouts": WatchConfig,
}

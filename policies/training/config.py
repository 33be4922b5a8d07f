"""The flags of `train-policy`, which are also the arguments of `train`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Generic, TypeVar

import tyro

from ambidex.codec import ADDED_LATER
from ambidex.flags import Flags, OptionalInt, OptionalName, OptionalPath, Switch, readable_signature

COMMAND = "train-policy"
PolicyConfig = TypeVar("PolicyConfig")
Schedule = Annotated[str, tyro.conf.arg(metavar="{cosine,constant}")]
Precision = Annotated[str, tyro.conf.arg(metavar="{auto,fp32,bf16}")]
Sharding = Annotated[str, tyro.conf.arg(metavar="{none,fsdp}")]
DataPath = Annotated[str, tyro.conf.arg(metavar="{auto,resident,streaming}")]
Checkpoint = Annotated[OptionalPath, tyro.conf.arg(metavar="CHECKPOINT")]


@readable_signature
@dataclass(frozen=True, kw_only=True)
class TrainConfig(Flags, Generic[PolicyConfig]):
    """Train a policy on recorded datasets.

    The defaults come from --policy and --preset. Each checkpoint is a folder OUTPUT_DIR/checkpoints/STEP;
    `train-policy --resume --output-dir OUTPUT_DIR` resumes an interrupted run exactly from the last one.
    On several GPUs: `torchrun --nproc-per-node GPUS -m ambidex.policies.train_policy ...`.
    """

    help_topics: ClassVar[Mapping[str, str]] = {
        "Common options": "policy preset data output_dir steps batch_size learning_rate device resume",
        "Starting from a checkpoint": "adapt finetune fresh_interpreter",
        "Data": "control exclude_episodes mixture validation_fraction validate_every random_shift colour_jitter "
        "data_path data_workers",
        "Optimisation": "backbone_learning_rate weight_decay warmup_steps schedule gradient_clip ema_decay seed "
        "precision compile accumulate_steps gradient_checkpointing sharding",
        "Checkpoints and log": "save_every keep_checkpoints log_every quiet debug",
    }

    policy: Annotated[str, tyro.conf.arg(metavar="NAME")] = "act"
    """Policy to train."""
    preset: Annotated[str, tyro.conf.arg(metavar="NAME")] = "base"
    """Source of the defaults of all other flags: tiny, base or paper; uniact also has llava_ov_0.5b, robovlms
    paligemma_3b, kosmos2 and smolvlm_500m."""
    data: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="DIR ...")] = ()
    """Dataset folders, one or more; required."""
    exclude_episodes: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="EPISODE ...")] = field(
        default=(), metadata={ADDED_LATER: True}
    )
    """Episodes of the datasets not to train on: DIR/episode_I.hdf5, or FILE/demo_I of a LIBERO file."""
    mixture: Annotated[tuple[float, ...], tyro.conf.arg(metavar="WEIGHT ...")] = field(
        default=(), metadata={ADDED_LATER: True}
    )
    """Sampling weight of each embodiment, in the order of --data; by default its number of datasets."""
    control: OptionalName = field(default=None, metadata={ADDED_LATER: True})
    """Control mode of the policy, joint or ee, where the data has actions of both; auto is that of the recording."""
    adapt: Checkpoint = field(default=None, metadata={ADDED_LATER: True})
    """Start from a checkpoint and freeze what its embodiments share. For UniAct that leaves the interpreter and the
    image encoder to train, with the most likely codes."""
    finetune: Checkpoint = field(default=None, metadata={ADDED_LATER: True})
    """Start from a checkpoint and train all of it."""
    fresh_interpreter: bool = field(default=False, metadata={ADDED_LATER: True})
    """With --adapt or --finetune: start with a fresh interpreter (RoboVLMs: fresh layers of the embodiment) even if the
    checkpoint knows the embodiment."""
    output_dir: OptionalPath = None
    """Run folder; auto is runs/POLICY-DATASET."""
    steps: int
    """Training steps."""
    batch_size: int
    """Samples per step; with torchrun per process, with --accumulate-steps that many times as many."""
    learning_rate: float
    """Peak learning rate."""
    backbone_learning_rate: float
    """Peak learning rate of the backbone; 0 freezes it."""
    weight_decay: float
    """Weight decay of AdamW; norms, biases and embeddings have none."""
    warmup_steps: int
    """Steps over which the learning rate rises from 0."""
    schedule: Schedule
    """Learning rate after the warm-up: cosine falls to 0, constant stays."""
    gradient_clip: float
    """Largest gradient (2-norm over all weights); 0 does not clip."""
    ema_decay: float
    """Decay of the moving average of the weights, which checkpoints then hold; 0 for no average."""
    validation_fraction: float = 0.1
    """Share of episodes to hold out; 0 for none."""
    validate_every: int = 500
    """Steps between validations."""
    random_shift: int = 0
    """Largest random shift of training images [px]."""
    colour_jitter: float = 0.0
    """Largest random change of brightness, contrast and saturation of training images, as a share."""
    seed: int = 0
    """Seed of initial weights, split, sample order and noise."""
    device: Annotated[str, tyro.conf.arg(metavar="{auto,cpu,cuda,...}")] = "auto"
    """Training device; auto is cuda if there is one."""
    precision: Precision = "auto"
    """Precision of the forward and backward pass; auto is bf16 where the hardware supports it, else fp32."""
    compile: bool = False
    """Compile the loss with torch.compile: slower to start, faster afterwards."""
    accumulate_steps: int = field(default=1, metadata={ADDED_LATER: True})
    """Batches per step, whose gradients are added: as if the batch were so many times larger."""
    gradient_checkpointing: bool = field(default=False, metadata={ADDED_LATER: True})
    """Keep only the inputs of transformer layers for the backward pass: less memory, slower, the same gradients."""
    sharding: Sharding = field(default="none", metadata={ADDED_LATER: True})
    """With torchrun: none for the whole model in each process; fsdp for a part of its weights, gradients and optimiser,
    after each has made all weights."""
    data_path: DataPath = "auto"
    """resident decodes all frames once into memory, streaming decodes them for each sample; auto decides by size."""
    data_workers: OptionalInt = None
    """Processes that decode frames; auto is at most one per usable CPU."""
    save_every: int = 1000
    """Steps between checkpoints."""
    keep_checkpoints: int = 5
    """Number of newest checkpoints to keep; 0 keeps all."""
    log_every: int = 50
    """Steps between log entries."""
    resume: Switch = False
    """Resume an interrupted run; flags that are not given are those of that run."""
    quiet: Switch = False
    """Print errors only."""
    debug: Switch = False
    """Show tracebacks."""
    model: Annotated[PolicyConfig, tyro.conf.arg(name="")]
    """The policy's own settings."""


RUN_ONLY = frozenset(
    "output_dir device compile gradient_checkpointing data_path data_workers save_every keep_checkpoints log_every "
    "validate_every resume quiet debug".split()
)
"""Fields that do not change the trained weights, except for the last bits of sums."""

"""The flags of `train-policy`, which are also the arguments of `train`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Generic, TypeVar

import tyro

from ambidex.codec import ADDED_LATER
from ambidex.flags import OptionalInt, OptionalPath, Switch

PolicyConfig = TypeVar("PolicyConfig")
Schedule = Annotated[str, tyro.conf.arg(metavar="{cosine,constant}")]
Precision = Annotated[str, tyro.conf.arg(metavar="{auto,fp32,bf16}")]
DataPath = Annotated[str, tyro.conf.arg(metavar="{auto,resident,streaming}")]


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Generic[PolicyConfig]):
    """Train a policy on recorded datasets.

    The defaults come from --policy and --preset. Checkpoints appear whole in OUTPUT_DIR/checkpoints/STEP;
    `train-policy --resume --output-dir OUTPUT_DIR` goes on with an interrupted run exactly where its last one is.
    For several GPUs: `torchrun --nproc-per-node GPUS -m ambidex.policies.train_policy ...`.
    """

    policy: Annotated[str, tyro.conf.arg(metavar="NAME")] = "act"
    """The policy."""
    preset: Annotated[str, tyro.conf.arg(metavar="NAME")] = "base"
    """Where the defaults of all other flags come from: tiny, base or paper, for uniact also llava_ov_0.5b."""
    data: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="DIR ...")] = ()
    """Dataset folders, one or more. Must be given."""
    mixture: Annotated[tuple[float, ...], tyro.conf.arg(metavar="WEIGHT ...")] = field(
        default=(), metadata={ADDED_LATER: True}
    )
    """Of data of several robots: how often each has its turn, in proportion, in the order in which --data names them
    first; none given: by the number of its datasets."""
    adapt: Annotated[OptionalPath, tyro.conf.arg(metavar="CHECKPOINT")] = field(
        default=None, metadata={ADDED_LATER: True}
    )
    """Begin with a checkpoint, keep what its robots share as it is, and learn what belongs to the robot of the data:
    for UniAct its interpreter and the image encoder, by the likeliest codes."""
    finetune: Annotated[OptionalPath, tyro.conf.arg(metavar="CHECKPOINT")] = field(
        default=None, metadata={ADDED_LATER: True}
    )
    """Begin with a checkpoint, and learn all of it."""
    fresh_interpreter: bool = field(default=False, metadata={ADDED_LATER: True})
    """With --adapt or --finetune: begin what belongs to the robot afresh, though the checkpoint knows the robot."""
    output_dir: OptionalPath = None
    """Run folder; auto is runs/POLICY-DATASET."""
    steps: int
    """Training steps."""
    batch_size: int
    """Samples per step; with torchrun, per process."""
    learning_rate: float
    """Highest learning rate."""
    backbone_learning_rate: float
    """Highest learning rate of the backbone; 0 leaves it as it is."""
    weight_decay: float
    """Weight decay of AdamW; norms, biases and embeddings have none."""
    warmup_steps: int
    """Steps over which the learning rate rises from 0."""
    schedule: Schedule
    """What the learning rate does afterwards: cosine falls to 0, constant stays."""
    gradient_clip: float
    """Longest gradient (2-norm over all weights); 0 does not clip."""
    ema_decay: float
    """Decay of the moving average of the weights, which is what a checkpoint then holds; 0 keeps none."""
    validation_fraction: float = 0.1
    """Share of episodes held out; 0 holds out none."""
    validate_every: int = 500
    """Steps from one validation to the next."""
    random_shift: int = 0
    """Images are shifted by up to this many pixels in training [px]."""
    colour_jitter: float = 0.0
    """Brightness, contrast and saturation vary by up to this share in training."""
    seed: int = 0
    """Decides first weights, split, order of samples and noise."""
    device: Annotated[str, tyro.conf.arg(metavar="{auto,cpu,cuda,...}")] = "auto"
    """Where to train; auto is cuda if there is one."""
    precision: Precision = "auto"
    """Numbers in the forward and backward pass; auto is bf16 where the hardware computes in it, else fp32."""
    compile: bool = False
    """Compile the loss with torch.compile: slow to start, faster afterwards."""
    data_path: DataPath = "auto"
    """resident decodes all frames once into memory, streaming decodes them again and again; auto looks at the size."""
    data_workers: OptionalInt = None
    """Processes that decode frames; auto is one per usable CPU at most."""
    save_every: int = 1000
    """Steps from one checkpoint to the next."""
    keep_checkpoints: int = 5
    """How many of the newest checkpoints to keep; 0 keeps all."""
    log_every: int = 50
    """Steps from one entry of the log to the next."""
    resume: Switch = False
    """Go on with an interrupted run; flags that are not given are those of that run."""
    quiet: Switch = False
    """Say nothing but errors."""
    debug: Switch = False
    """Show tracebacks."""
    model: Annotated[PolicyConfig, tyro.conf.arg(name="")]
    """The policy's own settings."""


RUN_ONLY = frozenset(
    "output_dir device compile data_path data_workers save_every keep_checkpoints log_every validate_every "
    "resume quiet debug".split()
)
"""Fields that change how a run is made, but not what comes out of it (but for the last bits of sums)."""

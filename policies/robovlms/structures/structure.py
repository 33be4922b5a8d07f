"""Base classes of structures, and what all of them share: the tokens of an observation."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ambidex.policies.batch import ObservationBatch
from ambidex.policies.robovlms.backbones.backbone import Backbone, Kind, TokenSequence
from ambidex.policies.robovlms.embodiment import Embodiment
from ambidex.policies.robovlms.heads.head import Trunk
from ambidex.policies.robovlms.windows import valid_last, windows_of

INITIAL_STD = 0.02  # of the learned token


class Structure(nn.Module, ABC):
    """Makes normalised actions from windows of observations with a vision-language model.

    B windows of H observations, K actions per chunk, A action dimensions, S tokens, D dimensions of the model.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    @abstractmethod
    def losses(
        self, window: ObservationBatch, embodiment: Embodiment, actions: Tensor, valid: Tensor
    ) -> Mapping[str, Tensor]:
        """Loss terms by name, scalars; "loss" is their weighted sum.

        Args:
            window: Windows with images, also if H is 1.
            embodiment: Where they come from.
            actions: Normalised chunks after each observation, shape (B, H, K, A).
            valid: Which actions are not padding, shape (B, H, K).
        """

    @abstractmethod
    def predict(self, window: ObservationBatch, embodiment: Embodiment, noise: Tensor | None) -> Tensor:
        """Normalised chunks after the newest observations, (B, K, A) float32.

        Args:
            window: As for `losses`.
            embodiment: Where they come from.
            noise: Gaussian, of the shape of the chunks; for flow matching only.
        """

    @abstractmethod
    def sequence_length(self, observed: int, history: int, words: int) -> int:
        """Positions of the longest sequence, of windows of H observations and chunks of K * A words.

        Args:
            observed: Positions of an observation: prompt, images and proprioception.
            history: H.
            words: K * A.
        """

    def encode_frames(self, frames: ObservationBatch, embodiment: Embodiment) -> Tensor | None:
        """See `Policy.encode_frames`; None by default."""
        return None

    def observed(self, frames: ObservationBatch, embodiment: Embodiment) -> TokenSequence:
        """The prompts of N single observations around their images, then their proprioception."""
        images = torch.stack([frames.images[camera] for camera in embodiment.cameras], dim=1)  # (N, V, 3, h, w)
        pixels = self.backbone.image_processor(images.flatten(0, 1))
        features = windows_of(self.backbone.encode_images(pixels), images.shape[1])  # (N, V, T, D)
        prompt = self.backbone.assemble(features, frames.instructions)
        if embodiment.proprio is None:
            return prompt
        state = embodiment.proprio(embodiment.qpos(frames.qpos))[:, None].to(prompt.embeddings.dtype)  # (N, 1, D)
        return TokenSequence.joined(prompt, TokenSequence.of(state, Kind.LEARNED))


class ContinuousStructure(Structure):
    """Actions from the hidden states of learned tokens: one for each observation, after its other tokens.

    A trunk relates the states of a window, then the embodiment's layers make the chunk.
    """

    def __init__(self, backbone: Backbone, trunk: Trunk) -> None:
        super().__init__(backbone)
        self.trunk = trunk
        self.learned = nn.Parameter(INITIAL_STD * torch.randn(backbone.hidden_size))

    @abstractmethod
    def states(self, window: ObservationBatch, embodiment: Embodiment) -> Tensor:
        """Hidden states of the learned tokens of windows, valid ones first, then any others, shape (B, H, D)."""

    def losses(
        self, window: ObservationBatch, embodiment: Embodiment, actions: Tensor, valid: Tensor
    ) -> Mapping[str, Tensor]:
        """Of the chunks after every observation of the window: none of them sees a later one."""
        features = self._features(window, embodiment)
        return embodiment.layers.losses(features.flatten(0, 1), actions.flatten(0, 1), valid.flatten(0, 1))

    def predict(self, window: ObservationBatch, embodiment: Embodiment, noise: Tensor | None) -> Tensor:
        return embodiment.layers(self._features(window, embodiment)[:, -1], noise)  # type: ignore[no-any-return]

    def sequence_length(self, observed: int, history: int, words: int) -> int:
        return observed + 1

    def prompted(self, frames: ObservationBatch, embodiment: Embodiment) -> TokenSequence:
        """The tokens of N single observations, the learned one last."""
        observed = self.observed(frames, embodiment)
        learned = self.learned.to(observed.embeddings.dtype).expand(len(observed.kinds), 1, -1)
        return TokenSequence.joined(observed, TokenSequence.of(learned, Kind.LEARNED))

    def learned_states(self, sequence: TokenSequence, embodiment: Embodiment, count: int) -> Tensor:
        """The hidden states of the first `count` learned tokens of each row, shape (B, count, D)."""
        each = 1 if embodiment.proprio is None else 2  # proprioception is of the same kind and comes before
        found = sequence.select(self.backbone(sequence), Kind.LEARNED, each * count)
        return found[:, each - 1 :: each]

    def _features(self, window: ObservationBatch, embodiment: Embodiment) -> Tensor:
        """Features of windows, shape (B, H, F). Missing observations have no effect on the others."""
        return valid_last(self.trunk(self.states(window, embodiment)), window.valid)

"""A policy that makes each chunk of actions from one code of a codebook."""

from abc import abstractmethod

from torch import Tensor

from ambidex.policies.batch import ObservationBatch
from ambidex.policies.policy import Policy


class CodedPolicy(Policy):
    """A policy that makes each chunk of actions from one code, a whole number. Results and videos say which."""

    def predict(self, observation: ObservationBatch) -> Tensor:
        """See `Policy`."""
        return self.predict_with_codes(observation)[0]

    @abstractmethod
    def predict_with_codes(self, observation: ObservationBatch) -> tuple[Tensor, Tensor]:
        """What `predict` gives, and the code behind each chunk, shape (B,) int64, 0 or more."""

    @abstractmethod
    def play_code(self, code: int) -> None:
        """From now on, make every chunk from this code, whatever is seen and asked.

        Raises:
            UsageError: There is no such code.
        """

"""A policy that lives in another process, as its client sees it. Needs no torch."""

from dataclasses import dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client

from ambidex.envs.types import EnvSpec, Observation
from ambidex.errors import AmbidexError
from ambidex.policies.messages import Chunk, ObservationMessage, PolicyInputs

Address = str | tuple[str, int]
"""A socket file, or host and port."""


class PolicyServerError(AmbidexError):
    """The policy could not answer, or its server is gone."""


@dataclass(frozen=True, kw_only=True)
class ServedPolicy:
    """What a server says about its policy when somebody connects.

    Attributes:
        name: The registered name.
        spec: Spec of the environment it was made for.
        inputs: What it looks at.
        chunk_size: Actions it predicts at once, K.
        execute_steps: Actions of a chunk that it was made to play before the next; None if it does not say.
        instructions: The only instructions it can follow; empty if it takes any.
    """

    name: str
    spec: EnvSpec
    inputs: PolicyInputs
    chunk_size: int
    execute_steps: int | None
    instructions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A server's answer to a request that it could not fulfil.

    Attributes:
        message: Why.
        traceback: Where it was raised.
        lost: The machine's fault: there is no point in asking again.
    """

    message: str
    traceback: str
    lost: bool


class PolicyClient:
    """Asks a policy server, one request at a time.

    Args:
        address: Where the server is.
        authkey: Its secret.

    Attributes:
        policy: What is served.
        lost: Why the server cannot be reached any more; empty while it can.

    Raises:
        PolicyServerError: Nobody answers there, or not to this secret.
    """

    def __init__(self, address: Address, authkey: bytes) -> None:
        self.lost = ""
        try:
            self._connection = Client(address, authkey=authkey)
            self.policy: ServedPolicy = self._connection.recv()
        except (OSError, EOFError, AuthenticationError) as error:
            raise PolicyServerError(
                f"The policy server at {address} cannot be reached ({type(error).__name__}: {error}). Is it running, "
                "and is this its key?"
            ) from error

    def ask(self, observation: Observation) -> Chunk:
        """The policy's next actions for an observation; waits for them.

        Raises:
            PolicyServerError: The policy failed on this request, or the server is gone.
        """
        message = ObservationMessage.of(observation, self.policy.inputs)
        try:
            self._connection.send(message)
            answer: Chunk | Refusal = self._connection.recv()
        except (OSError, EOFError) as error:
            self.lost = f"The policy server is gone ({type(error).__name__}: {error})."
            raise PolicyServerError(self.lost) from error
        if isinstance(answer, Refusal):
            self.lost = answer.message if answer.lost else ""
            raise PolicyServerError(answer.message)
        return answer

    def close(self) -> None:
        """Leave. Safe to call twice."""
        self._connection.close()

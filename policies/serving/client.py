"""The client of a policy server, and what it receives. Needs no torch."""

from dataclasses import dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client

from ambidex.envs.types import EnvSpec, Observation
from ambidex.errors import AmbidexError
from ambidex.policies.messages import Chunk, ObservationMessage, PolicyInputs
from ambidex.policies.serving.history import Observed, SentSteps, WindowMessage

Address = str | tuple[str, int]
"""A socket file, or host and port."""


class PolicyServerError(AmbidexError):
    """The policy failed on a request, or its server cannot be reached."""


@dataclass(frozen=True, kw_only=True)
class ServedPolicy:
    """The handshake: what a server tells a new client about its policy.

    Attributes:
        name: The registered name.
        spec: Spec of the environment it was trained for.
        inputs: The parts of an observation that it uses.
        chunk_size: Actions per prediction, K.
        execute_steps: Actions of a chunk to execute before the next request; None if the policy does not set it.
        instructions: The only instructions it can follow; empty if it takes any.
    """

    name: str
    spec: EnvSpec
    inputs: PolicyInputs
    chunk_size: int
    execute_steps: int | None
    instructions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ErrorReply:
    """A server's reply to a request that raised an error.

    Attributes:
        message: The error in one line.
        traceback: Where it was raised.
        server_unavailable: The server's machine failed, so later requests will fail too.
    """

    message: str
    traceback: str
    server_unavailable: bool


class PolicyClient:
    """Sends observations to a policy server, one request at a time, and of a window only those that it lacks.

    Attributes:
        policy: The policy that is served.
        unavailable: Why the server can no longer be used; empty while it can.
        newest: The last observation that was sent, of a window the newest one; None before the first.

    Raises:
        PolicyServerError: No server at this address, or the secret is wrong.
    """

    def __init__(self, address: Address, authkey: bytes) -> None:
        self.unavailable, self._steps = "", SentSteps()
        self.newest: ObservationMessage | None = None
        try:
            self._connection = Client(address, authkey=authkey)
            self.policy: ServedPolicy = self._connection.recv()
        except (OSError, EOFError, AuthenticationError) as error:
            problem = f"The policy server at {address} cannot be reached ({type(error).__name__}: {error})."
            hint = "Check that it is running and that this is its key."
            raise PolicyServerError(problem, hint, address=address) from error

    def predict(self, observed: Observed) -> Chunk:
        """The policy's next actions for an observation, or a window of a policy with a history; blocks until then.

        Raises:
            PolicyServerError: The policy failed on this request, or the server is gone.
        """
        message = self._message(observed)
        self.newest = message.frames[message.step] if isinstance(message, WindowMessage) else message
        try:
            self._connection.send(message)
            reply: Chunk | ErrorReply = self._connection.recv()
        except (OSError, EOFError) as error:
            self.unavailable = f"The policy server is gone ({type(error).__name__}: {error})."
            raise PolicyServerError(self.unavailable) from error
        if isinstance(reply, ErrorReply):
            self.unavailable = reply.message if reply.server_unavailable else ""
            failure = PolicyServerError(reply.message)
            failure.add_note(reply.traceback)
            raise failure
        return reply

    def _message(self, observed: Observed) -> ObservationMessage | WindowMessage:
        if isinstance(observed, Observation):
            return ObservationMessage.of(observed, self.policy.inputs)
        message = WindowMessage.of(self._steps.unsent(observed), self.policy.inputs)
        self._steps.add(observed)
        return message

    def close(self) -> None:
        """Close the connection. Safe to call twice."""
        self._connection.close()

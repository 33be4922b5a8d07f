"""The windows of observations that policies with a history look at. Needs no torch.

An agent collects the observations of its episode (`HistoryAgent`). A client sends each of them once (`SentSteps`), when
a window first has it, and the server keeps those that later windows can have (`KeptFrames`).
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Self

from ambidex.envs.types import Agent, Float32Array, Observation
from ambidex.errors import AmbidexError
from ambidex.policies.messages import Chunk, ObservationMessage, PolicyInputs
from ambidex.policies.serving.execution import Execution

if TYPE_CHECKING:
    from torch import Tensor

EPISODES = count()


class MissingObservationsError(AmbidexError):
    """A request lacks observations of its window that were not sent before."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EpisodeWindow:
    """What a policy looks at in a step of an episode.

    Attributes:
        episode: Number that no other episode of this process has.
        step: Step of the newest observation.
        observations: Step -> observation; those of the window, or those of them that are to be sent.
    """

    episode: int
    step: int
    observations: Mapping[int, Observation]


Observed = Observation | EpisodeWindow
"""What a policy looks at: the newest observation, or with a history a window."""
Predict = Callable[[Observed], Chunk]


def policy_agent(execution: Execution, offsets: tuple[int, ...], predict: Predict) -> Agent:
    """The agent that executes the chunks of a policy with the history of these `PolicyInputs.offsets`."""
    return HistoryAgent(execution, offsets, predict) if len(offsets) > 1 else execution.agent(predict)


class HistoryAgent:
    """Executes the chunks that are predicted from windows of the observations of an episode.

    Images of past observations are rendered when a prediction needs them.
    """

    def __init__(self, execution: Execution, offsets: tuple[int, ...], predict: Predict) -> None:
        self._offsets, self._predict = offsets, predict
        self._agent = execution.agent(self._chunk)
        self._observations: deque[Observation] = deque(maxlen=offsets[0] + 1)
        self._episode, self._step = next(EPISODES), -1

    def __repr__(self) -> str:
        return f"<HistoryAgent: looks {', '.join(map(str, self._offsets))} steps back, {self._agent}>"

    @property
    def code(self) -> int:
        """Of the current chunk."""
        return self._agent.code

    def reset(self, observation: Observation, seed: int) -> None:
        self._observations.clear()
        self._episode, self._step = next(EPISODES), -1
        self._agent.reset(observation, seed)

    def act(self, observation: Observation) -> Float32Array:
        self._observations.append(observation)
        self._step += 1
        return self._agent.act(observation)

    def _chunk(self, observation: Observation) -> Chunk:
        steps = window_steps(self._step, self._offsets)
        observations = {step: self._observations[step - self._step - 1] for step in steps}
        return self._predict(EpisodeWindow(episode=self._episode, step=self._step, observations=observations))


def window_steps(step: int, offsets: tuple[int, ...]) -> tuple[int, ...]:
    """The steps of the observations in the window of a step, oldest first; 0 in place of those before the episode."""
    return tuple(max(0, step - offset) for offset in offsets)


class SentSteps:
    """Which observations of the running episode a server has already."""

    def __init__(self) -> None:
        self._episode, self._steps = -1, set[int]()

    def unsent(self, window: EpisodeWindow) -> EpisodeWindow:
        """The window with only those observations that have to be sent."""
        sent = self._steps if window.episode == self._episode else set()
        return replace(window, observations={t: o for t, o in window.observations.items() if t not in sent})

    def add(self, window: EpisodeWindow) -> None:
        """Record that a window has been sent."""
        if window.episode != self._episode:
            self._episode, self._steps = window.episode, set()
        self._steps.update(window.observations)


@dataclass(frozen=True, kw_only=True, eq=False)
class WindowMessage:
    """A window as it is sent, without the observations that were sent before.

    Attributes:
        episode: Number that no other episode of this client has.
        step: Step of the newest observation.
        frames: Step -> observation.
    """

    episode: int
    step: int
    frames: Mapping[int, ObservationMessage]

    @classmethod
    def of(cls, window: EpisodeWindow, inputs: PolicyInputs) -> Self:
        """The message for a policy with these inputs; only its cameras are rendered."""
        frames = {step: ObservationMessage.of(each, inputs) for step, each in window.observations.items()}
        return cls(episode=window.episode, step=window.step, frames=frames)


@dataclass(kw_only=True, eq=False)
class Frame:
    """An observation of a window.

    Attributes:
        message: The observation; it has no images once they are encoded.
        encoded: Its row of `Policy.encode_frames`, on the policy's device; None if it is not computed.
    """

    message: ObservationMessage
    encoded: "Tensor | None" = None


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameWindow:
    """A complete window.

    Attributes:
        frames: The H observations, oldest first; before the start of the episode the first.
        valid: Which of them lie in the episode.
    """

    frames: tuple[Frame, ...]
    valid: tuple[bool, ...]


Request = ObservationMessage | FrameWindow
"""What a policy answers."""


class KeptFrames:
    """The observations of a client's running episode, as far as a window from now on can have them."""

    def __init__(self, offsets: tuple[int, ...]) -> None:
        self._offsets, self._episode = offsets, -1
        self._frames: dict[int, Frame] = {}

    def __len__(self) -> int:
        return len(self._frames)

    def complete(self, message: ObservationMessage | WindowMessage) -> Request:
        """The whole window of a message.

        Raises:
            MissingObservationsError: An observation was not sent.
        """
        if isinstance(message, ObservationMessage):
            return message
        self._add(message)
        steps = window_steps(message.step, self._offsets)
        if missing := sorted(set(steps) - set(self._frames)):
            problem = f"A request of step {message.step} lacks the observations of steps {missing}."
            hint = "Send each observation of the window once; on a new connection send all of them again."
            raise MissingObservationsError(problem, hint, got=sorted(message.frames), expected=missing)
        valid = tuple(message.step >= offset for offset in self._offsets)
        return FrameWindow(frames=tuple(self._frames[step] for step in steps), valid=valid)

    def _add(self, message: WindowMessage) -> None:
        """Store new observations, and drop those of another episode and those that no later window has."""
        if message.episode != self._episode:
            self._episode, self._frames = message.episode, {}
        oldest = message.step - self._offsets[0]
        added = {step: Frame(message=each) for step, each in message.frames.items() if step not in self._frames}
        known = {**self._frames, **added}
        self._frames = {step: frame for step, frame in known.items() if oldest <= step <= message.step}

"""The first exchange with the server of a policy, and what `run-benchmark --check` prints. Needs the extra `remote`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ambidex.atomic_files import replacing
from ambidex.benchmarks.evaluation.config import BenchmarkConfig, PolicyFlags
from ambidex.benchmarks.evaluation.plan import BenchmarkPlan, make_plan
from ambidex.benchmarks.evaluation.task_settings import TaskSettings
from ambidex.benchmarks.remote.agents import (
    RemoteAgents,
    StateParts,
    limits,
    make_request,
    remote_environment,
    session_id,
)
from ambidex.benchmarks.remote.flags import REMOTE, check_control
from ambidex.benchmarks.remote.state_parts import state_parts
from ambidex.benchmarks.results.info import BenchmarkInfo, RemoteInfo
from ambidex.benchmarks.results.row import EpisodeKey
from ambidex.envs.env import Environment
from ambidex.envs.types import Float32Array, ImageArray, Observation
from ambidex.errors import RemotePolicyError
from ambidex.policies.remote.answers import read_actions
from ambidex.policies.remote.client import Answer, RemotePolicy, RemoteServer
from ambidex.policies.remote.described import DescribedPolicy
from ambidex.policies.remote.layouts import Layout, Request
from ambidex.policies.serving.execution import choose_execution
from ambidex.policies.serving.history import EpisodeWindow
from ambidex.text import text_table

MAX_DEPTH = 20  # of metadata that are stored
MAX_SIDE = 4096  # of an image [px]
NOT_REPEATABLE = (
    "The server answered the same request with other actions the second time: its results cannot be repeated bit for "
    "bit."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class FirstRequest:
    """The first observation of a benchmark, as it is sent.

    Attributes:
        url: Address of the server.
        layout: How the policy expects observations.
        episode: Whose first observation it is.
        content: The message.
        images: Camera -> image as the policy sees it, shape (H, W, 3) uint8.
    """

    url: str
    layout: Layout
    episode: EpisodeKey
    content: Request
    images: Mapping[str, ImageArray]

    def save_images(self, folder: Path) -> None:
        """Write the images as <camera>.png into a folder."""
        for camera, image in self.images.items():
            with replacing(folder / f"{camera}.png") as path:
                Image.fromarray(image).save(path, "png")

    def __str__(self) -> str:
        """What is sent, as a table."""
        task, seed = self.episode
        sources = {**self.layout.cameras, **{key: " + ".join(parts) for key, parts in self.layout.state.items()}}
        table = text_table(("key", "type", "shape", "from", "to", "made of"), list(_rows(self.content, sources)))
        return f"Sent to {self.url}: the first observation of {task}, seed {seed}.\n\n{table}\n"


PreparedRequest = tuple[FirstRequest, tuple[Float32Array, Float32Array]]
"""A request, and the lowest and highest useful action of the policy."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FirstExchange:
    """The first observation of a benchmark, sent twice, and the answers.

    Attributes:
        agents: The agents of the benchmark.
        name: Name of the policy.
        metadata: What the server says about its policy.
        request: What was sent.
        actions: The actions that came back, shape (H, A).
        answers: Both answers.
        repeatable: They have the same actions, bit for bit.
    """

    agents: RemoteAgents
    name: str
    metadata: Mapping[str, Any]
    request: FirstRequest
    actions: Float32Array
    answers: tuple[Answer, Answer]
    repeatable: bool

    def complete(self, info: BenchmarkInfo) -> BenchmarkInfo:
        """The content of benchmark.json with the policy that answered."""
        digest = sha256(f"{self.agents.server.metadata_sha256} {self.name}".encode()).hexdigest()
        notes = () if self.repeatable else (NOT_REPEATABLE,)
        remote = RemoteInfo(metadata=_json(self.metadata), sha256=digest, notes=notes)
        return replace(info, execution=self.agents.execution, remote=remote)

    def __str__(self) -> str:
        """What came back, as a table."""
        first, second = self.answers
        lines = [
            f"The answer took {first.request_ms:.1f} ms, to the same request again {second.request_ms:.1f} ms.",
            "",
            text_table(("key", "type", "shape", "from", "to"), [row[:5] for row in _rows(first.content, {})]),
            "",
            f"{len(self.actions)} actions; execution {self.agents.execution}.",
            "A repeated request gives the same actions, bit for bit." if self.repeatable else NOT_REPEATABLE,
            f"Metadata of the server: {self.metadata or 'none'}",
        ]
        return "\n".join(lines)


def check_policy(config: BenchmarkConfig, report: Callable[[object], None]) -> None:
    """What `run-benchmark --check` does; raises what `first_exchange` and `make_plan` do.

    Args:
        config: The flags.
        report: Prints the request before it is sent, then what came back.
    """

    def show(request: FirstRequest) -> None:
        if config.output_dir is not None:
            request.save_images(config.output_dir)
        report(request)

    plan = make_plan(config)
    report(first_exchange(plan, plan.episodes[0], show))


def first_exchange(
    plan: BenchmarkPlan, episode: EpisodeKey, before: Callable[[FirstRequest], None] | None = None
) -> FirstExchange:
    """Connect to the server of a plan, and send the first observation of an episode twice.

    Args:
        plan: The plan.
        episode: The episode.
        before: Called with the request before it is sent.

    Raises:
        RemoteConnectionError: There is no server, or it goes.
        RemotePolicyError: It answers with an error, or without actions for this task.
        UsageError: An answer has fewer actions than are to be executed.
    """

    def prepare(metadata: Mapping[str, Any]) -> PreparedRequest:
        return _first_request(plan, _layout(plan, metadata), episode)

    return exchange(plan.config, episode, prepare, before, settings=plan.task_settings)


def exchange(
    config: PolicyFlags,
    episode: EpisodeKey,
    prepare: Callable[[Mapping[str, Any]], PreparedRequest],
    before: Callable[[FirstRequest], None] | None = None,
    *,
    settings: TaskSettings,
    parts: StateParts = state_parts,
) -> FirstExchange:
    """Connect to the server that the flags name, and send a request twice; raises what `first_exchange` does.

    Args:
        config: The flags.
        episode: The episode whose first request it is.
        prepare: Metadata of the server -> the request, and the limits of actions.
        before: Called with the request before it is sent.
        settings: How the agents set up tasks.
        parts: Where the agents take the parts of states from.
    """
    server = RemoteServer(url=str(config.url), timeout_s=config.timeout)
    with closing(RemotePolicy(server)) as policy:
        policy.start_episode(session_id(*episode))
        request, (low, high) = prepare(policy.metadata)
        if before is not None:
            before(request)
        one = policy.infer(request.content)
        policy.start_episode(session_id(*episode))
        other = policy.infer(request.content)
    first, second = (read_actions(answer.content, low, high) for answer in (one, other))
    replan = request.layout.replan
    steps = None if replan is None else min(replan, len(first))
    agents = RemoteAgents(
        server=replace(server, metadata_sha256=policy.metadata_sha256),
        layout=request.layout,
        settings=settings,
        parts=parts,
        chosen=choose_execution(config.execution, config.execute_steps, steps, len(first)),
    )
    return FirstExchange(
        agents=agents,
        name=config.policy_name or REMOTE,
        metadata=policy.metadata,
        request=request,
        actions=first,
        answers=(one, other),
        repeatable=first.tobytes() == second.tobytes(),
    )


def _first_request(plan: BenchmarkPlan, layout: Layout, episode: EpisodeKey) -> PreparedRequest:
    """The first observation of an episode as a request, and the limits of actions."""
    task, seed = episode
    with remote_environment(task, layout, plan.task_settings) as env:
        observation = env.reset(seed)
        return prepared_request(plan.config, layout, episode, env, observation)


def prepared_request(
    config: PolicyFlags,
    layout: Layout,
    episode: EpisodeKey,
    env: Environment,
    observation: Observation,
    parts: StateParts = state_parts,
) -> PreparedRequest:
    """An observation as the first request of an episode, and the limits of actions."""
    window = EpisodeWindow(episode=0, step=0, observations={0: observation})
    request = FirstRequest(
        url=str(config.url),
        layout=layout,
        episode=episode,
        content=make_request(layout, env, window if len(layout.offsets) > 1 else observation, parts),
        images={camera: layout.images.view(observation.image(camera)) for camera in layout.cameras.values()},
    )
    return request, limits(layout, env)


def _layout(plan: BenchmarkPlan, metadata: Mapping[str, Any]) -> Layout:
    """The layout of a plan as the server wants it; one that the server describes fits all tasks."""
    assert plan.layout is not None
    layout = server_layout(plan.layout, metadata, plan.config)
    if plan.layout.described:
        check_control(plan.config, layout)
        policy = DescribedPolicy.of(metadata)
        for task in plan.tasks:
            with plan.task_settings.environment(task, control=layout.control) as env:
                policy.check(env.spec)
                cameras, needs = tuple(layout.cameras.values()), policy.needs_instruction
                env.check_perturbations_are_seen(cameras, instruction=needs, known=policy.instructions)
    return layout


def server_layout(layout: Layout, metadata: Mapping[str, Any], config: PolicyFlags) -> Layout:
    """The layout that the flags name as a server with these metadata wants it.

    Raises:
        UsageError: The server does not describe its policy, as it must for --layout ambidex.
        RemotePolicyError: It asks for images of an impossible size.
    """
    if layout.described:
        return DescribedPolicy.of(metadata).layout.with_map(config.map or ())
    return _resized(layout, metadata.get("image_resolution"))


def _resized(layout: Layout, resolution: object) -> Layout:
    """The layout with images of the height and width that a server of RoboArena's variant asks for."""
    if resolution is None:
        return layout
    sides = list(resolution) if isinstance(resolution, list | np.ndarray) else []
    if len(sides) != 2 or not all(isinstance(side, int | np.integer) and 0 < side <= MAX_SIDE for side in sides):
        problem = f"The metadata of the server have image_resolution {resolution!r:.60}: expected height and width."
        raise RemotePolicyError(problem, got=resolution)
    height, width = map(int, sides)
    return replace(layout, images=replace(layout.images, size=(height, width)))


def _rows(values: object, sources: Mapping[str, str], key: str = "") -> Iterator[tuple[str, ...]]:
    """Key, type, shape, least and largest value, and source of every value of a message."""
    if isinstance(values, dict):
        for name, value in values.items():
            yield from _rows(value, sources, f"{key}/{name}" if key else str(name))
    elif isinstance(values, np.ndarray):
        numbers = values.size and values.dtype.kind in "iuf"
        ends = (f"{values.min():.4g}", f"{values.max():.4g}") if numbers else ("", "")
        yield key, str(values.dtype), str(values.shape), *ends, sources.get(key, "")
    else:
        yield key, type(values).__name__, "", "", "", f"{values!r:.60}"


def _json(value: object, depth: int = 0) -> Any:
    """A message as JSON: arrays are lists; what JSON does not know, and what is nested too deeply, is text."""
    if depth == MAX_DEPTH:
        return "..."
    if isinstance(value, dict):
        return {str(key): _json(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [_json(each, depth + 1) for each in value]
    if isinstance(value, np.ndarray | np.generic):
        return _json(value.tolist(), depth)
    if isinstance(value, bool | int | str | None) or (isinstance(value, float) and np.isfinite(value)):
        return value
    return str(value)

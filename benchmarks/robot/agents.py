"""The policy of an evaluation on a robot: a trained one, one on a server, the user's own code, or one that holds."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from ambidex.benchmarks.evaluation.agents import AgentSource, HoldAgent, LocalAgents, ServedAgents, execution_of
from ambidex.benchmarks.evaluation.own_policy import is_address, load_own
from ambidex.benchmarks.evaluation.policy_loading import (
    LoadPolicy,
    checkpoint_id,
    fix_code,
    load_policy,
    policy_device,
    serving_info,
)
from ambidex.benchmarks.evaluation.task_settings import TaskSettings
from ambidex.benchmarks.remote.flags import REMOTE
from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.benchmarks.robot.connection import RobotConnection
from ambidex.benchmarks.robot.plan import HOLD, RobotPlan
from ambidex.benchmarks.robot.protocol import RobotRequest
from ambidex.benchmarks.robot.rollout import RobotView, as_observation
from ambidex.benchmarks.robot.safety import RobotError
from ambidex.envs.registry import FAMILIES
from ambidex.envs.types import Agent, EnvSpec, Float32Array, FloatArray, Observation
from ambidex.errors import UsageError, check_name
from ambidex.policies.compatibility import check_compatible, embodiment_of, unseen_tasks_warning
from ambidex.policies.remote.layouts import LAYOUTS, STATE_PARTS, Layout, find_layout
from ambidex.policies.serving.server import PolicyServer, describe
from ambidex.text import first_few

if TYPE_CHECKING:
    from ambidex.policies.policy import Policy


@dataclass(frozen=True, kw_only=True)
class RobotEnvironment:
    """What agents that are made for an environment may know of a robot."""

    spec: EnvSpec
    action_low: Float32Array
    action_high: Float32Array

    @classmethod
    def of(cls, robot: RobotConnection, spec: EnvSpec) -> "RobotEnvironment":
        return cls(spec=spec, action_low=robot.guard.low, action_high=robot.guard.high)


class RobotPolicy(Protocol):
    """A policy that is loaded before the robot is connected.

    Attributes:
        request: What it asks of the robot.
    """

    request: RobotRequest

    def connect(self, robot: RobotConnection, spec: EnvSpec, info: BenchmarkInfo) -> tuple[AgentSource, BenchmarkInfo]:
        """Check that the policy can act on this robot; returns its agents and the complete `info`."""
        ...


def agent_of(source: AgentSource, robot: RobotConnection, spec: EnvSpec) -> Agent:
    """An agent of a source for a robot."""
    return source.agent(cast("Any", RobotEnvironment.of(robot, spec)))


@contextmanager
def open_policy(plan: RobotPlan, load: LoadPolicy | None) -> Iterator[RobotPolicy]:
    """Load the policy of a plan; `load` loads checkpoints, None for `ambidex.policies.checkpoint.load`.

    Raises:
        UsageError: It is no policy, or there is no such device.
        CheckpointError: It cannot be loaded.
    """
    if plan.learned:
        with PolicyServer() as server:
            yield LearnedPolicy(plan, server, load)
    elif plan.config.policy == REMOTE:
        yield ServerPolicy(plan)
    else:
        yield CodePolicy(plan)


class LearnedPolicy:
    """A checkpoint, served as `run-benchmark` serves it, but one request at a time on a GPU too."""

    def __init__(self, plan: RobotPlan, server: PolicyServer, load: LoadPolicy | None) -> None:
        self._plan, self._server = plan, server
        self._device = policy_device(plan.config)
        self._path = cast("Path", plan.config.checkpoint)
        self._policy = load_policy(self._path, plan.config.policy, load)
        self.request = _request(plan, self._policy)

    def connect(self, robot: RobotConnection, spec: EnvSpec, info: BenchmarkInfo) -> tuple[AgentSource, BenchmarkInfo]:
        policy, config, server = self._policy, self._plan.config, self._server
        if embodiment_of(spec) in map(embodiment_of, policy.specs):
            policy.use_embodiment(embodiment_of(spec))
        check_compatible(
            replace(policy.spec, cameras=policy.inputs.cameras),
            spec,
            objects=policy.inputs.objects,
            instructions=policy.instructions,
            known=policy.specs,
            checkpoint=self._path,
        )
        execution = execution_of(describe(policy), config)
        if config.code is not None:
            fix_code(policy, config.code)
        server.serve(policy, self._device, batch_size=1)
        agents = ServedAgents(address=server.address, authkey=server.authkey, config=config, settings=TaskSettings())
        return agents, replace(
            info,
            execution=execution.name,
            checkpoint=checkpoint_id(self._path),
            serving=serving_info(server, self._device),
            versions={**info.versions, "torch": version("torch")},
            warning=unseen_tasks_warning(policy.spec, [spec]),
        )


def _request(plan: RobotPlan, policy: "Policy") -> RobotRequest:
    """What a policy asks of a robot; nothing if it knows several robots or control modes that may be meant."""
    fitting = [spec for spec in policy.specs if plan.known is None or spec.robot == plan.known.robot]
    if len(fitting) != 1:
        return replace(plan.request, cameras=policy.inputs.cameras)
    (spec,) = fitting
    return replace(
        plan.request,
        control=spec.control,
        cameras=policy.inputs.cameras,
        image_size=spec.image_size,
        render_quality=spec.render_quality,
    )


class CodePolicy:
    """Code of the user's own, or the baseline that keeps the initial pose."""

    def __init__(self, plan: RobotPlan) -> None:
        self._own = load_own(plan.config.policy) if is_address(plan.config.policy) else None
        self.request = plan.request

    def connect(self, robot: RobotConnection, spec: EnvSpec, info: BenchmarkInfo) -> tuple[AgentSource, BenchmarkInfo]:
        if self._own is None:
            _check_hold(spec)
        agents = LocalAgents(make_agent=self._own or HoldAgent, settings=TaskSettings())
        return agents, replace(info, source=self._own.info if self._own else None)


def _check_hold(spec: EnvSpec) -> None:
    if spec.control == "joint" or (spec.family and not FAMILIES[spec.family].ee_is_pose):
        return
    problem = (
        f"--policy {HOLD}: under {spec.control} control it is not known which action keeps the pose of this robot."
    )
    raise UsageError(problem, "Use joint control, or a function of your own.", got=spec.control)


class ServerPolicy:
    """A policy on a server. Its first answer, which says how long its chunks are, is asked for before the arm moves."""

    def __init__(self, plan: RobotPlan) -> None:
        from ambidex.benchmarks.remote.first_exchange import server_layout  # needs the extra `remote`
        from ambidex.policies.remote.client import RemotePolicy, RemoteServer

        config = self._config = plan.config
        check_name("layout", str(config.layout), LAYOUTS)
        family = plan.known.family if plan.known else next(iter(LAYOUTS[str(config.layout)]))
        layout = find_layout(str(config.layout), family, config.map or ())
        with closing(RemotePolicy(RemoteServer(url=str(config.url), timeout_s=config.timeout))) as policy:
            self._layout = server_layout(layout, policy.metadata, config)
        self._described = layout.described
        self.request = replace(
            plan.request,
            control=self._layout.control,
            cameras=tuple(dict.fromkeys(self._layout.cameras.values())),
            image_size=self._layout.image_size,
            render_quality=self._layout.render_quality,
        )

    def connect(self, robot: RobotConnection, spec: EnvSpec, info: BenchmarkInfo) -> tuple[AgentSource, BenchmarkInfo]:
        from ambidex.benchmarks.remote.first_exchange import PreparedRequest, exchange, prepared_request
        from ambidex.policies.remote.described import DescribedPolicy

        layout, config = self._layout, self._config
        _check_layout(layout, spec)
        env: Any = RobotEnvironment.of(robot, spec)
        episode = (spec.task, config.seed)
        observation = as_observation(robot, spec, robot.observe(homed=False), 0)

        def prepare(metadata: Mapping[str, Any]) -> PreparedRequest:
            if self._described:
                DescribedPolicy.of(metadata).check(spec)
            return prepared_request(config, layout, episode, env, observation, robot_parts)

        found = exchange(config, episode, prepare, settings=TaskSettings(), parts=robot_parts)
        return found.agents, found.complete(info)


def _check_layout(layout: Layout, spec: EnvSpec) -> None:
    """Raise a UsageError unless the robot has the cameras and the control mode of a layout."""
    missing = sorted(set(layout.cameras.values()) - set(spec.cameras))
    if missing:
        problem = f"The robot has no camera {first_few(missing)}, only {first_few(spec.cameras) or 'none'}."
        raise UsageError(problem, "Map the keys of images to its cameras with --map.", got=missing)
    if layout.control != spec.control:
        problem = f"The policy's actions are for {layout.control} control, and the robot has {spec.control} control."
        raise UsageError(problem, "Give another --layout.", got=spec.control, expected=layout.control)


def robot_parts(env: object, observation: Observation) -> Mapping[str, FloatArray]:
    """The parts of states that a robot measures; see `STATE_PARTS`. `parts` of its observations come first."""
    assert isinstance(observation, RobotView)
    qpos = observation.qpos
    own = {"qpos": qpos, "objects": observation.objects, "arm_qpos": qpos[:-1], "gripper_closed": 1 - qpos[-1:]}
    return _Parts({**own, **observation.parts})


class _Parts(dict[str, FloatArray]):
    """Parts by name; a missing one is named in an error."""

    def __missing__(self, name: str) -> FloatArray:
        hint = f"Give it in `parts` of its observations: {STATE_PARTS.get(name, name)}."
        raise RobotError(f"The policy needs {name}, which the robot does not measure.", hint, field=name)

"""Agents that ask a policy server."""

from functools import cached_property

from ambidex.benchmarks.running.terms import Terms
from ambidex.envs.env import Environment
from ambidex.envs.types import Agent, EnvSpec
from ambidex.policies.messages import PolicyInputs
from ambidex.policies.serving.client import Address, PolicyClient, PolicyServerError
from ambidex.policies.serving.execution import Execution, choose_execution


class ServedAgents:
    """Agents of one process that share a line to a policy server. Picklable until the line is first needed.

    Args:
        address: Of the server.
        authkey: Its secret.
        mode: How chunks are played.
        steps: Actions played before the next request; None for the policy's own choice.
        code: The code that the server was told to make all chunks from; None if the policy chooses, or has none.
        terms: How tasks are posed.
    """

    def __init__(
        self, *, address: Address, authkey: bytes, mode: str, steps: int | None, code: int | None, terms: Terms
    ) -> None:
        self._address, self._authkey = address, authkey
        self._mode, self._steps, self._code, self._terms = mode, steps, code, terms

    @cached_property
    def _client(self) -> PolicyClient:
        return PolicyClient(self._address, self._authkey)

    @cached_property
    def _chosen(self) -> Execution:
        policy = self._client.policy
        return choose_execution(self._mode, self._steps, policy.execute_steps, policy.chunk_size, self._code)

    @property
    def execution(self) -> str:
        """How chunks are played, e.g. "chunk:100"."""
        return self._chosen.name

    def environment(self, task: str) -> Environment:
        policy = self._client.policy
        return environment_for(task, policy.spec, policy.inputs, self._terms)

    def agent(self, env: Environment) -> Agent:
        return self._chosen.agent(self._client.ask)

    def check(self) -> None:
        """Raise if the line is broken.

        Raises:
            PolicyServerError: The server is gone.
        """
        if self._client.lost:
            raise PolicyServerError(self._client.lost)


def environment_for(task: str, spec: EnvSpec, inputs: PolicyInputs, terms: Terms) -> Environment:
    """A task as a policy made for `spec` is used to see it: its control mode, cameras, image size and quality.

    Raises:
        UnknownNameError: The task lacks a camera or control mode.
    """
    return terms.environment(
        task,
        control=spec.control,
        cameras=inputs.cameras,
        image_size=spec.image_size,
        render_quality=spec.render_quality,
    )

"""Images that are late, or that freeze for a while."""

import numpy as np

from ambidex.envs.perturbations.perturbation import Drawn, Perturbation

LATE, FROZEN = "late", "frozen"


class Lag(Perturbation):
    """In half of the episodes all images are some control steps old; in the others, some do not arrive.

    An image that does not arrive leaves the agent with the one before. Joint positions are current.
    """

    strengths = ((1, 0.02), (2, 0.05), (3, 0.1), (5, 0.2), (8, 0.4))  # control steps, and share of images that are lost

    def cameras(self) -> frozenset[str]:
        return frozenset(self.clean.scene.camera_names)

    def draw(self, rng: np.random.Generator) -> Drawn:
        steps, share = self.strength
        self._kind = LATE if rng.uniform() < 0.5 else FROZEN
        self._steps, self._lost = int(steps), rng.uniform(size=self.clean.spec.horizon + 1) < share
        return {"kind": self._kind, **({"steps": self._steps} if self._kind == LATE else {"lost_share": share})}

    def step_shown(self, step: int) -> int:
        if self._kind == LATE:
            return max(0, step - self._steps)
        while step > 0 and self._lost[step % len(self._lost)]:
            step -= 1
        return step

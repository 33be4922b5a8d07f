"""Another instruction for the same task."""

import numpy as np

from ambidex.envs.perturbations.inputs.paraphrases import Choice, paraphrase
from ambidex.envs.perturbations.perturbation import Clean, Drawn, Perturbation
from ambidex.errors import PerturbationError

CLASSES = ("wrapper", "verb", "object", "verb and object", "indirect")


class Language(Perturbation):
    """A paraphrase, of another class at each level; nothing but the instruction differs.

    The classes are those of LIBERO-Para (arXiv 2603.28301), which changes verbs and objects, with a phrase around the
    instruction as the easiest and a wish as the hardest. Level 4 has the verbs of level 2 and the objects of level 3.
    """

    strengths = tuple((number,) for number in range(len(CLASSES)))  # index into `CLASSES`

    def __init__(self, clean: Clean, level: int) -> None:
        self._class = CLASSES[level - 1]
        super().__init__(clean, level)
        self._choice = Choice()

    def check(self) -> None:
        instruction = self.clean.spec.instruction
        if paraphrase(instruction, self._class, Choice()) is None:
            problem = f"Perturbation language:{self.level}: no paraphrase of class {self._class!r} of {instruction!r}."
            hint = "Give level 1, which takes any instruction, or add its words to inputs/paraphrases.py."
            raise PerturbationError(problem, hint, task=self.clean.spec.task, got=instruction)

    def draw(self, rng: np.random.Generator) -> Drawn:
        self._choice = Choice(*rng.uniform(size=4).tolist())
        return {"instruction": self.change_instruction(self.clean.spec.instruction)}

    def change_instruction(self, instruction: str) -> str:
        return paraphrase(instruction, self._class, self._choice) or instruction

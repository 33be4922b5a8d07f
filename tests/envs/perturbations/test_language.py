"""Paraphrases of all instructions: each is for one task of its suite, and reaches the agent."""

import re
from collections.abc import Iterator

import numpy as np
import pytest

from ambidex.envs.env import make
from ambidex.envs.perturbations.inputs.language import CLASSES
from ambidex.envs.perturbations.inputs.paraphrases import NOUNS, VERBS, WISHES, WRAPPERS, Choice, paraphrase
from ambidex.envs.registry import SUITES, find_task
from ambidex.envs.task import FILENAME, LANGUAGE
from ambidex.envs.wrappers.gym_env import GymEnvironment
from ambidex.errors import UsageError

KEPT = {"left", "right", "top", "middle", "bottom", "back", "front", "black", "white", "red", "yellow", "both"}
"""Words that tell one task from another."""
CHOICES = [Choice(*[(i + 0.5) / len(WRAPPERS)] * 4) for i in range(len(WRAPPERS))]
UNKNOWN = "open the middle layer of the drawer"  # of LIBERO's :language; it has no object with a synonym


def instructions(suite: str, source: str = FILENAME) -> list[str]:
    found = [find_task(task).instructions for task in SUITES[suite]]
    return sorted({each[source] for each in found if source in each})


def paraphrases(instruction: str) -> Iterator[tuple[str, str]]:
    for kind in CLASSES:
        for choice in CHOICES:
            sentence = paraphrase(instruction, kind, choice)
            if sentence is None:
                assert instruction == UNKNOWN and "object" in kind
            else:
                yield kind, sentence


@pytest.mark.parametrize("source", [FILENAME, LANGUAGE])
@pytest.mark.parametrize("suite", SUITES)
def test_every_paraphrase_belongs_to_one_instruction_of_the_suite(suite: str, source: str) -> None:
    owner = {instruction: instruction for instruction in instructions(suite, source)}
    for instruction in list(owner):
        for _, sentence in paraphrases(instruction):
            assert sentence != instruction
            assert owner.setdefault(sentence, instruction) == instruction
            assert sentence == " ".join(sentence.split())
            assert not re.search(r"[{}|]", sentence)


@pytest.mark.parametrize("suite", SUITES)
def test_words_that_tell_tasks_apart_stay(suite: str) -> None:
    for instruction in instructions(suite):
        given = set(re.findall(r"\w+", instruction))
        for kind, sentence in paraphrases(instruction):
            words = set(re.findall(r"\w+", sentence)) | ({"front"} if "in front of" in sentence else set())
            assert KEPT & given <= words, (kind, sentence)
            assert (KEPT & words) - {"both"} <= given, (kind, sentence)


@pytest.mark.parametrize("suite", SUITES)
def test_a_class_changes_what_it_says(suite: str) -> None:
    for instruction in instructions(suite):
        for choice in CHOICES:
            wrapped, verb, noun, both, wish = (str(paraphrase(instruction, kind, choice)) for kind in CLASSES)
            assert wrapped.endswith(instruction) and len(wrapped) > len(instruction)
            assert not set(verb.split()) - set(instruction.split()) - _words(VERBS)
            assert not set(noun.split()) - set(instruction.split()) - _words(NOUNS)
            # The verbs of one and the objects of the other.
            assert paraphrase(verb, "object", choice) == both
            assert wish.startswith(tuple(before for before, _ in WISHES if before)) or " should be " in wish


def _words(synonyms: object) -> set[str]:
    assert isinstance(synonyms, dict)
    return {word for each in synonyms.values() for words in each for word in words.split()}


def test_synonyms_of_one_object_are_not_those_of_another() -> None:
    shared = {"cookies box": "cookie box", "wine rack": "rack"}  # never in the same scene, or two names of one object
    different = {name: words for name, words in NOUNS.items() if name not in shared}
    flat = [word for words in different.values() for word in words]
    assert len(flat) == len(set(flat))
    assert not set(flat) & set(NOUNS)


@pytest.mark.parametrize(
    ("instruction", "wish"),
    [
        ("open the top drawer and put the bowl inside", "I need the top drawer to be open and the bowl to be inside"),
        (
            "put the butter at the back in the top drawer of the cabinet and close it",
            "I need the butter at the back to be in the closed top drawer of the cabinet",
        ),
        (
            "stack the left bowl on the right bowl and place them in the tray",
            "I need the left bowl to be stacked on the right bowl and both to be in the tray",
        ),
        (
            "put the black bowl in the middle on the plate",
            "I need the black bowl in the middle to be on the plate",
        ),
        (
            "pick up the red cube with the right arm and hand it over to the left arm",
            "I need the red cube to be in the left arm, passed on by the right arm",
        ),
    ],
)
def test_a_wish_is_the_state_in_which_the_task_is_done(instruction: str, wish: str) -> None:
    assert paraphrase(instruction, "indirect", Choice()) == wish


def test_the_agent_gets_the_sentence_of_its_seed_and_the_spec_keeps_the_clean_one() -> None:
    sentences = []
    with make("libero_goal/1", cameras=(), perturb=["language:4"]) as env:
        clean = env.spec.instruction
        assert env.observe().instruction == clean == "put the bowl on the stove"
        for seed in (0, 1, 2, 3, 0):
            observation = env.reset(seed)
            sentences.append(observation.instruction)
            assert env.perturbed["language"] == {"level": 4, "instruction": observation.instruction}
            assert env.step(env.controller.idle(env.scene)).observation.instruction == observation.instruction
        state = env.observe().state
        assert env.restore(state, seed=3).instruction == sentences[3]
    assert sentences[0] == sentences[4]
    assert len(set(sentences)) > 1
    assert clean not in sentences


def test_evaluators_that_ask_gymnasium_environments_get_the_sentence() -> None:
    env = GymEnvironment("libero_goal/1", obs_type="state", cameras=(), perturb=["language:5"])
    env.reset(seed=2)
    assert env.task_description == env._env.perturbed["language"]["instruction"]
    assert env.task_description != "put the bowl on the stove"
    env.close()


def test_an_instruction_of_another_grammar_is_refused_where_no_paraphrase_is_known() -> None:
    assert paraphrase("juggle the three oranges", "wrapper", Choice()) == "please juggle the three oranges"
    for kind in CLASSES[1:]:
        assert paraphrase("juggle the three oranges", kind, Choice()) is None
    with pytest.raises(UsageError, match="language:3") as caught:
        make("libero_goal/0", cameras=(), instruction_source=LANGUAGE, perturb=["language"])
    assert caught.value.facts["got"] == UNKNOWN


def test_choices_are_spread_over_the_alternatives() -> None:
    rng = np.random.default_rng(0)
    sentences = [
        paraphrase("put the bowl on the stove", "verb and object", Choice(verb=a, noun=b))
        for a, b in rng.uniform(size=(40, 2))
    ]
    assert len(set(sentences)) == 4

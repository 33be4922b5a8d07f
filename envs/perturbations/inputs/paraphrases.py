"""Paraphrases of instructions, from synonyms and from the grammar of the instructions of LIBERO and ALOHA."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

Alternative = TypeVar("Alternative")

WRAPPERS = (
    "please {}",
    "can you {}",
    "could you please {}",
    "I want you to {}",
    "your task is to {}",
    "the next thing to do is to {}",
)
VERBS: Mapping[str, Sequence[str]] = {
    "pick up": ("grab", "take"),
    "pick": ("grab", "take"),
    "put": ("place", "set"),
    "place": ("set", "position"),
    "open": ("pull open", "open up"),
    "close": ("shut",),
    "turn on": ("switch on", "start"),
    "turn off": ("switch off", "shut off"),
    "push": ("slide", "move"),
    "stack": ("pile", "place"),
    "hand it over to": ("pass it to", "give it to"),
    "insert": ("push in", "slot in"),
    "hold": ("keep",),
    "lift": ("raise", "pick up"),
    "hang": ("put", "place"),
    "lay it across": ("put it across", "place it across"),
    "unscrew": ("screw off", "twist off"),
    "pour": ("tip", "transfer"),
    "shut": ("close",),
}
"""Verb at the start of a command -> synonyms."""
NOUNS: Mapping[str, Sequence[str]] = {
    "alphabet soup": ("letter soup", "can of letter soup"),
    "bar": ("stick", "batten"),
    "basket": ("hamper", "shopping basket"),
    "beads": ("balls", "marbles"),
    "bbq sauce": ("barbecue sauce", "bottle of barbecue sauce"),
    "book": ("volume", "hardback"),
    "bottle": ("flask", "flagon"),
    "bowl": ("basin", "serving bowl"),
    "butter": ("block of butter", "pack of butter"),
    "cabinet": ("cupboard", "sideboard"),
    "caddy": ("desk organiser", "organiser"),
    "cap": ("lid", "stopper"),
    "carton": ("packet", "small box"),
    "chest": ("box", "coffer"),
    "chocolate pudding": ("chocolate dessert", "box of chocolate pudding"),
    "cookie box": ("box of cookies", "biscuit box"),
    "cookies box": ("box of cookies", "biscuit box"),
    "cream cheese": ("soft cheese", "pack of cream cheese"),
    "cream cheese box": ("box of soft cheese", "box of cream cheese"),
    "cube": ("block", "brick"),
    "cubes": ("blocks", "bricks"),
    "frying pan": ("skillet", "pan"),
    "ketchup": ("catsup", "bottle of ketchup"),
    "marker": ("felt pen", "felt-tip pen"),
    "microwave": ("microwave oven", "microwave cooker"),
    "milk": ("milk carton", "carton of milk"),
    "moka pot": ("coffee pot", "coffee maker"),
    "moka pots": ("coffee pots", "coffee makers"),
    "mug": ("cup", "coffee cup"),
    "orange juice": ("orange juice carton", "carton of orange juice"),
    "peg": ("pin", "rod"),
    "plate": ("dinner plate", "platter"),
    "plug": ("connector", "jack"),
    "rack": ("wine stand", "bottle holder"),
    "ramekin": ("baking cup", "custard cup"),
    "salad dressing": ("vinaigrette", "bottle of salad dressing"),
    "socket": ("sleeve", "receptacle"),
    "stand": ("holder", "mug holder"),
    "stove": ("cooker", "hob"),
    "tomato sauce": ("pasta sauce", "can of tomato sauce"),
    "tray": ("serving tray", "wooden tray"),
    "wine bottle": ("bottle of wine", "wine flask"),
    "wine rack": ("wine stand", "bottle holder"),
}
"""Object -> synonyms that nothing else in the scenes has; colours and places are not part of it and stay."""
WISHES = (("I need", "to be"), ("I would like", "to be"), ("I want", "to be"), ("", "should be"))
"""What comes before the state that is wished for, and its verb."""

PLACE = r"(?P<place>(?:on|in|under|inside|to the left of|to the right of)\b(?! the middle (?:on|in)\b).*)"
STATES: Mapping[str, str] = {
    r"pick up (?P<x>.+) with (?P<arm>.+) and hand it over to (?P<other>.+)": "{x} {be} in {other}, passed on by {arm}",
    r"pick up (?P<x>.+) with (?P<arm>.+) and (?P<y>.+) with (?P<other>.+), and insert (?P=x)": (
        "{x} {be} inside {y}, with {x} held by {arm} and {y} by {other}"
    ),
    r"pick(?: up)? (?P<x>.+) and (?:put|place) it (?P<place>.+)": "{x} {be} {place}",
    r"(?:put|place) (?P<x>.+?) in the (?P<y>.+) and close it": "{x} {be} in the closed {y}",
    r"place them (?P<place>.+)": "both {be} {place}",
    r"(?:put|push) (?P<x>.+?) to the front of (?P<y>.+)": "{x} {be} in front of {y}",
    rf"(?:put|place) (?P<x>.+?) {PLACE}": "{x} {be} {place}",
    r"stack (?P<x>.+?) on (?P<y>.+)": "{x} {be} stacked on {y}",
    r"open (?P<x>.+)": "{x} {be} open",
    r"close (?P<x>.+)": "{x} {be} closed",
    r"turn on (?P<x>.+)": "{x} {be} on",
    r"turn off (?P<x>.+)": "{x} {be} off",
}
"""Command -> the state in which it is done; the first one that matches holds."""
OF_TWO_ARMS: Mapping[str, str] = {
    r"stack (?P<x>the cubes) in the middle: (?P<a>\w+) at the bottom, then (?P<b>\w+), and (?P<c>\w+) on top": (
        "{x} {be} stacked in the middle, with {a} at the bottom, {b} on it, and {c} on top"
    ),
    r"pick up (?P<x>.+) with (?P<arm>.+), hand it over to (?P<other>.+), and lay it across (?P<y>.+)": (
        "{x} {be} across {y}, laid there by {other} and passed on by {arm}"
    ),
    r"lift (?P<x>.+) with both arms by its handles and hold it level, with (?P<y>.+) on it": (
        "{x} {be} in the air, level, held at its handles by both arms, with {y} on it"
    ),
    r"hold (?P<x>.+) with (?P<arm>.+) and push (?P<y>.+) into it with (?P<other>.+)": (
        "{y} {be} in {x}, with {x} held by {arm} and {y} by {other}"
    ),
    r"open (?P<x>.+) with (?P<arm>.+), put (?P<y>.+) into it with (?P<other>.+), and close (?P=x)": (
        "{y} {be} inside {x}, put there by {other}, and {x} closed, held open until then by {arm}"
    ),
    r"hold the drawer open with (?P<arm>.+), put (?P<y>.+) into it with (?P<other>.+), and shut it": (
        "{y} {be} in the shut drawer, put there by {other}, with the drawer held open by {arm}"
    ),
    r"put (?P<x>one plate) with each arm upright into the holder, at the same time": (
        "{x} of each arm {be} upright in the holder, at the same time"
    ),
    r"hold (?P<x>.+) with (?P<arm>.+), and hang (?P<y>.+) on its peg with (?P<other>.+)": (
        "{y} {be} on the peg of {x}, hung there by {other}, with {x} held by {arm}"
    ),
    r"pour the beads from (?P<x>.+) into (?P<y>.+), and put both cups on the table": (
        "the beads of {x} {be} in {y}, and both cups stand on the table"
    ),
    r"hold (?P<x>.+) with (?P<arm>.+), sweep (?P<y>.+) into it with (?P<tool>.+) in (?P<other>.+), "
    r"then put (?P=tool) on the table and lift (?P=x) level": (
        "{y} {be} in {x}, swept there by {other}, with {tool} on the table and {x} held level in the air by {arm}"
    ),
    r"hold (?P<x>.+) with (?P<arm>.+), unscrew its cap with (?P<other>.+), and put the cap on the table": (
        "the cap of {x} {be} on the table, unscrewed by {other}, with {x} held by {arm}"
    ),
    r"pick up (?P<x>.+) with (?P<arm>.+), pull off its cap with (?P<other>.+), and lay both on the table": (
        "both {x} and its cap {be} on the table, pulled apart by {arm} and {other}"
    ),
}
"""The same for whole instructions of tasks for two arms."""

START = r"(^|\band )"
NEXT_COMMAND = re.compile(r" and (?=(?:open|close|put|place|turn|stack) (?!it\b))")


@dataclass(frozen=True)
class Choice:
    """Which of the alternatives is taken, each a share from 0 up to 1 of their number."""

    wrapper: float = 0.0
    verb: float = 0.0
    noun: float = 0.0
    wish: float = 0.0


@lru_cache(maxsize=16)  # it is asked for in every observation of an episode
def paraphrase(instruction: str, kind: str, choice: Choice) -> str | None:
    """Another sentence for the same task.

    Args:
        instruction: An instruction.
        kind: "wrapper" puts words around it, "verb" and "object" take synonyms, as does "verb and object"; "indirect"
            names the state that is wished for.
        choice: Which of the alternatives.

    Returns:
        The sentence; None if the instruction has no known verb or object, or is of another grammar.
    """
    text = instruction[:1].lower() + instruction[1:]
    if kind == "wrapper":
        return _chosen(WRAPPERS, choice.wrapper).format(text)
    if kind == "indirect":
        return _wish(text, choice)
    for part, words, before, share in (("verb", VERBS, START, choice.verb), ("object", NOUNS, r"(\b)", choice.noun)):
        if part in kind:
            changed = _with_synonyms(text, words, before, share)
            if changed == text:
                return None
            text = changed
    return text


def _with_synonyms(text: str, words: Mapping[str, Sequence[str]], before: str, share: float) -> str:
    longest_first = "|".join(sorted(words, key=len, reverse=True))
    return re.sub(rf"{before}({longest_first})\b", lambda found: found[1] + _chosen(words[found[2]], share), text)


def _wish(text: str, choice: Choice) -> str | None:
    before, be = _chosen(WISHES, choice.wish)
    whole = _state(text, be, OF_TWO_ARMS)
    states = [whole] if whole else [_state(command, be, STATES) for command in NEXT_COMMAND.split(text)]
    return None if None in states else f"{before} {' and '.join(filter(None, states))}".strip()


def _state(command: str, be: str, known: Mapping[str, str]) -> str | None:
    for pattern, state in known.items():
        if found := re.fullmatch(pattern, command):
            return state.format(be=be, **found.groupdict())
    return None


def _chosen(alternatives: Sequence[Alternative], share: float) -> Alternative:
    return alternatives[int(share * len(alternatives))]

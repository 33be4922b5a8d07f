"""A definition cut into its sections."""

from collections.abc import Mapping

from ambidex.envs.tasks.libero.expression import Group, Word, group, shown, word
from ambidex.envs.tasks.libero.vocabulary import REQUIRED_SECTIONS, SECTIONS, known


def sections(root: Group) -> Mapping[str, Group]:
    """Section name -> the whole section, from (define (problem NAME) (:domain ...) ...).

    Raises:
        DefinitionError: No definition, or a section that is unknown, missing or there twice.
    """
    define = root.head("define")
    if define.text != "define":
        raise define.at.error(f"got {shown(define.text)}, expected define: a definition begins with (define (problem.")
    found: dict[str, Group] = {}
    for item in root.tail:
        section = group(item, "a section such as (:objects ...)")
        name = section.head("the name of a section")
        known(name, "section", SECTIONS)
        if name.text in found:
            raise name.at.error(f"section {name.text} is there twice; the first is in line {found[name.text].at.line}.")
        found[name.text] = section
    return _complete(root, found)


def _complete(root: Group, found: dict[str, Group]) -> Mapping[str, Group]:
    missing = [name for name in REQUIRED_SECTIONS if name not in found]
    if missing:
        raise root.at.error(f"the definition has no {' and no '.join(f'({name} ...)' for name in missing)}.")
    return found


def only_word(section: Group, what: str) -> Word:
    """The one word of a section such as (:domain robosuite).

    Raises:
        DefinitionError: None, more, or a group.
    """
    if len(section.tail) != 1:
        raise section.at.error(f"got {len(section.tail)} values, expected one: {what}.")
    return word(section.tail[0], what)

"""The BDDL reader: accepted forms of LIBERO's grammar, and errors with line and column."""

import re
from pathlib import Path

import pytest
from definition_text import TEXT, changed, error

from ambidex.envs.tasks.libero.bddl.problem import Atom
from ambidex.envs.tasks.libero.bddl.reader import parse_problem, read_problem
from ambidex.errors import DefinitionError


def test_everything_in_a_definition_is_read() -> None:
    problem = parse_problem(TEXT, source="my.bddl", name="my_Task")
    assert (problem.name, problem.problem) == ("my_Task", "libero_kitchen_tabletop_manipulation")
    assert (problem.workspace, problem.language) == ("kitchen_table", "put the bowl in the drawer")
    assert list(problem.objects) == ["akita_black_bowl_1", "akita_black_bowl_2", "plate_1"]
    assert dict(problem.fixtures) == {"white_cabinet_1": "white_cabinet"}
    assert problem.obj_of_interest == ("akita_black_bowl_1", "white_cabinet_1")
    assert problem.init[1] == Atom("on", ("akita_black_bowl_2", "plate_1"))
    assert problem.goal[1] == Atom("close", ("white_cabinet_1_top_region",))
    assert len(list(problem.placements())) == 4
    region = problem.regions["kitchen_table_left_region"]
    assert (region.ranges, region.yaw) == (((-0.1, 0.0, 0.1, 0.2),), (0.0, pytest.approx(1.5707963267948966)))
    assert region.short_name == "left_region" and problem.regions["white_cabinet_1_top_side"].ranges == ()
    assert problem.owner("white_cabinet_1_top_region") == problem.owner("white_cabinet_1") == "white_cabinet_1"


@pytest.mark.parametrize(
    "text",
    [
        TEXT.upper(),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        TEXT.replace("\n", " "),
        TEXT.replace("  ", "\t"),
        TEXT.replace("\n", " ; a comment (with a parenthesis\n"),
        TEXT.replace(" ", "\n\n"),
        "; first line\n" + TEXT + "; last line",
        changed("((-0.1 0.0 0.1 0.2))", "(\n (-1e-1 +0. .1 0.2)\n )"),
        changed("((0.0 pi/2))", "(0 1.5707963267948966)"),
        changed("((0.0 pi/2))", "((0 np.pi/2))"),
        changed("((0.0 pi/2))", "((0 0.5*PI))"),
        changed("((0.0 pi/2))", "((-0.0 2*pi/4))"),
    ],
)
def test_case_space_comments_and_number_formats_do_not_matter(text: str) -> None:
    problem, plain = parse_problem(text), parse_problem(TEXT)
    for name in ("problem", "workspace", "language", "regions", "fixtures", "objects", "obj_of_interest"):
        assert getattr(problem, name) == getattr(plain, name)
    assert (problem.init, problem.goal) == (plain.init, plain.goal)


def test_sections_may_come_in_any_order_and_some_be_left_out() -> None:
    order = re.sub(r"\n  \(:domain robosuite\)\n  \(:language [^)]*\)", "", TEXT)
    order = order.replace("(define (problem LIBERO_Kitchen_Tabletop_Manipulation)", "(define")
    problem = parse_problem(order.rstrip()[:-1] + "(problem LIBERO_Kitchen_Tabletop_Manipulation))")
    assert problem.language == "" and problem.goal == parse_problem(TEXT).goal


def test_a_goal_may_be_one_atom_or_a_conjunction_of_conjunctions() -> None:
    goal = "(And (In akita_black_bowl_1 white_cabinet_1_top_region) (Close white_cabinet_1_top_region))"
    assert len(parse_problem(changed(goal, "(Up plate_1)")).goal) == 1
    assert len(parse_problem(changed(goal, f"(And {goal} (Up plate_1))")).goal) == 3


def test_two_regions_may_share_a_short_name_and_one_may_have_several_ranges() -> None:
    more = "(top_region (:target kitchen_table) (:ranges ((0 0 1 1) (1 1 2 2))) (:rgba (0 0 1 1)))\n    (top_side"
    problem = parse_problem(changed("(top_side", more))
    region = problem.regions["kitchen_table_top_region"]
    assert len(region.ranges) == 2 and region.rgba == (0, 0, 1, 1)
    assert "white_cabinet_1_top_region" in problem.regions


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "words"),
    [
        ("(:domain robosuite)", "(:domain robosuite", 1, 1, "never closed"),
        ("(Close white_cabinet_1_top_region))))", "(Close white_cabinet_1_top_region)))))", 20, 103, "never opened"),
        ("(define", "((define", 1, 1, "never closed"),
        ("(define", "(defined", 1, 2, "got 'defined', expected define"),
        ("(define", "words (define", 1, 1, "outside (define ...)"),
        ("(define", "() (define", 1, 4, "outside (define ...)"),
        ("(:domain", "robosuite (:domain", 2, 3, "got 'robosuite', expected a section"),
        ("(:domain", "() (:domain", 2, 3, "got (), expected the name of a section"),
        ("(:domain", "(:domian", 2, 4, "unknown section ':domian'. Did you mean ':domain'?"),
        ("(:domain", "(:objects) (:domain", 12, 4, "section :objects is given twice; the first is in line 2"),
        (":goal", ":language", 20, 4, ":language is given twice; the first is in line 3"),
        ("robosuite", "behavior", 2, 12, "unknown domain 'behavior'"),
        ("(:domain robosuite)", "(:domain)", 2, 3, "got 0 values, expected one"),
        ("Kitchen_Table", "Garden_Table", 1, 18, "Did you mean 'libero_tabletop_manipulation'?"),
        ("in the drawer", "in (the) drawer", 3, 30, "expected plain words"),
        ("(left_region", "(() left_region", 5, 6, "got a list in parentheses, expected the name of a region"),
        ("(left_region", "(left/region", 5, 6, "got 'left/region', expected a name of letters"),
        ("(:target kitchen_table)", "", 5, 6, "region left_region has no (:target NAME)"),
        (":ranges", ":range", 5, 43, "unknown attribute of a region ':range'. Did you mean ':ranges'?"),
        (":yaw_rotation", ":ranges", 5, 74, ":ranges is given twice in one region"),
        ("-0.1 0.0 0.1 0.2", "-0.1 0.0 0.1", 5, 52, "got 3 values, expected 4: a rectangle"),
        ("-0.1 0.0 0.1 0.2", "-0.1 0.0 0.1 0.2 0.3", 5, 52, "got 5 values, expected 4: a rectangle"),
        ("((-0.1 0.0 0.1 0.2))", "(-0.1 0.0 0.1 0.2)", 5, 52, "got '-0.1', expected a rectangle"),
        ("((-0.1 0.0 0.1 0.2))", "()", 5, 51, "got (), expected a rectangle"),
        ("((-0.1 0.0 0.1 0.2))", "", 5, 42, ":ranges has 0 values, expected one list"),
        ("0.0 0.1", "0.0.1 0.1", 5, 58, "got '0.0.1', expected a rectangle"),
        ("0.0 0.1", "nan 0.1", 5, 58, "got 'nan'"),
        ("0.0 0.1", "inf 0.1", 5, 58, "got 'inf'"),
        ("0.0 0.1", "1e999 0.1", 5, 58, "got '1e999'"),
        ("0.0 0.1", "1/0 0.1", 5, 58, "got '1/0'"),
        ("0.0 0.1", "1e308 0.1", 5, 58, "got '1e308', expected a rectangle (xmin ymin xmax ymax) [m], each from -10"),
        ("0.0 0.1", "-10.1 0.1", 5, 58, "each from -10 to 10"),
        ("0.0 pi/2", "0.0 1e308", 5, 94, "expected an interval (low high) [rad], each from -100 to 100"),
        ("0.0 pi/2", "-101 0", 5, 90, "each from -100 to 100"),
        ("0.0 0.1", "1_0 0.1", 5, 58, "got '1_0'"),
        ("0.0 0.1", "0x1 0.1", 5, 58, "got '0x1'"),
        ("0.0 0.1", "٣ 0.1", 5, 58, "got '٣'"),
        ("0.0 0.1", "__import__ 0.1", 5, 58, "got '__import__'"),
        ("0.0 0.1", "9**9**9 0.1", 5, 58, "got '9**9**9'"),
        ("-0.1 0.0 0.1", "0.3 0.0 0.1", 5, 42, "no minimum above its maximum"),
        ("0.0 pi/2", "2 pi/2", 5, 73, "low not above high"),
        ("(0.0 pi/2)", "(0.0 pi/2) (0 1)", 5, 88, "got 2 rows, expected one"),
        ("(top_side", "(top_region", 8, 6, "region top_region of white_cabinet_1 is given twice"),
        ("white_cabinet_1 - white_cabinet", "white_cabinet_1", 11, 14, "white_cabinet_1 has no category"),
        ("white_cabinet_1 - white_cabinet", "white_cabinet_1 -", 11, 30, "a dash must stand between"),
        ("white_cabinet_1 - white_cabinet", "- white_cabinet", 11, 14, "a dash must stand between"),
        ("- white_cabinet", "- white_cabnet", 11, 32, "unknown category 'white_cabnet'. Did you mean 'white_cabinet'?"),
        ("- white_cabinet", "- plate", 11, 32, "plate is an object; declare white_cabinet_1 in (:objects"),
        ("- plate", "- microwave", 12, 80, "microwave is a fixture; declare plate_1 in (:fixtures"),
        ("- kitchen_table", "- table", 10, 3, "must include `kitchen_table - kitchen_table`"),
        ("plate_1 - plate", "white_cabinet_1 - plate", 12, 70, "white_cabinet_1 is declared twice"),
        ("plate_1 - plate", "robot0_1 - plate", 12, 70, "reserved for the robot"),
        (
            "plate_1 - plate",
            "white_cabinet_1_top_side - plate",
            4,
            3,
            "the name of an object or fixture and the full name of a region",
        ),
        ("plate_1 - plate", "(plate_1) - plate", 12, 70, "got a list in parentheses, expected a name"),
        ("plate_1 - plate", "plate_1 plate_2 - plate", 12, 78, "plate_2 is not placed"),
        ("interest akita", "interest cup_1 akita", 13, 21, "unknown object of interest 'cup_1'"),
        ("(On akita_black_bowl_1", "(Onto akita_black_bowl_1", 15, 6, "unknown predicate 'onto'"),
        ("(On akita_black_bowl_1", "(On akita_black_bowl_1 plate_1", 15, 6, "on got 3 arguments, expected 2"),
        ("(On akita_black_bowl_1", "(On", 15, 6, "on got 1 arguments, expected 2"),
        ("(On akita_black_bowl_1", "On (akita_black_bowl_1", 15, 5, "got 'on', expected an atom"),
        ("(On akita_black_bowl_1", "(On akita_black_bowl_3", 15, 9, "Did you mean 'akita_black_bowl_2'?"),
        ("(On akita_black_bowl_1", "(On kitchen_table", 15, 9, "unknown object or fixture 'kitchen_table'"),
        ("_1 kitchen_table_left_region", "_1 kitchen_table_lift_region", 15, 28, "'kitchen_table_left_region'?"),
        ("_1 kitchen_table_left_region", "_1 kitchen_table", 15, 28, "is the whole workspace"),
        (
            "_1 kitchen_table_left_region",
            "_1 bowl_drainer_1_right_region",
            15,
            28,
            "bowl_drainer_1, which is not declared",
        ),
        ("(:ranges ((-0.1 0.0 0.1 0.2)))", "", 15, 28, "no (:ranges ...)"),
        ("(top_region", "(upper_region", 19, 11, "unknown region, object or fixture 'white_cabinet_1_top_region'"),
        ("bowl_2 plate_1", "bowl_2 akita_black_bowl_2", 16, 28, "which is itself"),
        ("bowl_2 plate_1", "bowl_1 plate_1", 16, 5, "akita_black_bowl_1 is placed twice"),
        (
            "(On plate_1 kitchen_table_left_region)",
            "(On plate_1 akita_black_bowl_2)",
            12,
            32,
            "placed on each other in a circle",
        ),
        (
            "cabinet_1 kitchen_table_back_region",
            "cabinet_1 plate_1",
            18,
            5,
            "must be placed on a region of kitchen_table",
        ),
        (
            "(Open white_cabinet_1_top_region)",
            "(Open plate_1)",
            19,
            11,
            "plate_1 (plate) cannot open or close; these can:",
        ),
        ("(Open white_cabinet_1_top_region)", "(Open white_cabinet_1_top_side)", 19, 11, "that does not move"),
        ("(Open white_cabinet_1_top_region)", "(TurnOn white_cabinet_1)", 19, 13, "cannot be turned on or off"),
        ("(Open white_cabinet_1_top_region)", "(Up plate_1)", 19, 5, "up is allowed in :goal only"),
        ("(And (In", "(Or (In", 20, 11, "or is not supported; a goal is (And ...) of atoms"),
        ("(Close white_cabinet_1_top_region)", "(Up plate_1) (UP plate_1)", 20, 79, "up(plate_1) is in the goal twice"),
        ("in the drawer", "in the \x00drawer", 3, 34, "control character U+0000"),
        ("in the drawer", "in the drawer ; \x7f\n", 3, 43, "control character U+007F"),
        ("(And (In", "(And (Not (In", 1, 1, "never closed"),
        ("(In akita_black_bowl_1", "(In white_cabinet_1", 20, 19, "white_cabinet_1 is a fixture"),
        ("(Close white_cabinet_1_top_region)", "(In plate_1 akita_black_bowl_1)", 20, 78, "nothing can be in"),
        ("(Close white_cabinet_1_top_region)", "(In plate_1 kitchen_table_left_region)", 20, 78, "nothing can be in"),
    ],
)
def test_errors_give_line_and_column(old: str, new: str, line: int, column: int, words: str) -> None:
    found = error(changed(old, new))
    assert words in str(found)
    assert found.facts == {"path": "my.bddl", "line": line, "column": column}
    assert str(found).startswith(f"my.bddl, line {line}, column {column}: ")


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        ("(:goal)", "got 0 goals"),
        ("(:goal (And))", "the goal is empty"),
        ("(:goal (Up plate_1) (Up plate_1))", "got 2 goals"),
    ],
)
def test_an_invalid_goal_is_refused(goal: str, words: str) -> None:
    assert words in str(error(re.sub(r"\(:goal .*\)\n", goal + ")\n", TEXT)))


@pytest.mark.parametrize("section", ["problem", "regions", "fixtures", "objects", "init", "goal"])
def test_a_missing_section_is_refused(section: str) -> None:
    name = section if section == "problem" else f":{section}"
    text = TEXT.replace(f"({name} ", "(:domain ", 1).replace(f"({name}\n", "(:domain\n", 1)
    assert f"no ({name} ...)" in str(error(text.replace("(:domain robosuite)", "")))


def test_a_file_is_read_as_its_text(tmp_path: Path) -> None:
    path = tmp_path / "put_the_bowl_in_the_drawer.bddl"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    problem = read_problem(path)
    assert (problem.name, problem.source) == (path.stem, str(path))
    assert problem.sha256 == parse_problem(TEXT).sha256
    assert problem.sha256 != parse_problem(TEXT + "\n").sha256


def test_files_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.bddl").write_bytes(b"(define\n (problem \xff\xfe))")
    with pytest.raises(DefinitionError, match=r"a\.bddl, line 2, column 11: byte 0xff is not UTF-8 text"):
        read_problem(tmp_path / "a.bddl")
    for path in (tmp_path, tmp_path / "missing.bddl", Path("/dev/zero"), Path("../../nothing.bddl")):
        with pytest.raises(DefinitionError) as caught:
            read_problem(path)
        assert caught.value.facts["path"] == path


def test_too_many_instances_or_atoms_are_refused() -> None:
    many = " ".join(f"plate_{i}" for i in range(100))
    assert "more than 64 instances" in str(error(changed("plate_1 - plate", f"{many} - plate")))
    atoms = "(Up plate_1)" * 300
    assert "at most 256" in str(error(changed("(And ", f"(And {atoms}")))


def test_any_characters_are_read_or_refused() -> None:
    for character in "\ud800\u2028İ\U0001f600'\"\\|{}[]#":
        assert parse_problem(changed("in the drawer", f"in {character} the drawer"))
        error(changed("(:init", f"(:in{character}it"))

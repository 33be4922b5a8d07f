from ambidex.text import first_few, pluralize, printable, text_table


def test_a_list_is_cut_after_three():
    assert first_few(["a", "b", "c"]) == "a; b; c"
    assert first_few(list("abcde")) == "a; b; c and 2 more"
    assert first_few(list("abc"), limit=1, separator=", ") == "a and 2 more"


def test_a_noun_is_in_the_plural_unless_there_is_one():
    assert [pluralize(number, "episode") for number in (0, 1, 2)] == ["0 episodes", "1 episode", "2 episodes"]


def test_columns_are_as_wide_as_their_widest_entry():
    assert text_table(["a", "bb"], [["xxx", "y"]]) == "a    bb\n---  --\nxxx  y"


def test_control_characters_are_shown_as_text():
    assert printable("a\x1b[31mb\x00\u202e\udcff\n\tü") == "a\\x1b[31mb\\x00\\u202e\\udcff\n\tü"

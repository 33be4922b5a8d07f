"""Letters of policies: common exactly where no difference is shown."""

from itertools import combinations

import numpy as np

from ambidex.benchmarks.statistics.letters import compact_letters


def test_policies_have_a_common_letter_exactly_if_they_are_not_shown_to_differ():
    rng = np.random.default_rng(0)
    for count in (2, 5, 9):
        pairs = list(combinations(range(count), 2))
        for share in (0.0, 0.2, 0.5, 0.8, 1.0):
            different = {pair for pair in pairs if rng.uniform() < share}
            letters = compact_letters(count, different)
            assert {pair for pair in pairs if not set(letters[pair[0]]) & set(letters[pair[1]])} == different
            assert all(letters) and letters[0].startswith("a")


def test_letters_of_an_example():
    """Of four treatments the first differs from the last two, and the second from the last."""
    assert compact_letters(4, [(0, 2), (0, 3), (1, 3)]) == ["a", "ab", "bc", "c"]
    assert compact_letters(3, []) == ["a", "a", "a"]


def test_there_are_names_beyond_the_alphabet():
    letters = compact_letters(54, list(combinations(range(54), 2)))
    assert len(set(letters)) == 54 and letters[51:] == ["Z", "[53]", "[54]"]

import pytest

from ambidex.errors import CheckpointError
from ambidex.policies.uniact.extractor.tokenizers import FIRST_MERGED, SPECIALS, ByteTokenizer

TEXTS = ("pick up the cube", "pick up the bowl and put it on the plate", "put the bowl on the stove")
ODD = ("", "  ", "pick up the cube ", "Öffne die Schublade!", "抓住立方体", "the\nthe\tthe", "<pad> <end>", "\x00")


@pytest.fixture(scope="module")
def tokenizer():
    return ByteTokenizer.learned(TEXTS, 300)


@pytest.mark.parametrize("text", (*TEXTS, *ODD))
def test_any_text_comes_back(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_it_learns_what_it_is_shown(tokenizer):
    assert len(tokenizer.encode(TEXTS[0])) < len(TEXTS[0])
    assert len(tokenizer.encode("qzj")) == 3
    assert all(id_ < 300 for text in (*TEXTS, *ODD) for id_ in tokenizer.encode(text))


def test_text_is_never_a_special_token(tokenizer):
    assert all(id_ >= len(SPECIALS) for name in SPECIALS for id_ in tokenizer.encode(name))
    assert [tokenizer.special(name) for name in SPECIALS] == [0, 1, 2]


def test_the_most_frequent_pair_is_merged_first_and_ties_are_settled():
    byte = {letter: len(SPECIALS) + ord(letter) for letter in "abcd"}
    one = ByteTokenizer.learned(["abab cdcd"], FIRST_MERGED + 1)
    assert one.encode("ab") == [FIRST_MERGED] and one.encode("cd") == [byte["c"], byte["d"]]
    assert ByteTokenizer.learned(reversed(TEXTS), 300).to_json() == ByteTokenizer.learned(TEXTS, 300).to_json()


def test_what_occurs_once_gets_no_id():
    assert ByteTokenizer.learned(["abc"], 1000).size == FIRST_MERGED


def test_it_survives_a_file(tokenizer):
    again = ByteTokenizer.from_json(tokenizer.to_json())
    assert again.to_json() == tokenizer.to_json() and again.encode(TEXTS[1]) == tokenizer.encode(TEXTS[1])


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "another", "merges": []}'])
def test_another_file_is_refused(text):
    with pytest.raises(CheckpointError, match=r"tokenizer\.json cannot be read"):
        ByteTokenizer.from_json(text)

import pytest
from extractor_checks import decoded

from ambidex.errors import CheckpointError
from ambidex.policies.vision_language.tokenizers import FIRST_MERGED, SPECIALS, ByteTokenizer, PublishedTokenizer

TEXTS = ("pick up the cube", "pick up the bowl and put it on the plate", "put the bowl on the stove")
ODD = ("", "  ", "pick up the cube ", "Öffne die Schublade!", "抓住立方体", "the\nthe\tthe", "<pad> <end>", "\x00")


@pytest.fixture(scope="module")
def tokenizer():
    return ByteTokenizer.train(TEXTS, 300)


@pytest.mark.parametrize("text", (*TEXTS, *ODD))
def test_any_text_can_be_decoded_again(tokenizer, text):
    assert decoded(tokenizer, tokenizer.encode(text)) == text


def test_trained_texts_need_fewer_ids(tokenizer):
    assert len(tokenizer.encode(TEXTS[0])) < len(TEXTS[0])
    assert len(tokenizer.encode("qzj")) == 3
    assert all(id_ < 300 for text in (*TEXTS, *ODD) for id_ in tokenizer.encode(text))


def test_special_tokens_are_not_recognised_in_texts(tokenizer):
    assert all(id_ >= len(SPECIALS) for name in SPECIALS for id_ in tokenizer.encode(name))
    assert [tokenizer.special(name) for name in SPECIALS] == [0, 1, 2]


def test_the_most_frequent_pair_is_merged_first_whatever_the_order_of_texts():
    byte = {letter: len(SPECIALS) + ord(letter) for letter in "abcd"}
    one = ByteTokenizer.train(["abab cdcd"], FIRST_MERGED + 1)
    assert one.encode("ab") == [FIRST_MERGED] and one.encode("cd") == [byte["c"], byte["d"]]
    assert ByteTokenizer.train(reversed(TEXTS), 300).to_json() == ByteTokenizer.train(TEXTS, 300).to_json()


def test_a_pair_that_occurs_once_is_not_merged():
    assert ByteTokenizer.train(["abc"], 1000).to_json() == ByteTokenizer([]).to_json()


def test_a_tokenizer_can_be_written_and_read(tokenizer):
    again = ByteTokenizer.from_json(tokenizer.to_json())
    assert again.to_json() == tokenizer.to_json() and again.encode(TEXTS[1]) == tokenizer.encode(TEXTS[1])


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "another", "merges": []}'])
def test_other_texts_are_refused(text):
    with pytest.raises(CheckpointError, match=r"tokenizer\.json cannot be read"):
        ByteTokenizer.from_json(text)


def test_added_tokens_of_a_published_tokenizer_are_no_action_words():
    library = pytest.importorskip("tokenizers", reason="pip install -e '.[robovlms]'")
    published = library.Tokenizer(library.models.WordLevel({name: i for i, name in enumerate("abcdef")}, "a"))
    published.add_tokens(["extra"])
    published.add_special_tokens(["<end>"])
    found = PublishedTokenizer(published.to_str())
    assert found.size == 8
    assert found.last_ids(3, 100) == [3, 4, 5] and found.last_ids(3, 5) == [2, 3, 4]
    assert found.last_ids(9, 100) == [0, 1, 2, 3, 4, 5]

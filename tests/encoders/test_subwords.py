"""Byte pair encoding: joins by frequency, and texts that come back whole."""

from trisynth.encoders.subwords import SubWords


def test_frequent_pairs_are_joined_and_words_come_back():
    words = {" low": 5, " lower": 2, " newest": 6, " widest": 3, "é": 1}
    found = SubWords.learn(words, 16)
    assert "es" in found.parts and "est" in found.parts
    assert len(found.parts) == 16 and set("".join(words)) <= set(found.parts)
    codes = found.encode(words)
    assert [found.decode(code) for code in codes] == list(words)
    assert [len(code) for code in codes][-1] == 1 and len(codes[2]) < len(" newest")
    # Characters that no training word has are left out.
    assert found.decode(found.encode(["lXow"])[0]) == "low"


def test_all_characters_stay_and_nothing_is_joined_that_occurs_once():
    assert SubWords.learn({"abc": 1}, 1).parts == ("a", "b", "c")
    assert SubWords.learn({"abc": 1}, 50).parts == ("a", "b", "c")
    assert SubWords.learn({}, 50).parts == ()
    assert SubWords.learn({"abab": 3, "ab": 1}, 50) == SubWords.learn({"ab": 1, "abab": 3}, 50)

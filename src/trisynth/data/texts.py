"""Cells that are texts to be modelled, such as notes and messages: large strings of Arrow under pandas.

The dtype marks such a column: categories and free text that is left out have other dtypes in a ``Dataset``.
"""

import functools
import itertools
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from trisynth.errors import InputError


def _ranges(category: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of characters of a Unicode category."""
    held = [unicodedata.category(chr(code)).startswith(category) for code in range(0x20000)]
    edges = np.flatnonzero(np.diff([False, *held, False]))
    yield from zip(edges[::2], edges[1::2] - 1, strict=True)


DTYPE = pd.ArrowDtype(pa.large_string())
# Stands for a word of few rows, which must not leave; it is removed from cells of a file.
HIDDEN = "\ufffd"
# Characters of scripts that write no blanks, from Thai to Khmer, and of Chinese and Japanese: each is a word.
_SINGLE = "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e80-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u1000-\u102a\u1780-\u17b3"
_SINGLE += "\u3005-\u3007\u3041-\u3096\u309d-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_SINGLE += "\U00020000-\U0003ffff"
# Numbers of several tokens, such as dates, telephone numbers and amounts.
_NUMBER = re.compile(r"(?<!\w)\w+(?<=\d)(?:[ .\-/:]{1,3}\d+)+\w*")

# Half of a character of UTF-16.
_HALF = re.compile("[\ud800-\udfff]")
_FEATURES = ("words", "word length", "distinct words", "other characters")


@functools.cache
def _token() -> re.Pattern:
    """Return the pattern of a word, or another visible character, with the blank before it; or other white space.

    Joined, tokens are the text. It is built at the first use, for its building takes a tenth of a second.
    """
    # Combining marks belong to the letter before them; regular expressions do not count them among the letters.
    marks = "".join(f"{chr(first)}-{chr(last)}" for first, last in _ranges("M"))
    letter = f"(?:[^\\W{_SINGLE}]|[{marks}])"
    return re.compile(rf" ?(?:[{_SINGLE}][{marks}]*|{letter}+(?:['’]{letter}+)*)| ?[^\w\s]|\s+")


def is_text(dtype: object) -> bool:
    """Return whether a dtype is that of texts to be modelled."""
    return isinstance(dtype, pd.ArrowDtype) and pa.types.is_large_string(dtype.pyarrow_dtype)


def column(cells: Iterable[str], name: Hashable = None, index: pd.Index | None = None) -> pd.Series:
    """Build a column of texts, shape (n,).

    Raises
    ------
    InputError
        If a text holds half of a character, which no file can.
    """
    cells = list(cells)
    try:
        array = pa.array(cells, pa.large_string())
    except UnicodeEncodeError:
        raise half_of_character(cells, name) from None
    return pd.Series(pd.arrays.ArrowExtensionArray(array), name=name, index=index, dtype=DTYPE)


def half_of_character(cells: Iterable[object], name: Hashable) -> InputError | None:
    """Return the error that names the first text with half of a character; None without one."""
    for row, cell in enumerate(cells):
        if isinstance(cell, str) and (found := _HALF.search(cell)):
            half = f"U+{ord(found[0]):04X}"
            return InputError("X", name, f"the text of row {row} holds {half}, half of a character; remove it")
    return None


def values(cells: pd.Series) -> list[str]:
    """Return the texts of a column; a missing cell is an empty text."""
    found = cells.array.__arrow_array__() if isinstance(cells.dtype, pd.ArrowDtype) else cells.astype(object)
    listed = found.to_pylist() if hasattr(found, "to_pylist") else list(found.where(found.notna(), ""))
    return ["" if text is None else str(text) for text in listed]


def tokens(text: str) -> list[str]:
    """Split a text into words, punctuation marks and white space; joined, they are the text again."""
    return _token().findall(text)


def joins(token: str) -> tuple[bool, bool]:
    """Return whether a token is read as one with a letter before it, and with a letter after it."""
    word = token.strip()
    return bool(word) and len(tokens(f"a{token}")) == 1, bool(word) and len(tokens(f"{word}a")) == 1


def composed(text: str) -> str:
    """Write a text with composed letters and one kind of line end, without white space around it."""
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").strip()


def cut(text: str, most: int) -> str:
    """Return the first tokens of a text that are together no longer than ``most`` characters."""
    if len(text) <= most:
        return text
    ends = np.cumsum([len(token) for token in tokens(text[: most + 1])])
    return text[: ends[ends <= most].max(initial=0)].rstrip() or text[:most]


def words(text: str) -> list[str]:
    """Return the words of a text without marks and white space."""
    return [token.strip() for token in tokens(text) if token.strip()[:1].isalnum()]


def numbers(text: str) -> list[str]:
    """Return the numbers of a text that are of several tokens; digits that a blank or a mark joins are one number."""
    return _NUMBER.findall(text)


def without_numbers(text: str, known: Collection[str]) -> str:
    """Replace each number of several tokens that is not among the known ones by a placeholder."""
    return _NUMBER.sub(lambda found: found[0] if found[0] in known else HIDDEN, text)


def rows_of_words(cells: Iterable[str]) -> Counter[str]:
    """Count the texts that each word occurs in; blanks around it do not count."""
    return owners_of(([token.strip() for token in tokens(text)] for text in cells), itertools.count())


def owners_of(cells: Iterable[Iterable[str]], owners: Iterable[int]) -> Counter[str]:
    """Count the owners, such as rows or persons, of each of the words that their cells hold."""
    found: dict[str, set[int]] = defaultdict(set)
    for cell, owner in zip(cells, owners, strict=False):
        for word in cell:
            found[word].add(owner)
    return Counter({word: len(held) for word, held in found.items()})


def features(cells: Iterable[str]) -> np.ndarray:
    """Compute interpretable numbers of texts, shape (n, 4).

    They are the number of words and marks, the mean length of a word, the fraction of words and marks that are
    distinct, and the fraction of characters that are neither letters nor blanks.
    """
    found = []
    for text in cells:
        words = [token.strip() for token in tokens(text) if not token.isspace()]
        letters = [len(word) for word in words if word[0].isalnum()]
        other = sum(not (character.isalpha() or character.isspace()) for character in text)
        found.append(
            (
                len(words),
                sum(letters) / max(len(letters), 1),
                len(set(words)) / max(len(words), 1),
                other / max(len(text), 1),
            )
        )
    return np.array(found, dtype=float).reshape(-1, len(_FEATURES))


def names(name: Hashable) -> list[str]:
    """Name the features of a column of texts, such as ``note[words]``."""
    return [f"{name}[{feature}]" for feature in _FEATURES]


def spread(X: pd.DataFrame) -> pd.DataFrame:
    """Replace each column of texts by its ``features``; other columns stay as they are."""
    if not any(map(is_text, X.dtypes)):
        return X
    parts = []
    for name in X:
        if is_text(X[name].dtype):
            parts.append(pd.DataFrame(features(values(X[name])), columns=names(name), index=X.index))
        else:
            parts.append(X[[name]])
    return pd.concat(parts, axis=1)

"""Texts that are declared to be modelled."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from pandas.api import types

from trisynth.data import texts
from trisynth.data.dataset import Column
from trisynth.data.kinds.base import Kind
from trisynth.errors import InputError

# Most characters of a text where nothing is declared.
LONGEST = 5_000


@dataclass(frozen=True)
class Text(Kind):
    """A text in each row, whose rare words are hidden from generators.

    Parameters
    ----------
    words : tuple of str or None
        Words, and numbers of several words, of at least ``rare`` training rows, which may leave; None where all may.
    longest : int
        Characters of the longest training text.
    rare : int
        Rows that a word, and a run of words, must occur in, 0 where all may leave.
    cut : int
        Training texts that were longer than allowed.
    empty : int
        Training texts whose words are all hidden.
    """

    words: tuple[str, ...] | None = None
    longest: int = 0
    rare: int = 0
    cut: int = 0
    empty: int = 0

    kind: ClassVar[str] = "text"
    flat: ClassVar[bool] = False

    @classmethod
    def takes(cls, values: pd.Series) -> bool:
        """Take large strings of Arrow; texts of other dtypes are categories unless they are declared."""
        return texts.is_text(values.dtype)

    @classmethod
    def learn(cls, values: pd.Series, facts: Column, rare: int = 0, persons: np.ndarray | None = None) -> "Text":
        """Learn which words occur in at least ``rare`` rows, or texts of so many ``persons``.

        Cells without a text are empty texts.
        """
        check_texts(values, f"facts.{values.name}.kind")
        limit, cells = facts.max_length or LONGEST, list(map(texts.composed, texts.values(values)))
        cut, cells = sum(len(text) > limit for text in cells), [text[:limit] for text in cells]
        words, empty = None, 0
        if rare > 1:
            owners = range(len(cells)) if persons is None else persons.tolist()
            rows = texts.owners_of((texts.numbers(text) for text in cells), owners)
            known = {number for number, n in rows.items() if n >= rare}
            # Parts of a hidden number do not count as words.
            shown = [[token.strip() for token in texts.tokens(texts.without_numbers(text, known))] for text in cells]
            counts = texts.owners_of(shown, owners)
            known |= {word for word, n in counts.items() if n >= rare}
            words, written = tuple(sorted(known)), {word for word in known if word[:1].isalnum()}
            gone = (text for text, tokens in zip(cells, shown, strict=True) if written.isdisjoint(tokens))
            empty = sum(bool(texts.words(text)) for text in gone)
        longest = max(map(len, cells), default=0)
        return cls(values.name, values.dtype, facts, words, longest, rare if rare > 1 else 0, cut, empty)

    def canonical(self, values: pd.Series) -> pd.Series:
        """Return the texts, none longer than allowed, with a mark in the place of each hidden word."""
        limit = self.facts.max_length or LONGEST
        cells = [texts.composed(text)[:limit] for text in texts.values(values)]
        if self.words is not None:
            known = {*self.words, ""}
            cells = [texts.tokens(texts.without_numbers(text, known)) for text in cells]
            cells = ["".join(map(lambda token: _shown(token, known), tokens)) for tokens in cells]
        return texts.column(cells, values.name, values.index)

    def restore(self, values: pd.Series) -> pd.Series:
        """Return texts without marks of hidden words, none longer than the longest training text."""
        cells = texts.values(values)
        cells = [text.replace(f" {texts.HIDDEN}", "").replace(texts.HIDDEN, "") for text in cells]
        cells = [texts.cut(text.strip(), self.longest) for text in cells]
        column = texts.column(cells, values.name, values.index)
        return column if texts.is_text(self.dtype) else column.astype(object).astype(self.dtype)

    @property
    def line(self) -> str:
        """One sentence about what may leave."""
        known = [word for word in self.words or () if word and word != texts.HIDDEN]
        kept = "" if self.words is None else f"; words of few rows are left out, {len(known):,} are kept"
        if self.empty:
            only = f"only words and numbers of fewer than {self.rare} rows and"
            what = f"text holds {only} counts" if self.empty == 1 else f"texts hold {only} count"
            drawn = "" if any(word[:1].isalnum() for word in known) else ": no word is drawn"
            kept += f"; {self.empty:,} {what} as empty{drawn} (rare=0 keeps all)"
        if self.cut:
            length = f"of more than {self.facts.max_length or LONGEST:,} characters"
            kept += f"; 1 text {length} is cut" if self.cut == 1 else f"; {self.cut:,} texts {length} are cut"
        return f"{self.name}: texts are modelled, as declared, and parts of real ones may come back{kept}"


def check_texts(values: pd.Series, parameter: str) -> None:
    """Refuse a column, declared to hold texts by ``parameter``, that holds other cells."""
    if texts.is_text(values.dtype) or types.infer_dtype(values, skipna=True) in ("string", "empty"):
        return
    held = str(values.dtype)
    if types.is_object_dtype(values.dtype):
        held = " and ".join(sorted({type(cell).__name__ for cell in values.dropna()}))
    raise InputError(parameter, Text.kind, f"the column holds {held}; convert it to texts, or declare another kind")


def _shown(token: str, known: set[str]) -> str:
    word = token.strip()
    return token if word in known else token.replace(word, texts.HIDDEN)

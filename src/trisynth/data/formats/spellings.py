"""Spellings beside the format: of missing cells, of frequent numbers, and in the second of two formats."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pandas.api import types

from trisynth.data.cells import is_number, key
from trisynth.data.dataset import Column
from trisynth.data.formats import OR, format_of

# A text of fewer rows may be that of one person.
LEAST = 5
# Fraction of the rows from which a number keeps its own spelling.
_FREQUENT = 0.01


@dataclass(frozen=True)
class Spellings:
    """Spellings of the cells of one column, beside their format.

    Parameters
    ----------
    missing : mapping of str to float
        Texts of missing cells and their fractions; also words among numbers, such as >90 or unknown.
    special : mapping of number to str
        Frequent numbers that the file does not write in the format, such as a bare -9 among 81.2 kg.
    second : float
        Fraction of the cells that are written in the second of two formats.
    """

    missing: Mapping[str, float] = field(default_factory=lambda: {"": 1.0})
    special: Mapping[float, str] = field(default_factory=dict)
    second: float = 0.0

    @classmethod
    def learn(cls, cells: pd.Series, facts: Column, tokens: Collection[str], category: bool) -> "Spellings":
        """Learn from the texts of a column, some missing; ``tokens`` are texts that stand for a missing cell."""
        counts = cells.value_counts()
        counts.index = counts.index.astype(str).str.strip()
        counts = counts.groupby(level=0).sum()
        known = {key(token) for token in tokens} | {"", "nan"}
        codes = {float(token) for token in known if token != "nan" and is_number(token)}
        longest = max(map(len, known)) + 2
        gone = [
            len(text) <= longest and (key(text) in known or bool(codes and is_number(text) and float(text) in codes))
            for text in counts.index
        ]
        absent = {text: int(n) for text, n in counts[gone].items()}
        absent[""] = absent.get("", 0) + int(cells.isna().sum())
        if category or facts.kind not in ("number", "date", "duration"):
            return cls(_fractions(absent))
        read = {text.strip() for text in vars(facts)["values"] or ()}
        counts = counts[[text not in absent and text not in read for text in counts.index]]
        texts = counts.index.tolist()
        values = format_of(facts.kind, facts.format).parse(texts)
        for text, n, gone in zip(texts, counts, values.isna(), strict=True):
            if gone:
                kept = text if n >= LEAST else ""
                absent[kept] = absent.get(kept, 0) + int(n)
        parsed = values.notna().to_numpy()
        special = _special(texts, counts, values, facts, len(cells)) if facts.kind == "number" else {}
        return cls(_fractions(absent), special, _second(texts, counts.to_numpy(), parsed, facts))

    def write(self, texts: pd.Series, cells: pd.Series, facts: Column, rng: np.random.Generator) -> pd.Series:
        """Replace the texts of missing cells, of frequent numbers, and some by those of the second format."""
        if self.second:
            _, _, second = facts.format.partition(OR)
            other = format_of(facts.kind, second).print(cells)
            texts = texts.mask(rng.random(len(texts)) < self.second, other)
        if self.special and len(cells):
            own = cells.map(self.special)
            texts = own.astype(object).where(own.notna(), texts)
        gone = np.flatnonzero(texts.isna())
        if not len(gone):
            return texts
        words, weights = list(self.missing), np.array(list(self.missing.values()))
        texts = texts.astype(object).copy()
        texts.iloc[gone] = words[0] if len(words) == 1 else rng.choice(np.array(words, object), len(gone), p=weights)
        return texts


def _fractions(absent: Mapping[str, int]) -> dict[str, float]:
    total = sum(absent.values())
    return {text: n / total for text, n in sorted(absent.items()) if n} if total else {"": 1.0}


def _special(texts: list[str], counts: pd.Series, values: pd.Series, facts: Column, rows: int) -> dict[float, str]:
    if facts.format is None or not types.is_numeric_dtype(values.dtype):
        return {}
    least = max(LEAST, _FREQUENT * rows)
    often = np.flatnonzero((counts >= least).to_numpy() & values.notna().to_numpy())
    printed = format_of("number", facts.format).print(values.iloc[often])
    # A number that is most often written in the format, keeps it.
    most = dict(zip(texts, counts, strict=True))
    return {
        float(values.iloc[i]): texts[i]
        for i, plain in zip(often, printed, strict=True)
        if plain != texts[i] and most.get(plain, 0) < counts.iloc[i]
    }


def _second(texts: list[str], counts: np.ndarray, parsed: np.ndarray, facts: Column) -> float:
    first, _, second = (facts.format or "").partition(OR)
    if not second or not parsed.any():
        return 0.0
    read = format_of(facts.kind, first).parse(texts).notna().to_numpy()
    if facts.kind == "number":
        # A number without its unit is read by the first format, too.
        printed = format_of("number", second)
        read &= (printed.print(format_of("number", facts.format).parse(texts)) != pd.Series(texts)).to_numpy()
    return float(counts[parsed & ~read].sum() / counts[parsed].sum())

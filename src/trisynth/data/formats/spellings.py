"""Spellings beside the format: of missing cells, of frequent numbers, and in the second of two formats."""

import re
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
_SAMPLE = 2_000
# Most significant digits that were rounded to.
_ROUNDED = 6


@dataclass(frozen=True)
class Spellings:
    """Spellings of the cells of one column, beside their format.

    Parameters
    ----------
    missing : mapping of str to float
        Texts of missing cells and their fractions; also words among numbers, such as >90 or unknown.
    special : mapping of number to str
        Frequent numbers that the file does not write in the format, such as a bare -9 among 81.2 kg.
    others : tuple of float
        Fraction of the cells that are written in each further format.
    significant : int, default=0
        Significant digits of numbers whose decimals depend on their size; 0 where they do not.
    padding : tuple of (str, str, int), default=("", "", 0)
        Blanks before and after every cell, and the width that cells are filled up to; negative on the right.
    positional : tuple of float, optional
        Magnitudes between which numbers are written without a power of ten, if the second format has one.
    """

    missing: Mapping[str, float] = field(default_factory=lambda: {"": 1.0})
    special: Mapping[float, str] = field(default_factory=dict)
    others: tuple[float, ...] = ()
    positional: tuple[float, float] | None = None
    significant: int = 0
    padding: tuple[str, str, int] = ("", "", 0)

    @classmethod
    def learn(cls, cells: pd.Series, facts: Column, tokens: Collection[str], category: bool) -> "Spellings":
        """Learn from the texts of a column, some missing; ``tokens`` are texts that stand for a missing cell."""
        counts = cells.value_counts()
        quantity = not category and facts.kind in ("number", "date", "duration")
        padding = _padding(counts.index.astype(str)) if quantity else ("", "", 0)
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
        if not quantity:
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
        powers = _of_powers(facts)
        how = {"padding": padding, "positional": _positional(texts, values) if powers else None}
        if facts.kind == "number" and (powers or facts.format is None):
            how["significant"] = _significant(texts)
        others = () if powers else _others(texts, counts.to_numpy(), parsed, facts)
        return cls(_fractions(absent), special, others, **how)

    def write(self, texts: pd.Series, cells: pd.Series, facts: Column, rng: np.random.Generator) -> pd.Series:
        """Replace the texts of missing cells, of frequent numbers, and some by those of the second format."""
        further = (facts.format or "").split(OR)[1:]
        if self.significant:
            # The shortest number that rounds to it, as 0.00012 is.
            cells = cells.map(lambda value: float(f"{value:.{self.significant - 1}e}"), na_action="ignore")
            texts = format_of("number", facts.format).print(cells)
        if self.positional:
            low, high = self.positional
            sizes = np.abs(cells.to_numpy(float, na_value=0.0))
            small_or_large = (sizes > 0) & ((sizes < low) | (sizes >= high))
            texts = texts.mask(small_or_large, format_of("number", further[0]).print(cells))
        elif any(self.others):
            drawn, begin = rng.random(len(texts)), 0.0
            for form, share in zip(further, self.others, strict=True):
                chosen = (drawn >= begin) & (drawn < begin + share)
                texts = texts.mask(chosen, format_of(facts.kind, form).print(cells)) if share else texts
                begin += share
        if self.special and len(cells):
            own = cells.map(self.special)
            texts = own.astype(object).where(own.notna(), texts)
        gone = np.flatnonzero(texts.isna())
        if not len(gone):
            return self._padded(texts)
        words, weights = list(self.missing), np.array(list(self.missing.values()))
        texts = texts.astype(object).copy()
        texts.iloc[gone] = words[0] if len(words) == 1 else rng.choice(np.array(words, object), len(gone), p=weights)
        return self._padded(texts)

    def _padded(self, texts: pd.Series) -> pd.Series:
        """Put blanks around cells that are not empty."""
        before, after, width = self.padding
        if width:
            return texts.where(texts == "", texts.str.rjust(width) if width > 0 else texts.str.ljust(-width))
        return texts.where(texts == "", before + texts + after) if before + after else texts


def _padding(texts: pd.Index) -> tuple[str, str, int]:
    """Return the blanks around all texts."""
    texts = [text for text in texts[:_SAMPLE] if text.strip()]
    around = {(text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]) for text in texts}
    if around <= {("", "")}:
        return "", "", 0
    if len(around) == 1:
        return *around.pop(), 0
    widths = set(map(len, texts))
    if len(widths) == 1 and not any(after for _, after in around):
        return "", "", widths.pop()
    if len(widths) == 1 and not any(before for before, _ in around):
        return "", "", -widths.pop()
    return "", "", 0


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


def _of_powers(facts: Column) -> bool:
    """Return whether plain numbers are written with a power of ten where they are small or large."""
    if facts.kind != "number" or OR not in (facts.format or ""):
        return False
    forms = [format_of("number", text) for text in facts.format.split(OR)]
    return len(forms) == 2 and bool(getattr(forms[1], "exponent", "")) and not getattr(forms[0], "exponent", "")


def _positional(texts: list[str], values: pd.Series) -> tuple[float, float]:
    """Return the magnitudes from which and below which numbers have no power of ten."""
    power = np.array(["e" in text.casefold() for text in texts], bool)
    sizes = np.abs(values.to_numpy(float, na_value=np.nan))
    small, large = sizes[power & (sizes < 1)], sizes[power & (sizes >= 1)]
    plain = sizes[~power & (sizes > 0)]
    low, high = np.max(small, initial=0.0), np.min(large, initial=np.inf)
    first, last = np.nanmin(plain, initial=np.inf), np.nanmax(plain, initial=0.0)
    # Programs change at round numbers.
    low = 10.0 ** np.ceil(np.log10(low)) if low > 0 else 0.0
    high = 10.0 ** np.floor(np.log10(high)) if np.isfinite(high) else np.inf
    return (low if low <= first else min(first, low)), (high if high > last else np.inf)


def _significant(texts: list[str]) -> int:
    """Return the significant digits of plain numbers, if more decimals are written of small ones."""
    numbers = [re.sub("[eE].*", "", text).lstrip("+-") for text in texts[:: max(1, len(texts) // _SAMPLE)]]
    digits = max((len(number.replace(".", "").lstrip("0")) for number in numbers), default=0)
    after = max((len(number.partition(".")[2]) for number in numbers), default=0)
    return digits if 0 < digits <= _ROUNDED and after > digits else 0


def _others(texts: list[str], counts: np.ndarray, parsed: np.ndarray, facts: Column) -> tuple[float, ...]:
    """Return the fraction of the cells that each format after the first is the first to read."""
    first, *further = (facts.format or "").split(OR)
    if not further or not parsed.any():
        return ()
    read = format_of(facts.kind, first).parse(texts).notna().to_numpy()
    if facts.kind == "number":
        # A number without its unit is read by the first format, too.
        printed = format_of("number", further[0])
        read &= (printed.print(format_of("number", facts.format).parse(texts)) != pd.Series(texts)).to_numpy()
    shares = []
    for form in further:
        own = ~read & parsed & format_of(facts.kind, form).parse(texts).notna().to_numpy()
        shares.append(float(counts[own].sum() / counts[parsed].sum()))
        read |= own
    return tuple(shares)

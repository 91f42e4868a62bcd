"""Cells that may not mean what they show: codes for missing cells, censored numbers, other spellings."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth.data.cells import key

_CODES = {
    *(-1, -7, -8, -9, -66, -77, -88, -99, -666, -777, -888, -999, -9999, -99999, -999999),
    *(9, 66, 77, 88, 98, 99, 666, 777, 888, 998, 999, 6666, 7777, 8888, 9998, 9999, 88888, 99999, 999999, 9999999),
    *(99.9, 999.9, 9999.9, 99.99, 999.99, -9.9, -99.9),
}
# Words that stand for a missing cell in many a table.
MISSING = {
    *(
        "unknown",
        "unk",
        "unkn",
        "not known",
        "missing",
        "none",
        "n/a",
        "na",
        "n.a.",
        "n.a",
        "nan",
        "null",
        "nil",
        "-",
        "--",
        "\\n",
    ),
    *("---", ".", "..", "?", "??", "not available", "not applicable", "not recorded", "not reported", "not specified"),
    *(
        "no data",
        "no answer",
        "no response",
        "refused",
        "prefer not to say",
        "undefined",
        "unspecified",
        "tbd",
        "n/k",
        "nk",
    ),
    *("#n/a", "#null!", "#value!", "<na>", "(null)", "unbekannt", "keine angabe", "k.a.", "k. a.", "fehlt", "inconnu"),
    *("desconocido", "sconosciuto", "nd", "n.d.", "s/d", "未知", "不明", "不详", "-9", "-99", "-999", "999", "9999"),
}
_CENSORED = re.compile(
    r"(?:[<>≤≥]=?|(?:less|more|greater|over|under|below|above) (?:than )?)\s*(?P<number>[\d.,]+)\D{0,6}", re.I
)
_OVER = re.compile(r"(?P<number>\d[\d.,]*)\s*(?:\+|or more|and over)", re.I)
YES = (
    "yes",
    "y",
    "true",
    "t",
    "1",
    "1.0",
    "ja",
    "j",
    "oui",
    "o",
    "si",
    "sí",
    "s",
    "да",
    "是",
    "はい",
    "positive",
    "pos",
)
NO = ("no", "n", "false", "f", "0", "0.0", "nein", "non", "нет", "否", "いいえ", "negative", "neg")
_SEXES = (("male", "m", "man", "männlich"), ("female", "f", "w", "woman", "weiblich"))
# Dates that stand for a missing or an open one.
_DAYS = (
    *("1900-01-01", "1900-01-02", "1901-01-01", "1899-12-30", "1899-12-31", "1800-01-01", "1753-01-01", "1700-01-01"),
    *("1970-01-01", "1980-01-01", "2099-01-01", "2099-12-31", "2100-01-01", "2199-12-31", "2200-01-01", "1910-01-01"),
)
# A code stands apart where the gap to the other values is this fraction of their range.
_GAP = 0.2
_LEAST = 3
_BETWEEN = re.compile(r"[\s_\-.]+")


@dataclass(frozen=True)
class Suspects:
    """Values that may be codes.

    Parameters
    ----------
    codes : tuple
        Numbers or texts.
    cells : int
    """

    codes: tuple
    cells: int


def numbers(values: np.ndarray, counts: np.ndarray) -> Suspects:
    """Find codes for missing cells among distinct numbers: -9, 99 or 999 that stand apart or are far too frequent."""
    order = np.argsort(values, kind="stable")
    values, counts = values[order], counts[order]
    known = np.isin(values, list(_CODES))
    found: list[int] = []
    kept = np.ones(len(values), bool)
    # From the outside inwards, so that -99 and -9 or 99 and 999 are both found.
    for _ in range(6):
        left = np.flatnonzero(kept)
        if len(left) < 3:
            break
        before = len(found)
        for i, rest in ((left[-1], left[:-1]), (left[0], left[1:])):
            # 88 and 99 stand apart together.
            plain = rest[~known[rest]]
            rest = plain if len(plain) > 2 else rest
            if kept[i] and known[i] and _apart(values[i], values[rest], counts[i], counts[rest]):
                found.append(int(i))
                kept[i] = False
        if len(found) == before:
            break
    shown = tuple(_whole(values[i]) for i in sorted(found))
    return Suspects(shown, int(counts[found].sum()) if found else 0)


def _apart(value: float, others: np.ndarray, count: int, counts: np.ndarray) -> bool:
    low, high = others.min(), others.max()
    gap = max(low - value, value - high)
    if value < 0 <= low:
        return count >= 2 or gap > _GAP * (high - low)
    # Continuous values may well have one cell far away; a code is repeated.
    if gap > max(_GAP * (high - low), 1) and count >= 2:
        return True
    return count >= _LEAST and count > 4 * np.sort(counts)[-max(1, len(counts) // 20) :].mean()


def _whole(value: float) -> float | int:
    return int(value) if float(value).is_integer() else float(value)


def days(values: pd.Series, counts: np.ndarray) -> list[int]:
    """Find the places of dates such as 1900-01-01 that stand apart from all others and are repeated."""
    plain = values.dt.tz_localize(None).dt.normalize()
    known = plain.isin(pd.to_datetime(list(_DAYS))).to_numpy()
    others = plain[~known].dropna()
    if len(others) < 3:
        return []
    gap = _GAP * (others.max() - others.min())
    apart = ((others.min() - plain > gap) | (plain - others.max() > gap)).to_numpy()
    return [int(i) for i in np.flatnonzero(known & apart & (counts >= _LEAST))]


def lists(texts: Sequence[str], counts: np.ndarray) -> tuple[str, int]:
    """Return the separator and the number of the values that cells list, as in fever;cough; else nothing."""
    for mark in ";|,":
        several = [i for i, text in enumerate(texts) if mark in text]
        cells = int(sum(counts[i] for i in several))
        if cells < max(_LEAST, 0.3 * counts.sum()):
            continue
        parts = Counter()
        for i, text in enumerate(texts):
            parts.update({part.strip(): int(counts[i]) for part in text.split(mark) if part.strip()})
        # Each value of a list stands in many lists, and alone in some.
        if 3 <= len(parts) <= max(20, len(texts) / 2) and len(texts) > len(parts) and min(parts.values()) >= _LEAST:
            return mark, len(parts)
    return "", 0


def missing(texts: Sequence[str], counts: np.ndarray) -> Suspects:
    """Find words that most often stand for a missing cell."""
    found = [i for i, text in enumerate(texts) if len(text) <= 20 and key(text) in MISSING]
    return Suspects(tuple(texts[i] for i in found), int(sum(counts[i] for i in found)))


def censored(texts: Sequence[str]) -> dict[str, str]:
    """Map texts such as >90 or <4.0 to the number at which they are censored."""
    found = {}
    for text in texts:
        match = _CENSORED.fullmatch(text) or _OVER.fullmatch(text)
        if match:
            found[text] = match["number"]
    return found


def spellings(texts: Sequence[str], counts: np.ndarray) -> dict[str, str]:
    """Map rarer spellings of one value to its most frequent one, where capital letters, signs or known words differ.

    Spellings are only shown. Whether AA and aa are the same, only the user knows.
    """
    groups: dict[str, list[int]] = {}
    words = [_bare(text) for text in texts]
    answers = _answers(set(words))
    for i, word in enumerate(words):
        groups.setdefault(answers.get(word, word), []).append(i)
    found: dict[str, str] = {}
    for members in groups.values():
        if len(members) > 1:
            # Words come before digits and single letters.
            best = max(members, key=lambda i: (len(texts[i]) > 1, counts[i], texts[i]))
            found |= {texts[i]: texts[best] for i in members if i != best}
    return found


def _bare(text: str) -> str:
    plain = key(text)
    return _BETWEEN.sub(" ", plain).strip() or plain


def _answers(words: set[str]) -> Mapping[str, str]:
    """Map known words for yes and no, or for the sexes, to one of each where all others are among them."""
    known = words - MISSING
    yes, no = known & set(YES), known & set(NO)
    if yes and no and (len(yes) > 1 or len(no) > 1):
        return dict.fromkeys(yes, "yes") | dict.fromkeys(no, "no")
    sexes = [known & set(words) for words in _SEXES]
    if all(sexes) and any(len(each) > 1 for each in sexes):
        return {word: group[0] for group, each in zip(_SEXES, sexes, strict=True) for word in each}
    return {}


def shown(texts: Mapping[str, int] | Sequence[tuple[str, int]], most: int = 6) -> str:
    """List values and their counts in one line, the most frequent first."""
    pairs = sorted(dict(texts).items(), key=lambda pair: (-pair[1], pair[0]))
    listed = ", ".join(f"{text!r} ({count:,})" for text, count in pairs[:most])
    return listed + (f" and {len(pairs) - most:,} more" if len(pairs) > most else "")

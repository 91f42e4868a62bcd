"""Recognition of identifiers and of free text among texts and whole numbers."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from trisynth.data.profile import names

# Fewer cells show no pattern.
LEAST = 20
# Above this fraction of distinct cells hardly any value is repeated; generators would repeat real ones.
NEARLY, MANY, HINTED = 0.9, 0.5, 0.2
# Digits of telephone and account numbers.
_LONG = 9
# Texts with more spaces on average are prose.
_WORDS = 2
_SAMPLE = 2_000
SEVERAL = "several numbers in a cell"
_MADE = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}.*|[0-9a-fA-F]{16,}|[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}|https?://\S+|"
    r"\d{1,3}(?:\.\d{1,3}){3}|\+?[\d ()/-]{8,20}|[A-Z]{2}\d{2}(?: ?\w{4}){3,7}"
)
# Blood pressures such as 143/95, sizes such as 12x30, coordinates, or a mean with its error.
_SEVERAL = re.compile(
    r"(?:0|[1-9]\d{0,2})(?:\.\d+)?(?:(?: ?[/x×±;] ?| - )(?:0|[1-9]\d{0,2})(?:\.\d+)?){1,2}"
    r"|-?\d{1,3}\.\d+, ?-?\d{1,3}\.\d+"
)


def several(texts: Sequence[str]) -> bool:
    """Return whether texts hold several numbers each, such as 143/95."""
    sample = texts[:: max(1, len(texts) // _SAMPLE)]
    return len(texts) > 1 and np.mean([bool(_SEVERAL.fullmatch(each)) for each in sample]) > NEARLY


def whole_number(name: str, values: np.ndarray, cells: int) -> str:
    """Return why whole numbers are identifiers, or an empty text.

    Parameters
    ----------
    name : str
    values : ndarray of int, shape (k,)
        Distinct values.
    cells : int
        Cells that are not missing.
    """
    share = len(values) / max(cells, 1)
    if cells < LEAST or len(values) < LEAST:
        return ""
    if names.of_identifier(name) and share > HINTED:
        return "by its name"
    low, high = min(values), max(values)
    if share == 1 and not names.of_count(name) and int(high) - int(low) + 1 <= 1.02 * cells:
        return "they are row numbers"
    digits = {len(str(abs(int(value)))) for value in values[:: max(1, len(values) // _SAMPLE)]}
    if share > NEARLY and len(digits) == 1 and min(digits) >= _LONG:
        return f"nearly all differ, with {min(digits)} digits"
    if share > NEARLY and min(digits) > 15:
        return "nearly all differ"
    return ""


def text(name: str, texts: Sequence[str], counts: np.ndarray) -> tuple[str, str]:
    """Return the kind of texts, and why.

    Parameters
    ----------
    name : str
    texts : sequence of str
        Distinct texts.
    counts : ndarray of shape (k,)

    Returns
    -------
    kind : {"identifier", "text", "category"}
    reason : str
        Empty for a category.
    """
    cells = int(counts.sum())
    share = len(texts) / max(cells, 1)
    sample = texts[:: max(1, len(texts) // _SAMPLE)]
    blanks = np.mean([" " in each.strip() for each in sample])
    length = np.mean([len(each) for each in sample])
    if names.of_text(name) and (blanks > MANY or length > 30):
        return "text", "by its name"
    if cells < LEAST:
        return "category", ""
    if names.of_identifier(name) and share > HINTED and len(texts) >= LEAST:
        return "identifier", "by its name"
    if share > NEARLY and len(texts) >= LEAST and _made(sample):
        return "identifier", f"{len(texts):,} different ones of one pattern"
    if length > 60 and len(texts) > LEAST and share > 0.1:
        return "text", f"{length:.0f} characters on average"
    if share <= MANY or len(texts) < LEAST:
        return "category", ""
    if several(sample):
        return "text", SEVERAL
    made = _made(sample)
    if not made and np.mean([each.strip().count(" ") for each in sample]) > _WORDS:
        return "text", f"{len(texts):,} different ones"
    if made or _one_pattern(sample):
        return "identifier", f"{len(texts):,} different ones of one pattern"
    if blanks > MANY:
        return "text", f"{len(texts):,} different ones"
    return "identifier", f"{len(texts):,} different ones"


def _made(texts: Sequence[str]) -> bool:
    return bool(np.mean([bool(_MADE.fullmatch(each)) for each in texts]) > NEARLY)


def _one_pattern(texts: Sequence[str]) -> bool:
    """Return whether most texts have digits and the same form."""
    forms = Counter(re.sub(r"[A-Za-z]", "a", re.sub(r"\d", "9", each)) for each in texts)
    form, count = forms.most_common(1)[0]
    return "9" in form and count > MANY * len(texts)

"""Recognition of the format that a column of numbers is written in."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

from trisynth.data.formats import NumberFormat

_SIGN = r"[-+\u2212\u2013]"
_PIECES = re.compile(
    rf"^(?P<open>\()?(?P<first>{_SIGN})?(?P<prefix>[^\d().,+\-\u2212\u2013]{{0,6}}?|[^\W\d_]{{1,4}}\.\s?)"
    rf"(?P<second>{_SIGN})?"
    r"(?P<number>\d[\d.,'’ \u00a0\u202f\u2009]*\d|\d|[.,]\d+)(?P<suffix>[^\d)\-\u2212\u2013].{0,15}?)?"
    rf"(?P<last>{_SIGN})?(?P<close>\))?$"
)
# FR306054 is a code, and Fr. 30 an amount.
_CODES = re.compile(r"(?:[A-Z]{0,2}[$]|[Ff]r\.?|[Kk]r\.?|Rs\.?|zł|Kč|[Ll]ei|[Рр]уб\.?|円|元|원|万|Mio\.?|Mrd\.?|bn|mn)")
_SCIENTIFIC = re.compile(r"[-+]?\d(?:\.(?P<after>\d+))?(?P<e>[eE])[-+]\d\d")
_LAKH = re.compile(r"[1-9]\d?(?:,\d{2})*,\d{3}(?:\.\d*)?|\d{1,3}(?:\.\d*)?")
# Three letters are a currency if they are one of ISO 4217; lvl1 and ICU2 are codes.
_CURRENCIES = re.compile(
    "USD|EUR|GBP|CHF|JPY|CNY|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|RUB|UAH|INR|BRL|MXN|ARS|CLP|COP|PEN|"
    "ZAR|NGN|KES|EGP|ILS|SAR|AED|QAR|KWD|IDR|MYR|SGD|HKD|TWD|KRW|THB|PHP|VND|PKR|BDT"
)
# Units that follow a number without a blank.
_UNITS = re.compile(
    r"(?:[yzafpnuµμmcdhkMGT]?(?:g|m|l|L|s|mol|Pa|W|Hz|V|A|J|eV|B|b|cal|U|IU|eq|Eq)|%|‰|°|°?[CFK]|mmHg|bpm|kg|lbs?|oz|ft|in"
    r"|[kKM]|min|h|hrs?|d|wk|mo|yrs?|y|km|mph|kmh|ml|mL|dl|dL|px|x|€|st|cc|days?|years?|months?|weeks?|hours?)"
    r"(?:[/·*^²³ ]?[\w²³µμ.%]+){0,3}"
)
_SPACED = re.compile(r"[^\d\s,.;:()][^,;:()]{0,14}")
# Thousands and decimal marks, the plain ones first.
_MARKS = [("", "."), (",", "."), ("", ","), (".", ",")] + [
    (mark, point) for mark in " \u00a0\u202f\u2009'’" for point in ",."
]
_SAMPLE = 2_000
# Fractions of a sample that a format must fit.
_MOST, _HALF = 0.9, 0.5
# Smallest fraction of the cells in one of several units.
_FEW_CELLS = 0.05


def number_format(texts: Sequence[str], comma: bool = False) -> NumberFormat | None:
    """Return the format of a sample of distinct texts.

    Parameters
    ----------
    texts : sequence of str
        Distinct texts, missing ones left out.
    comma : bool, default=False
        Whether other columns of the table have decimal commas.

    Returns
    -------
    NumberFormat or None
        None if fewer than half of the texts are numbers with the same unit.
    """
    texts = texts[:: max(1, len(texts) // _SAMPLE)]
    if scientific := _scientific(texts):
        return scientific
    pieces = [found for found in map(_PIECES.match, texts) if found and bool(found["open"]) == bool(found["close"])]
    if len(pieces) < max(1, _HALF * len(texts)):
        return None
    around = Counter((found["prefix"].strip(), (found["suffix"] or "").strip()) for found in pieces)
    bare = around.pop(("", ""), 0)
    (prefix, suffix), count = around.most_common(1)[0] if around else (("", ""), 0)
    if bare >= count:
        (prefix, suffix), count = ("", ""), bare
    written = Counter((found["prefix"], found["suffix"] or "") for found in pieces)
    before, after = max(
        (pair for pair in written if (pair[0].strip(), pair[1].strip()) == (prefix, suffix)), key=written.get
    )
    if not _is_prefix(prefix) or not _is_suffix(after):
        return None
    # A unit of one letter may as well be part of a code.
    least = _MOST if len(prefix + suffix) == 1 and suffix.isalpha() else _HALF
    if count < least * (len(pieces) - (bare if prefix or suffix else 0)):
        return None
    numbers = [
        found["number"]
        for found in pieces
        if (found["prefix"].strip(), (found["suffix"] or "").strip()) == (prefix, suffix)
    ]
    prefix, suffix = before, after
    marks = _marks(numbers, comma)
    if marks is None:
        return None
    decimals, more = _decimals(numbers, marks[1])
    # CAD13 may be a code, and CAD 13, CAD13.50 and CAD1,300 are amounts.
    if re.search(r"[A-Za-z]$", prefix) and not (marks[0] or decimals or more):
        return None
    signs = {found["first"] or found["second"] for found in pieces} - {None, "+"}
    last = {found["last"] for found in pieces} - {None, "+"}
    behind = bool(last) and not signs
    minus = "(" if any(found["open"] for found in pieces) else min(last if behind else signs, default="-")
    lakh = marks[0] == "," and any(re.search(r",\d\d,", number) for number in numbers)
    return NumberFormat(prefix, suffix, *marks, decimals, more, 0, minus, behind, lakh)


def _scientific(texts: Sequence[str]) -> NumberFormat | None:
    """Recognise numbers that are all written with a power of ten."""
    found = [_SCIENTIFIC.fullmatch(text) for text in texts]
    forms = {(len(each["after"] or ""), each["e"]) for each in found if each}
    if not texts or not all(found) or len(forms) > 1:
        return None
    ((decimals, letter),) = forms
    return NumberFormat(decimals=decimals, more=False, exponent=letter)


def several_units(texts: Sequence[str]) -> list[str]:
    """Return the units of numbers that have different ones, such as amounts in two currencies; else nothing."""
    texts = texts[:: max(1, len(texts) // _SAMPLE)]
    pieces = [found for found in map(_PIECES.match, texts) if found]
    around = Counter((found["prefix"].strip(), (found["suffix"] or "").rstrip()) for found in pieces)
    # Letters before a number, or one after it, are more often part of a code.
    known = Counter()
    for (prefix, suffix), count in around.items():
        before = not prefix or (_is_prefix(prefix) and not prefix.isalpha()) or _CURRENCIES.fullmatch(prefix)
        if bool(prefix) != bool(suffix) and before and (not suffix or _is_suffix(suffix)):
            known[prefix or suffix.strip()] += count
    units = [unit for unit, count in known.most_common() if count >= _FEW_CELLS * len(texts)]
    return units if len(units) > 1 and sum(known.values()) >= _MOST * len(texts) else []


def _is_prefix(text: str) -> bool:
    return (
        not text
        or all(unicodedata.category(sign) == "Sc" for sign in text)
        or any(known.fullmatch(text) for known in (_CODES, _CURRENCIES))
    )


def _is_suffix(text: str) -> bool:
    bare = text.strip()
    if not bare or all(unicodedata.category(sign) == "Sc" for sign in bare) or _UNITS.fullmatch(bare):
        return True
    if _CODES.fullmatch(bare) or _CURRENCIES.fullmatch(bare):
        return True
    return text[0].isspace() and bool(_SPACED.fullmatch(bare))


def _marks(numbers: list[str], comma: bool) -> tuple[str, str] | None:
    """Return the thousands and the decimal mark that fit most numbers."""
    best, found = 0.0, None
    for thousands, point in _MARKS:
        if thousands and not any(thousands in number for number in numbers):
            continue
        mark, dot = re.escape(thousands), re.escape(point)
        grouped = rf"[1-9]\d{{0,2}}(?:{mark}\d{{3}})+(?:{dot}\d*)?|\d{{1,3}}(?:{dot}\d*)?|{dot}\d+"
        pattern = re.compile(grouped if thousands else rf"\d+(?:{dot}\d*)?|{dot}\d+")
        share = sum(bool(pattern.fullmatch(number)) for number in numbers) / len(numbers)
        # 1.234 has three decimals, or a thousands point if the other columns have decimal commas.
        if not thousands and point == "." and comma and _like_thousands(numbers, "."):
            continue
        if (thousands, point) == (",", ".") and comma and not any("." in number for number in numbers):
            continue
        if share > best:
            best, found = share, (thousands, point)
    if best < _MOST and np.mean([bool(_LAKH.fullmatch(number)) for number in numbers]) >= _MOST:
        return ",", "."
    return found if best >= _MOST else None


def _like_thousands(numbers: list[str], mark: str) -> bool:
    marked = [number for number in numbers if mark in number]
    return bool(marked) and all(re.fullmatch(rf"[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+", text) for text in marked)


def _decimals(numbers: list[str], point: str) -> tuple[int, bool]:
    """Return the fewest decimals, and whether some numbers have more."""
    after = [number.partition(point)[2] if point in number else "" for number in numbers]
    lengths = Counter(map(len, after))
    least, most = min(lengths), max(lengths)
    if least == most:
        return least, False
    # Zeros at the end are written up to the fewest decimals only: 5.0 and 2.25, but never 2.20.
    if least == 0 and not any(text.endswith("0") for text in after):
        return 0, True
    fewest = min((len(text) for text in after if text.endswith("0")), default=least)
    if all(len(text) >= fewest for text in after) and not any(len(t) > fewest and t.endswith("0") for t in after):
        return fewest, True
    # Some cells break the rule, as whole numbers among fixed decimals do.
    common, count = lengths.most_common(1)[0]
    return (common, False) if count >= _MOST * len(after) and common == most else (0, True)


def is_unit(text: str) -> bool:
    """Return whether a text is a unit of measurement or a currency."""
    bare = text.strip()
    return bool(bare) and (bool(_UNITS.fullmatch(bare)) or all(unicodedata.category(sign) == "Sc" for sign in bare))

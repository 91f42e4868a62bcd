"""Recognition of the format that a column of numbers is written in."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

from trisynth.data.formats import OR, NumberFormat
from trisynth.data.formats.numbers import INSIDE

_SIGN = r"[-+\u2212\u2013]"
_PIECES = re.compile(
    rf"^(?P<open>\()?(?P<first>{_SIGN})?(?P<prefix>[^\d().,+\-\u2212\u2013]{{0,6}}?|[^\W\d_]{{1,4}}\.\s?)"
    rf"(?P<inner>\()?(?P<second>{_SIGN})?"
    r"(?P<number>\d[\d.,'’ \u00a0\u202f\u2009]*\d|\d|[.,]\d+)"
    r"(?P<suffix>[.,][-\u2013\u2014]{1,2}(?: ?\S{1,3})?|[^\d)\-\u2212\u2013].{0,15}?)?"
    rf"(?P<last>{_SIGN})?(?P<close>\))?$"
)
# FR306054 is a code, and Fr. 30 an amount.
_CODES = re.compile(r"(?:[A-Z]{0,2}[$]|[Ff]r\.?|[Kk]r\.?|Rs\.?|zł|Kč|[Ll]ei|[Рр]уб\.?|円|元|원|万|Mio\.?|Mrd\.?|bn|mn)")
_SCIENTIFIC = re.compile(r"[-+]?(?P<number>\d(?:[.,]\d+)?)(?P<e>[eE])(?P<sign>[-+]?)(?P<power>\d{1,3})")
# Amounts without cents, as in 150.– or 20,--.
_NO_CENTS = re.compile(r"[.,][-\u2013\u2014]{1,2}(?: ?\S{1,3})?")
# Ratings such as 4/5.
_OUT_OF = re.compile(r"/(\d{1,3})")
# Numbers beside which a bare one is not of the same scale.
_THOUSANDS = re.compile(r"[kKMBT]|bn|mn|[Mm]io\.?|[Mm]rd\.?|[Tt]sd\.?")
_LAKH = re.compile(r"[1-9]\d?(?:,\d{2})*,\d{3}(?:\.\d*)?|\d{1,3}(?:\.\d*)?")
# Three letters are a currency if they are one of ISO 4217; lvl1 and ICU2 are codes.
_CURRENCIES = re.compile(
    "USD|EUR|GBP|CHF|JPY|CNY|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|RUB|UAH|INR|BRL|MXN|ARS|CLP|COP|PEN|"
    "ZAR|NGN|KES|EGP|ILS|SAR|AED|QAR|KWD|IDR|MYR|SGD|HKD|TWD|KRW|THB|PHP|VND|PKR|BDT"
)
# Signs of currencies for which their codes may stand.
_SIGNS = {
    "€": "EUR",
    "$": "USD",
    "US$": "USD",
    "£": "GBP",
    "Fr.": "CHF",
    "₹": "INR",
    "zł": "PLN",
    "Kč": "CZK",
    "₺": "TRY",
}
# Marks of high, low, abnormal and unusual values.
_MARKED = re.compile(r"[-+]?\d+(?:[.,]\d+)?(?P<mark> ?(?:\*{1,3}|[HLNA]{1,2}|\([HLNA]{1,2}\)|[↑↓!#†‡]{1,2})|)")
# Units that follow a number without a blank.
_UNITS = re.compile(
    r"(?:[yzafpnuµμmcdhkMGT]?(?:g|m|l|L|s|mol|Pa|W|Hz|V|A|J|eV|B|b|cal|U|IU|eq|Eq)|%|‰|°|°?[CFK]|mmHg|bpm|kg|lbs?|oz|ft|in"
    r"|[kKM]|min|h|hrs?|d|wk|mo|yrs?|y|km|mph|kmh|ml|mL|dl|dL|px|x|€|st|cc|days?|years?|months?|weeks?|hours?)"
    r"(?:[/·*^²³ ]?[\w²³µμ.%]+){0,3}"
)
_SPACED = re.compile(r"[^\d\s,.;:()=\-\u2013\u2014][^,;:()]{0,14}")
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
    pieces = [found for found in map(_PIECES.match, texts) if found and _closed(found)]
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
    numbers = [
        found["number"]
        for found in pieces
        if (found["prefix"].strip(), (found["suffix"] or "").strip()) == (prefix, suffix)
    ]
    rated = bool(_OUT_OF.fullmatch(suffix)) and not prefix and all(_within(each, suffix) for each in numbers)
    if not _is_prefix(prefix) or not (rated or _is_suffix(after)) or _scales(suffix, pieces):
        return None
    # A unit of one letter may as well be part of a code.
    least = _MOST if rated or (len(prefix + suffix) == 1 and suffix.isalpha()) else _HALF
    if count < least * (len(pieces) - (bare if prefix or suffix else 0)):
        return None
    prefix, suffix = before, after
    marks = _marks(numbers, comma)
    if marks is None:
        return None
    decimals, more = _decimals(numbers, marks[1])
    # CAD13 may be a code, and CAD 13, CAD13.50 and CAD1,300 are amounts.
    if re.search(r"[A-Za-z]$", prefix) and not (marks[0] or decimals or more):
        return None
    written = [found["first"] or found["second"] for found in pieces]
    signs = set(written) - {None, "+"}
    # 0 most often has no sign.
    plus = "+" in written and all(
        sign or not found["number"].strip("0.,") for sign, found in zip(written, pieces, strict=True)
    )
    last = {found["last"] for found in pieces} - {None, "+"}
    behind = bool(last) and not signs
    minus = min(last if behind else signs, default="-")
    if any(found["close"] for found in pieces):
        minus = INSIDE if any(found["inner"] for found in pieces) else "("
    lakh = marks[0] == "," and any(re.search(r",\d\d,", number) for number in numbers)
    return NumberFormat(prefix, suffix, *marks, decimals, more, 0, minus, behind, lakh, plus=plus)


def _closed(found: re.Match) -> bool:
    return [found["open"], found["inner"]].count("(") == bool(found["close"])


def _within(number: str, suffix: str) -> bool:
    """Return whether 4 is at most 5 in 4/5."""
    return number.isdigit() and int(number) <= int(suffix[1:])


def _scales(suffix: str, pieces: Sequence[re.Match]) -> bool:
    """Return whether some numbers are of another scale, as 500 among 1.2K and 3M is."""
    if not _THOUSANDS.fullmatch(suffix):
        return False
    others = {(found["suffix"] or "").strip() for found in pieces if found["number"].strip("0.,")} - {suffix}
    return any(not other or _THOUSANDS.fullmatch(other) for other in others)


def _scientific(texts: Sequence[str]) -> NumberFormat | None:
    """Recognise numbers that are all written with a power of ten."""
    found = [_SCIENTIFIC.fullmatch(text) for text in texts]
    if not texts or not all(found) or len({each["e"] for each in found}) > 1:
        return None
    numbers, powers = [each["number"] for each in found], [each["power"] for each in found]
    point = "," if any("," in number for number in numbers) else "."
    decimals, more = _decimals(numbers, point)
    # Small numbers alone do not show whether large ones have a sign; all programs that fill up the power write it.
    filled = any(power[0] == "0" and len(power) > 1 for power in powers)
    signs = {each["sign"] for each in found}
    width = min(map(len, powers)) if filled or "+" in signs else 1
    sign = "+" if "+" in signs or (filled and "" not in signs) else ""
    return NumberFormat(decimal=point, decimals=decimals, more=more, exponent=found[0]["e"] + sign + "0" * width)


def mixed_powers(texts: Sequence[str]) -> str | None:
    """Return both formats of plain numbers of which the small or the large ones have a power of ten, such as 1e-05."""
    texts = texts[:: max(1, len(texts) // _SAMPLE)]
    powers = [text for text in texts if "e" in text or "E" in text]
    first, second = number_format([text for text in texts if text not in set(powers)]), _scientific(powers)
    if first is None or second is None or first.marked or second.decimal != ".":
        return None
    whole = any(text.endswith(".0") for text in texts)
    return OR.join(["1.0*" if whole else "1*", second.text])


def same_unit(form: NumberFormat, other: NumberFormat) -> bool:
    """Return whether two formats have one unit: € and EUR are the same, and a number without a unit has any."""
    first, second = ((each.prefix + each.suffix).strip() for each in (form, other))
    return second in ("", first) or _SIGNS.get(second, second) == _SIGNS.get(first, first)


def marked_numbers(texts: Sequence[str]) -> list[str]:
    """Return the marks of numbers of which some have one, as laboratories write 12.3 H and 245*; else nothing."""
    texts = texts[:: max(1, len(texts) // _SAMPLE)]
    found = [match for match in map(_MARKED.fullmatch, texts) if match]
    marks = Counter(match["mark"].strip() for match in found)
    bare = marks.pop("", 0)
    if len(found) < _MOST * len(texts) or bare <= _FEW_CELLS * len(texts):
        return []
    return [mark for mark, count in marks.most_common() if count >= min(3, _FEW_CELLS * len(texts))]


def several_units(texts: Sequence[str]) -> list[str]:
    """Return the units of numbers that have different ones, such as amounts in two currencies; else nothing."""
    texts = texts[:: max(1, len(texts) // _SAMPLE)]
    pieces = [found for found in map(_PIECES.match, texts) if found]
    around = Counter((found["prefix"].strip(), (found["suffix"] or "").rstrip()) for found in pieces)
    # Letters before a number, or one after it, are more often part of a code.
    known = Counter()
    for (prefix, suffix), count in around.items():
        before = not prefix or (_is_prefix(prefix) and not prefix.isalpha()) or _CURRENCIES.fullmatch(prefix)
        # 1 - Good and 0x1F hold no units.
        odd = re.match(r"\s*[-\u2013\u2014:=]", suffix) or re.search(r"\d.|^\s*\d|[xX][0-9A-F]", suffix)
        if bool(prefix) != bool(suffix) and before and (not suffix or (_is_suffix(suffix) and not odd)):
            known[prefix or suffix.strip()] += count
    if any(_THOUSANDS.fullmatch(unit) for unit in known):
        known["none"] = around["", ""]
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
    if _NO_CENTS.fullmatch(text):
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

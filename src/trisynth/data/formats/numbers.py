"""Formats of numbers: decimal and thousands marks, signs, units and fixed digits."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api import types

from trisynth.data.formats.base import Format
from trisynth.errors import InputError

# Marks between groups of three digits: also a blank that does not break, a thin one, and both apostrophes.
GROUPING = ",.'’ \u00a0\u202f\u2009"
MINUS = "-\u2212\u2013"
# Parentheses between a currency and its amount.
INSIDE = "$("
_EXAMPLE = re.compile(
    r"^(?P<open>\()?(?P<prefix>[^\d(+]*?)(?P<inner>\()?(?P<plus>\+)?(?P<minus>[\u2212\u2013-])?"
    r"(?P<number>\d(?:\d|[.,'’](?![-\u2013\u2014])|[ \u00a0\u202f\u2009](?=\d{3}))*)"
    r"(?P<more>\*)?(?P<suffix>[.,][-\u2013\u2014]{1,2}[^)]*?|[^)]*?)(?P<behind>[\u2212\u2013-])?(?P<close>\))?$"
)
_POWER = re.compile(r"(?P<plus>\+)?1(?:(?P<point>[.,])(?P<after>0+))?(?P<more>\*)?(?P<power>[eE]\+?0{1,3})")
# White space, also such as does not break a line, which RE2 does not count among it.
_BLANKS = r"[\s\x{a0}\x{202f}\x{2009}]*"
_GAPS = {pa.int64(): pd.Int64Dtype()}


@dataclass(frozen=True)
class NumberFormat(Format):
    """Numbers as a file writes them, by an example such as ``1.234,50 kg``, ``$1,234.5*``, ``28.0%`` or ``000``.

    Parameters
    ----------
    prefix, suffix : str
        Texts around the number, with their blanks; a number without them is read, too.
    thousands : str
        Mark between groups of three digits; empty for none.
    decimal : str
    decimals : int
        Minimum number of decimals that are written.
    more : bool
        Whether further decimals are written where a value has them; in an example, a ``*`` after the last digit.
    width : int
        Digits that leading zeros fill up to; 0 or 1 for none.
    minus : str
        Sign of negative numbers; ``(`` puts them in parentheses, ``$(`` leaves the prefix before these.
    behind : bool
        Whether the sign of a negative number follows it, as in an example ``1.00-``.
    lakh : bool
        Whether the groups before the last three digits have two, as in an example ``1,23,456``.
    exponent : str
        How the power of ten is written, as in an example ``1.00e+00`` or ``1*E0``; empty for none.
    plus : bool
        Whether positive numbers have a sign, too, as in an example ``+1.0``.
    """

    prefix: str = ""
    suffix: str = ""
    thousands: str = ""
    decimal: str = "."
    decimals: int = 0
    more: bool = True
    width: int = 0
    minus: str = "-"
    behind: bool = False
    lakh: bool = False
    exponent: str = ""
    plus: bool = False

    @classmethod
    def of(cls, text: str | None, parameter: str = "format") -> "NumberFormat":
        """Read an example; None is plain: a decimal point and as many decimals as a value has."""
        if text is None:
            return cls()
        if power := _POWER.fullmatch(text):
            after, more, plus = len(power["after"] or ""), bool(power["more"]), bool(power["plus"])
            point = power["point"] or "."
            return cls(decimal=point, decimals=after, more=more, exponent=power["power"], plus=plus)
        found = _EXAMPLE.match(text)
        if not found or [found["open"], found["inner"]].count("(") != bool(found["close"]):
            remedy = "must be a number as the file writes it, such as 1.234,50 kg or $1,234.5* (* for more decimals)"
            raise InputError(parameter, text, remedy)
        number = found["number"]
        marks = [mark for mark in number if not mark.isdigit()]
        thousands = decimal = ""
        if len(set(marks)) == 2 and marks.count(marks[-1]) == 1:
            thousands, decimal = marks[0], marks[-1]
        elif len(marks) > 1:
            thousands = marks[0]
        elif marks:
            # 1,234 is a number of thousands; 1,5 and 0,125 and 1,234* are decimals.
            grouped = re.fullmatch(rf"[1-9]\d{{0,2}}{re.escape(marks[0])}\d{{3}}", number) and not found["more"]
            thousands, decimal = (marks[0], "") if grouped else ("", marks[0])
        whole, _, after = number.partition(decimal) if decimal else (number, "", "")
        digits = re.sub(r"\D", "", whole)
        return cls(
            prefix=found["prefix"],
            suffix=found["suffix"],
            thousands=thousands,
            decimal=decimal or ("," if thousands == "." else "."),
            decimals=len(after),
            more=bool(found["more"]),
            width=len(digits) if digits.startswith("0") and len(digits) > 1 else 0,
            minus="(" if found["open"] else INSIDE if found["inner"] else found["behind"] or found["minus"] or "-",
            behind=bool(found["behind"]),
            lakh=bool(re.match(r"\d{1,2}(,\d\d)+,\d{3}", number)),
            plus=bool(found["plus"]),
        )

    @property
    def text(self) -> str | None:
        """Example that ``of`` reads as this format; None if it is plain."""
        if self == NumberFormat():
            return None
        if self.exponent:
            after = self.decimal * bool(self.decimals) + "0" * self.decimals
            return f"{'+' * self.plus}1{after}{'*' * self.more}{self.exponent}"
        # Three decimals after 1 would be read as thousands.
        one = (
            "1,23,456"
            if self.lakh
            else f"1{self.thousands}234"
            if self.thousands
            else "0"
            if self.decimals == 3
            else "1"
        )
        whole, after = "0" * self.width if self.width > 1 else one, "0" * self.decimals
        point = self.decimal if after or (self.more and (self.thousands or self.decimal != ".")) else ""
        number = f"{whole}{point}{after}" + "*" * self.more
        if self.behind:
            return f"{self.prefix}{number}{self.suffix}{self.minus}"
        sign = "+" * self.plus + (self.minus if self.minus not in ("-", "(", INSIDE) else "")
        if self.minus == INSIDE:
            return f"{self.prefix}({sign}{number}{self.suffix})"
        text = f"{self.prefix}{sign}{number}{self.suffix}"
        return f"({text})" if self.minus == "(" else text

    @property
    def marked(self) -> bool:
        """Boolean: it differs from plain numbers by more than the number of decimals."""
        return not self.plain or bool(self.exponent) or self.plus

    @property
    def plain(self) -> bool:
        """Boolean: every program reads such numbers."""
        around = self.prefix or self.suffix or self.thousands or self.behind
        return not around and self.decimal == "." and self.minus == "-"

    @property
    def _groups(self) -> str:
        """Pattern of the digits before the decimals."""
        if not self.thousands:
            return "[0-9]+"
        mark = r"[ \x{a0}\x{202f}\x{2009}]" if self.thousands.isspace() else _escaped(self.thousands)
        if self.lakh:
            return rf"[0-9]{{1,2}}(?:{mark}[0-9]{{2}})*{mark}[0-9]{{3}}|[0-9]+"
        return rf"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+|[0-9]+"

    @property
    def pattern(self) -> str:
        """Regular expression (RE2) for texts of this format, with named groups."""
        groups = self._groups
        point = _escaped(self.decimal)
        exponent = r"(?P<exponent>[eE][-+]?[0-9]+)?"
        sign = rf"[{MINUS}+]"
        number = rf"(?P<whole>{groups})?(?:{point}(?P<after>[0-9]*))?{exponent}"
        before, behind = (rf"(?:{_escaped(part.strip())}{_BLANKS})?" for part in (self.prefix, self.suffix))
        start = rf"^(?P<open>\()?{_BLANKS}(?P<first>{sign})?{_BLANKS}{before}(?P<inner>\()?(?P<second>{sign})?"
        end = rf"(?P<last>{sign + '?' if self.behind else ''})(?P<close>\))?$"
        return rf"{start}{_BLANKS}{number}{_BLANKS}{behind}{end}"

    def parse(self, texts: Iterable[str]) -> pd.Series:
        """Read texts as numbers; whole numbers of up to 63 bits are exact."""
        array = texts if isinstance(texts, pa.Array) else pa.array(list(texts), pa.string())
        array = pc.utf8_trim_whitespace(array)
        if (read := self._usual(array)) is not None:
            return read
        found = pc.extract_regex(array, self.pattern)
        names = ("open", "inner", "close", "first", "second", "whole", "after", "last")
        parts = {name: pc.struct_field(found, name) for name in names}
        parts["exponent"] = pc.struct_field(found, "exponent")
        parts = {name: pc.fill_null(part, "") for name, part in parts.items()}
        whole = pc.replace_substring_regex(parts["whole"], "[^0-9]", "")
        digits = pc.add(pc.utf8_length(whole), pc.utf8_length(parts["after"]))
        opened = pc.binary_join_element_wise(parts["open"], parts["inner"], "")
        same = pc.equal(opened, pc.replace_substring(parts["close"], ")", "("))
        signs = pc.binary_join_element_wise(parts["first"], parts["second"], parts["last"], "")
        single = pc.less_equal(pc.utf8_length(signs), 1)
        read = pc.and_(pc.and_(pc.greater(digits, 0), same), single)
        read = pc.and_(read, pc.is_valid(found))
        signs = pc.binary_join_element_wise(opened, signs, "")
        minus = pc.if_else(pc.match_substring_regex(signs, rf"[{MINUS}(]"), "-", "")
        valid = read.to_numpy(zero_copy_only=False)
        fraction = pc.replace_substring_regex(parts["after"], "0+$", "")
        integral = pc.and_(pc.equal(fraction, ""), pc.equal(parts["exponent"], ""))
        if valid.any() and pc.all(pc.or_(integral, pc.invert(read))).as_py():
            numbers = pc.binary_join_element_wise(minus, pc.if_else(pc.equal(whole, ""), "0", whole), "")
            try:
                exact = pc.cast(pc.if_else(read, numbers, None), pa.int64())
            except pa.ArrowInvalid:
                pass
            else:
                return pd.Series(exact.to_pandas() if valid.all() else exact.to_pandas(types_mapper=_GAPS.get))
        joined = pc.binary_join_element_wise(minus, pc.if_else(pc.equal(whole, ""), "0", whole), ".", "")
        joined = pc.binary_join_element_wise(joined, parts["after"], parts["exponent"], "")
        floats = pc.cast(pc.if_else(read, joined, None), pa.float64())
        return pd.Series(floats.to_numpy(zero_copy_only=False), dtype="float64")

    def _usual(self, array: pa.Array) -> pd.Series | None:
        """Read texts that are all written exactly like this format, without signs; None if some are not."""
        if self.thousands.isspace() or not len(array):
            return None
        prefix, suffix, point = map(_escaped, (self.prefix.lstrip(), self.suffix.rstrip(), self.decimal))
        usual = f"^{prefix}(?:{self._groups})(?:{point}[0-9]+)?{suffix}$"
        if not pc.all(pc.match_substring_regex(array, usual)).as_py():
            return None
        end = -len(self.suffix.rstrip()) or None
        numbers = pc.utf8_slice_codeunits(array, len(self.prefix.lstrip()), end)
        if self.thousands:
            numbers = pc.replace_substring(numbers, self.thousands, "")
        if self.decimal != ".":
            numbers = pc.replace_substring(numbers, self.decimal, ".")
        if not pc.any(pc.match_substring_regex(numbers, r"\.[0-9]*[1-9]")).as_py():
            try:
                return pd.Series(pc.cast(pc.replace_substring_regex(numbers, r"\..*", ""), pa.int64()).to_pandas())
            except pa.ArrowInvalid:
                pass
        return pd.Series(pc.cast(numbers, pa.float64()).to_numpy(zero_copy_only=False), dtype="float64")

    def print(self, values: pd.Series) -> pd.Series:
        """Write numbers."""
        missing = values.isna().to_numpy()
        if types.is_integer_dtype(values.dtype):
            cells = [0 if gone else int(value) for value, gone in zip(values, missing, strict=True)]
        else:
            cells = values.to_numpy(float, na_value=np.nan).tolist()
        texts = [None if gone else self._one(value) for value, gone in zip(cells, missing, strict=True)]
        return pd.Series(texts, index=values.index, name=values.name, dtype=object)

    def _one(self, value: float) -> str:
        if isinstance(value, float) and not np.isfinite(value):
            return str(value)
        if self.exponent:
            return self._power(value)
        if isinstance(value, int):
            digits = str(abs(value)) + "." + "0" * self.decimals
        elif self.more:
            digits = np.format_float_positional(abs(value), trim="k", min_digits=self.decimals)
            digits = digits.rstrip("0") if not self.decimals else digits
        else:
            digits = f"{abs(value):.{self.decimals}f}" + "." * (not self.decimals)
        whole, _, after = digits.partition(".")
        negative = value < 0 and bool(whole.strip("0") or after.strip("0"))
        if self.thousands:
            if self.lakh:
                whole = re.sub(r"(?<=\d)(?=(?:\d\d)+\d{3}$)|(?<=\d)(?=\d{3}$)", ",", whole)
            else:
                whole = f"{int(whole):,}".replace(",", self.thousands)
        number = whole.zfill(self.width) + (self.decimal + after if after else "")
        text = f"{self.prefix}{number}{self.suffix}"
        if not negative:
            return f"+{text}" if self.plus else text
        if self.behind:
            return f"{text}{self.minus}"
        if self.minus == INSIDE:
            return f"{self.prefix}({number}{self.suffix})"
        return f"({text})" if self.minus == "(" else f"{self.minus}{text}"

    def _power(self, value: float) -> str:
        """Write a number with a power of ten."""
        if self.more:
            trim = "k" if self.decimals else "-"
            text = np.format_float_scientific(value, min_digits=self.decimals, trim=trim)
        else:
            text = f"{value:.{self.decimals}e}"
        number, _, power = text.partition("e")
        sign = "-" if power[0] == "-" else "+" * ("+" in self.exponent)
        end = f"{self.exponent[0]}{sign}{power[1:].lstrip('0').zfill(self.exponent.count('0'))}"
        return "+" * (self.plus and value > 0) + number.replace(".", self.decimal) + end


def _escaped(text: str) -> str:
    """Write a text as a pattern of RE2."""
    return "".join(sign if sign.isalnum() or sign.isspace() else rf"\x{{{ord(sign):x}}}" for sign in text)

"""Fractions of a second in the formats of times: how many digits there are, and which zeros are left out."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# ``.%3f`` has three digits, ``.%3f?`` none where all are zero, ``.%3f*`` no zeros at the end; ``.%f`` has six.
FRACTION = r"[.,]%[1-9]?f[*?]?"
_FRACTION = re.compile(r"(?P<mark>[.,])%(?P<digits>[1-9]?)f(?P<end>[*?]?)")
_BARE = re.compile(r"(\d:\d\d:\d\d)(?![.,]?\d)")
_SECOND = 10**9


@dataclass(frozen=True)
class Fraction:
    """Fraction of a second.

    Parameters
    ----------
    digits : int
        At most.
    mark : {".", ","}, default="."
    end : {"", "*", "?"}, default=""
        ``*`` if zeros at the end are left out, ``?`` if all digits are where they are zero.
    """

    digits: int
    mark: str = "."
    end: str = ""

    @classmethod
    def of(cls, text: str) -> "Fraction | None":
        """Find the fraction in a format; None if it has none."""
        found = _FRACTION.search(text)
        return found and cls(int(found["digits"] or 6), found["mark"], found["end"])

    @classmethod
    def learn(cls, parts: Sequence[str]) -> "Fraction | None":
        """Learn the digits from fractions with their marks, which are empty for cells without one."""
        present = [part for part in parts if part]
        if not present:
            return None
        lengths = {len(part) - 1 for part in present}
        digits, mark, end = max(lengths), present[0][0], ""
        if len(lengths) == 1 and len(present) < len(parts):
            end = "?"
        elif len(lengths) > 1 and not any(part.endswith("0") for part in present):
            end = "*"
        return cls(min(digits, 9), mark, end)

    @property
    def text(self) -> str:
        """Text in a format."""
        return f"{self.mark}%{'' if self.digits == 6 else self.digits}f{self.end}"

    @property
    def size(self) -> int:
        """Nanoseconds of the last digit."""
        return 10 ** (9 - self.digits)

    def rounded(self, nanoseconds: int) -> int:
        """Round a whole number of nanoseconds to the last digit."""
        return (nanoseconds + self.size // 2) // self.size * self.size

    def write(self, nanoseconds: Iterable[int]) -> list[str]:
        """Write the fractions of whole numbers of nanoseconds, with their marks."""
        texts = [f"{each % _SECOND // self.size:0{self.digits}d}" for each in nanoseconds]
        if self.end:
            texts = [text.rstrip("0") if self.end == "*" or not text.strip("0") else text for text in texts]
        return [text and self.mark + text for text in texts]

    def filled(self, texts: Iterable[str | None]) -> list[str | None]:
        """Give every text a fraction, where some have none."""
        if not self.end:
            return list(texts)
        return [text and _BARE.sub(rf"\g<1>{self.mark}0", text, count=1) for text in texts]

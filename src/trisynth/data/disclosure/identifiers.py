"""Fresh identifiers in the form of real ones: unique, and none of them real."""

import math
import re
import string
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trisynth.data.disclosure.seen import Seen

_CLASSES = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
_HEX = set("abcdef")
_NUMBERED = re.compile(r"(.*?)([0-9]+)([^0-9]*)", re.DOTALL)
# Most digits of running numbers; Python converts no text of more than 4,300 to a number.
_LONGEST = 1_000
_IPV4 = re.compile(r"(?:(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])(?:\.|$)){4}(?<!\.)")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# A form that fewer identifiers share could give one of them away.
_COMMON = 5
# A position is limited to the characters seen there if each one of their class could have been seen so often.
_TIMES = 10
_BLOCK = 1024
# Most texts that are counted through without a repeat, so that the arithmetic fits into 64 bits.
_COUNTED = 2**31


@dataclass(frozen=True)
class Part:
    """One of several processes that make identifiers, each for its part of the rows of one table.

    Parameters
    ----------
    number : int, default=0
        From 0.
    count : int, default=1
    first : int, default=0
        Rows of the table before the part.
    """

    number: int = 0
    count: int = 1
    first: int = 0

    def own(self, rng: np.random.Generator) -> np.random.Generator:
        """Return the random generator of this part alone, from one that all parts have in common."""
        return rng if self.count == 1 else np.random.default_rng([int(rng.integers(2**63)), self.number])


WHOLE = Part()


class Form(ABC):
    """Base of the forms of identifiers."""

    @abstractmethod
    def stream(self, rng: np.random.Generator, part: Part = WHOLE) -> Iterator[str]:
        """Yield fresh identifiers without end and without a repeat; equal ``rng``, equal identifiers.

        Identifiers of different parts under an equal ``rng`` differ.
        """


def form_of(texts: Sequence[str], seen: Seen) -> Form:
    """Learn the form of identifiers: running numbers, or texts of a few shapes.

    Parameters
    ----------
    texts : sequence of str
        Real identifiers, at least one.
    seen : Seen
        The same, for fresh ones to avoid.
    """
    texts = sorted(set(texts))
    if all(_IPV4.fullmatch(text) for text in texts):
        return Addresses(seen)
    return _running(texts) or _mail(texts, seen) or Shapes.learn(texts, seen)


@dataclass(frozen=True)
class Addresses(Form):
    """IPv4 addresses of the private network 10.0.0.0/8, which belong to no machine outside it (RFC 1918).

    Parameters
    ----------
    seen : Seen
        Texts to avoid.
    """

    seen: Seen

    def stream(self, rng, part=WHOLE):
        """Yield fresh identifiers; see ``Form``. After 16 million, addresses above that network follow."""
        size, offset = 2**24, int(rng.integers(2**24))
        # An odd factor permutes the numbers below a power of two.
        factor = int(rng.integers(size)) | 1
        for start in range(part.number * _BLOCK, 2**31, part.count * _BLOCK):
            numbers = np.arange(start, start + _BLOCK)
            first, rest = 10 + numbers // size, (numbers * factor + offset) % size
            texts = np.array(
                [f"{a}.{n >> 16}.{n >> 8 & 255}.{n & 255}" for a, n in zip(first, rest, strict=True)], object
            )
            yield from texts[~self.seen.has(texts)]


@dataclass(frozen=True)
class Running(Form):
    """Numbers that continue beyond the last one, inside a constant text.

    Parameters
    ----------
    prefix, suffix : str
    width : int
        Digits, with leading zeros; 0 writes none.
    start, step : int
    """

    prefix: str
    suffix: str
    width: int
    start: int
    step: int

    def stream(self, rng, part=WHOLE):
        """Yield fresh identifiers; see ``Form``. Numbers of parts follow each other as their rows do."""
        number = self.start + part.first * self.step
        while True:
            yield f"{self.prefix}{number:0{self.width}d}{self.suffix}"
            number += self.step


@dataclass(frozen=True)
class Shape:
    """Identifiers of one length with their signs at the same places.

    Parameters
    ----------
    weight : int
        Real identifiers of this shape.
    positions : tuple of str
        Admissible characters of each position; one character is constant.
    """

    weight: int
    positions: tuple[str, ...]

    def candidates(self, rng: np.random.Generator, part: Part = WHOLE) -> Iterator[np.ndarray]:
        """Yield blocks of texts that never repeat; when all are used, texts become longer by one character."""
        positions = list(self.positions)
        while True:
            yield from _block_texts(positions, rng, part)
            free = [characters for characters in positions if len(characters) > 1]
            positions.append(free[-1] if free else string.digits)


@dataclass(frozen=True)
class Shapes(Form):
    """Texts of the shapes that at least five real identifiers share, else of the most frequent shape.

    Parameters
    ----------
    shapes : tuple of Shape
    seen : Seen
        Texts to avoid.
    domain : str, default=""
        Constant end of every text.
    """

    shapes: tuple[Shape, ...]
    seen: Seen
    domain: str = ""

    @classmethod
    def learn(cls, texts: Sequence[str], seen: Seen) -> "Shapes":
        """Learn the shapes of distinct texts."""
        groups: dict[str, list[str]] = {}
        for text in texts:
            groups.setdefault(re.sub(r"[^\W_]", "x", text), []).append(text)
        ordered = sorted(groups.values(), key=lambda group: (-len(group), group[0]))
        common = [group for group in ordered if len(group) >= _COMMON] or ordered[:1]
        letters = set("".join(texts)) & set(string.ascii_letters)
        digits = set("".join(texts)) & set(string.digits)
        hexadecimal = bool(letters and digits) and {letter.lower() for letter in letters} <= _HEX
        shapes = [
            Shape(len(group), tuple(_position(column, hexadecimal) for column in zip(*group, strict=True)))
            for group in common
        ]
        return cls(tuple(shapes), seen)

    def stream(self, rng, part=WHOLE):
        """Yield fresh identifiers; see ``Form``."""
        weights = np.array([shape.weight for shape in self.shapes], float)
        choose, *own = rng.spawn(len(self.shapes) + 1)
        streams = [self._accepted(shape, child, part) for shape, child in zip(self.shapes, own, strict=True)]
        choose = part.own(choose)
        while True:
            for shape in choose.choice(len(weights), _BLOCK, p=weights / weights.sum()):
                yield next(streams[shape])

    def _accepted(self, shape: Shape, rng: np.random.Generator, part: Part) -> Iterator[str]:
        for texts in shape.candidates(rng, part):
            texts = np.array([text + self.domain for text in texts], dtype=object)
            yield from texts[~self.seen.has(texts)]


def _running(texts: list[str]) -> Running | None:
    """Recognise running numbers: at most half of the numbers in their range are absent."""
    parts = [_NUMBERED.fullmatch(text) for text in texts]
    if len(texts) < 2 or not all(parts) or len({(part[1], part[3]) for part in parts}) > 1:
        return None
    digits = [part[2] for part in parts]
    if max(map(len, digits)) > _LONGEST:
        return None
    padded = any(len(text) > 1 and text[0] == "0" for text in digits)
    if padded and len(set(map(len, digits))) > 1:
        return None
    numbers = np.sort(np.array([int(text) for text in digits], dtype=object))
    step = math.gcd(*(numbers[1:] - numbers[:-1]))
    if not step or (numbers[-1] - numbers[0]) // step >= 2 * len(numbers):
        return None
    return Running(parts[0][1], parts[0][3], len(digits[0]) if padded else 0, int(numbers[-1] + step), int(step))


def _mail(texts: list[str], seen: Seen) -> Shapes | None:
    """Recognise email addresses; fresh ones end in a domain that is reserved for examples (RFC 2606)."""
    if not all(_MAIL.fullmatch(text) for text in texts):
        return None
    length = int(np.median([text.index("@") for text in texts]))
    shape = Shape(1, (string.ascii_lowercase,) * max(length, 4))
    return Shapes((shape,), seen, "@example.org")


def _position(characters: Sequence[str], hexadecimal: bool) -> str:
    """Return the admissible characters of one position, given those of many identifiers."""
    found = set(characters)
    if len(found) == 1 and (len(characters) >= _COMMON or not characters[0].isalnum()):
        return characters[0]
    admissible = set(found)
    for known in _CLASSES:
        if found & set(known):
            admissible |= {c for c in known if not hexadecimal or c.isdigit() or c.lower() in _HEX}
    return "".join(sorted(found if len(characters) >= _TIMES * len(admissible) else admissible))


def _block_texts(positions: list[str], rng: np.random.Generator, part: Part = WHOLE) -> Iterator[np.ndarray]:
    """Yield all texts of as many positions as can be counted through, the others at random."""
    counted, size = [], 1
    for i in reversed(range(len(positions))):
        if size * len(positions[i]) < _COUNTED:
            counted.append(i)
            size *= len(positions[i])
    factor = int(rng.integers(size)) | 1
    while math.gcd(factor, size) > 1:
        factor += 2
    offset = int(rng.integers(size))
    alphabets = [np.array(list(characters)) for characters in positions]
    # All parts count through the same permutation, each through blocks of its own.
    block = _BLOCK if part.count == 1 else max(min(_BLOCK, size // part.count), 1)
    rng = part.own(rng)
    for start in range(part.number * block, size, part.count * block):
        # An affine map permutes the numbers below ``size``.
        numbers = (np.arange(start, min(start + block, size)) * factor + offset) % size
        columns = [alphabet[rng.integers(len(alphabet), size=len(numbers))] for alphabet in alphabets]
        for i in counted:
            columns[i] = alphabets[i][numbers % len(alphabets[i])]
            numbers = numbers // len(alphabets[i])
        yield np.array(["".join(cells) for cells in zip(*columns, strict=True)], dtype=object)

"""Recognition of lap times, such as 1:23.456, and of clocks that leave out hours of zero."""

import re
from collections.abc import Sequence

from trisynth.data.formats.fractions import Fraction
from trisynth.data.formats.laps import LapFormat

_LAP = re.compile(r"-?(?:(?P<H>\d{1,3}):)?(?P<M>\d{1,3}):(?P<S>[0-5]\d)(?P<f>[.,]\d{1,9})?")
_SECONDS = re.compile(r"-?(?P<S>[0-5]?\d)(?P<f>[.,]\d{1,9})")
# Hours of a day: beyond them, the first of two parts is one of minutes.
_HOURS = 24
# Fraction of cells with minutes; where hardly any has them, the others are numbers.
_SOME = 0.05


def lap_format(texts: Sequence[str], most: float) -> LapFormat | None:
    """Return the format of lap times; None where fewer texts than ``most`` have it, or these are clocks of the day."""
    laps = [found for found in map(_LAP.fullmatch, texts) if found]
    if len(laps) < _SOME * len(texts):
        return None
    short = [found for found in laps if not found["H"]]
    parts = [found["f"] or "" for found in laps]
    if len(short) == len(laps):
        # Without a fraction, 1:23 are hours and minutes.
        if sum(bool(part) for part in parts) < most * len(laps):
            return None
        seconds = [found for found in map(_SECONDS.fullmatch, texts) if found]
        if len(laps) + len(seconds) < most * len(texts):
            return None
        parts += [found["f"] for found in seconds]
        return LapFormat("M", _padded(laps), bool(seconds), Fraction.learn(parts))
    if not short or len(laps) < most * len(texts) or max(int(found["M"]) for found in short) < _HOURS:
        return None
    return LapFormat("H", _padded(laps), True, Fraction.learn(parts))


def _padded(found: Sequence[re.Match]) -> bool:
    """Return whether no first part has a single digit."""
    return all(len(each["H"] or each["M"]) > 1 for each in found)

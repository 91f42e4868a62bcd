"""Recognition of dates that are written as whole numbers."""

import numpy as np
import pyarrow as pa

from trisynth.data.cells import Cells, matches
from trisynth.data.formats import DateFormat
from trisynth.data.profile import names

# Fewer different numbers are categories.
_FEW = 10
# Years that dates written in eight digits may have, and Excel's counts of the days since 1900 (from 1954 to 2064).
_YEARS, _DAYS = (1850, 2150), (20_000, 60_000)
_SECONDS = (3e8, 4e9)


def of_ordinal(name: str) -> bool:
    """Return whether numbers such as 2019-045 may be days of a year; by the cells alone they may be case numbers."""
    return names.of_date(name) and not names.of_identifier(name)


def whole_dates(cells: Cells, present: np.ndarray, sample: list[str]) -> str | None:
    """Recognise dates that are written as whole numbers: 20240131, Excel's 45322, or seconds since 1970."""
    array = pa.array(sample, pa.string())
    if matches(array, r"(18|19|20|21)[0-9]{6}").mean() > 0.9:
        dates = DateFormat("%Y%m%d").parse(sample)
        if dates.notna().mean() > 0.9 and dates.dt.year.dropna().between(*_YEARS).all():
            return "%Y%m%d"
        return None
    ordinal = len(sample) > _FEW and of_ordinal(cells.name)
    if ordinal and matches(array, r"(19|20)[0-9]{2}(0[0-9]{2}|[12][0-9]{2}|3[0-6][0-9])").all():
        dates = DateFormat("%Y%j").parse(sample)
        return "%Y%j" if dates.notna().all() else None
    if len(sample) > _FEW and (found := _months_or_weeks(cells.name, array)):
        return found
    if not cells.numeric[present].all():
        return None
    numbers = cells.numbers[present]
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return None
    low, high = np.quantile(numbers, [0.05, 0.95])
    if names.of_date(cells.name) and _DAYS[0] <= low and high <= _DAYS[1]:
        return "excel"
    if names.of_stamp(cells.name):
        for scale, name in ((1, "unix"), (1000, "unix_ms"), (1_000_000, "unix_us")):
            if _SECONDS[0] * scale <= low and high <= _SECONDS[1] * scale:
                after = max(len(text.partition(".")[2]) for text in sample)
                return f"{name}.{'0' * after}" if after else name
    return None


def _months_or_weeks(name: str, texts: pa.Array) -> str | None:
    """Recognise 202401 and 01.2024 as a month, or 202401 as a week where the name means one."""
    if matches(texts, r"(0[1-9]|1[0-2])\.(18|19|20|21)[0-9]{2}").all() and matches(texts, "0.*").any():
        return "%m.%Y"
    if matches(texts, r"(18|19|20|21)[0-9]{2}\.(0[1-9]|1[0-2])").all():
        return "%Y.%m"
    if matches(texts, r"(19|20)[0-9]{2}(0[1-9]|1[0-2])").all():
        return "%G%V" if names.of_week(name) else "%Y%m"
    weeks = names.of_week(name) and matches(texts, r"(19|20)[0-9]{2}(0[1-9]|[1-4][0-9]|5[0-3])").all()
    return "%G%V" if weeks else None

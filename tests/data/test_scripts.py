"""Digits of other scripts, ordinal days and abbreviated zones are read, and written as the file writes them."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data.cells import Cells
from trisynth.data.formats import format_of
from trisynth.data.profile.columns import profile
from trisynth.errors import InputError

RNG = np.random.default_rng(0)
TIMES = pd.DatetimeIndex(pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(0, 1_000_000, 150), "min"))
BERLIN = TIMES.tz_localize("Europe/Berlin", nonexistent="shift_forward", ambiguous=np.ones(150, bool))
ENDS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


def script(texts, zero: str) -> list[str]:
    """Write texts with the digits of a script."""
    return [text.translate({ord(str(i)): chr(ord(zero) + i) for i in range(10)}) for text in map(str, texts)]


COLUMNS = {
    "pressure": (script(RNG.integers(90, 180, 150), "٠"), "number", "1* #٠"),
    "price": ([text.replace(".", "٫") for text in script([f"{x:.2f}" for x in RNG.random(150)], "٠")], "number", None),
    "weight": (script([f"{x:.1f} kg" for x in RNG.normal(70, 9, 150)], "०"), "number", "1.0 kg #०"),
    "visit": (script(TIMES.strftime("%Y/%m/%d"), "۰"), "date", "%Y/%m/%d #۰"),
    "day": ([f"{t.day}{ENDS.get(t.day, 'th')} {t:%B %Y}" for t in TIMES], "date", "%+d %B %Y"),
    "us": ([f"{t:%B} {t.day}{ENDS.get(t.day, 'th')}, {t:%Y}" for t in TIMES], "date", "%B %+d, %Y"),
    "winter": ([f"{t:%Y-%m-%d %H:%M} CET" for t in TIMES], "date", "%Y-%m-%d %H:%M %Z{CET}"),
    "unknown zone": ([f"{t:%Y-%m-%d %H:%M} IST" for t in TIMES], "date", "%Y-%m-%d %H:%M IST"),
    "offset by name": ([f"{t:%d/%m/%Y %H:%M} GMT+2" for t in TIMES], "date", "%d/%m/%Y %H:%M GMT+2"),
    "place": (
        [f"{t:%Y-%m-%dT%H:%M:%S}+01:00[Europe/Paris]" for t in TIMES],
        "date",
        "%Y-%m-%dT%H:%M:%S%:z[Europe/Paris]",
    ),
    "summer": (list(BERLIN.strftime("%d.%m.%Y %H:%M %Z")), "date", "%d.%m.%Y %H:%M %Z{CET,CEST}"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_what_is_read_is_written_in_the_same_way(name):
    cells, kind, form = COLUMNS[name]
    facts = profile(Cells.of(pd.Series(cells, name=name))).facts
    assert facts.kind == kind
    assert form in (None, facts.format)
    read = format_of(kind, facts.format)
    assert read.print(read.parse(cells)).tolist() == cells


def test_local_times_are_the_same_points_in_time():
    cells, _, form = COLUMNS["summer"]
    assert (format_of("date", form).parse(cells) == pd.Series(BERLIN.floor("min"))).all()


@pytest.mark.parametrize(
    ("cells", "problem", "kind"),
    [
        ([f"{t:%Y-%m-%d %H:%M} {zone}" for t, zone in zip(TIMES, ["CET", "EST"] * 75, strict=True)], "zones", "text"),
        ([f"1.{i % 12}.{i % 30 + 10}" for i in range(150)], "versions", "category"),
        ([*script(range(75), "٠"), *map(str, range(75))], "digits of two scripts", "number"),
    ],
)
def test_what_can_be_meant_in_two_ways_is_a_question(cells, problem, kind):
    found = profile(Cells.of(pd.Series(cells * 3, name="x")))
    assert found.facts.kind == kind
    assert any(problem in doubt.problem for doubt in found.doubts)


def test_abbreviations_of_two_zones_are_refused():
    with pytest.raises(InputError, match="must abbreviate one zone"):
        format_of("date", "%Y-%m-%d %H:%M %Z{CET,EST}")

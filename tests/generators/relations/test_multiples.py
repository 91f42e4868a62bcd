"""Numbers on a step of their own, whole weeks, totals of answers and flags of one level are kept by generators."""

import numpy as np
import pandas as pd
import pytest

from trisynth.generators.circuit import Circuit
from trisynth.generators.copula import Copula
from trisynth.generators.independent import Independent
from trisynth.generators.smote import SMOTE


def items(rows: int = 300) -> pd.DataFrame:
    """Answers with a total, one of three flags, doses on a step, and whole weeks between dates."""
    rng = np.random.default_rng(0)
    answers, level = rng.integers(0, 4, (rows, 6)), rng.integers(0, 3, rows)
    first = pd.Timestamp("2020-01-06") + pd.to_timedelta(rng.integers(0, 900, rows), "D")
    table = pd.DataFrame(answers, columns=[f"q{i}" for i in range(6)]).assign(total=answers.sum(axis=1))
    table = table.assign(**{f"level{i}": (level == i).astype(int) for i in range(3)})
    table = table.assign(dose=5 * rng.binomial(40, 0.3, rows), odd=2 * rng.integers(0, 30, rows) + 1, first=first)
    return table.assign(
        next=first + pd.to_timedelta(7 * rng.integers(1, 13, rows), "D"), y=rng.choice(["a", "b"], rows)
    )


@pytest.mark.parametrize("generator", [Independent(), SMOTE(), Copula(), Circuit()])
def test_totals_of_answers_flags_steps_and_whole_weeks_are_kept(generator):
    rows = generator.fit(items(), target="y").sample(700)
    assert (rows["total"] == rows[[f"q{i}" for i in range(6)]].sum(axis=1)).all()
    assert (rows[["level0", "level1", "level2"]].sum(axis=1) == 1).all()
    assert (rows["dose"] % 5 == 0).all() and (rows["odd"] % 2 == 1).all()
    assert ((rows["next"] - rows["first"]).dt.days % 7 == 0).all()
    assert {"dose is a multiple of 5", "odd is a multiple of 2, counted from 1"} <= set(
        map(str, generator.relations_.steps)
    )


def test_chance_gives_no_step():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"n": rng.integers(0, 100, 300), "x": rng.normal(size=300).round(2), "f": rng.integers(0, 2, 300)}
    )
    assert not Independent().fit(table.assign(y=rng.choice(["a", "b"], 300)), target="y").relations_.steps


def shifts(rows: int = 300) -> pd.DataFrame:
    """Shifts that begin and end at quarter hours, with their hours and a wage that follows from these."""
    rng = np.random.default_rng(0)
    begin, long = 15 * rng.integers(0, 96, rows), 15 * rng.integers(8, 49, rows)
    rate = rng.choice([15.5, 18.0, 22.25], rows)
    return pd.DataFrame(
        {
            "begin": pd.to_timedelta(begin, "min"),
            "end": pd.to_timedelta((begin + long) % 1440, "min"),
            "hours": long / 60,
            "rate": rate,
            "pay": np.round(rate * long / 60, 2),
            "late": rng.choice(["yes", "no"], rows),
        }
    )


@pytest.mark.parametrize("generator", [Independent(), SMOTE(), Circuit()])
def test_clocks_keep_their_step_and_what_follows_from_a_computed_column_is_computed_after_it(generator):
    table = shifts()
    rows = generator.fit(table, target="late").sample(500)
    for name in ("begin", "end"):
        assert (rows[name] % pd.Timedelta(15, "min") == pd.Timedelta(0)).all()
    assert ((rows["end"] - rows["begin"]) % pd.Timedelta(1, "D") == pd.to_timedelta(rows["hours"], "h")).all()
    assert (np.abs(rows["pay"] - rows["rate"] * rows["hours"]) < 0.0051).all()
    found = [str(step) for step in generator.relations_.steps]
    assert "begin is a multiple of 900 s" in found
    # In the order in which columns are left out.
    assert found.index("pay = hours * rate") < min(i for i, each in enumerate(found) if each.startswith("hours ="))

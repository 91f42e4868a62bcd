"""Columns of every kind that users bring, and their comparison after a round trip."""

import numpy as np
import pandas as pd


def columns() -> dict[str, pd.Series]:
    rng = np.random.default_rng(0)
    days = pd.Series(pd.date_range("2020-03-20", periods=30, freq="D"))
    numbers = rng.normal(size=30)
    named = {
        "float": numbers,
        "float with gaps": np.where(numbers > 0.5, np.nan, numbers),
        "two decimals": np.round(numbers * 7, 2),
        "one decimal, single precision": np.round(numbers, 1).astype("float32"),
        "whole floats": np.round(numbers * 9),
        "integer": rng.integers(-5, 90, 30),
        "unsigned byte": rng.integers(200, 255, 30).astype("uint8"),
        "large integer": rng.integers(-(2**52), 2**52, 30),
        "nullable integer": pd.array([1, None, 7] * 10, dtype="Int64"),
        "nullable float": pd.array([1.25, None, 7.5] * 10, dtype="Float64"),
        "nullable truth": pd.array([True, None, False] * 10, dtype="boolean"),
        "truth": numbers > 0,
        "text": rng.choice(["a", "é", "=1+1", ""], 30),
        "text with gaps": np.array(["a", None, "b"] * 10, dtype=object),
        "string": pd.array(["x", None, "y"] * 10, dtype="string"),
        "category": pd.Categorical(rng.choice(["lo", "hi"], 30), ["lo", "mid", "hi"], ordered=True),
        "category of numbers": pd.Categorical(rng.choice([3, 1, 2], 30)),
        "category with gaps": pd.Categorical(["u", None, "v"] * 10),
        "mixed": np.array([1, "one", 2.5] * 10, dtype=object),
        "constant": np.full(30, 2.5),
        "constant category": np.full(30, "only"),
        "no values": np.full(30, np.nan),
        "no texts": np.full(30, None, dtype=object),
        "dates": days,
        "dates with gaps": days.mask(numbers > 0),
        "times": days + pd.to_timedelta(rng.integers(0, 86_400, 30), unit="s"),
        "times in a zone": days.dt.tz_localize("Europe/Berlin") + pd.Timedelta("1h"),
        "seconds": days.astype("datetime64[s]"),
    }
    return {name: pd.Series(values, name=name) for name, values in named.items()}


COLUMNS = columns()


def same(back: pd.DataFrame | pd.Series, real: pd.DataFrame | pd.Series, **tolerance) -> None:
    """Assert that two tables or columns are equal; pandas' missing texts, None and NaN, count as one."""
    back, real = (pd.DataFrame(part) for part in (back, real))
    assert list(back.dtypes) == list(real.dtypes)
    for i in range(real.shape[1]):
        left, right = back.iloc[:, i], real.iloc[:, i]
        assert left.isna().tolist() == right.isna().tolist()
        left, right = left.dropna(), right.dropna()
        pd.testing.assert_series_equal(left, right, check_names=False, **{"check_exact": True, **tolerance})

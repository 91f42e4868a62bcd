"""Tables that a generator may meet, and what every synthetic table owes to the real one."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from pandas.api import types

ROWS = 120
Table = tuple[pd.DataFrame, pd.Series]


def mixed(rows: int = ROWS, seed: int = 0) -> Table:
    """One column of every kind, some with missing cells, and three classes."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=rows)
    X = pd.DataFrame(
        {
            "size": size,
            "price": np.round(10 + size + rng.normal(size=rows), 2),
            "dose": np.where(rng.random(rows) < 0.2, np.nan, np.round(rng.gamma(2.0, size=rows), 1)),
            "visits": rng.poisson(3, rows),
            "children": pd.array(rng.integers(0, 4, rows), dtype="Int64"),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D"),
            "smoker": rng.random(rows) < 0.3,
            "stage": pd.Categorical(rng.choice(["I", "II", "III"], rows), ["I", "II", "III", "IV"], ordered=True),
            "region": rng.choice(np.array(["north", "south", None], dtype=object), rows),
        }
    )
    X.loc[::7, "children"] = pd.NA
    y = pd.Series(pd.Categorical(rng.choice(["ill", "well", "unsure"], rows, p=[0.2, 0.7, 0.1])), name="outcome")
    return X, y


def _numbers(**columns) -> Table:
    rows = len(next(iter(columns.values())))
    return pd.DataFrame(columns), pd.Series(np.arange(rows) % 2, name="label")


def _hard() -> dict[str, Callable[[], Table]]:
    rng = np.random.default_rng(1)
    normal, letters = rng.normal(size=40), rng.choice(list("abc"), 40)
    X, y = mixed(40)
    few = X[["dose", "visits", "region"]]
    unicode = X[["size", "price", "visits", "region"]].set_axis(["größe ☃", "=cmd|' /C calc'!A0", "", "a\nb"], axis=1)
    unicode["a\nb"] = rng.choice(["=1+1", "☃", "\x00", " "], len(X))
    shuffled = few.set_index(pd.Index(rng.integers(0, 3, len(X))))
    days = pd.Series(pd.date_range("1969-12-01", periods=40, freq="37h"))
    return {
        "one row": lambda: (X.iloc[:1], y.iloc[:1]),
        "two rows": lambda: (X.iloc[:2], y.iloc[:2]),
        "one column": lambda: (X[["size"]], y),
        "one category": lambda: (X[["stage"]], y),
        "constant columns": lambda: (pd.DataFrame({"a": 3, "b": 2.5, "c": "x"}, index=range(40)), y),
        "column without values": lambda: (few.assign(none=np.nan, nothing=pd.Series([None] * 40, dtype=object)), y),
        "no values at all": lambda: (pd.DataFrame({"a": np.full(40, np.nan), "b": pd.Categorical([None] * 40)}), y),
        "columns of every dtype without values": lambda: (
            pd.DataFrame(
                {name: pd.Series([None] * 40, dtype=name) for name in ("Int64", "boolean", "string", "datetime64[ns]")}
                | {"float32": np.full(40, np.nan, dtype="float32")}
            ),
            y,
        ),
        "one class": lambda: (few, pd.Series("same", index=X.index)),
        "one class, categories": lambda: (X[["stage", "region"]], pd.Series("same", index=X.index)),
        "class of one row": lambda: (few, pd.Series(["rare"] + ["common"] * 39)),
        "class of two rows": lambda: (few, pd.Series(["rare"] * 2 + ["common"] * 38)),
        "a class for every row": lambda: (few, pd.Series(np.arange(40))),
        "unused class": lambda: (few, pd.Series(pd.Categorical(letters, ["z", *"cba"]))),
        "class of booleans": lambda: (few, pd.Series(normal > 0)),
        "300 categories": lambda: (
            pd.DataFrame({"c": [f"c{i}" for i in range(300)] * 2, "x": np.arange(600) % 7}),
            pd.Series(list("ab") * 300),
        ),
        "unicode and formulas": lambda: (unicode, y.cat.rename_categories({"ill": "=cmd", "well": "☃"})),
        "columns without text names": lambda: (few.set_axis(range(3), axis=1), y),
        "infinities": lambda: _numbers(a=np.where(normal > 1, np.inf, normal), b=np.where(normal > 0, -np.inf, 1.5)),
        "largest floats": lambda: _numbers(a=normal / 4 * 1e308, b=np.where(normal > 0, 1.7e308, -1.7e308)),
        "smallest floats": lambda: _numbers(a=normal * 1e-308, b=normal * 1e-160),
        "largest integers": lambda: _numbers(a=rng.integers(-(2**63), 2**63 - 1, 40), b=np.full(40, 2**63 - 1)),
        "small integers": lambda: _numbers(a=normal.astype("int8"), b=np.arange(40, dtype="uint8") + 216),
        "single precision": lambda: _numbers(a=normal.astype("float32"), b=np.round(normal, 2).astype("float32")),
        "repeated index": lambda: (shuffled, pd.Series(y.to_numpy(), index=shuffled.index)),
        "numbers only": lambda: (X[["size", "price", "visits"]], y),
        "numbers with gaps": lambda: (X[["size", "dose", "children"]], y),
        "categories only": lambda: (X[["stage", "region", "smoker"]], y),
        "mixed values": lambda: (pd.DataFrame({"m": [1, "one", 2.5, True] * 10}), y),
        "dates": lambda: (
            pd.DataFrame({"d": days, "z": days.dt.tz_localize("Europe/Berlin"), "gap": days.mask(normal > 0)}),
            y,
        ),
        "nullable columns": lambda: (
            pd.DataFrame(
                {
                    "i": pd.array([1, None, 3, 4] * 10, dtype="Int64"),
                    "f": pd.array([0.5, None, 3.25, 4.0] * 10, dtype="Float64"),
                    "b": pd.array([True, None, False, True] * 10, dtype="boolean"),
                    "s": pd.array(["u", None, "v", "w"] * 10, dtype="string"),
                }
            ),
            pd.Series(pd.array([0, 1] * 20, dtype="Int64")),
        ),
        "numeric target": lambda: (X, pd.Series(normal, name="cost")),
        "constant numeric target": lambda: (few, pd.Series(np.full(40, 2.5), name="y")),
        "numeric target, one row": lambda: (X.iloc[:1], pd.Series([2.5])),
    }


HARD = _hard()


def owes(real: Table, synthetic: Table, n: int) -> None:
    """Assert what a synthetic table owes: shape, names, dtypes, ranges, categories, steps, no invented gaps."""
    X, y = real
    drawn, target = synthetic
    assert len(drawn) == len(target) == n
    assert drawn.columns.equals(X.columns)
    assert list(drawn.dtypes) == list(X.dtypes)
    assert target.dtype == y.dtype and target.name == (y.name or "target")
    assert drawn.index.equals(pd.RangeIndex(n)) and target.index.equals(pd.RangeIndex(n))
    for i in range(X.shape[1]):
        _column_owes(X.iloc[:, i], drawn.iloc[:, i])
    _column_owes(y, target)


def _column_owes(real: pd.Series, drawn: pd.Series) -> None:
    whole = types.is_numeric_dtype(real.dtype) and not types.is_bool_dtype(real.dtype)
    if whole and not types.is_integer_dtype(real.dtype):
        real = real.mask(np.isinf(real.to_numpy(float, na_value=np.nan)))
    if not real.isna().any():
        assert not drawn.isna().any()
    real, drawn = real.dropna(), drawn.dropna()
    if whole or types.is_datetime64_any_dtype(real.dtype):
        assert len(real) or not len(drawn)
        assert not len(drawn) or (drawn.min() >= real.min() and drawn.max() <= real.max())
    else:
        declared = real.cat.categories if isinstance(real.dtype, pd.CategoricalDtype) else real
        assert set(drawn) <= set(declared)
    if whole and types.is_float_dtype(real.dtype):
        for decimals in range(4):
            if real.abs().max() < 1e6 and real.round(decimals).equals(real):
                pd.testing.assert_series_equal(drawn.round(decimals), drawn)


@pytest.fixture(scope="session", name="mixed")
def mixed_table() -> Callable[..., Table]:
    return mixed


@pytest.fixture(params=HARD)
def hard(request) -> Table:
    return HARD[request.param]()


@pytest.fixture(scope="session", name="owes")
def owed() -> Callable[[Table, Table, int], None]:
    return owes

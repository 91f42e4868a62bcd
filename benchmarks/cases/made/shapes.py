"""Tables of unusual sizes, columns of one value or of none, and targets that are hard to learn."""

import numpy as np
import pandas as pd

from benchmarks.cases.made.base import ROWS, gaps, made, outcome


def _plain(rng, rows=ROWS):
    return pd.DataFrame({"x": rng.normal(size=rows).round(2), "ward": rng.choice(["A", "B"], rows)})


@made("header_alone")
def _header(rng):
    return "age,ward,y\n"


@made("nothing")
def _nothing(rng):
    return ""


@made("one_row")
def _one(rng):
    return "age,ward,y\n34,A,yes\n"


@made("two_rows")
def _two(rng):
    return "age,ward,y\n34,A,yes\n51,B,no\n"


@made("nine_rows")
def _nine(rng):
    return _plain(rng, 9).assign(y=["yes", "no", "no"] * 3)


@made("one_column")
def _column(rng):
    return pd.DataFrame({"y": outcome(rng)})


@made("columns_3000")
def _columns(rng):
    frame = pd.DataFrame(rng.normal(size=(60, 3_000)).round(2)).add_prefix("cg")
    return frame.assign(y=np.where(frame["cg0"] > 0, "case", "control"))


@made("all_missing")
def _missing(rng):
    return _plain(rng).assign(
        empty="", na="NA", constant=7, text="same", nearly=["B"] + ["A"] * (ROWS - 1), y=outcome(rng)
    )


@made("target_of_zeros_and_ones")
def _floats(rng):
    return _plain(rng).assign(y=rng.integers(0, 2, ROWS).astype(float))


@made("target_with_leading_zeros")
def _zeros(rng):
    return _plain(rng).assign(stage=rng.choice(["01", "02", "10"], ROWS))


@made("target_with_gaps")
def _gaps(rng):
    return _plain(rng).assign(died=gaps(rng, outcome(rng), 0.2))


@made("target_unknown")
def _unknown(rng):
    return _plain(rng).assign(status=gaps(rng, outcome(rng), 0.1, "unknown"))


@made("target_of_one_rare_row")
def _rare(rng):
    return _plain(rng).assign(y=["rare"] + ["usual"] * (ROWS - 1))


@made("target_of_many_classes")
def _many(rng):
    return _plain(rng).assign(y=rng.choice([f"ICD-{i:03d}" for i in range(120)], ROWS))


@made("target_in_many_spellings")
def _spellings(rng):
    return _plain(rng).assign(y=rng.choice(["Yes", "yes ", "YES", "no", "No", "0", "1"], ROWS))


@made("target_of_counts")
def _counts(rng):
    return _plain(rng).assign(visits=rng.poisson(3, ROWS))


@made("target_of_money")
def _money(rng):
    return _plain(rng).assign(cost=[f"${v:,.2f}" for v in rng.lognormal(7, 1, ROWS)])


@made("target_of_grades", sep=";")
def _grades(rng):
    return _plain(rng).assign(
        Note=[f"{v:.1f}".replace(".", ",") for v in rng.choice([1.0, 1.3, 1.7, 2.0, 3.7, 5.0], ROWS)]
    )


@made("target_of_dates")
def _dates(rng):
    d = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, ROWS), unit="D")
    return _plain(rng).assign(due=d.strftime("%Y-%m-%d"))


@made("equal_rows")
def _equal(rng):
    return pd.DataFrame({"a": rng.choice([0, 1], ROWS), "b": rng.choice(["x", "y"], ROWS), "c": outcome(rng)})


@made("equal_columns")
def _copies(rng):
    frame = _plain(rng)
    return frame.assign(x_again=frame["x"], ward_name=frame["ward"].map({"A": "Alpha", "B": "Beta"}), y=outcome(rng))


@made("leak")
def _leak(rng):
    y = outcome(rng)
    return _plain(rng).assign(code=np.where(y == "yes", 1, 0), reason=np.where(y == "yes", "died", ""), y=y)

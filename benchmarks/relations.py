"""Relations between columns in real rows and in the rows of every generator.

Writes ``relations.csv``. Three tables are simulated, and with ``--default`` a subsample of the Default of Credit Card
Clients (UCI) is added, as a CSV file with its own header. Each generator is fitted with the search for relations and
without it, and draws 2,000 rows; the table holds the fraction of rows in which each relation holds.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd

from benchmarks import output
from trisynth.config import CONF
from trisynth.frames import _generator

ROWS, DRAWN = 800, 2_000
# From the cheapest to the most expensive.
NAMES = (
    *("independent", "copy", "copula", "smote", "borderline_smote", "adasyn", "smotenc", "arf"),
    *("cart", "sequential_forest", "circuit"),
)
NETWORKS = ("vae", "tvae", "gan", "cgan", "ctgan", "tgan", "diffusion")
Checks = dict[str, Callable[[pd.DataFrame], pd.Series]]


def invoices() -> tuple[pd.DataFrame, str, list[str], Checks]:
    """Return invoices and employments with sums, an order and a declared limit."""
    rng = np.random.default_rng(0)
    net, tax = np.round(rng.gamma(4, 8, ROWS), 2), np.round(rng.gamma(3, 4, ROWS), 2)
    start, age = rng.integers(0, 1_000, ROWS), rng.integers(18, 90, ROWS)
    X = pd.DataFrame({"net": net, "tax": tax, "total": np.round(net + tax, 2)})
    X["start"], X["end"] = start, start + rng.integers(1, 16, ROWS)
    X["age"], X["years"] = age, rng.binomial(age // 2, 0.4)
    X["y"] = np.where(rng.random(ROWS) < 0.2 + 0.4 * (net > 30), "yes", "no")
    checks: Checks = {
        "total = net + tax": lambda t: (t["total"] - t["net"] - t["tax"]).abs() < 0.005,
        "end 1 to 15 days after start": lambda t: (t["end"] - t["start"]).between(1, 15),
        "years <= age / 2 (declared)": lambda t: t["years"] <= t["age"] / 2,
    }
    return X, "y", ["years <= age / 2"], checks


def visits() -> tuple[pd.DataFrame, str, list[str], Checks]:
    """Return visits with a power of two columns, spans of dates and a column that another determines."""
    rng = np.random.default_rng(1)
    height = np.round(rng.normal(172, 10, ROWS))
    weight = np.round(rng.normal(25, 4, ROWS) * (height / 100) ** 2, 1)
    admitted = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, ROWS), "D")
    days, level = rng.integers(1, 16, ROWS), rng.integers(0, 8, ROWS)
    school = np.array(["none", "primary", "lower", "middle", "upper", "college", "master", "doctor"])
    X = pd.DataFrame({"height": height, "weight": weight, "bmi": np.round(weight / (height / 100) ** 2, 1)})
    X["admitted"], X["discharged"] = admitted, admitted + pd.to_timedelta(days, "D")
    X["stay"], X["school"], X["grade"] = days, school[level], level
    X["y"] = np.where(rng.random(ROWS) < 0.2 + 0.4 * (X["bmi"] > 27), "yes", "no")
    grades = dict(zip(school, range(8), strict=True))
    checks: Checks = {
        "bmi = weight / height^2": lambda t: (t["bmi"] - t["weight"] / (t["height"] / 100) ** 2).abs() < 0.0501,
        "stay = discharged - admitted": lambda t: t["stay"] == (t["discharged"] - t["admitted"]).dt.days,
        "discharged 1 to 15 days later": lambda t: (t["discharged"] - t["admitted"]).dt.days.between(1, 15),
        "school determines grade": lambda t: t["grade"] == t["school"].map(grades),
    }
    return X, "y", [], checks


def answers() -> tuple[pd.DataFrame, str, list[str], Checks]:
    """Return answers with a total, a level in three columns, doses on a step, and whole weeks between dates."""
    rng = np.random.default_rng(2)
    items, level = rng.integers(0, 4, (ROWS, 9)), rng.integers(0, 3, ROWS)
    first = pd.Timestamp("2020-01-06") + pd.to_timedelta(rng.integers(0, 900, ROWS), "D")
    X = pd.DataFrame(items, columns=[f"q{i + 1}" for i in range(9)])
    X["total"] = items.sum(axis=1)
    for i, name in enumerate(("mild", "moderate", "severe")):
        X[name] = (level == i).astype(int)
    X["dose"] = 5 * rng.binomial(40, 0.3, ROWS)
    X["first"], X["next"] = first, first + pd.to_timedelta(7 * rng.integers(1, 13, ROWS), "D")
    X["y"] = np.where(rng.random(ROWS) < 0.2 + 0.4 * (X["total"] > 14), "yes", "no")
    questions = [f"q{i + 1}" for i in range(9)]
    checks: Checks = {
        "total = sum of nine answers": lambda t: t["total"] == t[questions].sum(axis=1),
        "mild + moderate + severe = 1": lambda t: t[["mild", "moderate", "severe"]].sum(axis=1) == 1,
        "dose is a multiple of 5": lambda t: t["dose"] % 5 == 0,
        "next whole weeks after first": lambda t: (t["next"] - t["first"]).dt.days % 7 == 0,
    }
    return X, "y", [], checks


def default(path: Path) -> tuple[pd.DataFrame, str, list[str], Checks]:
    """Return a subsample of the credit card clients; equality of two zeros does not count."""
    X = pd.read_csv(path).sample(2_000, random_state=0).reset_index(drop=True)

    def equal(t: pd.DataFrame) -> pd.Series:
        return (t["BILL_AMT2"] == t["PAY_AMT1"]) & (t["PAY_AMT1"] != 0)

    return X, X.columns[-1], [], {"BILL_AMT2 = PAY_AMT1, not zero": equal}


def measured(name: str, table: str, case: tuple) -> list[dict]:
    """Fit one generator with and without the search, and check its rows."""
    X, target, constraints, checks = case
    began = time.process_time()
    kept = _generator(name).fit(X, target=target, constraints=constraints).sample(DRAWN)
    seconds = time.process_time() - began
    plain = _generator(name).fit(X, target=target, relations=False).sample(DRAWN)
    return [
        {
            "table": table,
            "relation": relation,
            "generator": name,
            "real": holds(X).mean(),
            "without": holds(plain).mean(),
            "with": holds(kept).mean(),
            "cpu_s": round(seconds, 1),
        }
        for relation, holds in checks.items()
    ]


def main(arguments: list[str] | None = None) -> None:
    """Measure all generators, and write the table after each."""
    parser = output.parser("relations", __doc__)
    known = sorted(path.stem for path in (CONF / "generator").glob("*.yaml"))
    parser.add_argument("--generators", nargs="+", choices=known, default=[*NAMES, *NETWORKS])
    parser.add_argument("--default", type=Path, help="CSV file of the credit card clients")
    options = parser.parse_args(arguments)
    cases = {"invoices": invoices(), "visits": visits(), "answers": answers()}
    if options.default:
        cases["default"] = default(options.default)
    found: list[dict] = []
    for name in options.generators:
        for table, case in cases.items():
            found += measured(name, table, case)
            print(name, table, flush=True)
        output.write(pd.DataFrame(found), options.out / "relations.csv")


if __name__ == "__main__":
    main(sys.argv[1:])

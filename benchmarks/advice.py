"""How often ``generator=auto`` is right where the truth is known: ``python benchmarks/advice.py``.

Tables whose classes are drawn by lot: no candidate can gain, and every other answer than none is a false alarm. And
scarce tables with a candidate that knows their density: there, none is a miss. Writes ``advice.csv``, a row per table.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from trisynth import seeds
from trisynth.generators.base import Generator
from trisynth.generators.copula import Copula
from trisynth.generators.independent import Independent
from trisynth.generators.smote import SMOTE
from trisynth.recommend.auto import CLASSIFIERS, Auto

HERE = Path(__file__).resolve().parent
ROWS, WIDTH, AMOUNTS = 120, 20, (0.5, 1.0, 4.0)


class Density(Generator):
    """Draws from the law of ``scarce``, whatever it is fitted to.

    Parameters
    ----------
    shift : float
        Distance of the classes.
    """

    def __init__(self, shift: float = 0.7):
        self.shift = shift

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        pass

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        return scarce(labels, self.shift, rng)


def scarce(labels: np.ndarray, shift: float, rng: np.random.Generator) -> pd.DataFrame:
    """Classes that differ by ``shift`` in the difference of two columns, beside columns that only mislead."""
    X = rng.normal(size=(len(labels), WIDTH))
    X[:, 1] = X[:, 0] + 0.3 * X[:, 1] + shift * (labels - 0.5)
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(WIDTH)])


def answer(truth: str, shift: float, candidates: dict[str, Generator], table: int) -> dict[str, object]:
    """What the search says of one table, and what the folds that chose would have had one believe."""
    rng = seeds.stream(table, "benchmark.advice", truth)
    labels = (rng.permutation(ROWS) < ROWS / 2).astype(int)
    auto = Auto(candidates, AMOUNTS, {"logistic": CLASSIFIERS["logistic"]})
    auto.fit(scarce(labels, shift, rng), pd.Series(labels, name="label"), seed=table)
    kept = ("gain_choosing", "gain", "lower", "gain_over_real", "lower_over_real")
    said = {name: auto.advice_[name] for name in kept}
    return {
        "truth": truth,
        "table": table,
        "advised": auto.advice() != 0,
        "candidate": auto.advice_["candidate"],
    } | said


def main(tables: int) -> None:
    """Write the answers and print their rates."""
    usual = {"independent": Independent(), "smote": SMOTE(), "copula": Copula()}
    rows = [answer("no gain", 0.0, usual, table) for table in range(tables)]
    rows += [answer("a gain", 0.7, usual | {"density": Density()}, table) for table in range(tables)]
    found = pd.DataFrame(rows)
    found.to_csv(HERE / "advice.csv", index=False, float_format="%.6g")
    shown = found.groupby("truth", sort=False)[["advised", "gain_choosing", "gain"]].mean()
    for truth, advised in found.groupby("truth", sort=False)["advised"]:
        share = binomtest(int(advised.sum()), len(advised)).proportion_ci(method="wilson")
        shown.loc[truth, ["from", "to"]] = share.low, share.high  # 95 %, of the share of advised tables
    print(shown.round(3).to_string())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=60, help="tables of each kind")
    main(parser.parse_args().tables)

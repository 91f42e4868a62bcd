"""Error rates of ``generator=auto`` on tables whose truth is known.

On tables with random classes no candidate can gain, and every recommendation is a false alarm. On small tables with a
candidate that samples from their true density, no recommendation is a miss. Writes ``advice.csv``, a row per table.
"""

import sys

import numpy as np
import pandas as pd
from benchmarks import output
from scipy.stats import binomtest

from trisynth import seeds
from trisynth.generators.base import Generator
from trisynth.generators.copula import Copula
from trisynth.generators.independent import Independent
from trisynth.generators.smote import SMOTE
from trisynth.recommend.auto import CLASSIFIERS, Auto

ROWS, WIDTH, AMOUNTS = 120, 20, (0.5, 1.0, 4.0)


class Density(Generator):
    """Oracle that samples from the distribution of ``scarce``, whatever it is fitted to.

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
    """Sample classes that differ by ``shift`` in the difference of two columns, beside columns of noise."""
    X = rng.normal(size=(len(labels), WIDTH))
    X[:, 1] = X[:, 0] + 0.3 * X[:, 1] + shift * (labels - 0.5)
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(WIDTH)])


def answer(truth: str, shift: float, candidates: dict[str, Generator], table: int) -> dict[str, object]:
    """Run the search on one table and return its advice, with gains on the choosing and on the other folds."""
    rng = seeds.stream(table, "benchmark.advice", truth)
    labels = (rng.permutation(ROWS) < ROWS / 2).astype(int)
    auto = Auto(candidates, AMOUNTS, {"logistic": CLASSIFIERS["logistic"]})
    auto.fit(scarce(labels, shift, rng), pd.Series(labels, name="label"), seed=table)
    kept = ("gain_choosing", "gain", "lower", "gain_over_real", "lower_over_real")
    gains = {name: auto.advice_[name] for name in kept}
    return {
        "truth": truth,
        "table": table,
        "advised": auto.advice() != 0,
        "candidate": auto.advice_["candidate"],
    } | gains


def main(arguments: list[str] | None = None) -> None:
    """Write the answers and print their rates."""
    parser = output.parser("advice", __doc__)
    parser.add_argument("--tables", type=int, default=60, help="tables of each kind")
    options = parser.parse_args(arguments)
    usual = {"independent": Independent(), "smote": SMOTE(), "copula": Copula()}
    rows = [answer("no gain", 0.0, usual, table) for table in range(options.tables)]
    rows += [answer("a gain", 0.7, usual | {"density": Density()}, table) for table in range(options.tables)]
    found = pd.DataFrame(rows)
    output.write(found, options.out / "advice.csv", "%.6g")
    shown = found.groupby("truth", sort=False)[["advised", "gain_choosing", "gain"]].mean()
    for truth, advised in found.groupby("truth", sort=False)["advised"]:
        interval = binomtest(int(advised.sum()), len(advised)).proportion_ci(method="wilson")
        shown.loc[truth, ["from", "to"]] = interval.low, interval.high  # 95 %, of the fraction of advised tables
    print(shown.round(3).to_string())


if __name__ == "__main__":
    main(sys.argv[1:])

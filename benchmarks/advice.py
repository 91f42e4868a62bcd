"""Error rates of ``trisynth recommend`` on tables whose truth is known.

On tables with random classes no candidate can gain, and every verdict to use synthetic rows is a false alarm. On tables
with a candidate that samples from their true density, any other verdict is a miss. A simulation of logistic regressions
picked 300 rows of 60 columns as a size at which ten folds can show the gain; 120 rows of 10 columns stand for a table
that is too small. The searches are those of the command with its folds, in one process; a logistic regression alone
scores. Writes ``advice.csv`` after each table; a further run skips the tables that stand there.
"""

import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from benchmarks import output
from trisynth import data, seeds
from trisynth.commandline import composed
from trisynth.generators.base import Generator
from trisynth.recommend.answer import answer
from trisynth.recommend.pool import InProcess
from trisynth.recommend.search import Search

CLASSES = "no", "yes"


class Truth(NamedTuple):
    """Kind of table: its size, the distance of its classes, and the candidates beside their density."""

    rows: int
    columns: int
    shift: float
    candidates: tuple[str, ...]


TRUTHS = {
    "no gain": Truth(120, 10, 0.0, ("copula", "independent")),
    "a large gain": Truth(300, 60, 0.7, ("independent",)),
    "a small gain": Truth(120, 10, 0.7, ("copula", "independent")),
}
OVERRIDES = (
    *("+recommend=default", "metrics=recommend", "~metrics.fidelity", "tracking=none", "dataset=csv"),
    *("dataset.target=label", "~recommend.classifiers.boosting", "recommend.amounts=[1,4]", "recommend.budget=1h"),
    *(f"~recommend.candidates.{name}" for name in ("arf", "circuit", "vae_rec", "vae_dist", "vae_model")),
    *("+generator@recommend.candidates.independent=independent",),
)


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
        self.width_ = table.shape[1]

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        return scarce(labels, self.width_, self.shift, rng)


def scarce(labels: np.ndarray, columns: int, shift: float, rng: np.random.Generator) -> pd.DataFrame:
    """Sample classes that differ by ``shift`` in the difference of two columns, beside columns of noise."""
    X = rng.normal(size=(len(labels), columns))
    X[:, 1] = X[:, 0] + 0.3 * X[:, 1] + shift * (labels - 0.5)
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(columns)])


def answered(truth: str, table: int, config: dict[str, Any], folder: Path) -> dict[str, object]:
    """Search on one table and return its verdict, with the gains of the winner on both kinds of folds."""
    rng = seeds.stream(table, "benchmark.advice", truth)
    rows, columns, shift, _ = TRUTHS[truth]
    labels = (rng.permutation(rows) < rows / 2).astype(int)
    path = folder / f"table{table}.csv"
    scarce(labels, columns, shift, rng).assign(label=np.array(CLASSES)[labels]).to_csv(path, index=False)
    dataset = {**config["dataset"], "path": str(path), "name": path.stem}
    search = Search({**config, "dataset": dataset, "seed": table}, data.load(dataset), InProcess())
    search.run()
    found = answer(search)
    row = {"truth": truth, "table": table, "advised": found.use is not None, "beats_baselines": found.beats_baselines}
    if search.chosen is None:
        return row
    confirmed = found.trials.query("stage == 'confirm'").set_index("baseline")
    least = confirmed.loc[confirmed["gain"].idxmin()]
    return row | {
        "candidate": search.chosen.candidate,
        "gain_choosing": search.chosen.gain,
        "gain": least["gain"],
        "lower": least["lower"],
        "gain_over_real": confirmed.loc["real", "gain"],
        "lower_over_real": confirmed.loc["real", "lower"],
    }


def answers(truth: str, tables: Iterable[int]) -> Iterator[dict[str, object]]:
    """Search on tables of one kind, in a folder of their own that is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="trisynth-") as place:
        paths = [f"paths.{name}={place}/{name}" for name in ("raw", "cache", "runs", "sweeps")]
        config = composed([*OVERRIDES, "dataset.path=table.csv", *paths])
        section, kind = config["recommend"], TRUTHS[truth]
        named = {name: section["candidates"][name] for name in kind.candidates}
        if kind.shift:
            named["density"] = {"_target_": "benchmarks.advice.Density", "shift": kind.shift}
        config |= {"allow": ["benchmarks"], "recommend": {**section, "candidates": named}}
        for table in tables:
            yield answered(truth, table, config, Path(place))


def main(arguments: list[str] | None = None) -> None:
    """Write the answers and print their rates."""
    parser = output.parser("advice", __doc__)
    parser.add_argument("--tables", type=int, default=60, help="tables where nothing gains; half as many of others")
    options = parser.parse_args(arguments)
    path = options.out / "advice.csv"
    found = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["truth", "table"])
    for truth, kind in TRUTHS.items():
        tables = range(-(-options.tables // 2) if kind.shift else options.tables)
        done = set(found.loc[found["truth"] == truth, "table"])
        for row in answers(truth, [table for table in tables if table not in done]):
            found = pd.concat([found, pd.DataFrame([row])], ignore_index=True) if len(found) else pd.DataFrame([row])
            output.write(found, path, "%.6g")
    shown = found.groupby("truth", sort=False)[
        ["advised", "beats_baselines", "gain_choosing", "gain", "gain_over_real"]
    ].mean()
    for truth, advised in found.groupby("truth", sort=False)["advised"]:
        interval = binomtest(int(advised.sum()), len(advised)).proportion_ci(method="wilson")
        shown.loc[truth, ["from", "to"]] = interval.low, interval.high  # 95 %, of the fraction of advised tables
    print(shown.round(3).to_string())


if __name__ == "__main__":
    main(sys.argv[1:])

"""Imputation by the circuit's conditional distributions in comparison with common imputers.

Writes ``imputation.csv``. On each split of each table, 30 % of the cells of one half of the held-out rows, but not of
the target, are blanked and imputed by methods fitted to the training rows. *Error* is the root mean square error in
standard deviations of the training cells, averaged over the numeric columns. *Wrong* is the fraction of categories
imputed incorrectly, averaged over those columns. Both assess a point estimate. *C2ST* is the AUC of boosted trees
that discriminate the imputed half from the other half, which is complete: it assesses rows, and point estimates vary
too little for it; 0.5 is best. Prints means over tables, and the difference from the circuit over tables with its 95
% t interval.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import KNNImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from benchmarks import output
from benchmarks.peers import scores
from trisynth import data, seeds
from trisynth.data.dataset import Dataset
from trisynth.data.schema import Schema
from trisynth.encoders.table import TableEncoder
from trisynth.evaluation.metrics.c2st import C2ST
from trisynth.evaluation.metrics.context import Context
from trisynth.generators.circuit import Circuit
from trisynth.statistics.across_datasets import mean_over_datasets

TABLES = ("cleveland", "saheart", "pima", "contraceptive", "framingham", "stroke", "page_blocks")
SPLITS = (0, 1, 2)
BLANK = 0.3
# Draws whose mean or most frequent category is the circuit's point estimate.
_DRAWS = 50
# Iterations of the chained models over the columns.
_ROUNDS = 5
SCORES = ("error", "wrong", "c2st")


class Matrix:
    """Canonical tables as matrices for scikit-learn: standardised numbers, and one indicator for each category.

    Parameters
    ----------
    train : DataFrame
        Canonical training table.
    """

    def __init__(self, train: pd.DataFrame):
        self.categories = {name: list(c.cat.categories) for name, c in train.items() if hasattr(c, "cat")}
        numbers = train.drop(columns=list(self.categories))
        self.centre, self.scale = numbers.mean(), numbers.std(ddof=0).replace(0.0, 1.0)

    def encode(self, table: pd.DataFrame) -> np.ndarray:
        blocks = [((table[list(self.centre.index)] - self.centre) / self.scale).to_numpy(float)]
        for name, known in self.categories.items():
            codes = table[name].cat.codes.to_numpy()
            blocks.append(np.where(codes[:, None] < 0, np.nan, codes[:, None] == np.arange(len(known))))
        return np.hstack(blocks)

    def decode(self, matrix: np.ndarray, like: pd.DataFrame) -> pd.DataFrame:
        numbers = pd.DataFrame(matrix[:, : len(self.centre)], columns=self.centre.index)
        found, start = dict(numbers * self.scale + self.centre), len(self.centre)
        for name, known in self.categories.items():
            codes = matrix[:, start : start + len(known)].argmax(axis=1)
            found[name] = pd.Categorical.from_codes(codes, dtype=like[name].dtype)
            start += len(known)
        return pd.DataFrame(found)[list(like)]


class Chained:
    """Each column from all others, in turn (van Buuren 2007), by models of the training rows.

    scikit-learn's ``IterativeImputer`` knows no categories: the indicators of one column explain each other, and stay
    at their means.

    Parameters
    ----------
    number, category : scikit-learn model
    rng : Generator, optional
        Draws from the models' errors and probabilities; without it, their predictions are taken.
    """

    def __init__(self, number: BaseEstimator, category: BaseEstimator, rng: np.random.Generator | None = None):
        self.number, self.category, self.rng = number, category, rng

    def __call__(self, train: pd.DataFrame, holes: pd.DataFrame) -> pd.DataFrame:
        gaps, found, full = holes.isna(), filled_plainly(train, holes), filled_plainly(train, train)
        parts = {}
        for name in gaps.columns[gaps.any()]:
            known = train[name].notna()
            if len(train.loc[known, name].unique()) > 1:
                matrix = Matrix(full.drop(columns=name))
                model = clone(self.category if hasattr(train[name], "cat") else self.number)
                X, y = matrix.encode(full.drop(columns=name))[known], train.loc[known, name]
                model.fit(X, y.cat.codes if hasattr(y, "cat") else y)
                error = 0.0 if hasattr(y, "cat") else float(np.std(y - model.predict(X)))
                parts[name] = matrix, model, error
        for _ in range(_ROUNDS):
            for name, (matrix, model, error) in parts.items():
                X = matrix.encode(found.drop(columns=name))[gaps[name]]
                found.loc[gaps[name], name] = self._drawn(model, X, error, found[name])
        return found

    def _drawn(self, model: BaseEstimator, X: np.ndarray, error: float, column: pd.Series) -> Sequence:
        if not hasattr(column, "cat"):
            return model.predict(X) + (0.0 if self.rng is None else error * self.rng.normal(size=len(X)))
        if self.rng is None:
            return pd.Categorical.from_codes(model.predict(X), dtype=column.dtype)
        reach = model.predict_proba(X).cumsum(axis=1)
        place = (self.rng.random((len(X), 1)) * reach[:, -1:] > reach).sum(axis=1)
        return pd.Categorical.from_codes(model.classes_[place], dtype=column.dtype)


def filled_plainly(train: pd.DataFrame, holes: pd.DataFrame) -> pd.DataFrame:
    """Impute means and most frequent categories of the training rows."""
    values = {name: column.mode()[0] if hasattr(column, "cat") else column.mean() for name, column in train.items()}
    return holes.fillna({name: value for name, value in values.items() if not pd.isna(value)})


def neighbours(train: pd.DataFrame, holes: pd.DataFrame) -> pd.DataFrame:
    """Impute from the 10 nearest training rows."""
    matrix = Matrix(train)
    imputer = KNNImputer(n_neighbors=10, keep_empty_features=True).fit(matrix.encode(train))
    return matrix.decode(imputer.transform(matrix.encode(holes)), train)


def imputers(seed: int) -> dict[str, Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]]:
    """Return functions that impute a table after learning from another; both are canonical, the target last."""
    linear = Ridge(), make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    options = {"n_estimators": 100, "random_state": 0}
    forests = (
        RandomForestRegressor(max_features="sqrt", min_samples_leaf=2, **options),
        RandomForestClassifier(**options),
    )
    return {
        "mean, commonest": filled_plainly,
        "10 neighbours": neighbours,
        "chained linear": Chained(*linear),
        "chained forests": Chained(*forests),
        "chained linear, a draw": Chained(*linear, seeds.stream(seed, "benchmarks.imputation.draw")),
    }


def blanked(table: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Blank cells of a canonical table, but not of its last column, the target, and return their mask as well."""
    chosen = pd.DataFrame(rng.random(table.shape) < BLANK, table.index, table.columns) & table.notna()
    chosen[table.columns[-1]] = False
    return table.mask(chosen), chosen


def by_circuit(train: Dataset, holes: pd.DataFrame, schema: Schema, seed: int) -> dict[str, pd.DataFrame]:
    """Impute by one conditional draw, and by the point estimate from many."""
    # A derived column is no evidence while its inputs are blank.
    circuit = Circuit(derived_columns=False).fit(train, seed=seed)
    n, target = len(holes), holes.columns[-1]
    rows = holes.loc[holes.index.repeat(_DRAWS)].reset_index(drop=True)
    drawn = schema.canonical(circuit.conditional(rows.drop(columns=target), rows[target], seed=seed))
    guess = {}
    for name, column in drawn.items():
        if hasattr(column, "cat"):
            codes = column.cat.codes.to_numpy().reshape(n, _DRAWS)
            votes = (codes[:, :, None] == np.arange(len(column.cat.categories))).sum(axis=1)
            guess[name] = pd.Categorical.from_codes(votes.argmax(axis=1), dtype=column.dtype)
        else:
            guess[name] = column.to_numpy().reshape(n, _DRAWS).mean(axis=1)
    return {"circuit, a draw": drawn[::_DRAWS].reset_index(drop=True), "circuit": pd.DataFrame(guess)}


def measured(table: str, split: int) -> list[dict]:
    """Score every imputer on one split of one table."""
    job = next(iter(scores.placed(scores.jobs("copy", table, split), str(output.ROOT / "data/raw")).values()))
    train, test = data.split(data.load(job.dataset, job.raw), job.seed, job.test_size)
    rng = seeds.stream(split, "benchmarks.imputation")
    order = rng.permutation(len(test))
    half, whole = test.take(order[: len(order) // 2]), test.take(order[len(order) // 2 :])
    context = Context(train, whole, half, TableEncoder().fit(train.X), split)
    known, _, true = context.tables
    holes, chosen = blanked(true, rng)
    found = []

    def score(name: str, filled: pd.DataFrame, seconds: float) -> None:
        # Values are rounded to the column's step and clipped to its range, as those of all generators.
        filled = context.schema.canonical(context.schema.restore(filled.where(chosen, true)))
        numbers = [
            np.sqrt(np.mean(((filled[c] - true[c])[chosen[c]] / context.scales[c]) ** 2)) for c in context.numbers
        ]
        wrong = [np.mean((filled[c] != true[c])[chosen[c]]) for c in context.categories if c != true.columns[-1]]
        rows = filled.mask(true.isna())
        X = context.schema.restore(rows).drop(columns=true.columns[-1])
        tests = C2ST().score(Context(train, whole, Dataset(X, half.y, half.spec), context.encoder, split))
        line = {"table": table, "split": split, "imputer": name, "error": np.nanmean(numbers or [np.nan])}
        line |= {"wrong": np.nanmean(wrong) if wrong else np.nan, "c2st": tests["c2st_boosting"]}
        found.append(line | {"cpu_seconds": seconds})

    start = time.process_time()
    filled = by_circuit(train, holes, context.schema, split)
    seconds = time.process_time() - start
    for name, rows in filled.items():
        score(name, rows, seconds)
    for name, imputer in imputers(split).items():
        start = time.process_time()
        rows = imputer(known, holes)
        score(name, rows, time.process_time() - start)
    return found


def main(arguments: list[str] | None = None) -> None:
    """Score all tables and splits, and print the comparison."""
    parser = output.parser("imputation", __doc__)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--splits", nargs="+", type=int, default=list(SPLITS))
    options = parser.parse_args(arguments)
    found: list[dict] = []
    with threadpool_limits(limits=1):
        for table in options.tables:
            for split in options.splits:
                found += measured(table, split)
            print(table, flush=True)
    frame = pd.DataFrame(found)
    output.write(frame, options.out / "imputation.csv", "%.4f")
    tables = frame.groupby(["imputer", "table"], sort=False)[[*SCORES, "cpu_seconds"]].mean()
    print(tables.groupby("imputer", sort=False).mean().round(3).to_string())
    for name in frame["imputer"].unique()[2:] if len(options.tables) > 1 else ():
        base = "circuit, a draw" if name.endswith("a draw") else "circuit"
        for score in SCORES:
            change = mean_over_datasets((tables.loc[name] - tables.loc[base])[score].dropna().rename_axis("dataset"))
            print(f"{name} minus {base}, {score}: {change.mean:+.3f} +- {change.half:.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Scores of the published comparisons, by the definitions of sdmetrics, and measures of copying beside them."""

import itertools

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import ParameterGrid, StratifiedKFold
from xgboost import XGBClassifier

from benchmarks.published.tables import Table

# Grids of the classifier that is trained on synthetic rows; the published one has 36 settings.
GRIDS = {
    "short": {"n_estimators": [100], "min_child_weight": [1, 10], "max_depth": [5], "gamma": [0.0, 1.0]},
    "published": {
        "n_estimators": [10, 50, 100], "min_child_weight": [1, 10], "max_depth": [5, 10, 20], "gamma": [0.0, 1.0],
    },
}  # fmt: skip
_INNER = 9
# Synthetic rows whose nearest real rows are found, and guesses of a singling-out attack.
_NEAREST, _GUESSES, _BLOCK = 2_000, 2_000, 250


def every(table: Table, rows: pd.DataFrame, seed: int, grid: str) -> dict[str, float]:
    """Compute all scores of synthetic rows, without the copy share, which needs another fit.

    The training rows themselves are not compared with themselves.
    """
    train, categories = table.train, table.categories
    found = {} if rows is train else {"c2st_train": c2st(train, rows, categories)}
    # Real rows are in the order of a split, which is random except for adult's.
    held = table.test.sample(frac=1, random_state=seed), rows.sample(frac=1, random_state=seed)
    found["c2st_heldout"] = c2st(*held, categories)
    found["shape"], found["trend"] = shape(train, rows, categories), trend(train, rows, categories)
    found["tstr_auc"] = utility(table, rows, grid)
    found["singling_out"] = singling_out(rows, train)
    found["singling_out_heldout"] = singling_out(rows, table.test)
    return found


def halves(train: pd.DataFrame, seed: int) -> list[pd.DataFrame]:
    """Split rows at random into two halves: one to fit on, and one to measure the copying of the first."""
    order = train.sample(frac=1, random_state=seed).index
    parts = order[: len(order) // 2], order[len(order) // 2 :]
    return [train.loc[part].reset_index(drop=True) for part in parts]


def c2st(real: pd.DataFrame, rows: pd.DataFrame, categories: list[str]) -> float:
    """Compute the score 1 - mean(max(0.5, AUC) * 2 - 1) of boosted trees over three folds; 1 is indistinguishable.

    With fewer real than synthetic rows, as many synthetic ones are compared.
    """
    rows = rows.iloc[: len(real)]
    X = _indicators(pd.concat([real, rows], ignore_index=True), categories)
    y = np.repeat([1, 0], [len(real), len(rows)])
    folds = StratifiedKFold(3, shuffle=True, random_state=0).split(X, y)
    model = XGBClassifier(eval_metric="logloss", random_state=0, n_jobs=1)
    aucs = [roc_auc_score(y[test], model.fit(X[fit], y[fit]).predict_proba(X[test])[:, 1]) for fit, test in folds]
    return 1 - float(np.mean([max(0.5, auc) * 2 - 1 for auc in aucs]))


def shape(real: pd.DataFrame, rows: pd.DataFrame, categories: list[str]) -> float:
    """Compute the mean complement of the Kolmogorov-Smirnov statistic, or of total variation for categories."""
    found = []
    for name in real:
        if name in categories:
            found.append(1 - _variation(real[name], rows[name]))
        else:
            a, b = np.sort(real[name]), np.sort(rows[name])
            grid = np.concatenate([a, b])
            below = [np.searchsorted(x, grid, side="right") / len(x) for x in (a, b)]
            found.append(1 - np.abs(below[0] - below[1]).max())
    return float(np.mean(found))


def trend(real: pd.DataFrame, rows: pd.DataFrame, categories: list[str]) -> float:
    """Compute the mean similarity of all pairs: of correlations, or of contingency tables with ten bins for numbers.

    Every pair counts, as in sdmetrics before 0.27; the bins of a number are those of the real rows in both tables.
    """
    numbers = [name for name in real if name not in categories]
    with np.errstate(invalid="ignore"):
        gaps = np.abs(np.corrcoef(real[numbers].T) - np.corrcoef(rows[numbers].T))
    binned = []
    for table in (real, rows):
        cells = {}
        for name in real:
            edges = [] if name in categories else np.histogram_bin_edges(real[name], 10)[1:-1]
            cells[name] = table[name] if name in categories else np.searchsorted(edges, table[name], side="right")
        binned.append(pd.DataFrame(cells))
    found = []
    for a, b in itertools.combinations(real.columns, 2):
        if a in numbers and b in numbers:
            found.append(1 - np.nan_to_num(gaps[numbers.index(a), numbers.index(b)], nan=1.0) / 2)
        else:
            pairs = [t[a].astype(str) + "|" + t[b].astype(str) for t in binned]
            found.append(1 - _variation(*pairs))
    return float(np.mean(found))


def utility(table: Table, rows: pd.DataFrame, grid: str) -> float:
    """Compute the ROC-AUC on held-out rows of boosted trees trained on ``rows``, set by a ninth of these rows."""
    encoded = _indicators(pd.concat([rows, table.test], ignore_index=True), table.categories, table.target)
    X, held = encoded[: len(rows)], encoded[len(rows) :]
    positive = sorted(table.train[table.target].unique())[1]
    y, truth = (part[table.target].eq(positive).to_numpy(int) for part in (rows, table.test))
    order = np.random.default_rng(0).permutation(len(rows))
    inner, fit = order[: len(rows) // _INNER], order[len(rows) // _INNER :]

    def model(settings: dict) -> XGBClassifier:
        return XGBClassifier(tree_method="hist", n_jobs=1, random_state=0, **settings).fit(X[fit], y[fit])

    models = [model(settings) for settings in ParameterGrid(GRIDS[grid])]
    chosen = max(models, key=lambda made: roc_auc_score(y[inner], made.predict_proba(X[inner])[:, 1]))
    return float(roc_auc_score(truth, chosen.predict_proba(held)[:, 1]))


def copy_share(rows: pd.DataFrame, fitted: pd.DataFrame, others: pd.DataFrame, categories: list[str]) -> float:
    """Compute the fraction of rows whose nearest real row was fitted on, and not one of as many others.

    The distance adds the differences of numbers in standard deviations, and 2 for each category that differs. A tie
    counts one half.
    """
    count = min(len(fitted), len(others))
    real = pd.concat([fitted.iloc[:count], others.iloc[:count]], ignore_index=True)
    rows = rows.iloc[:_NEAREST]
    columns = []
    for name in real:
        if name in categories:
            codes = pd.factorize(pd.concat([real[name], rows[name]], ignore_index=True))[0].astype(np.int32)
        else:
            codes = (pd.concat([real[name], rows[name]]) / (real[name].std() or 1.0)).to_numpy(np.float32)
        columns.append((codes[: len(real)], codes[len(real) :], name in categories))
    nearer = 0.0
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        distance = sum(
            np.where(own[part, None] != theirs, np.float32(2), np.float32(0))
            if category
            else np.abs(own[part, None] - theirs)
            for theirs, own, category in columns
        )
        first, second = distance[:, :count].min(axis=1), distance[:, count:].min(axis=1)
        nearer += (first < second).sum() + 0.5 * (first == second).sum()
    return float(nearer / len(rows))


def singling_out(rows: pd.DataFrame, real: pd.DataFrame) -> float:
    """Compute the fraction of guesses that are true for exactly one real row.

    A guess is that a column has a value which one synthetic row alone has (univariate singling out, Giomi et al. 2023).
    Guesses are drawn from those of all columns.
    """
    hits = []
    for name in rows:
        counts = rows[name].value_counts()
        guesses = counts.index[counts == 1]
        hits.append(real[name].value_counts().reindex(guesses).eq(1).to_numpy())
    every = np.concatenate(hits)
    return float(np.random.default_rng(0).permutation(every)[:_GUESSES].mean()) if len(every) else 0.0


def _indicators(frame: pd.DataFrame, categories: list[str], target: str | None = None) -> np.ndarray:
    """Return numbers as they are and one indicator for each category."""
    frame = frame.drop(columns=target) if target else frame
    named = [name for name in categories if name != target]
    return pd.get_dummies(frame, columns=named, dtype=np.float32).to_numpy(np.float32)


def _variation(a: pd.Series, b: pd.Series) -> float:
    shares = [part.value_counts(normalize=True) for part in (a, b)]
    return float(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)

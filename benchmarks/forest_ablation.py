"""Parts of the sequential forest, each left out in turn, and other designs, on halves of the published tables.

As in ``benchmarks.copying_pays``, the training rows are divided into two parts. A forest is fitted to the first and its
rows are compared with both. Adult and default have at least 10,000 rows a part, magic and shoppers fewer, so that both
kinds of forests are ablated. ``auc_loss`` is the ROC-AUC on the second part of the published boosted trees trained on
the first, less that of the same trees trained on synthetic rows. Each cell is a row of ``results.csv``; a cell that has
a row is not run again. It requires ``pip install xgboost``.
"""

import os
import sys
import time
from contextlib import ExitStack
from unittest.mock import patch

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd

from benchmarks import output
from benchmarks.forest_designs import filled_by_all
from benchmarks.published import scores
from benchmarks.published.tables import Table, add_options, read
from trisynth.generators.trees import sequential_forest
from trisynth.generators.trees.chain import Grown
from trisynth.generators.trees.sequence.responses import Sequence
from trisynth.generators.trees.sequential_forest import SequentialForest

_AS = {"rare": 0, "relations": False}
_NOTHING = np.zeros(0, dtype=np.int64)
# Arguments, and replacements of what is no argument.
PARTS = {
    "all parts": ({}, []),
    "no linear part": ({"linear": False}, []),
    "no class step": ({"class_strength": 1e9}, []),
    "one chain": ({"n_estimators": 1}, []),
    "pruning the other way": ({"pruning": None}, []),
    "no merging": ({"max_copying": None}, []),
    "independent draws": ({"draws": "independent"}, []),
    "no equalities": ({}, [(Sequence, "_equal", lambda *_: _NOTHING)]),
    "no choice among candidates": ({"n_candidates": 1}, []),
}
DESIGNS = {
    "twice as many chains": ({"n_estimators": None}, []),
    "the same, no linear part, weak class step": ({"n_estimators": None, "linear": False, "class_strength": 20.0}, []),
    "relations searched": ({}, []),
    "leaves filled by all rows": ({"max_copying": None}, [(Grown, "grow", classmethod(filled_by_all))]),
}
VARIANTS = PARTS | DESIGNS


def fitted(variant: str, own: pd.DataFrame, target: str, seed: int) -> SequentialForest:
    """Fit one variant."""
    arguments, replaced = VARIANTS[variant]
    large = len(own) >= sequential_forest.LARGE
    if "pruning" in arguments:
        arguments = {"pruning": large}
    if "n_estimators" in arguments:
        arguments = arguments | {"n_estimators": arguments["n_estimators"] or (6 if large else 20)}
    with ExitStack() as stack:
        for place, name, other in replaced:
            stack.enter_context(patch.object(place, name, other))
        how = _AS | {"relations": variant == "relations searched"}
        return SequentialForest(**arguments).fit(own, target=target, seed=seed, **how)


def main(arguments: list[str] | None = None) -> None:
    """Run the cells that have no row yet, write the results after each, and print their means."""
    parser = output.parser("forest_ablation", __doc__)
    parser.set_defaults(out=output.ROOT / "experiments" / "forest_ablation")
    add_options(parser)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    options = parser.parse_args(arguments)
    cells = output.Cells(options.out / "results.csv", ("table", "seed", "variant"))
    for seed in options.seeds:
        for name in options.tables:
            if (table := read(name, options)) is None:
                continue
            order = np.random.default_rng(seed).permutation(len(table.train))
            own, others = (table.train.iloc[part].reset_index(drop=True) for part in np.array_split(order, 2))
            halves = Table(name, table.target, own, others)
            real = None
            for variant in options.variants:
                if (name, seed, variant) in cells:
                    continue
                begun = time.process_time()
                drawn = fitted(variant, own, table.target, seed).sample(len(own), seed)
                found = {"rows": len(own), "cpu_s": time.process_time() - begun}
                found["c2st_own"] = scores.c2st(own, drawn, table.categories)
                found["c2st_others"] = scores.c2st(others, drawn, table.categories)
                found["copy_share"] = scores.copy_share(drawn, own, others, table.categories)
                real = scores.utility(halves, own, "short") if real is None else real
                found["auc_loss"] = real - scores.utility(halves, drawn, "short")
                cells.add((name, seed, variant), found)
            print(name, seed, flush=True)
    if cells:
        scored = cells.table.pivot_table(
            index="variant", columns="table", values=["c2st_others", "copy_share", "auc_loss"]
        )
        print(scored.round(3).to_string())


if __name__ == "__main__":
    main(sys.argv[1:])

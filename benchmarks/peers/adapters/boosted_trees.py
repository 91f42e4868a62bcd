"""Unmasking trees (utrees) and energy-based boosted trees (NRGBoost), at their defaults with one thread."""

import numpy as np
import pandas as pd

CONDITIONAL = True


def fit(table, about):
    return {"utrees": _utrees, "nrgboost": _nrgboost}[about["generator"]](table, about)


def _utrees(table, about):
    from utrees import UnmaskingTrees

    kinds = about["kinds"]
    levels = {name: sorted(table[name].unique()) for name, kind in kinds.items() if kind == "category"}
    codes = table.assign(**{name: pd.Categorical(table[name], known).codes for name, known in levels.items()})
    names = {"category": "categorical", "integer": "integer", "number": "continuous"}
    model = UnmaskingTrees(random_state=about["seed"], xgboost_kwargs={"n_jobs": 1})
    model.fit(codes.to_numpy(float), quantize_cols=[names[kind] for kind in kinds.values()])

    def draw(n):
        rows = pd.DataFrame(model.generate(n), columns=list(kinds))
        texts = {name: np.array(known, dtype=object)[rows[name].astype(int)] for name, known in levels.items()}
        return rows.assign(**texts)

    return draw


def _nrgboost(table, about):
    from nrgboost import Dataset, NRGBooster

    texts = [name for name, kind in about["kinds"].items() if kind == "category"]
    table = table.astype(dict.fromkeys(texts, "category"))
    model = NRGBooster.fit(Dataset(table), {"num_threads": 1}, seed=about["seed"])

    def draw(n):
        rows = model.sample(n, num_threads=1, seed=about["seed"])
        return rows.astype(dict.fromkeys(texts, object))

    return draw

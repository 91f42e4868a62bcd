"""mostlyai-engine's TabularARGN at its defaults; rows are seeded with the label, so classes are met exactly."""

import numpy as np
import pandas as pd
from mostlyai.engine import TabularARGN

CONDITIONAL = True
_KINDS = {"category": "TABULAR_CATEGORICAL", "integer": "TABULAR_NUMERIC_AUTO", "number": "TABULAR_NUMERIC_AUTO"}


def fit(table, about):
    for name, kind in about["kinds"].items():
        if kind == "category":
            table[name] = table[name].astype(object)
    encodings = {name: _KINDS[kind] for name, kind in about["kinds"].items()}
    model = TabularARGN(tgt_encoding_types=encodings, random_state=about["seed"], device="cpu")
    model.fit(table)

    def draw(counts):
        labels = np.repeat(list(counts), list(counts.values()))
        order = np.random.default_rng(about["seed"]).permutation(len(labels))
        return model.sample(seed_data=pd.DataFrame({about["target"]: labels[order]}))

    return draw

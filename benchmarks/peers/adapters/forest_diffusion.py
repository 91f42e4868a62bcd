"""ForestDiffusion at its defaults: flow matching by boosted trees, one model per class."""

import warnings

import numpy as np
import pandas as pd
from adapters.tables import complete, restored
from ForestDiffusion import ForestDiffusionModel

warnings.simplefilter("ignore")


def fit(table, about):
    filled, kinds = complete(table, about["kinds"])
    target = about["target"]
    levels = {name: sorted(filled[name].unique()) for name, kind in kinds.items() if kind == "category"}
    codes = pd.DataFrame(
        {name: pd.Categorical(filled[name], levels[name]).codes if name in levels else filled[name] for name in kinds}
    )
    labels = codes.pop(target).to_numpy(float)
    names = list(codes)
    model = ForestDiffusionModel(
        codes.to_numpy(float),
        label_y=labels,
        bin_indexes=[i for i, name in enumerate(names) if name in levels and len(levels[name]) == 2],
        cat_indexes=[i for i, name in enumerate(names) if name in levels and len(levels[name]) > 2],
        int_indexes=[i for i, name in enumerate(names) if kinds[name] == "integer"],
        n_jobs=1,
        seed=about["seed"],
    )

    def draw(n):
        rows = pd.DataFrame(model.generate(batch_size=n), columns=[*names, target])
        for name, known in levels.items():
            places = np.clip(np.rint(rows[name].to_numpy(float)), 0, len(known) - 1).astype(int)
            rows[name] = np.array(known, dtype=object)[places]
        return restored(rows, about["kinds"])

    return draw

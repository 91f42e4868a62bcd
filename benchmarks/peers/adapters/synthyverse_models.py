"""Models of the package synthyverse at its defaults: its sequential trees, and networks of diffusion."""

import warnings

from synthyverse.generators import get_generator

CONDITIONAL = True
_ONE_THREAD = {"synthyverse_trees": {"n_jobs": 1}}
_NAMES = {"synthyverse_trees": "synthpop"}
warnings.simplefilter("ignore")


def fit(table, about):
    name = about["generator"]
    texts = [column for column, kind in about["kinds"].items() if kind == "category"]
    table[texts] = table[texts].astype(object)
    model = get_generator(_NAMES.get(name, name))(random_state=about["seed"], **_ONE_THREAD.get(name, {}))
    model.fit(table, texts)
    return lambda n: model.generate(n, about["seed"])

"""Sequential trees of others, ports of the R package synthpop: pyseq-cart, py-synthpop and python-synthpop.

The latter two are both imported as ``synthpop`` and live in environments of their own. All have their defaults.
"""

import warnings

import numpy as np
import pandas as pd

CONDITIONAL = True
warnings.simplefilter("ignore")


def fit(table, about):
    for name, kind in about["kinds"].items():
        if kind == "category":
            table[name] = table[name].astype(object)
    return _FITS[about["generator"]](table, about)


def _pyseq_cart(table, about):
    from pyseq_cart.pyseq_cart import PySeqCART

    model = PySeqCART()
    model.fit(table)
    return model.generate


def _py_synthpop(table, about):
    from synthpop import Synthpop

    dtypes = {"category": "category", "integer": "int", "number": "float"}
    dtypes = {name: dtypes[kind] for name, kind in about["kinds"].items()}
    model = Synthpop(seed=about["seed"])
    model.fit(table.astype(dtypes), dtypes)
    return model.generate


def _python_synthpop(table, about):
    from synthpop.method.cart import CARTMethod

    # Its own encoder stops at a column with ten categories: "unexpected keyword argument 'sparse'".
    kinds = about["kinds"]
    levels = {name: sorted(table[name].unique()) for name, kind in kinds.items() if kind == "category"}
    codes = table.assign(**{name: pd.Categorical(table[name], known).codes for name, known in levels.items()})
    metadata = {name: "categorical" if name in levels else "numerical" for name in kinds}
    model = CARTMethod(metadata, random_state=about["seed"])
    model.fit(codes)

    def draw(n):
        rows = model.sample(n)[list(kinds)]
        texts = {name: np.array(known, dtype=object)[rows[name].astype(int)] for name, known in levels.items()}
        return rows.astype(float).assign(**texts)

    return draw


_FITS = {"pyseq_cart": _pyseq_cart, "py_synthpop": _py_synthpop, "python_synthpop": _python_synthpop}

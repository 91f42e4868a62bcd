"""arfpy, the reference implementation of adversarial random forests, at its defaults."""

import warnings

from adapters.tables import complete, restored
from arfpy import arf

# Its calls are older than the libraries that run them.
warnings.simplefilter("ignore")


def fit(table, about):
    filled, _ = complete(table, about["kinds"])
    model = arf.arf(x=filled, verbose=False, random_state=about["seed"], n_jobs=1)
    model.forde()
    return lambda n: restored(model.forge(n), about["kinds"])

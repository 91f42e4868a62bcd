"""SDV's single-table synthesizers at their defaults. SDV and CTGAN are under the Business Source License."""

import warnings

from sdv.metadata import Metadata
from sdv.single_table import CTGANSynthesizer, GaussianCopulaSynthesizer, TVAESynthesizer

_MODELS = {"sdv_copula": GaussianCopulaSynthesizer, "sdv_ctgan": CTGANSynthesizer, "sdv_tvae": TVAESynthesizer}
_KINDS = {"category": "categorical", "integer": "numerical", "number": "numerical"}


def fit(table, about):
    for name, kind in about["kinds"].items():
        if kind == "category":
            table[name] = table[name].astype(object)
        elif table[name].isna().any():
            table[name] = table[name].astype(float)
    columns = {name: {"sdtype": _KINDS[kind]} for name, kind in about["kinds"].items()}
    metadata = Metadata.load_from_dict({"tables": {"table": {"columns": columns}}})
    model = _MODELS[about["generator"]](metadata)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit({"table": table})

    def draw(n):
        return model.sample(n)["table"]

    return draw

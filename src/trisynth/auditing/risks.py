"""All attacks on cells and rows of one set of synthetic rows."""

from trisynth.auditing.attribute_inference import attribute_inference, worst
from trisynth.auditing.linkability import linkability
from trisynth.auditing.rates import Risk
from trisynth.auditing.records import Records
from trisynth.auditing.singling_out import multivariate, univariate
from trisynth.data import sequences, tensors
from trisynth.data.dataset import Dataset
from trisynth.data.schema import Schema


def risks(train: Dataset, test: Dataset, synthetic: Dataset, seed: int) -> dict[str, Risk]:
    """Attack synthetic rows by attribute inference, singling out and linkability.

    Of attribute inference only the column with the largest risk is kept; its name is part of the attack's, and its
    interval is widened for the choice.
    """
    plain = [sequences.spread(tensors.spread(part.target_last)) for part in (train, test, synthetic)]
    schema = Schema.learn(plain[0])
    tables = [schema.canonical(part) for part in plain]
    records = Records.of(tables, schema.columns, seed)
    inferred = worst(attribute_inference(records, seed))
    found = {f"attribute_inference of {inferred[0]}": inferred[1]} if inferred else {}
    found["singling_out_univariate"] = univariate(records, seed)
    found["singling_out_multivariate"] = multivariate(records, seed)
    found["linkability"] = linkability(records, seed)
    return {name: risk for name, risk in found.items() if risk is not None}

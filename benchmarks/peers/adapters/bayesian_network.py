"""DataSynthesizer's Bayesian network, without noise (epsilon 0) and with two parents, as in its examples."""

import multiprocessing.pool
import tempfile
import warnings
from pathlib import Path

import pandas as pd
from DataSynthesizer.DataDescriber import DataDescriber
from DataSynthesizer.DataGenerator import DataGenerator

CONDITIONAL = True
_PARENTS = 2
_TYPES = {"category": "String", "integer": "Integer", "number": "Float"}
warnings.simplefilter("ignore")


def prepare(about):
    # One thread for everyone, and children would each have the limit of CPU time to themselves.
    import DataSynthesizer.lib.PrivBayes as algorithm

    algorithm.Pool = multiprocessing.pool.ThreadPool
    multiprocessing.pool.cpu_count = lambda: 1


def fit(table, about):
    folder = Path(tempfile.mkdtemp())
    # Texts of digits would be read as numbers; a leading letter keeps them texts.
    texts = [name for name, kind in about["kinds"].items() if kind == "category"]
    table[texts] = "c" + table[texts].astype(str)
    table.to_csv(folder / "table.csv", index=False)
    describer = DataDescriber()
    describer.describe_dataset_in_correlated_attribute_mode(
        str(folder / "table.csv"),
        k=_PARENTS,
        epsilon=0,
        attribute_to_datatype={name: _TYPES[kind] for name, kind in about["kinds"].items()},
        attribute_to_is_categorical={name: name in texts for name in about["kinds"]},
        attribute_to_is_candidate_key=dict.fromkeys(about["kinds"], False),
        seed=about["seed"],
    )
    describer.save_dataset_description_to_file(str(folder / "description.json"))

    def draw(n):
        generator = DataGenerator()
        generator.generate_dataset_in_correlated_attribute_mode(n, str(folder / "description.json"), about["seed"])
        rows = pd.DataFrame(generator.synthetic_dataset)[list(about["kinds"])]
        return rows.assign(**{name: rows[name].astype(str).str[1:] for name in texts})

    return draw

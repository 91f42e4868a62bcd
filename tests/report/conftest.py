import json

import numpy as np
import pandas as pd
import pytest

from trisynth.data.dataset import Column, Dataset, Spec


def table(n, seed):
    """Numbers, categories, gaps, long tails and awkward names, the target last."""
    rng = np.random.default_rng(seed)
    age = pd.Series(rng.integers(20, 80, n))
    labels = np.array(["no", "yes", "a very long name of a category that nobody can print"])
    return pd.DataFrame(
        {
            "age": age,
            "bmi": rng.normal(27, 4, n).round(1),
            "glucose": age.where(rng.random(n) > 0.2).astype("Int64"),
            "cost_$_a_$": np.exp(rng.normal(0, 2, n)),
            "empty": np.full(n, np.nan),
            "constant": np.full(n, 3.0),
            "体重": rng.integers(0, 3, n).astype(float),
            "many": pd.Categorical.from_codes(rng.integers(0, 40, n), [f"c{i}" for i in range(40)]),
            "smoker": pd.Categorical.from_codes(rng.integers(-1, 3, n), labels),
            "diagnosis": pd.Categorical.from_codes(rng.choice(3, n, p=[0.7, 0.2, 0.1]), ["none", "mi", "stroke"]),
        }
    )


@pytest.fixture(scope="session")
def tables():
    return table(300, 0), table(200, 1)


@pytest.fixture(scope="session")
def datasets(tables):
    spec = Spec("demo", "diagnosis", columns={"age": Column(unit="years")})
    return tuple(Dataset(t.drop(columns="diagnosis"), t["diagnosis"], spec) for t in tables)


@pytest.fixture
def folder(tables, tmp_path):
    """A folder as ``python -m trisynth.report`` reads it."""
    columns = ["age", "glucose", "smoker", "diagnosis"]
    real, synthetic = (part[columns] for part in tables)
    source = tmp_path / "demo"
    source.mkdir()
    real.to_parquet(source / "real.parquet", index=False)
    synthetic.to_parquet(source / "synthetic.parquet", index=False)
    synthetic[synthetic["diagnosis"] != "none"].to_parquet(source / "balanced.parquet", index=False)
    about = {
        "name": "demo",
        "title": "Demo",
        "target": "diagnosis",
        "task": "classification",
        "units": {"age": "years"},
        "generator": "copula",
        "simulated": True,
        "rows": len(real),
    }
    (source / "about.json").write_text(json.dumps(about))
    return source

"""A fitted generator as an MLflow model: without pickle, and the same rows."""

import importlib
import io
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from trisynth.tracking import model

mlflow = pytest.importorskip("mlflow")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture
def generator(tables):
    from trisynth.generators.copula import Copula

    table = pd.read_csv(tables["classes"])
    return Copula().fit(table, target="outcome")


def test_a_loaded_model_draws_the_generators_rows(generator, tmp_path):
    generator.save(tmp_path / model.MODEL)
    model.save(tmp_path / model.MODEL, tmp_path / "model")
    assert not [path for path in (tmp_path / "model").rglob("*") if "pkl" in path.name or "pickle" in path.name]
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    rows = loaded.predict(pd.DataFrame({"rows": [20]}), params={"seed": 5})
    pd.testing.assert_frame_equal(rows, generator.sample(20, seed=5))
    assert len(loaded.predict(pd.DataFrame({"rows": [3, 4]}))) == 7


def test_a_model_of_an_allowed_package_loads_by_itself(tables, tmp_path, monkeypatch):
    code = "from trisynth.generators.independent import Independent\nclass Own(Independent):\n    pass\n"
    (tmp_path / "model_plugin.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    own = importlib.import_module("model_plugin").Own().fit(pd.read_csv(tables["classes"]))
    own.save(tmp_path / model.MODEL)
    model.save(tmp_path / model.MODEL, tmp_path / "model", ["model_plugin"])
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    pd.testing.assert_frame_equal(loaded.predict(pd.DataFrame({"rows": [9]})), own.sample(9))


@pytest.mark.parametrize("dtype", ["timedelta64[ns]", "duration[s][pyarrow]"])
def test_durations_are_texts_that_mlflow_can_serve(tmp_path, dtype):
    from mlflow.pyfunc.scoring_server import predictions_to_json

    from trisynth.generators.independent import Independent

    lengths = pd.Series(pd.to_timedelta([5400, 60, None] * 10, unit="s")).astype(dtype)
    made = Independent().fit(pd.DataFrame({0: lengths, "x": range(30)}))
    made.save(tmp_path / model.MODEL)
    model.save(tmp_path / model.MODEL, tmp_path / "model")
    rows = mlflow.pyfunc.load_model(str(tmp_path / "model")).predict(pd.DataFrame({"rows": [30]}))
    assert set(rows[0].dropna()) == {"0 days 01:30:00", "0 days 00:01:00"} and rows[0].isna().any()
    predictions_to_json(rows, io.StringIO())


@pytest.mark.parametrize("dtype", [object, pd.ArrowDtype(pa.decimal128(10, 2))])
def test_decimals_are_texts_that_mlflow_can_serve(dtype):
    from mlflow.pyfunc.scoring_server import predictions_to_json

    from trisynth.generators.independent import Independent
    from trisynth.tracking.generator_model import GeneratorModel

    prices = pd.Series([Decimal("1.50"), Decimal("2.25"), None] * 10, dtype=dtype)
    made = GeneratorModel()
    made.generator = Independent().fit(pd.DataFrame({"price": prices, "x": range(30)}), rare=0)
    rows = made.predict(None, pd.DataFrame({"rows": [30]}))
    assert all(len(price) == 4 for price in rows["price"].dropna()) and rows["price"].isna().any()
    predictions_to_json(rows, io.StringIO())


def test_more_rows_than_memory_holds_are_refused(generator):
    from trisynth.errors import InputError
    from trisynth.tracking.generator_model import GeneratorModel

    made = GeneratorModel()
    made.generator = generator
    with pytest.raises(InputError, match="rows=20000000: must be at most 10,000,000"):
        made.predict(None, pd.DataFrame({"rows": [19_999_999, 1]}))

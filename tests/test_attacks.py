"""The campaign of attacks: a sample of it, and a planted hole that it must find."""

import importlib

import pytest
from benchmarks.faults import attacks

from trisynth import places
from trisynth.config import instantiate
from trisynth.encoders.table import TableEncoder
from trisynth.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore")


def test_no_gadget_is_called_at_any_place():
    rows = attacks.campaign([], count=0)
    assert [(row.what, row.wrong) for row in rows if row.wrong] == []
    assert {(row.tried, row.good, row.note[:2]) for row in rows} == {(len(attacks.GADGETS),) * 2 + ("0 ",)}
    assert len(rows) >= 15


def test_a_place_takes_what_is_of_its_kind():
    right = {
        "preprocessing.scaler": "sklearn.preprocessing.RobustScaler",
        "generator": "trisynth.generators.copula.Copula",
        "arms.real": "trisynth.evaluation.arms.Balanced",
        "classifier.classification": "sklearn.linear_model.LogisticRegression",
        "metrics.utility": "trisynth.evaluation.metrics.utility.Ranking",
    }
    rows = {row.what: row for row in attacks.campaign(list(right.values()))}
    assert all(row.wrong == [] for row in rows.values())
    assert {rows[place].note[:2] for place in right} == {"1 "}
    assert rows["generator.epochs"].note[:2] == "0 "


def test_a_planted_hole_is_found(monkeypatch):
    def found(target, parameter, admitted, kind):
        module, _, name = target.rpartition(".")
        if not target.startswith(("trisynth.", "sklearn.")):
            raise InputError(parameter, target, "is foreign")
        return getattr(importlib.import_module(module), name)

    monkeypatch.setattr(places, "found", found)
    for place in ("generator", "generator.loss"):
        row = attacks.attack(place, ["trisynth.config.canonical"])
        assert row.wrong == ["trisynth.config.canonical (called)"] and row.good == 0


@pytest.mark.parametrize("hidden", ["sklearn.svm._classes.SVC", "sklearn.tests.test_base.MyEstimator"])
def test_what_is_not_public_is_refused_by_its_name(hidden):
    with pytest.raises(InputError, match=r"must be a public name|lies in the tests of a package"):
        places.found(hidden, "p", ("sklearn.",), places.PART)


def test_a_folder_of_pickles_is_refused():
    steps = [["scale", {"_target_": "sklearn.preprocessing.StandardScaler"}]]

    pipeline = {"_target_": "sklearn.pipeline.Pipeline", "steps": steps}
    assert instantiate({**pipeline, "memory": None}).memory is None
    with pytest.raises(InputError, match=r"^p\.memory='/tmp/x': must be null"):
        instantiate({**pipeline, "memory": "/tmp/x"}, "p")
    grid = {"_target_": "sklearn.model_selection.GridSearchCV", "estimator": pipeline, "param_grid": {"memory": ["/x"]}}
    with pytest.raises(InputError, match=r"^p\.param_grid\.memory"):
        instantiate(grid, "p")


def test_arguments_are_checked_before_nested_objects_are_made(monkeypatch):

    monkeypatch.setattr(TableEncoder, "__init__", lambda self, scaler=None: pytest.fail("it was made"))
    with pytest.raises(InputError, match="no such argument"):
        nested = {"_target_": "trisynth.encoders.table.TableEncoder"}
        instantiate({"_target_": "trisynth.generators.copula.Copula", "inner": nested})


def test_a_library_that_cannot_be_loaded_is_not_misspelt(monkeypatch):
    def load(name):
        raise ImportError("libopenblas.so: failed to map segment from shared object")

    monkeypatch.setattr(importlib, "import_module", load)
    with pytest.raises(InputError, match=r"failed to map segment.*; free memory or repair the installation"):
        places.found("sklearn.svm.SVC", "p", ("sklearn.",), places.PART)

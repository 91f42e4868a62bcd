"""All objects of a job are built before a row is read, and a wrong one is named."""

import pytest

from trisynth.errors import InputError
from trisynth.evaluation.metrics.c2st import C2ST
from trisynth.experiment.build import build
from trisynth.experiment.job import Job
from trisynth.experiment.run import run_job
from trisynth.generators.copula import Copula


def built(config, *overrides):
    return build(Job.from_config(config(*overrides)))


def test_every_object_is_built(config):
    objects = built(config, "generator=copula", "metrics=default", "metrics.fidelity.c2st.folds=10")
    assert isinstance(objects.generator, Copula)
    assert objects.metrics["fidelity"]["c2st"] == C2ST(folds=10)
    assert list(objects.arms) == ["real", "synthetic", "combined"]
    assert objects.classifier.name == "logistic"
    assert len(objects.read(path=config()["dataset"]["path"])) == 150


def test_a_metric_or_a_group_is_left_out_by_a_tilde(config):
    objects = built(config, "metrics=default", "~metrics.copying.nearest", "~metrics.fidelity")
    assert list(objects.metrics["copying"]) == ["identical_match_share", "rare_values", "copied_run", "identical_texts"]
    assert objects.metrics["fidelity"] == {}


WRONG = {
    "metric argument": (["metrics=default", "metrics.fidelity.c2st.folds=1"], "metrics.fidelity.c2st.folds=1: must be"),
    "unknown metric argument": (["metrics=default", "+metrics.fidelity.c2st.fold=3"], "metrics.fidelity.c2st.fold=3: "),
    "estimator argument": (["+classifier.classification.CC=3"], "classifier.classification.CC=3: "),
    "ratio of an arm": (["arms.combined.ratio=-1"], "arms.combined.ratio=-1: must be 0 or more"),
    "generator argument": (["+generator.depth=3"], "generator.depth=3: "),
    "value of a generator's argument": (["generator=vae", "generator.epochs=-4"], "generator.epochs=-4: must be"),
    "weight of a loss": (["generator=circuit", "loss.alpha=-1"], "loss.alpha=-1: must be"),
    "reader argument": (["+dataset.read.delimiter=x"], "dataset.read.delimiter='x': "),
    "encoder argument": (["+preprocessing.scalar=x"], "preprocessing.scalar='x': "),
    "an arm that is none": (
        ["arms.real._target_=trisynth.generators.copula.Copula"],
        "arms.real._target_='trisynth.generators.copula.Copula': must be a subclass of Arm",
    ),
    "a generator that is none": (
        ["generator._target_=sklearn.linear_model.Ridge"],
        "generator._target_='sklearn.linear_model.Ridge': must be a subclass of Generator",
    ),
    "a metric of another group": (
        ["metrics.fidelity.distances._target_=trisynth.evaluation.metrics.copying.NearestRecord"],
        "must be a subclass of FidelityMetric",
    ),
    "an encoder that is none": (
        ["~preprocessing.scaler", "preprocessing._target_=trisynth.generators.copula.Copula"],
        "preprocessing._target_='trisynth.generators.copula.Copula': must be an encoder",
    ),
    "a reader that is none": (
        ["dataset.read._target_=trisynth.generators.copula.Copula"],
        "dataset.read.",
    ),
    "a group that is none": (["+metrics.speed={}"], "metrics.speed={}: no such group; known: utility, fidelity, "),
    "no probabilities": (
        ["classifier.classification._target_=sklearn.svm.LinearSVC"],
        "classifier.classification='LinearSVC': must have predict_proba",
    ),
    "package that is not allowed": (["generator._target_=os.system"], "generator._target_='os.system': must be"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_object_is_refused_before_a_row_is_read(config, monkeypatch, case):
    def read(*_):
        raise AssertionError("a row was read")

    overrides, message = WRONG[case]
    monkeypatch.setattr("trisynth.data.readers.text_of", read)
    with pytest.raises(InputError) as error:
        run_job(config(*overrides))
    assert str(error.value).startswith(message) or message in str(error.value)


def test_a_list_of_metrics_is_refused(config):
    given = config()
    with pytest.raises(InputError, match=r"metrics.utility=.'accuracy'.: must map names to metrics"):
        run_job(given | {"metrics": given["metrics"] | {"utility": ["accuracy"]}})


def test_a_right_config_does_read_rows(config, monkeypatch):
    def read(*_):
        raise AssertionError("a row was read")

    monkeypatch.setattr("trisynth.data.readers.text_of", read)
    with pytest.raises(AssertionError, match="a row was read"):
        run_job(config())


def test_steps_are_reported_as_they_start(config):
    seen = []
    run_job(config(), progress=seen.append)
    assert seen == ["data", "arm real", "fit", "sample", "arm synthetic", "arm combined", "metrics"]
    _, cached = run_job(config(), progress=seen.append)
    assert cached and len(seen) == 7

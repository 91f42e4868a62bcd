"""Objectives of a search: metrics and their regrets; those of the experiments are among the metrics of their jobs."""

import math

import pytest
import yaml

from trisynth.config import CONF, instantiate
from trisynth.errors import InputError
from trisynth.run import objective
from trisynth.sweeps import objectives

C2ST = {"metric": "c2st", "best": 0.5, "worst": 1.0}


@pytest.mark.parametrize(
    ("value", "best", "worst", "regret"),
    [
        (1.0, 1.0, 0.5, 0.0),
        (0.5, 1.0, 0.5, 1.0),
        (0.75, 1.0, 0.5, 0.5),
        (0.4, 1.0, 0.5, 1.2),
        (0.45, 0.5, 1.0, 0.0),
        (0.75, 0.5, 1.0, 0.5),
        (-0.1, 0.0, 1.0, 0.0),
    ],
)
def test_regret_is_nothing_at_the_best_and_one_at_the_worst(value, best, worst, regret):
    assert objectives.regret(value, best, worst) == pytest.approx(regret)


def test_objectives_keep_their_order_and_forms():
    metrics = {"auc": 0.8, "c2st": 0.6}
    assert objectives.values("auc", metrics) == [0.8]
    assert objectives.values([C2ST, "auc"], metrics) == pytest.approx([0.2, 0.8])
    assert all(map(math.isnan, objectives.values([{**C2ST, "metric": "no"}, "neither"], metrics)))


@pytest.mark.parametrize("objective", [3, {"metric": "c2st"}, {**C2ST, "worst": 0.5}, {**C2ST, "target": 1}])
def test_an_invalid_objective_is_one_line(objective):
    with pytest.raises(InputError, match=r"objective=.*must be the name of a metric, or a mapping"):
        objectives.values([objective], {"c2st": 0.6})


def test_a_search_gets_all_values_or_none():
    class Result:
        metrics = {"auc": 0.8, "c2st": 0.6}  # noqa: RUF012

    assert objective({"objective": "auc"}, Result) == 0.8
    assert objective({"objective": ["auc", C2ST]}, Result) == pytest.approx((0.8, 0.2))
    assert objective({"objective": ["auc", "missing"]}, Result) is None


@pytest.mark.parametrize("name", ["pareto", "pareto_full"])
def test_the_objectives_of_experiments_are_among_their_metrics(name):
    experiment = yaml.safe_load((CONF / "experiment" / f"{name}.yaml").read_text())
    scored = yaml.safe_load((CONF / "metrics" / "search.yaml").read_text())
    metrics = {type(instantiate(each)).__name__ for named in scored.values() for each in named.values()}
    assert metrics == {"Ranking", "C2ST", "NearestRecord"}
    objectives.check(experiment["objective"])
    wanted = [term["metric"] for term in experiment["objective"]]
    assert wanted == ["synthetic/roc_auc", "fidelity/c2st_boosting", "copying/memorised"]
    assert experiment["hydra"]["sweeper"]["direction"] == ["minimize"] * len(wanted)
    assert experiment["validation"] is True

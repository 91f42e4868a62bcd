"""A run that diverges fails alone, and its error names the term."""

import json
from pathlib import Path

import pytest

from trisynth.experiment.run import run_job
from trisynth.objective import Diverged

SHORT = ["generator.epochs=2", "generator.min_steps=30", "generator.hidden_layer_sizes=[8]", "tracking.curves=false"]


def test_a_job_that_diverges_names_the_term_and_leaves_the_others_alone(config):
    healthy = config("generator=vae", *SHORT)
    runs = Path(healthy["paths"]["runs"])
    with pytest.raises(Diverged, match=r"the loss term '(rec|dist|model|native|gradient)' became"):
        run_job(config("generator=vae", "generator.learning_rate=1.0e+30", *SHORT))
    (failure,) = runs.glob("*/failure.json")
    assert "the loss term '" in json.loads(failure.read_text())["error"]
    assert not list(runs.glob("*/result.json"))
    result, cached = run_job(healthy)
    assert not cached and (runs / result.key / "result.json").exists()
    assert {"final/rec", "final/dist_weighted", "final/total"} <= result.metrics.keys()


@pytest.mark.parametrize("loss", ["native", "mmd", "adc", "train_on_synthetic"])
def test_every_kind_of_loss_runs_through_a_job(config, loss):
    result, _ = run_job(config("generator=cgan", f"loss={loss}", *SHORT))
    assert {"synthetic/f1_macro", "final/total", "final/native"} <= result.metrics.keys()


@pytest.mark.parametrize("loss", ["default", "bures", "train_on_synthetic"])
def test_a_numeric_target_has_every_term(config, loss):
    result, _ = run_job(config("generator=vae", f"loss={loss}", *SHORT, task="number"))
    assert {"synthetic/r2", "final/rec", "final/total"} <= result.metrics.keys()

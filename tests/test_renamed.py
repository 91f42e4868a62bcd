"""A former name is answered by its present one, in one line."""

import pytest

from trisynth import renamed
from trisynth.commandline.choices import check as check_choice
from trisynth.config import locate
from trisynth.errors import InputError
from trisynth.experiment.run import run_job
from trisynth.sweeps.objectives import check


@pytest.mark.parametrize(
    ("former", "present"),
    [
        ("privacy/closer_to_train", "copying/dcr_share"),
        ("privacy/exact_copies_base_floor", "copying/identical_match_share_base_floor"),
        ("combined/pr_auc", "combined/average_precision"),
        ("pr_auc", "average_precision"),
        ("privacy/memorised", "copying/memorised"),
        ("fidelity/c2st_boosting", None),
        ("combined/f1_macro", None),
    ],
)
def test_metrics(former, present):
    assert renamed.metric(former) == present


@pytest.mark.parametrize(
    ("former", "present"),
    [
        ("trisynth.metrics.privacy.exact_copies", "trisynth.evaluation.metrics.copying.IdenticalMatchShare"),
        ("trisynth.evaluation.metrics.c2st.c2st", "trisynth.evaluation.metrics.c2st.C2ST"),
        ("trisynth.metrics.utility.decisions", "trisynth.evaluation.metrics.utility.Decisions"),
        ("trisynth.arms.Real", "trisynth.evaluation.arms.Real"),
        ("trisynth.generators.marginals.Marginals", "trisynth.generators.independent.Independent"),
        ("trisynth.generators.vae.VAE", "trisynth.generators.neural.vae.VAE"),
        ("trisynth.generators.neural.rcgan.RCGAN", "trisynth.generators.neural.series.rcgan.RCGAN"),
        ("trisynth.evaluation.metrics.arrays.Frechet", "trisynth.evaluation.metrics.kinds.arrays.Frechet"),
    ],
)
def test_objects(former, present):
    with pytest.raises(InputError, match=f"is now called {present}$"):
        locate(former)
    assert locate(present).__name__ == present.rpartition(".")[2]


@pytest.mark.parametrize("present", sorted({*renamed._OBJECTS}))
def test_every_object_of_the_table_exists(present):
    assert locate(renamed.target(f"trisynth.{present}"))


def test_choices_groups_and_objectives(config):
    with pytest.raises(InputError, match="generator='marginals': is now called independent"):
        check_choice("generator=marginals")
    for former in ("generator=auto", "arms=advised", "experiment=auto"):
        with pytest.raises(InputError, match="is now a command of its own: trisynth recommend; see"):
            check_choice(former)
    given = config()
    with pytest.raises(InputError, match=r"metrics\.privacy=.*is now called metrics\.copying"):
        run_job(given | {"metrics": given["metrics"] | {"privacy": ["trisynth.metrics.privacy.nearest"]}})
    with pytest.raises(InputError, match="objective='privacy/closer_to_train': is now called copying/dcr_share"):
        check(["combined/f1_macro", {"metric": "privacy/closer_to_train", "best": 0.5, "worst": 1.0}])
    check(["combined/f1_macro", {"metric": "copying/dcr_share", "best": 0.5, "worst": 1.0}])

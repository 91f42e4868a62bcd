"""Environment variables in a configuration: refused where results would store them."""

import pytest
from omegaconf import OmegaConf

from trisynth.commandline import composed
from trisynth.commandline.environment import check_environment
from trisynth.errors import InputError


@pytest.mark.parametrize(
    ("overrides", "parameter"),
    [
        (["dataset.note=${oc.env:PLANTED}"], "dataset.note"),
        (["dataset.note='a ${ oc.env:PLANTED } b'"], "dataset.note"),
        (["dataset.note=${oc.decode:${oc.env:PLANTED}}"], "dataset.note"),
        (["+generator.prior={a: [1, '${oc.env:PLANTED}']}"], "generator.prior.a.1"),
        (["paths.raw=${oc.env:PLANTED}", "dataset.note=${paths.raw}"], "dataset.note"),
    ],
)
def test_an_environment_variable_is_not_stored(overrides, parameter, monkeypatch):
    monkeypatch.setenv("PLANTED", "a password")
    with pytest.raises(InputError) as error:
        composed(["dataset=pima", "generator=copula", *overrides])
    assert error.value.parameter == parameter
    assert "a password" not in str(error.value)


def test_an_escaped_reference_is_text_and_an_escaped_backslash_escapes_nothing():
    check_environment(OmegaConf.create({"note": r"\${oc.env:HOME}", "seed": r"\\\${oc.env:HOME}"}))
    for text in (r"\\${oc.env:HOME}", r"\${a ${oc.env:HOME}}", r"\${a}${oc.env:HOME}"):
        with pytest.raises(InputError, match="would store an environment variable"):
            check_environment(OmegaConf.create({"note": text}))


def test_folders_may_depend_on_the_environment(monkeypatch):
    monkeypatch.setenv("PLANTED", "/scratch")
    assert composed(["dataset=pima", "paths.cache=${oc.env:PLANTED}/cache"])["paths"]["cache"] == "/scratch/cache"

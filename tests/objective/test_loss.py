"""Weights and choices: what is refused, by name, before any training."""

import math
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from trisynth.config import instantiate
from trisynth.errors import InputError
from trisynth.objective import Loss, Objective
from trisynth.objective.distances import DISTANCES
from trisynth.objective.models import MODELS
from trisynth.preprocessing.encoder import Block

LOSSES = Path(__file__).parents[2] / "conf" / "loss"


@pytest.mark.parametrize("name", ["alpha", "beta", "gamma"])
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, -math.inf, "1", None, True, [1.0]])
def test_impossible_weights_are_refused_by_name(name, value):
    with pytest.raises(InputError, match=f"^loss.{name}="):
        Loss(**{name: value}).checked()


def test_weights_that_leave_nothing_to_minimise_are_refused():
    with pytest.raises(InputError, match=r"^loss\.alpha=0.*all 0"):
        Loss(0, 0.0, 0).checked()


@pytest.mark.parametrize("name", ["distance", "model"])
def test_unknown_terms_are_refused_with_the_known_ones(name):
    known = ", ".join({"distance": DISTANCES, "model": MODELS}[name])
    with pytest.raises(InputError, match=f"^loss.{name}='nonsense'.*{known}"):
        Loss(**{name: "nonsense"}).checked()


def test_weights_are_only_stored_until_they_are_used():
    loss = Loss(-1, "x", None)
    assert (loss.alpha, loss.beta, loss.gamma) == (-1, "x", None)
    with pytest.raises(InputError):
        Objective(loss, torch.zeros(2, 1), torch.zeros(2, dtype=torch.long), [Block("a", "number", 0, 1)], None)


def test_the_default_yaml_says_what_the_constructor_says():
    assert instantiate(OmegaConf.to_container(OmegaConf.load(LOSSES / "default.yaml"))) == Loss()
    assert instantiate(OmegaConf.to_container(OmegaConf.load(LOSSES / "native.yaml"))) == Loss(1.0, 0.0, 0.0)

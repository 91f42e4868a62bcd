"""Weights and choices: what is refused, by name, before any training."""

import dataclasses
import itertools
import math
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from trisynth.config import instantiate
from trisynth.encoders.table import Block
from trisynth.errors import InputError
from trisynth.objective import Loss, Objective
from trisynth.objective.distances import DISTANCES
from trisynth.objective.loss import PAIRINGS
from trisynth.objective.models import MODELS

LOSSES = Path(__file__).parents[2] / "conf" / "loss"


@pytest.mark.parametrize("name", ["alpha", "beta", "gamma"])
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, -math.inf, "1", None, True, [1.0]])
def test_impossible_weights_are_refused_by_name(name, value):
    with pytest.raises(InputError, match=f"^loss.{name}="):
        Loss(**{name: value}).checked()


def test_weights_that_leave_nothing_to_minimise_are_refused():
    with pytest.raises(InputError, match=r"^loss\.alpha=0.*all 0"):
        Loss(0, 0.0, 0).checked()


@pytest.mark.parametrize("name", ["distance", "model", "pairing"])
def test_unknown_terms_are_refused_with_the_known_ones(name):
    known = ", ".join({"distance": DISTANCES, "model": MODELS, "pairing": PAIRINGS}[name])
    with pytest.raises(InputError, match=f"^loss.{name}='nonsense'.*{known}"):
        Loss(**{name: "nonsense"}).checked()


def test_weights_are_only_stored_until_they_are_used():
    loss = Loss(-1, "x", None)
    assert (loss.alpha, loss.beta, loss.gamma) == (-1, "x", None)
    with pytest.raises(InputError):
        Objective(loss, torch.zeros(2, 1), torch.zeros(2, dtype=torch.long), [Block("a", "number", 0, 1)], None)


def corner(name: str) -> Loss:
    return instantiate(OmegaConf.to_container(OmegaConf.load(LOSSES / f"{name}.yaml")))


@pytest.mark.parametrize("path", sorted(LOSSES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_yaml_names_every_choice_and_can_be_used(path):
    config = OmegaConf.to_container(OmegaConf.load(path))
    assert [*config] == ["_target_", *(field.name for field in dataclasses.fields(Loss))]
    assert corner(path.stem).checked()


def test_the_default_yaml_has_the_defaults_of_the_constructor():
    assert corner("default") == Loss()


def test_the_names_of_the_corners_say_which_terms_are_on():
    for terms in itertools.product((0, 1), repeat=3):
        on = [name for name, weight in zip(("rec", "dist", "model"), terms, strict=True) if weight]
        if on:
            found = corner("all" if len(on) == 3 else "_".join(on))
            assert found == Loss(*map(float, terms))
    assert corner("native") == Loss(1.0, 0.0, 0.0, pairing="none")


@pytest.mark.parametrize(
    ("name", "base", "field"),
    [(name, "rec_dist", "distance") for name in DISTANCES if name != "moments"]
    + [(name, "rec_model", "model") for name in MODELS if name != "auxiliary"],
)
def test_rungs_and_readings_differ_from_their_corner_in_one_word(name, base, field):
    assert corner(name) == dataclasses.replace(corner(base), **{field: name})


def test_only_a_positive_alpha_looks_for_pairs():
    assert Loss().pairs and not Loss(0, 1, 0).pairs and not Loss(1, 0, 0, pairing="none").pairs

"""The printed command composes to the candidate's own config."""

import shlex

import pytest

from trisynth.commandline import composed
from trisynth.config import instantiate
from trisynth.recommend import __main__ as door
from trisynth.recommend.drawing import command

MORE = [
    [],
    ["loss=heavy_dist", "loss.distance=bures", "preprocessing=quantile", "--budget", "9min"],
    ["recommend.candidates.vae_rec.hidden_layer_sizes=[8]", "recommend.candidates.smote.k_neighbors=3", "seed=4"],
    ["epsilon=2", "classifier=svm"],
    ["generator=vae", "loss=rec", "generator.epochs=3"],
]


@pytest.mark.parametrize("more", MORE, ids=lambda more: " ".join(more[:1]))
def test_the_command_draws_from_the_candidate(more):
    arguments = ["dataset=saheart", *more]
    config = door.configured(door.parse(arguments))
    for name, candidate in config["recommend"]["candidates"].items():
        line = command(door.named(arguments), config, candidate)
        words = shlex.split(line)
        assert words[:3] == ["trisynth", "synthesize", "dataset=saheart"] and words[-1] == "out=rows.csv"
        drawn = composed(words[2:-1])
        assert drawn["seed"] == config["seed"] and not [word for word in words if "recommend" in word]
        one, two = (instantiate(each) for each in (drawn["generator"], candidate))
        assert type(one) is type(two), name
        assert repr(one.get_params()) == repr(two.get_params()), name


def test_settings_that_equal_a_choice_are_left_out():
    config = door.configured(door.parse(["dataset=saheart"]))
    line = command(["dataset=saheart"], config, config["recommend"]["candidates"]["vae_rec"])
    expected = "generator=vae generator.epochs=20 generator.min_steps=400 loss.beta=0.0 loss.gamma=0.0"
    assert line == f"trisynth synthesize dataset=saheart {expected} out=rows.csv"
    assert command(["dataset=saheart"], config, {"_target_": "planted.Oracle"}) is None

"""Attacks as metrics: copies are caught, fresh rows are not, and a generator is attacked by its likelihood."""

from dataclasses import replace

import numpy as np

from trisynth.evaluation.metrics.privacy import AttributeInference, Linkability, Membership, SinglingOut
from trisynth.generators.copy import Copy
from trisynth.generators.independent import Independent

METRICS = Membership(), AttributeInference(), SinglingOut(), Linkability()
RISKS = "attribute_inference", "singling_out_univariate", "singling_out_multivariate", "linkability"


def scores(given):
    return {name: value for metric in METRICS for name, value in metric.score(given).items()}


def test_copies_are_caught_and_fresh_rows_are_not(draw, context):
    train = draw(300, 0)
    copied = scores(context(train, draw(300, 1), train))
    fresh = [scores(context(draw(300, 3 * i), draw(300, 3 * i + 1), draw(300, 3 * i + 2), i)) for i in range(5)]
    assert all(copied.keys() == each.keys() for each in fresh) and all(map(np.isfinite, copied.values()))
    # Held-out rows may be easier or harder by chance; the mean of five splits varies less.
    means = {name: np.mean([each[name] for each in fresh]) for name in copied}
    for name in ("membership_distance", "membership_domias"):
        assert copied[f"{name}_low"] > 0.8 and abs(means[name] - 0.5) < 0.05
        assert copied[f"{name}_tpr"] > 0.5 and means[f"{name}_tpr"] < 0.05
    for name in RISKS:
        assert copied[f"{name}_low"] > 0.15 and abs(means[name]) < 0.08
        assert copied[f"{name}_low"] <= copied[name] <= copied[f"{name}_high"]
    assert copied["attribute_inference_max"] > 0.9
    assert copied["attribute_inference_max_low"] <= copied["attribute_inference_max"]
    assert (
        copied["membership_distance_used"] == copied["linkability_used"] == copied["singling_out_univariate_used"] == 1
    )


def test_shadow_models_attack_the_generator_of_a_job(draw, context):
    train, test = draw(120, 0), draw(80, 1)
    found = {}
    for kind in (Copy, Independent):
        made = kind().fit(train)
        given = context(train, test, train.drawn(made.sample(120, seed=1)))
        found[kind] = Membership(shadows=8).score(replace(given, generator=lambda made=made: made))
    assert found[Copy]["membership_shadows"] > 0.95 and found[Copy]["membership_shadows_tpr"] > 0.5
    assert abs(found[Independent]["membership_shadows"] - 0.5) < 0.15
    assert "membership_shadows" not in Membership().score(given)


def test_a_likelihood_is_attacked_where_the_generator_is_seen(draw, context):
    train, test = draw(60, 0), draw(60, 1)
    known = set(train.X["x0"])

    class Remembers:
        def log_likelihood(self, X, y):
            return np.array([0.0 if value in known else -9.0 for value in X["x0"]])

    given = context(train, test, draw(60, 2))
    assert "membership_likelihood" not in Membership().score(given)
    assert Membership().score(replace(given, generator=Remembers))["membership_likelihood"] == 1.0

"""Density and coverage of distributions where both are known."""

import pytest

from trisynth.evaluation.metrics.coverage import Coverage

coverage = Coverage().score


def test_fresh_rows_of_the_distribution_cover_it(draw, context):
    found = coverage(context(draw(50, 0), draw(900, 1), draw(900, 2)))
    assert found["coverage"] == pytest.approx(1 - 2**-5, abs=0.03) and found["density"] == pytest.approx(1, abs=0.1)


def test_rows_of_one_place_are_dense_and_cover_little(draw, context):
    real, generated = draw(900, 1), draw(900, 2)
    middle = generated.take([int(generated.X[["x0", "x1", "x2", "x3"]].abs().sum(axis=1).argmin())] * 900)
    found = coverage(context(draw(50, 0), real, middle))
    assert found["coverage"] < 0.1 and found["density"] > 1.5


def test_rows_from_elsewhere_cover_nothing(draw, context):
    assert coverage(context(draw(50, 0), draw(300, 1), draw(300, 2, shift=50.0))) == {"coverage": 0.0, "density": 0.0}


def test_too_few_rows_say_nothing(draw, context):
    assert coverage(context(draw(50, 0), draw(5, 1), draw(300, 2))) == {}

"""Fronts and hypervolumes against closed forms and brute force."""

import itertools

import numpy as np
import pytest

from trisynth.statistics.fronts import front, hypervolume


def brute_force(points: np.ndarray) -> float:
    """Measure of the union of the boxes from each point to (1, ..., 1), by inclusion and exclusion."""
    total = 0.0
    for size in range(1, len(points) + 1):
        for chosen in itertools.combinations(points, size):
            total -= (-1) ** size * np.prod(1 - np.max(chosen, axis=0))
    return total


@pytest.mark.parametrize(
    ("points", "volume"),
    [
        ([[0, 0, 0]], 1.0),
        ([[0.5, 0.5, 0.5]], 0.125),
        ([[0.2, 0.4, 0.5]], 0.8 * 0.6 * 0.5),
        ([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]], 3 * 0.25 - 3 * 0.125 + 0.125),
        ([[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]], 0.125),
        ([[0.5, 0.5, 0.5], [0.6, 0.5, 0.7]], 0.125),
        ([[0.5, 0.5, 1.0], [1.5, 0.0, 0.0]], 0.0),
        ([[0.25], [0.5]], 0.75),
        ([[0.0, 0.5], [0.5, 0.0]], 0.75),
    ],
)
def test_hypervolume_of_boxes(points, volume):
    assert hypervolume(np.array(points)) == pytest.approx(volume)


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_hypervolume_is_that_of_brute_force(dimensions, seed):
    rng = np.random.default_rng(seed)
    points = rng.random((9, dimensions))
    # Ties, as rounded metrics have them.
    points[:4] = points[:4].round(1).clip(max=0.9)
    assert hypervolume(points) == pytest.approx(brute_force(points))


def test_hypervolume_of_the_simplex_tends_to_its_integral():
    # The boxes above a staircase below x + y + z = 1 fill what lies above it: 5/6 of the cube, within a step.
    steps = 24
    grid = [(i, j, steps - i - j) for i in range(steps + 1) for j in range(steps + 1 - i)]
    assert hypervolume(np.array(grid) / steps) == pytest.approx(5 / 6, abs=1.5 / steps)


def test_front_keeps_non_dominated_points():
    points = np.array([[0, 1], [1, 0], [0.5, 0.5], [0.5, 0.6], [0.5, 0.5], [2, 2]])
    assert front(points).tolist() == [True, True, True, False, True, False]


def test_front_is_that_of_the_definition():
    points = np.random.default_rng(0).integers(0, 5, (60, 3))
    beaten = [any((other <= own).all() and (other < own).any() for other in points) for own in points]
    assert front(points).tolist() == [not found for found in beaten]

"""Streams are named, independent, stable across releases, and leave every global state alone."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trisynth import seeds


def test_a_stream_does_not_depend_on_other_streams():
    alone = seeds.stream(3, "generator.fit").random(5)
    seeds.stream(3, "metric.new").random(1000)
    seeds.stream(4, "generator.fit").random(7)
    np.testing.assert_array_equal(seeds.stream(3, "generator.fit").random(5), alone)


@given(st.integers(0, 2**40), st.lists(st.text(max_size=5), min_size=1, max_size=3))
def test_the_same_address_gives_the_same_numbers(seed, names):
    np.testing.assert_array_equal(seeds.stream(seed, *names).random(3), seeds.stream(seed, *names).random(3))


def test_addresses_differ():
    addresses = [(0, "a"), (1, "a"), (0, "b"), (0, "a", 1), (0, "a1"), (0, "a", "b"), (0, "ab"), (0,)]
    drawn = {tuple(seeds.stream(*address).integers(2**60, size=2)) for address in addresses}
    assert len(drawn) == len(addresses)


def test_streams_are_uncorrelated():
    drawn = np.array([seeds.stream(0, "fold", i).normal(size=4000) for i in range(8)])
    correlations = np.corrcoef(drawn) - np.eye(8)
    assert np.abs(correlations).max() < 5 / np.sqrt(4000)


def test_known_values_never_change():
    # A change here changes every published number.
    assert seeds.integer(0, "split") == 1494122660
    assert seeds.integer(1, "generator.fit") == 148690794
    assert seeds.integer(0, "fold", 3) == 260835130


def test_integers_suit_scikit_learn():
    drawn = [seeds.integer(seed, "x") for seed in range(200)]
    assert all(isinstance(value, int) and 0 <= value < 2**31 - 1 for value in drawn)
    assert len(set(drawn)) == len(drawn)


def test_global_states_stay(monkeypatch):
    torch = pytest.importorskip("torch")
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    first = torch.rand(3, generator=seeds.torch_generator(seeds.stream(0, "net")))
    again = torch.rand(3, generator=seeds.torch_generator(seeds.stream(0, "net")))
    assert first.tolist() == again.tolist()
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    assert before == after

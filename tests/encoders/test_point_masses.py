"""Repeated numbers are recognised by count and by fraction."""

import numpy as np
import pytest

from trisynth.encoders.point_masses import is_discrete, point_masses


@pytest.mark.parametrize(("cells", "distinct", "found"), [(30, 10, True), (29, 10, False), (900, 300, False)])
def test_a_discrete_column_has_few_values_that_are_all_repeated(cells, distinct, found):
    assert is_discrete(cells, distinct, most=256) == found


def test_a_point_mass_is_frequent_by_count_and_by_fraction():
    counts = np.array([1, 2, 3, 994])
    assert point_masses(counts).tolist() == [False, False, True, True]
    assert point_masses(counts, least=0.005).tolist() == [False, False, False, True]
    assert point_masses(counts, np.array([0.1, 0.1, 0.7, 0.1]), 0.2).tolist() == [False, False, True, False]


def test_a_column_without_cells_has_no_point_mass():
    assert point_masses(np.zeros(0, int)).shape == (0,)

"""Results of many jobs in little memory are those that were written."""

import math
import sys

import pytest

from trisynth.experiment.compact import read_all
from trisynth.experiment.results import Result, table

CONFIG = {"dataset": {"name": "d"}, "generator": {"_target_": "a.B"}, "classifier": {"name": "c"}}
METRICS = [
    {"real/auc": 0.1 + 0.2, "generator/steps": 7},
    {"real/auc": 5e-324, "generator/steps": 2**60 + 1},
    {"real/auc": 3, "generator/steps": 7.0, "more": -1.5},
    {},
]


@pytest.fixture
def written(tmp_path):
    results = [
        Result(f"k{i}", f"job {i}", {**CONFIG, "seed": i}, metrics, {"real_test": "x"}, {"real": {"a": 1}})
        for i, metrics in enumerate(METRICS * 2)
    ]
    for result in results:
        result.write(tmp_path)
    return results


def test_they_are_equal_to_those_that_were_written(written, tmp_path):
    found = read_all(tmp_path, [*(result.key for result in written), "absent"])
    assert found == written
    for one, other in zip(found, written, strict=True):
        assert list(map(repr, one.metrics.values())) == list(map(repr, dict(sorted(other.metrics.items())).values()))
        assert math.isnan(one.metrics.get("absent", math.nan))
    assert table(found).to_csv() == table(written).to_csv()


def test_what_they_have_in_common_is_there_once(written, tmp_path):
    one, *_, other = read_all(tmp_path, [result.key for result in written if result.metrics == METRICS[0]])
    assert one is not other and one.config["dataset"] is other.config["dataset"] and one.counts is other.counts
    assert sys.getsizeof(one.metrics) < 100

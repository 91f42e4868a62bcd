"""Attacks on cells and rows find copies, and nothing where the rows are independent of the training rows."""

import numpy as np
import pandas as pd
import pytest

from trisynth.audit import risk_table
from trisynth.auditing.attribute_inference import attribute_inference, worst
from trisynth.auditing.linkability import linkability
from trisynth.auditing.rates import Risk, wilson
from trisynth.auditing.records import Records, nearest
from trisynth.auditing.risks import risks
from trisynth.auditing.singling_out import EQUAL, LEAST, UNEQUAL, _overlap, holds, multivariate, univariate
from trisynth.data.dataset import Dataset, Spec
from trisynth.data.schema import Schema


def rows(n: int, seed: int) -> Dataset:
    """Rows of three dependent numbers with gaps, a date and two categories."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    frame = pd.DataFrame({"a": 100 + 10 * x + rng.normal(size=n), "b": rng.normal(size=n), "c": x + rng.normal(size=n)})
    frame.loc[rng.random(n) < 0.05, "b"] = np.nan
    frame["day"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 4000, n), unit="D")
    frame["kind"] = pd.Categorical(rng.choice(["u", "v", "w"], n))
    frame["y"] = pd.Categorical(np.where(x > 0, "no", "yes"))
    return Dataset.of(frame, Spec("attacked", "y"))


@pytest.fixture(scope="module")
def copied():
    train = rows(400, 0)
    return risks(train, rows(400, 1), train, 0)


@pytest.fixture(scope="module")
def fresh():
    return risks(rows(400, 0), rows(400, 1), rows(400, 2), 0)


NAMES = ["singling_out_univariate", "singling_out_multivariate", "linkability"]


@pytest.mark.parametrize("name", NAMES)
def test_copies_are_caught(copied, name):
    value, low, high = copied[name].interval
    assert low > 0.3 and low <= value <= high and copied[name].rate > 2 * copied[name].naive


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_the_same_distribution_are_not_accused(fresh, name):
    _, low, high = fresh[name].interval
    assert low <= 0 <= high


def test_cells_of_copies_are_inferred_and_those_of_fresh_rows_are_not(copied, fresh):
    (worst,) = (name for name in copied if name.startswith("attribute_inference of "))
    assert copied[worst].interval[1] > 0.8 and copied[worst].rate > 0.95
    (worst,) = (name for name in fresh if name.startswith("attribute_inference of "))
    # The largest of six columns is above zero by chance.
    assert fresh[worst].interval[0] < 0.2


def numbers(*tables: np.ndarray) -> Records:
    """Records of tables of numbers; the synthetic ones are the last."""
    names = [f"x{i}" for i in range(tables[0].shape[1])]
    frames = [pd.DataFrame(table, columns=names) for table in tables]
    return Records.of(frames, Schema.learn(pd.concat(frames)).columns, 0)


def drawn(n: int, seed: int, d: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)) + 20


def test_copies_among_many_rows_are_caught():
    train = drawn(6000, 0)
    records = numbers(train, drawn(1500, 1), train)
    assert [len(records.train), len(records.synthetic), records.synthetic_used] == [1500, 6000, 1]
    assert linkability(records, 0, 200).interval[1] > 0.9
    assert worst(attribute_inference(records, 0, 200))[1].interval[1] > 0.9
    # A quarter of the training rows face as many held-out ones.
    assert univariate(records, 0).used == 0.25 and univariate(records, 0).interval[0] > 0.2


def test_rows_that_are_left_out_are_counted():
    records = Records.of(
        [pd.DataFrame(drawn(n, n)) for n in (50, 50, 400)], Schema.learn(pd.DataFrame(drawn(50, 0))).columns, 0, 100
    )
    assert linkability(records, 0).used == attribute_inference(records, 0)[0].used == 0.25


def test_one_extreme_row_hides_no_copies():
    train, control = drawn(300, 0), drawn(300, 1)
    synthetic = np.vstack([train, np.full((1, 4), 1e6), np.full((1, 4), -1e6)])
    records = numbers(train, control, synthetic)
    assert linkability(records, 0).interval[1] > 0.9
    assert worst(attribute_inference(records, 0))[1].interval[1] > 0.9


def test_equal_synthetic_rows_count_as_one():
    train, control = drawn(300, 0), drawn(300, 1)
    train[np.random.default_rng(2).random(train.shape) < 0.2] = np.nan
    once, twice = numbers(train, control, train), numbers(train, control, np.vstack([train, train]))
    assert len(once.distinct) == len(twice.distinct) <= 300
    for attack in (linkability, univariate, multivariate):
        found = [attack(records, 0).interval for records in (once, twice)]
        assert found[0][0] > 0.5 and found[1][0] == pytest.approx(found[0][0], abs=0.05)


def test_ties_alone_are_broken_at_random():
    rng = np.random.default_rng(0)
    found = nearest(np.tile(np.array([[2, 1, 1, 5]]), (400, 1)), rng)
    assert set(found) == {1, 2} and 150 < (found == 1).sum() < 250
    assert (nearest(np.array([[1.0 + 1e-9, 1.0]] * 50), rng) == 1).all()


def test_the_worst_column_of_fresh_rows_is_seldom_accused():
    accused = np.zeros(2, int)
    for seed in range(12):
        records = numbers(*(drawn(200, 3 * seed + i, 6) for i in range(3)))
        found = attribute_inference(records, seed)
        name, risk = worst(found)
        assert risk.interval[0] == max(each.interval[0] for each in found.values()) and risk.compared == 6
        accused += [risk.interval[1] > 0, found[name].interval[1] > 0]
    assert accused[0] <= 2 and accused[0] < accused[1]
    assert worst({}) is None


def test_intervals_are_bounded():
    few, many = np.arange(3) < 0, np.arange(3) < 3
    assert Risk.of(many, few, few).interval[2] == 1 and Risk.of(few, many, few).interval[1] == -1
    for value in np.ravel([Risk.of(a, b, few, 1.0).interval for a in (few, many) for b in (few, many)]):
        assert -1 <= value <= 1


def test_what_all_rows_share_is_no_risk():
    # The target follows from a column: everybody can be predicted, members no better than others.
    parts = [rows(300, seed) for seed in range(3)]
    records = Records.of([p.target_last.assign(b=0.0) for p in parts], kinds(parts[0]), 0)
    found = attribute_inference(records, 0)["y"]
    assert found.rate > 0.8 and found.control > 0.8 and found.interval[1] < 0.05


def kinds(dataset):
    return Schema.learn(dataset.target_last.assign(b=0.0)).columns


def test_risk_is_that_of_the_published_definition():
    assert wilson(0, 100)[0] == pytest.approx(1.92 / 103.84, abs=1e-3)
    centre, half = wilson(30, 100)
    assert (centre - half, centre + half) == pytest.approx((0.2189, 0.3958), abs=1e-3)
    main, control = np.arange(500) < 200, np.arange(500) < 100
    value, low, high = Risk.of(main, control, control).interval
    (p, dp), (c, dc) = wilson(200, 500), wilson(100, 500)
    assert value == pytest.approx((p - c) / (1 - c))
    assert high - value == pytest.approx(value - low)
    assert high - value == pytest.approx(np.hypot(dp / (1 - c), dc * (1 - p) / (1 - c) ** 2))


def test_predicates_hold_for_missing_cells_as_for_others():
    table = np.array([[1.0, np.nan], [2.0, 5.0], [3.0, 7.0]])

    def found(column, condition, value):
        return holds(table, (np.array([column]), np.array([condition]), np.array([value]))).tolist()

    assert found(1, EQUAL, np.nan) == [True, False, False] and found(1, UNEQUAL, np.nan) == [False, True, True]
    assert found(1, LEAST, 5.0) == [False, True, True] and found(0, EQUAL, 2.0) == [False, True, False]


def test_both_sides_have_one_size_and_small_tables_have_no_score():
    parts = [rows(n, seed) for seed, n in enumerate((90, 40, 70))]
    tables = [part.target_last.assign(b=0.0) for part in parts]
    records = Records.of(tables, kinds(parts[0]), 0)
    assert [len(records.train), len(records.control), len(records.synthetic)] == [40, 40, 70]
    narrow = Records.of([table[["kind"]] for table in tables], kinds(parts[0])[4:5], 0)
    assert attribute_inference(narrow, 0) == {} and linkability(narrow, 0) is None and multivariate(narrow, 0) is None
    assert univariate(narrow, 0).successes == 0
    assert univariate(Records.of([tables[0], tables[1], tables[2][:0]], kinds(parts[0]), 0), 0) is None


def test_the_table_has_a_line_for_each_attack(copied):
    lines = risk_table(copied).splitlines()
    assert len(lines) == 1 + len(copied) and all(len(line) <= 100 for line in lines)


def test_predicates_for_one_row_widen_the_interval():
    assert _overlap(np.array([-1, 7, 7, 7, -1])) == 3 and _overlap(np.array([4, -1, 5])) == 1 == _overlap(
        np.array([-1])
    )
    once, four = (Risk(20, 40, 5, 40, 0, 40, overlap=overlap) for overlap in (1.0, 4.0))
    assert once.interval[0] == four.interval[0] and once.rate == four.rate
    assert four.interval[1] < once.interval[1] < once.interval[2] < four.interval[2]

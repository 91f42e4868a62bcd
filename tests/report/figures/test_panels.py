import numpy as np
import pandas as pd
import pytest

from trisynth.report.figures import panels, style


def test_bins_hold_whole_numbers_of_steps_so_that_no_comb_appears():
    # Each whole number equally often: any bin but the last, which may reach beyond the data, holds equally many.
    cells = np.repeat(np.arange(18, 91), 40).astype(float)
    edges = panels.bin_edges(cells, step=1.0)
    counts = np.histogram(cells, edges)[0]
    assert len(set(counts[:-1])) == 1
    assert np.all(edges % 1 == 0.5)


def test_the_central_99_percent_lie_inside_and_outliers_do_not_widen_the_axis():
    cells = np.concatenate([np.random.default_rng(0).normal(size=2000), [1e9]])
    edges = panels.bin_edges(cells)
    assert edges[-1] < 10
    assert ((cells >= edges[0]) & (cells <= edges[-1])).mean() >= 0.99


def test_bins_come_from_the_real_rows_alone():
    real = pd.Series(np.random.default_rng(0).normal(size=500), name="x")
    one = panels.histogram(real, real + 100)
    other = panels.histogram(real, real)
    assert np.array_equal(one.edges, other.edges)
    assert one.synthetic.sum() == 0
    assert np.array_equal(other.real, other.synthetic)


@pytest.mark.parametrize("step", [0.0, 1.0])
def test_long_tails_get_logarithmic_bins_that_lose_no_value(step):
    rng = np.random.default_rng(0)
    values = np.exp(rng.normal(3, 2, 3000)) + 1
    real = pd.Series(np.round(values) if step else values, name="x")
    found = panels.histogram(real, real)
    assert found.logarithmic
    assert found.real.sum() >= 98.9
    assert np.all(np.diff(found.edges) > 0)


def test_the_commonest_smallest_value_is_in_the_first_logarithmic_bin():
    real = pd.Series([1] * 900 + list(range(1, 101)), name="x")
    found = panels.histogram(real, real)
    assert found.logarithmic
    assert found.real[0] > 90


@pytest.mark.parametrize("cells", [[], [3.0], [3.0] * 50, [0.0, 0.0, 1e308], [-1e-300, 0.0]])
def test_few_or_extreme_numbers_have_bins(cells):
    real = pd.Series(cells, name="x", dtype=float)
    found = panels.histogram(real, real)
    assert np.isfinite(found.edges).all()
    assert np.all(np.diff(found.edges) > 0)
    assert np.isfinite(found.real).all()


@pytest.mark.parametrize(
    ("first", "days", "ticks"),
    [("2018-01-01", 1500, {"2018", "2020", "2022"}), ("1969-07-01", 200, {"1970", "Nov"}), ("2021-05-07", 0, set())],
)
def test_dates_are_labelled_as_dates(first, days, ticks):
    real = pd.Series(pd.date_range(first, periods=days + 1), name="seen")
    with style.applied():
        axes = style.blank(2, 2).subplots()
        panels.draw(axes, real, real)
        shown = {label.get_text() for label in axes.get_xticklabels()}
    assert axes.get_xlabel() == "date"
    assert ticks <= shown and len(shown) <= 4, shown
    assert not panels.histogram(real, real).logarithmic


def test_durations_are_labelled_by_their_unit():
    real = pd.Series(pd.to_timedelta(range(1, 40), unit="min"), name="stay")
    axes = style.blank(2, 2).subplots()
    panels.draw(axes, real, real)
    assert axes.get_xlabel() == "seconds"


def test_percentages_are_of_present_values():
    found = panels.histogram(pd.Series([1.0, 2.0, np.nan, np.inf], name="x"), pd.Series([1.0, np.nan], name="x"))
    assert found.real.sum() == pytest.approx(100)
    assert found.synthetic.sum() == pytest.approx(100)


@pytest.mark.parametrize(("low", "label"), [(0, "value"), (-100, "value\nbeyond the axis 0.0 | 50.0 %")])
def test_rows_beyond_the_axis_are_counted_where_they_are_many(low, label):
    real = pd.Series(np.arange(100) / 7, name="x")
    synthetic = real + np.where(np.arange(100) < 50, low, 0)
    axes = style.blank(2, 2).subplots()
    panels.draw(axes, real, synthetic, letters=20)
    assert axes.get_xlabel() == label


def test_frequencies_keep_the_order_and_show_missing_rows():
    kind = pd.CategoricalDtype(["low", "high"])
    real = pd.Series(["high", "low", "high", None], dtype=kind, name="x")
    synthetic = pd.Series(["low", "low"], dtype=kind, name="x")
    found = panels.shares(real, synthetic)
    assert list(found.index) == ["low", "high", "(missing)"]
    assert found["real"].tolist() == [25, 50, 25]
    assert found["synthetic"].tolist() == [100, 0, 0]


def test_many_categories_are_cut_to_the_commonest_and_lose_no_row():
    values = pd.Series(np.repeat([f"c{i}" for i in range(20)], range(1, 21)), name="x").astype("category")
    found = panels.shares(values, values)
    assert len(found) == 8
    assert found.index[0] == "c19"
    assert found.index[-1] == "13 others"
    assert found["real"].sum() == pytest.approx(100)


@pytest.mark.parametrize(("low", "high"), [(0.5, 60), (8, 11000), (1e-9, 1e9), (0.0012, 0.0013)])
def test_ticks_of_a_logarithmic_axis_are_few_and_inside(low, high):
    ticks = panels._round_numbers(low, high)
    assert len(ticks) <= 12
    assert all(low <= tick <= high for tick in ticks)

"""Panels of images and series: what is drawn is what the tables hold, side by side."""

import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from trisynth.data import sequences, tensors
from trisynth.data.arrays.features import summarised, summarised_rows
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.report import pages
from trisynth.report.figures.nearest import nearest, nearest_rows
from trisynth.report.figures.overview import overview
from trisynth.report.figures.samples import of_table, samples

SHAPES = {"image": Column("tensor", shape=(4, 4)), "pulse": Column("tensor", shape=(6, 2), axes=("time", "channel"))}


def rows(n: int = 24, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    columns = {"image": tensors.column(rng.random((n, 4, 4))), "pulse": tensors.column(rng.random((n, 6, 2)))}
    return pd.DataFrame(
        {**columns, "age": rng.normal(size=n), "y": pd.Categorical(np.array(["ill", "well"])[np.arange(n) % 2])}
    )


def test_the_first_images_of_each_class_are_drawn_on_their_side():
    real, synthetic = rows(), rows(seed=1)
    figure = samples(real, synthetic, "image", "cohort", SHAPES["image"], "y")
    drawn = [axes.images[0].get_array().data for axes in figure.axes if axes.images]
    assert len(drawn) == 2 * 16
    low, high = (f(tensors.values(real["image"])) for f in (np.min, np.max))
    for table, place in ((real, 0), (synthetic, 8)):
        first = tensors.values(table.loc[table["y"] == "ill", "image"])[0].reshape(4, 4)
        assert drawn[place] == pytest.approx(np.clip((first - low) / (high - low), 0, 1), abs=1e-6)


def test_each_channel_of_a_series_is_a_line():
    figure = samples(rows(), rows(seed=1), "pulse", "cohort", SHAPES["pulse"])
    lines = [axes.lines for axes in figure.axes if axes.lines]
    assert [len(each) for each in lines] == [12, 12]
    series = tensors.values(rows()["pulse"])[0].reshape(6, 2)
    assert lines[0][1].get_ydata() == pytest.approx(series[:, 1])


def test_series_of_unequal_lengths_are_lines_of_their_length():
    cells = sequences.column([np.arange(size) for size in (3, 7, 2)], "walk").to_frame()
    (figure,) = of_table(cells, cells.iloc[::-1], {}, title="walks").values()
    assert [[len(line.get_xdata()) for line in axes.lines] for axes in figure.axes if axes.lines] == [
        [3, 7, 2],
        [2, 7, 3],
    ]


def test_lengths_of_both_sides_and_all_classes_share_an_axis():
    parts = [sequences.column([np.arange(size) for size in sizes], "walk").to_frame() for sizes in ((15, 9), (3, 4))]
    real, synthetic = (part.assign(y=pd.Categorical(["ill", "well"])) for part in parts)
    figure = samples(real, synthetic, "walk", "walks", Column(), "y")
    assert len({axes.get_xlim() for axes in figure.axes if axes.lines}) == 1


def test_below_a_synthetic_array_is_the_nearest_real_one():
    real, synthetic = rows(), rows()
    synthetic["image"] = tensors.column(tensors.values(real["image"].iloc[::-1]) + 0.001)
    found, distances = nearest_rows(real["image"], synthetic["image"])
    assert found.tolist() == list(range(len(real)))[::-1] and distances == pytest.approx(0.004, rel=1e-3)
    figure = nearest(real, synthetic, "image", "cohort", SHAPES["image"])
    above, below = np.split(np.array([axes.images[0].get_array().data for axes in figure.axes]), 2)
    assert above == pytest.approx(below, abs=0.01)
    assert len([axes for axes in nearest(real, synthetic, "pulse", "p", SHAPES["pulse"]).axes if axes.lines]) == 10


def test_images_of_any_number_of_channels_are_drawn():
    for channels in (1, 3, 4):
        cells = tensors.column(np.random.default_rng(0).random((9, 4, 4, channels)))
        facts = Column("tensor", shape=(4, 4, channels))
        assert of_table(pd.DataFrame({"scan": cells}), pd.DataFrame({"scan": cells}), {"scan": facts}, title="scans")


def test_the_page_of_a_data_set_has_a_panel_for_each_column_of_arrays(tmp_path):
    for name in ("real", "synthetic", "balanced"):
        rows().to_parquet(tmp_path / f"{name}.parquet", index=False)
    shapes = {name: {"shape": fact.shape, "axes": fact.axes} for name, fact in SHAPES.items()}
    about = {"title": "cohort", "target": "y", "task": "classification", "generator": "vae", "simulated": True}
    (tmp_path / "about.json").write_text(json.dumps({**about, "units": {}, "tensors": shapes}))
    pages.figures(tmp_path, tmp_path / "out", "command")
    found = {path.stem for path in (tmp_path / "out").glob("*.png")}
    panels = {f"{kind}_{name}" for kind in ("samples", "nearest") for name in SHAPES}
    assert found == {*panels, "correlation", "distributions", "class_counts"}


def test_the_overview_shows_numbers_of_each_array(tmp_path):
    dataset = Dataset.of(rows(), Spec("cohort", "y", columns=SHAPES))
    flat = summarised_rows(dataset)
    assert list(flat.X) == [
        *("image mean", "image deviation", "image gradient"),
        *("pulse mean", "pulse deviation", "pulse autocorrelation"),
        "age",
    ]
    cells = tensors.values(dataset.X["image"])
    assert flat.X["image mean"].to_numpy() == pytest.approx(cells.mean(axis=1), abs=1e-6)
    overview(dataset, dataset, tmp_path / "overview.png")
    assert imread(tmp_path / "overview.png").std() > 0
    plain = rows()[["age"]]
    assert summarised(plain, {}) is plain

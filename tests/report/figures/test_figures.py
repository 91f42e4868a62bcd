import itertools
import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from PIL import Image

from trisynth.report.__main__ import main
from trisynth.report.figures import style
from trisynth.report.figures.class_counts import class_counts
from trisynth.report.figures.correlation import correlation
from trisynth.report.figures.distributions import distributions
from trisynth.report.figures.overview import overview
from trisynth.report.names import label


def texts(figure):
    """Every text that a figure shows."""
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")) if text.get_text()]


def panel_titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def test_every_column_is_drawn_with_its_unit(tables):
    real, synthetic = tables
    figure = distributions(real, synthetic, "Demo", {"age": "years"}, "copula")
    assert len(panel_titles(figure)) == len(real.columns)
    for title, name in zip(panel_titles(figure), real.columns, strict=True):
        assert title.partition("  ")[2] == style.shortened(label(name), 24)
    assert figure.axes[0].get_xlabel() == "years"
    assert "missing" in figure.axes[2].get_xlabel()
    assert "0.5–99.5 %" in " ".join(texts(figure))


@pytest.mark.parametrize("columns", [1, 19, 40])
def test_tables_of_any_width_fit_a_page(columns):
    rows = pd.DataFrame({f"column number {i}": np.arange(30.0) for i in range(columns)})
    figure = distributions(rows, rows, "Demo")
    assert len(figure.axes) == columns
    assert figure.get_figwidth() <= style.TWO_COLUMNS
    assert figure.get_figheight() <= style.PAGE


def drawn_texts(figure, monkeypatch):
    """Text and place of all that is really drawn; ticks outside an axis are not."""
    found = []
    draw_text = Text.draw

    def spy(self, renderer, *args, **kwargs):
        if self.get_visible() and self.get_text().strip():
            found.append((self.get_text(), self.get_window_extent(renderer)))
        draw_text(self, renderer, *args, **kwargs)

    with monkeypatch.context() as patch, style.applied():
        patch.setattr(Text, "draw", spy)
        figure.draw_without_rendering()
        found.clear()
        figure.draw_without_rendering()
    return found


def misplaced(figure, monkeypatch):
    """Texts that overlap one another or leave the figure."""
    whole = figure.bbox.padded(1)
    boxes = drawn_texts(figure, monkeypatch)
    found = [one for one, box in boxes if (np.clip(box.get_points(), whole.p0, whole.p1) != box.get_points()).any()]
    for (one, first), (other, second) in itertools.combinations(boxes, 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        up = min(first.y1, second.y1) - max(first.y0, second.y0)
        if across > 1 and up > 1:
            found.append((one, other))
    return found


def test_no_text_overlaps_another_or_leaves_the_figure(tables, monkeypatch):
    real, synthetic = tables
    for figure in (
        distributions(real, synthetic, "Demo", {"age": "years"}, "copula", simulated=True),
        correlation(real, synthetic, "Demo", "copula", simulated=True),
        class_counts(real["diagnosis"], synthetic["diagnosis"], "Demo", "copula", simulated=True),
    ):
        assert misplaced(figure, monkeypatch) == []
    figure.text(0.1, 0.5, "planted")
    figure.text(0.1, 0.5, "over it")
    figure.text(0.99, 0.9, "cut off")
    found = misplaced(figure, monkeypatch)
    assert "cut off" in found
    assert ("planted", "over it") in found


def test_simulated_rows_are_called_so_in_every_figure(tables):
    real, synthetic = tables
    for figure in (
        distributions(real, synthetic, "Demo", simulated=True),
        correlation(real, synthetic, "Demo", simulated=True),
        class_counts(real["diagnosis"], synthetic["diagnosis"], "Demo", simulated=True),
    ):
        assert any("simulated" in text for text in texts(figure))


def test_correlation_has_three_panels_and_the_difference_its_own_scale(tables):
    real, synthetic = tables
    figure = correlation(real, synthetic, "Demo")
    meshes = [axes.collections[0] for axes in figure.axes[:3]]
    assert [mesh.get_clim() for mesh in meshes[:2]] == [(-1, 1)] * 2
    values = [np.ma.filled(np.ma.asarray(m.get_array()), np.nan).reshape(len(real.columns), -1) for m in meshes]
    off = ~np.eye(len(real.columns), dtype=bool)
    assert np.allclose(values[2][off], (values[1] - values[0])[off])
    assert np.isnan(np.diag(values[2])).all()
    low, high = meshes[2].get_clim()
    assert low == -high
    assert np.nanmax(np.abs(values[2])) <= high < np.nanmax(np.abs(values[2])) + 0.1
    assert [axes.get_ylabel() for axes in figure.axes[3:]] == ["association", "difference of associations"]
    assert len(figure.axes[0].get_yticklabels()) == len(real.columns)


def test_counts_are_stacked_and_end_level(tables):
    real, _ = tables
    counts = real["diagnosis"].value_counts()
    fill = np.repeat(counts.index, counts.max() - counts)
    added = pd.Series(pd.Categorical(fill, categories=real["diagnosis"].cat.categories))
    figure = class_counts(real["diagnosis"], added, "Demo")
    before, after = figure.axes
    assert [bar.get_width() for bar in before.patches] == counts[real["diagnosis"].cat.categories].tolist()
    synthetic = after.patches[len(counts) :]
    assert {bar.get_x() + bar.get_width() for bar in synthetic} == {counts.max()}


def test_the_command_writes_the_same_bytes_twice_and_names_itself(folder, tmp_path):
    for name in ("one", "two"):
        assert main(["figures", str(folder), str(tmp_path / name)]) == 0
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(
        ["README.md", *(f"{n}.{s}" for n in ("correlation", "class_counts", "distributions") for s in ("pdf", "png"))]
    )
    for name in files:
        one, two = ((tmp_path / run / name).read_bytes() for run in ("one", "two"))
        assert (one.replace(b"/one", b"/two") if name == "README.md" else one) == two
    page = (tmp_path / "one" / "README.md").read_text()
    assert f"python -m trisynth.report figures {folder}" in page
    assert "simulated" in page


def test_regression_has_no_class_counts(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(style, "save", lambda figure, path: None)
    about = json.loads((folder / "about.json").read_text()) | {"task": "regression", "target": "age"}
    (folder / "about.json").write_text(json.dumps(about))
    (folder / "balanced.parquet").unlink()
    assert main(["figures", str(folder), str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "README.md").read_text()
    assert "distributions.png" in page and "class_counts" not in page


@pytest.mark.parametrize("name", ["about.json", "real.parquet", "balanced.parquet"])
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_missing_or_damaged_file_is_one_clear_line(folder, tmp_path, capsys, name, damage):
    (folder / name).unlink()
    if damage == "cut":
        (folder / name).write_text("{")
    assert main(["figures", str(folder), str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert name in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_overview_is_one_light_picture_of_the_target_and_twelve_features(datasets, tmp_path):
    real, synthetic = datasets
    overview(real, synthetic, tmp_path / "overview.png")
    overview(real, synthetic, tmp_path / "again.png")
    assert (tmp_path / "overview.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    assert (tmp_path / "overview.png").stat().st_size < 150_000
    with Image.open(tmp_path / "overview.png") as picture:
        assert picture.size[0] == 1000


def test_the_overview_does_not_mind_too_many_features_or_no_synthetic_rows(datasets, tmp_path):
    real, _ = datasets
    wide = pd.concat([real.X.add_prefix(f"{i}_") for i in range(3)], axis=1)
    many = type(real)(wide, real.y, real.spec)
    overview(many, many.take([]), tmp_path / "overview.png")
    assert (tmp_path / "overview.png").stat().st_size > 10_000

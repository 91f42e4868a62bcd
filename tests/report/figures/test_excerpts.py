"""Panel of texts: what is drawn is what the tables hold, side by side."""

import json

import pandas as pd
from notes import notes

from trisynth.data import texts
from trisynth.report import pages
from trisynth.report.figures.excerpts import excerpts


def rows(seed: int = 0) -> pd.DataFrame:
    found = notes(24, seed)
    return found.assign(note=texts.column(found["note"]), state=found["state"].astype("category"))


def test_the_first_texts_of_each_class_are_drawn_on_their_side():
    real, synthetic = rows(), rows(1)
    figure = excerpts(real, synthetic, "note", "ward", "state")
    drawn = [axes.texts[0].get_text().replace("\n  ", " ") for axes in figure.axes if axes.texts]
    assert len(drawn) == 4
    for place, (table, state) in enumerate([(real, "ill"), (synthetic, "ill"), (real, "well"), (synthetic, "well")]):
        first = table.loc[table["state"] == state, "note"].iloc[0]
        assert first.replace("\n", " ")[:40] in drawn[place]


def test_long_texts_and_signs_of_formulas_are_drawn_as_they_are():
    cells = pd.DataFrame({"note": texts.column(["costs $5 or $6_x^2 \\frac{", "", "long " * 200])})
    figure = excerpts(cells, cells, "note", "odd")
    assert "$5 or $6_x^2 \\frac{" in figure.axes[0].texts[0].get_text()
    assert "(empty)" in figure.axes[0].texts[0].get_text()
    figure.canvas.draw()


def test_the_page_of_a_data_set_has_a_panel_for_each_column_of_texts(tmp_path):
    for name in ("real", "synthetic", "balanced"):
        rows().to_parquet(tmp_path / f"{name}.parquet", index=False)
    about = {"title": "ward", "target": "state", "task": "classification", "generator": "ngram", "simulated": True}
    (tmp_path / "about.json").write_text(json.dumps({**about, "units": {}}))
    pages.figures(tmp_path, tmp_path / "out", "command")
    assert (tmp_path / "out" / "samples_note.png").exists() and (tmp_path / "out" / "distributions.png").exists()

"""The benchmark of audits has a cell for every private generator, and runs no cell twice."""

from pathlib import Path

import pandas as pd
import pytest
from benchmarks import audits

CONF = Path(__file__).resolve().parent.parent / "conf/generator"


def test_every_private_generator_is_audited():
    private = {path.stem for path in CONF.glob("*.yaml") if "privacy: ${privacy}" in path.read_text()}
    assert set(audits.CELLS) == private
    assert {epsilon for name, epsilon in audits.cells() if name in private} == {"0.1", "1", "10"}


def test_a_cell_with_a_row_is_not_run_again_and_a_broken_claim_ends_with_an_error(tmp_path, monkeypatch):
    run = []

    def cell(name, epsilon, table, rows, scale):
        run.append(epsilon)
        bound = 3.0 if epsilon == "1" else 0.0
        return {"generator": name, "epsilon": epsilon, "claimed": 1.0, "bound": bound, "holds": bound <= 1}

    drawn = []
    monkeypatch.setattr(audits, "cell", cell)
    monkeypatch.setattr(audits, "picture", lambda rows: drawn.append(len(rows)))
    monkeypatch.setattr(audits.style, "save", lambda figure, path: None)
    arguments = ["--generators", "mst", "--out", str(tmp_path)]
    for _ in range(2):
        with pytest.raises(SystemExit, match="a claim does not hold"):
            audits.main(arguments)
    assert run == ["0.1", "1", "10"]
    assert drawn == [3, 3]
    assert list(pd.read_csv(tmp_path / "audits.csv", dtype=str)["bound"]) == ["0", "3", "0"]


@pytest.fixture(scope="module")
def rows():
    return pd.read_csv(audits.output.HERE / "audits.csv", dtype={"epsilon": str}).fillna({"epsilon": ""})


def test_the_page_has_the_committed_table(rows):
    page = (CONF.parent.parent / "docs/privacy.md").read_text()
    assert "\n".join(audits.lines(rows)) + "\n\n" in page


def test_the_picture_shows_each_bound_below_its_ceiling(rows):
    figure = audits.picture(rows.sample(frac=1, random_state=0))
    left, right = figure.axes
    claims, ceilings, bounds = (line.get_xdata() for line in left.lines[:3])
    assert len(bounds) == len(rows)
    assert not any(bound > min(claim, ceiling) for bound, claim, ceiling in zip(bounds, claims, ceilings, strict=True))
    assert [text.get_text() for text in left.get_yticklabels()][::-1][:2] == ["MST, epsilon 0.1", "MST, epsilon 1"]
    assert right.get_xlim()[1] >= 1

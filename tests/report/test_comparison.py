"""Ranks and tests of generators: planted orders, gaps, and one line for each mistake."""

import numpy as np
import pandas as pd
import pytest

from trisynth.errors import InputError
from trisynth.report import comparison
from trisynth.report.__main__ import main

QUALITY = {"circuit": 0.80, "copula": 0.795, "vae": 0.75, "independent": 0.5}


@pytest.fixture
def results(tmp_path):
    """Results of four generators of known order on ten data sets, three seeds and two classifiers."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(10):
        for generator, quality in QUALITY.items():
            for seed in range(3):
                score = quality + 0.01 * i + rng.normal(0, 0.002)
                rows += [
                    {"dataset": f"d{i}", "generator": generator, "seed": seed, "classifier": name, "auc": score + shift}
                    for name, shift in (("a", 0.0), ("b", 0.02))
                ]
    path = tmp_path / "results.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_a_planted_order_is_found_and_tested(results, tmp_path):
    assert main(["compare", str(results), str(tmp_path / "out"), "--score", "auc"]) == 0
    table = pd.read_csv(tmp_path / "out" / "comparison.csv")
    assert list(table["generator"]) == list(QUALITY)
    assert list(table["rank"]) == pytest.approx([1.1, 1.9, 3, 4], abs=0.11)
    vae = table.set_index("generator").loc["vae"]
    assert vae["difference"] == pytest.approx(-0.05, abs=0.003) and vae["wins"] == "0 / 0 / 10" and vae["p"] < 0.01
    assert table.set_index("generator").loc["copula", "wins"] == "0 / 10 / 0"
    rows = pd.read_csv(tmp_path / "out" / "by_dataset.csv").set_index("generator").loc["independent"]
    assert len(rows) == 10 and (rows["worse"] > 0.99).all() and (rows["p"] < 0.01).all()
    assert (tmp_path / "out" / "ranks.png").is_file() and "Friedman" in (tmp_path / "out" / "README.md").read_text()


def test_the_direction_changes_the_sign(results):
    found = comparison.read([results], "auc", "circuit", lower_is_better=True)
    assert found.differences("independent").mean() == pytest.approx(0.3, abs=0.01)


def test_generators_and_data_sets_with_gaps_are_left_out_by_name(results, tmp_path):
    table = pd.read_csv(results)
    gaps = (table["generator"] == "vae") & table["dataset"].isin(["d1", "d2", "d3"])
    gaps |= (table["generator"] == "copula") & (table["dataset"] == "d5")
    table[~gaps].rename(columns={"dataset": "table", "seed": "split"}).to_csv(tmp_path / "gaps.csv", index=False)
    found = comparison.read([tmp_path / "gaps.csv"], "auc", "circuit")
    assert found.left_out == ("vae", "d5") and found.means.shape == (9, 3)
    assert "Left out, because scores are missing: vae, d5." in comparison.overall_table(found).note


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--score", "f1"], "has no column 'f1'"),
        (["--score", "auc", "--against", "gan"], "against='gan': is no generator of the results"),
        (["--score", "generator"], "score='generator': is no number"),
        (["--score", "auc", "--rope", "-1"], "rope=-1.0: must be a number, 0 or more"),
        (["--score", "auc", "--test-size", "2"], "test-size=2.0: must lie between 0 and 1"),
    ],
)
def test_a_mistake_is_one_line(results, tmp_path, capsys, more, message):
    assert main(["compare", str(results), str(tmp_path / "out"), *more]) == 2
    assert message in capsys.readouterr().err


def test_two_data_sets_are_needed(results, tmp_path):
    table = pd.read_csv(results)
    table[table["dataset"] == "d1"].to_csv(tmp_path / "one.csv", index=False)
    with pytest.raises(InputError, match="must have two data sets and two methods"):
        comparison.read([tmp_path / "one.csv"], "auc", "circuit")

import pandas as pd
import pytest
from matplotlib.text import Text

from trisynth.report.__main__ import main
from trisynth.report.figures.gains import gains
from trisynth.report.jobs import by_method

LIFT = {"real": 0.0, "synthetic": -0.1, "combined": 0.02, "balanced": 0.03, "threshold": 0.04}


@pytest.fixture
def results():
    rows = [
        {"key": "k", "dataset": dataset, "generator": generator, "classifier": "forest", "seed": seed}
        | {f"{arm}/f1_macro": 0.6 + 0.01 * seed + lift for arm, lift in LIFT.items()}
        for dataset in ("pima", "paper_cohort")
        for generator in ("copula", "smote")
        for seed in range(3)
    ]
    return pd.DataFrame(rows)


def test_every_data_set_has_a_panel_with_all_generators_and_baselines(results):
    figure = gains(by_method(results))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["a  pima", "b  paper cohort (simulated)"]
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert rows == ["copula", "smote", "tuned threshold"]
    for axes in figure.axes:
        drawn = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "None"]
        expected = [LIFT["combined"], LIFT["balanced"]] * 2 + [LIFT["threshold"]]
        assert [x for x in drawn if x != 0] == pytest.approx(expected)


@pytest.mark.parametrize("datasets", [["pima"], ["pima", "paper_cohort"]])
def test_the_note_is_whole_whatever_the_number_of_panels(results, datasets):
    figure = gains(by_method(results[results["dataset"].isin(datasets)]))
    figure.canvas.draw()
    (note,) = (text for text in figure.findobj(Text) if text.get_text().startswith("Means over seeds"))
    assert note.get_text().endswith("alone.")
    assert note.get_window_extent().x1 <= figure.bbox.x1


def test_the_command_writes_the_same_bytes_twice_and_names_itself(results, tmp_path):
    results.to_csv(tmp_path / "results.csv", index=False)
    for name in ("one", "two"):
        assert main(["gains", str(tmp_path / "results.csv"), str(tmp_path / name)]) == 0
    for name in ("gains.png", "gains.pdf", "gains.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert "python -m trisynth.report gains" in (tmp_path / "one" / "README.md").read_text()


def test_gains_are_written_with_their_intervals(results, tmp_path):
    results.to_csv(tmp_path / "results.csv", index=False)
    assert main(["gains", str(tmp_path / "results.csv"), str(tmp_path / "out")]) == 0
    rows = pd.read_csv(tmp_path / "out" / "gains.csv").set_index(["dataset", "generator", "training_rows"])
    assert rows.loc[("pima", "smote", "combined"), "gain"] == pytest.approx(LIFT["combined"])
    assert ("pima", "none", "threshold") in rows.index
    assert (rows["low"] <= rows["gain"]).all() and (rows["gain"] <= rows["high"]).all()


def test_one_seed_draws_dots_without_intervals(results):
    assert gains(by_method(results[results["seed"] == 0])).axes


@pytest.mark.parametrize("columns", ["real", "none"])
def test_a_sweep_without_gains_is_one_clear_line(results, tmp_path, capsys, columns):
    arms = [f"{arm}/f1_macro" for arm in LIFT if arm != columns]
    results.drop(columns=arms).to_csv(tmp_path / "results.csv", index=False)
    assert main(["gains", str(tmp_path / "results.csv"), str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out").exists()

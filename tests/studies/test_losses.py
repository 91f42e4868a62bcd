"""Win rates, gains and the shrinkage law from a sweep's table with planted numbers."""

import numpy as np
import pandas as pd
import pytest

from trisynth.errors import InputError
from trisynth.report import markup
from trisynth.report.__main__ import main
from trisynth.statistics.across_datasets import win_rate
from trisynth.studies import loss_figures as figures
from trisynth.studies.loss_tables import confidence_table, fidelity_table, wins_table
from trisynth.studies.settings import difference_from_plain, utilities, with_settings

SETTINGS = {"native": (1, 0, 0), "rec_dist": (1, 1, 0), "all": (1, 1, 1)}
GRID = [(1, b, c) for b in (0, 1) for c in (0, 1)]
LIFT = {"native": 0.0, "rec_dist": 0.02, "all": -0.01}


def sweep(lift=LIFT, settings=SETTINGS, generators=("vae", "cgan"), datasets=("pima", "saheart", "stroke")):
    rows = []
    for dataset in datasets:
        for generator in generators:
            for setting, weights in settings.items():
                for classifier in ("logistic", "boosting"):
                    for seed in range(3):
                        alpha, beta, gamma = weights
                        rows.append(
                            {"key": "k", "dataset": dataset, "generator": generator, "classifier": classifier}
                            | {"seed": seed, "loss.alpha": alpha, "loss.beta": beta, "loss.gamma": gamma}
                            | {"loss.pairing": "none" if setting == "native" else "transport"}
                            | {
                                f"{arm}/{name}": 0.7 + 0.01 * seed + lift[setting]
                                for arm in ("synthetic", "combined")
                                for name in ("roc_auc", "f1_macro")
                            }
                            | {"fidelity/c2st_boosting": 0.6 - lift[setting]}
                        )
    return pd.DataFrame(rows)


def test_settings_are_named_by_what_is_on():
    jobs = with_settings(sweep())
    assert list(jobs["setting"].unique()) == ["native", "rec_dist", "all"]
    paired = with_settings(sweep().assign(**{"loss.pairing": "transport"}))
    assert set(paired.loc[paired["generator"] == "cgan", "setting"]) == {"rec", "rec_dist", "all"}
    assert set(paired.loc[paired["generator"] == "vae", "setting"]) == {"native", "rec_dist", "all"}
    rung = with_settings(sweep().assign(**{"loss.distance": "mmd", "loss.beta": 3.0}))
    assert "rec_dist beta 3 mmd" in set(rung["setting"])


def test_wins_and_gains_are_those_that_were_planted():
    jobs = with_settings(sweep())
    gains = difference_from_plain(jobs, utilities(jobs, "synthetic"))
    assert len(gains) == 2 * 3 * 2 * 3
    by = gains.groupby(level="setting").mean()
    assert by["rec_dist"] == pytest.approx(0.02) and by["all"] == pytest.approx(-0.01)
    one = {setting: win_rate(part).mean for setting, part in gains.groupby(level="setting")}
    assert one == {"rec_dist": 1, "all": 0}
    assert win_rate(0 * gains).mean == 0.5


def test_train_on_synthetic_is_compared_on_the_rows_that_it_trains_on():
    settings = {"native": (1, 0, 0), "held": (1, 0, 1e-9), "rec_model": (1, 0, 1)}
    jobs = sweep(settings=settings, lift={"native": 0.0, "held": -0.04, "rec_model": -0.03})
    jobs = jobs.assign(**{"loss.pairing": "transport", "loss.model": "train_on_synthetic"})
    adc = jobs[jobs["loss.gamma"] == 1].assign(**{"loss.model": "adc"})
    jobs = with_settings(pd.concat([jobs, adc], ignore_index=True))
    gains = difference_from_plain(jobs, utilities(jobs, "synthetic")).groupby(level="setting").mean()
    assert gains["rec held_out"] == pytest.approx(-0.04) and gains["rec_model adc"] == pytest.approx(-0.03)
    assert gains["rec_model train_on_synthetic"] == pytest.approx(0.01)


def test_without_a_native_loss_the_plain_one_is_rec_alone():
    jobs = sweep(settings={"native": (1, 0, 0), "rec_model": (1, 0, 1)}, lift={"native": 0.0, "rec_model": 0.03})
    jobs = with_settings(jobs.assign(**{"loss.pairing": "transport", "loss.model": "adc"}))
    assert set(jobs["setting"]) == {"native", "rec", "rec_model adc"}
    gains = difference_from_plain(jobs, utilities(jobs, "synthetic"))
    assert set(gains.index.get_level_values("generator")) == {"vae", "cgan"}
    assert gains.to_numpy() == pytest.approx(0.03)


def test_clear_wins_are_bold_and_losses_are_not():
    table = wins_table(with_settings(sweep(datasets=tuple("abcdefgh"))))
    rows = {(row[0], row[1]): place for place, row in enumerate(table.rows)}
    assert (rows["together", "rec + dist"], 3) in table.bold and (rows["together", "all"], 3) not in table.bold
    assert table.rows[rows["together", "rec + dist"]][2] == 48
    assert "| together | rec + dist | 48 | **1.000 [0." in markup.markdown(table, "c")


def test_gains_among_many_stand_only_if_they_are_clear():
    jobs = sweep(datasets=tuple("abcdefgh"))
    noise = jobs["loss.beta"] * (jobs["dataset"].map(ord) % 4 - 1.6) / 50
    note = wins_table(with_settings(jobs.assign(**{"synthetic/roc_auc": jobs["synthetic/roc_auc"] + noise}))).note
    significant = "on synthetic rows none; on combined rows vae rec + dist (+), vae all (−), cgan rec"
    assert f"for 4 comparisons: {significant}" in note


def test_confidence_differs_from_utility():
    jobs = sweep()
    jobs["synthetic/brier"] = 0.3 + 0.05 * (jobs["loss.gamma"] > 0)
    table = confidence_table(with_settings(jobs))
    keys = [column.key for column in table.columns]
    row = next(row for row in table.rows if row[:2] == ["vae", "all"])
    assert row[keys.index("brier")].mean == pytest.approx(0.05)
    assert row[keys.index("roc_auc")].mean == pytest.approx(-0.01)


def test_fidelity_has_its_level_and_its_change():
    jobs = with_settings(sweep())
    table = fidelity_table(jobs)
    assert [column.key for column in table.columns] == ["generator", "setting", "pairs", "level", "c2st_boosting"]
    rows = {(row[0], row[1]): row[2:] for row in table.rows}
    for generator, expected in (("cgan", 9), ("together", 18)):
        count, level, change = rows[generator, "all"]
        assert count == expected and level.mean == pytest.approx(0.61) and change.mean == pytest.approx(0.01)
    jobs["fidelity/c2st_boosting"] += 0.1 * (jobs["generator"] == "vae")
    rows = {(row[0], row[1]): row[2:] for row in fidelity_table(jobs).rows}
    assert rows["together", "all"][1].mean == pytest.approx(0.66) and rows["together", "all"][2].half < 1e-9


def test_changes_of_what_was_not_measured_are_one_clear_line():
    jobs = with_settings(sweep()).drop(columns=["fidelity/c2st_boosting"])
    with pytest.raises(InputError, match="metrics=loss"):
        fidelity_table(jobs)


@pytest.mark.parametrize(
    ("study", "jobs", "files"),
    [
        ("gamma", sweep(), {"wins.png", "confidence.png", "confidence.tex", "fidelity.csv"}),
        ("moment_ladder", sweep(), {"wins.png", "wins.csv"}),
        ("loss_grid", sweep(dict.fromkeys("abcd", 0.0), dict(zip("abcd", GRID, strict=True))), {"maps.png"}),
        ("loss_weights", sweep(datasets=("pima",)), {"wins.pdf", "maps.png", "wins.md"}),
    ],
)
def test_the_command_writes_the_same_bytes_twice(study, jobs, files, tmp_path):
    if study == "loss_weights":
        weights = dict(zip("abcd", GRID, strict=True))
        jobs = pd.concat([jobs, sweep(dict.fromkeys(weights, 0.01), weights, datasets=("pima",))])
    jobs.to_csv(tmp_path / "results.csv", index=False)
    for name in ("one", "two"):
        assert main(["study", study, str(tmp_path / "results.csv"), str(tmp_path / name)]) == 0
    made = {path.name for path in (tmp_path / "one").iterdir()}
    assert files <= made and "README.md" in made
    for name in made - {"README.md"}:
        one, two = ((tmp_path / folder / name).read_text("latin-1") for folder in ("one", "two"))
        assert one.replace(str(tmp_path / "one"), "") == two.replace(str(tmp_path / "two"), "")
    assert f"trisynth.report study {study}" in (tmp_path / "one" / "README.md").read_text()


@pytest.mark.parametrize("study", ["shrinkage_law", "loss_weights", "loss_grid", "gamma", "moment_ladder"])
@pytest.mark.parametrize("kept", ["native", "rec_dist", "nothing"])
def test_a_sweep_that_cannot_answer_is_one_clear_line(study, kept, tmp_path, capsys):
    jobs = sweep()
    jobs = jobs[with_settings(jobs)["setting"] == kept]
    jobs.to_csv(tmp_path / "results.csv", index=False)
    assert main(["study", study, str(tmp_path / "results.csv"), str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_sweep_without_a_loss_is_one_clear_line(tmp_path, capsys):
    sweep().drop(columns="loss.alpha").to_csv(tmp_path / "results.csv", index=False)
    assert main(["study", "gamma", str(tmp_path / "results.csv"), str(tmp_path / "out")]) == 2
    assert "has no loss.alpha; sweep over a loss" in capsys.readouterr().err


def test_maps_have_the_native_cell_of_families_with_pairs_only():
    weights = dict(zip("abcd", GRID, strict=True))
    jobs = with_settings(sweep(dict.fromkeys(weights, 0.01), weights, datasets=("pima",)))
    native = jobs["loss.beta"] + jobs["loss.gamma"] == 0
    jobs = with_settings(jobs.drop(columns="setting").assign(**{"loss.pairing": np.where(native, "none", "transport")}))
    panels = {axes.get_title(loc="left")[3:]: axes for axes in figures.maps(jobs).figure.axes}
    shown = {
        title: sum("±" not in text.get_text() and text.get_text()[0] not in "+−" for text in axes.texts)
        for title, axes in panels.items()
    }
    assert shown["vae: ROC AUC, synthetic"] == 4 and shown["cgan: ROC AUC, synthetic"] == 3


def test_maps_show_the_change_from_the_cell_without_other_terms_with_its_interval():
    weights = dict(zip("abcd", GRID, strict=True))
    jobs = sweep(dict.fromkeys(weights, 0.0), weights, datasets=("pima", "saheart", "stroke"))
    panel = next(axes for axes in figures.maps(jobs).figure.axes if "vae: ROC" in axes.get_title(loc="left"))
    changes = [text.get_text() for text in panel.texts if "±" in text.get_text()]
    assert len(changes) == 3

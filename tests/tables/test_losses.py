"""Win rates, gains and the law from a sweep's table, at numbers that were planted."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trisynth.errors import InputError
from trisynth.figures import losses as figures
from trisynth.figures.study import main
from trisynth.tables import losses, markup

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


def fits(weights=(0.0, 1.0, 3.0), generators=("cgan", "vae"), error=0.0):
    """Jobs that obey the law up to an error."""
    rows = []
    for generator in generators:
        for beta in weights:
            rho, a, b = 0.6 + 0.01 * beta, 2.0, 0.5 * beta
            ratio = (a * rho + b) / (a + b) if generator == "cgan" else 1.0
            rows.append(
                {"key": "k", "dataset": "pima", "generator": generator, "classifier": "logistic", "seed": 0}
                | {"loss.alpha": 100.0, "loss.beta": beta, "loss.gamma": 0.0, "synthetic/roc_auc": 0.8}
                | {"fidelity/spread_ratio": ratio + error, "fidelity/pair_correlation": rho}
                | {"final/rec": 0.4, "final/rec_weighted": 0.8}
                | {"final/dist": 0.1 if beta else np.nan, "final/dist_weighted": 0.1 * b if beta else np.nan}
            )
    return pd.DataFrame(rows)


def test_settings_are_named_by_what_is_on():
    jobs = losses.named(sweep())
    assert list(jobs["setting"].unique()) == ["native", "rec_dist", "all"]
    paired = losses.named(sweep().assign(**{"loss.pairing": "transport"}))
    assert set(paired.loc[paired["generator"] == "cgan", "setting"]) == {"rec", "rec_dist", "all"}
    assert set(paired.loc[paired["generator"] == "vae", "setting"]) == {"native", "rec_dist", "all"}
    rung = losses.named(sweep().assign(**{"loss.distance": "mmd", "loss.beta": 3.0}))
    assert "rec_dist beta 3 mmd" in set(rung["setting"])


def test_wins_and_gains_are_those_that_were_planted():
    jobs = losses.named(sweep())
    gains = losses.against_plain(jobs, losses.utilities(jobs, "synthetic"))
    assert len(gains) == 2 * 3 * 2 * 3
    by = gains.groupby(level="setting").mean()
    assert by["rec_dist"] == pytest.approx(0.02) and by["all"] == pytest.approx(-0.01)
    one = {setting: losses.win_rate(part).mean for setting, part in gains.groupby(level="setting")}
    assert one == {"rec_dist": 1, "all": 0}
    assert losses.win_rate(0 * gains).mean == 0.5


def test_a_data_set_counts_once_however_many_seeds_it_has():
    index = pd.MultiIndex.from_tuples([("a", 0), ("a", 1), ("a", 2), ("b", 0)], names=["dataset", "seed"])
    found = losses.by_dataset(pd.Series([1.0, 1.0, 1.0, 0.0], index))
    assert found.mean == 0.5 and found.count == 4 and found.half == pytest.approx(12.706 * 0.5, rel=1e-3)
    assert np.isnan(losses.by_dataset(pd.Series([1.0], index[:1])).half)


def test_without_a_native_loss_the_plain_one_is_rec_alone():
    jobs = sweep(settings={"native": (1, 0, 0), "rec_model": (1, 0, 1)}, lift={"native": 0.0, "rec_model": 0.03})
    jobs = losses.named(jobs.assign(**{"loss.pairing": "transport", "loss.model": "adc"}))
    assert set(jobs["setting"]) == {"native", "rec", "rec_model adc"}
    gains = losses.against_plain(jobs, losses.utilities(jobs, "synthetic"))
    assert set(gains.index.get_level_values("generator")) == {"vae", "cgan"}
    assert gains.to_numpy() == pytest.approx(0.03)


def won(rates: list[float], pairs: int) -> pd.Series:
    """Gains of +1 and -1 with a rate of wins for each data set."""
    gains = {(d, i): 1.0 if i < rate * pairs else -1.0 for d, rate in enumerate(rates) for i in range(pairs)}
    return pd.Series(gains).rename_axis(["dataset", "seed"])


def test_wins_of_a_few_data_sets_are_never_certain():
    few, many = losses.win_rate(won([1.0] * 3, 10)), losses.win_rate(won([1.0] * 20, 10))
    assert few.mean == many.mean == 1 and few.low < 0.5 < many.low
    assert np.isnan(losses.win_rate(won([0.6], 10)).half)
    assert losses.win_rate(won([0.5, 0.7] * 4, 10)).half < losses.win_rate(won([0.2, 1.0] * 4, 10)).half


def test_interval_of_wins_holds_the_truth_as_often_as_it_says():
    rng, held = np.random.default_rng(0), []
    for _ in range(400):
        rates = rng.beta(6, 4, size=8)
        gains = pd.Series(
            {(d, i): rng.choice([1.0, -1.0], p=[p, 1 - p]) for d, p in enumerate(rates) for i in range(10)}
        )
        rate = losses.win_rate(gains.rename_axis(["dataset", "seed"]))
        held.append(rate.low <= 0.6 <= rate.high)
    assert np.mean(held) > 0.93


def test_clear_wins_are_bold_and_losses_are_not():
    table = losses.wins_table(losses.named(sweep(datasets=tuple("abcdefgh"))))
    rows = {(row[0], row[1]): place for place, row in enumerate(table.rows)}
    assert (rows["together", "rec + dist"], 3) in table.bold and (rows["together", "all"], 3) not in table.bold
    assert table.rows[rows["together", "rec + dist"]][2] == 48
    assert "| together | rec + dist | 48 | **1.000 [0." in markup.markdown(table, "c")


def test_a_gain_among_many_stands_only_if_it_is_clear():
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([range(8), range(2)], names=["dataset", "seed"])
    one = pd.Series(rng.normal(0.01, 0.002, len(index)), index)
    means = one.groupby(level="dataset").mean()
    t = means.mean() / (means.std() / np.sqrt(8))
    assert losses.p_value(one) == pytest.approx(2 * stats.t.sf(t, 7))
    assert losses.p_value(one[:1]) == losses.p_value(0 * one) == 1 and losses.p_value(0 * one + 1) == 0
    jobs = sweep(datasets=tuple("abcdefgh"))
    noise = jobs["loss.beta"] * (jobs["dataset"].map(ord) % 4 - 1.6) / 50
    note = losses.wins_table(losses.named(jobs.assign(**{"synthetic/roc_auc": jobs["synthetic/roc_auc"] + noise}))).note
    assert "for 4 losses: on synthetic rows none; on combined rows vae rec + dist (+), vae all (−), cgan rec" in note


def test_a_law_that_holds_has_no_error_and_one_that_does_not_shows():
    jobs = losses.named(fits())
    found = losses.law(jobs)
    np.testing.assert_allclose(found["predicted"], found["observed"])
    cgan = found[found["generator"] == "cgan"]
    assert cgan["share"].tolist() == pytest.approx([0, 0.2, 3 / 7])
    assert losses.r_squared(cgan["observed"], cgan["predicted"]) == pytest.approx(1)
    wrong = losses.law(losses.named(fits(error=-0.3)))
    assert losses.r_squared(wrong["observed"], wrong["predicted"]) < 0.1
    table = losses.law_table(jobs)
    assert [row[0] for row in table.rows] == ["cgan", "vae"]
    assert table.rows[0][6].mean == pytest.approx(1) and np.isnan(table.rows[1][6].mean)


def test_confidence_is_told_from_utility():
    jobs = sweep()
    jobs["synthetic/brier"] = 0.3 + 0.05 * (jobs["loss.gamma"] > 0)
    table = losses.confidence_table(losses.named(jobs))
    keys = [column.key for column in table.columns]
    row = next(row for row in table.rows if row[:2] == ["vae", "all"])
    assert row[keys.index("brier")].mean == pytest.approx(0.05)
    assert row[keys.index("roc_auc")].mean == pytest.approx(-0.01)


def test_fidelity_is_told_by_its_level_and_its_change():
    jobs = losses.named(sweep())
    table = losses.fidelity_table(jobs)
    assert [column.key for column in table.columns] == ["generator", "setting", "pairs", "level", "c2st_boosting"]
    rows = {(row[0], row[1]): row[2:] for row in table.rows}
    for generator, pairs in (("cgan", 9), ("together", 18)):
        count, level, change = rows[generator, "all"]
        assert count == pairs and level.mean == pytest.approx(0.61) and change.mean == pytest.approx(0.01)
    jobs["fidelity/c2st_boosting"] += 0.1 * (jobs["generator"] == "vae")
    rows = {(row[0], row[1]): row[2:] for row in losses.fidelity_table(jobs).rows}
    assert rows["together", "all"][1].mean == pytest.approx(0.66) and rows["together", "all"][2].half < 1e-9


def test_changes_of_what_was_not_measured_are_one_clear_line():
    jobs = losses.named(sweep()).drop(columns=["fidelity/c2st_boosting"])
    with pytest.raises(InputError, match="metrics=loss"):
        losses.fidelity_table(jobs)


@pytest.mark.parametrize(
    ("study", "jobs", "files"),
    [
        ("shrinkage_law", fits(), {"law.png", "law.pdf", "shrinkage_law.csv"}),
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
        assert main([study, str(tmp_path / "results.csv"), str(tmp_path / name)]) == 0
    made = {path.name for path in (tmp_path / "one").iterdir()}
    assert files <= made and "README.md" in made
    for name in made - {"README.md"}:
        one, two = ((tmp_path / folder / name).read_text("latin-1") for folder in ("one", "two"))
        assert one.replace(str(tmp_path / "one"), "") == two.replace(str(tmp_path / "two"), "")
    assert f"trisynth.figures.study {study}" in (tmp_path / "one" / "README.md").read_text()


@pytest.mark.parametrize("study", ["shrinkage_law", "loss_weights", "loss_grid", "gamma", "moment_ladder"])
@pytest.mark.parametrize("kept", ["native", "rec_dist", "nothing"])
def test_a_sweep_that_cannot_answer_is_one_clear_line(study, kept, tmp_path, capsys):
    jobs = sweep()
    jobs = jobs[losses.named(jobs)["setting"] == kept]
    jobs.to_csv(tmp_path / "results.csv", index=False)
    assert main([study, str(tmp_path / "results.csv"), str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_missing_file_is_one_clear_line(tmp_path):
    with pytest.raises(InputError, match="run the sweep first"):
        losses.read(tmp_path / "results.csv")


def test_maps_have_the_native_cell_of_families_with_pairs_only():
    weights = dict(zip("abcd", GRID, strict=True))
    jobs = losses.named(sweep(dict.fromkeys(weights, 0.01), weights, datasets=("pima",)))
    native = jobs["loss.beta"] + jobs["loss.gamma"] == 0
    jobs = losses.named(jobs.assign(**{"loss.pairing": np.where(native, "none", "transport")}))
    shown = {axes.get_title(loc="left")[3:]: len(axes.texts) for axes in figures.maps(jobs).axes}
    assert shown["vae: ROC AUC, synthetic"] == 4 and shown["cgan: ROC AUC, synthetic"] == 3

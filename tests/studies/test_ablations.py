"""The ablation table at effects that were planted, on jobs as a sweep's CSV file has them."""

import pandas as pd
import pytest

from trisynth.config import CONF
from trisynth.errors import InputError
from trisynth.studies import ablations

WHOLE = {"generator.pac": 10, "generator.max_modes": 10, "generator.conditional": True}
COST = {"none": 0.0, "pac": -0.1, "modes": -0.2, "conditional": 0.05}


def sweep(variants=COST):
    off = {name: settings for name, (_, settings) in ablations.parts("ctgan").items()}
    return pd.DataFrame(
        [
            {"dataset": dataset, "generator": "ctgan", "classifier": classifier, "seed": seed}
            | (WHOLE | off.get(name, {}))
            | {"synthetic/roc_auc": 0.8 + 0.01 * seed + 0.001 * at + COST[name] * (1 + 0.01 * at)}
            | {"fidelity/c2st_boosting": 0.7}
            for at, dataset in enumerate(("pima", "saheart", "stroke"))
            for name in variants
            for classifier in ("logistic", "boosting")
            for seed in range(2)
        ]
    )


def test_every_ablation_describes_what_is_off():
    for folder in (CONF / "ablation").iterdir():
        found = ablations.parts(folder.name)
        assert {path.stem for path in folder.glob("*.yaml")} == {*found, ablations.WHOLE}
        assert all(words and settings for words, settings in found.values())


def test_planted_effects_are_found(tmp_path):
    sweep().to_csv(tmp_path / "results.csv", index=False)
    table = ablations.ablations_table(pd.read_csv(tmp_path / "results.csv"))
    rows = {row[1]: row[2:] for row in table.rows}
    for name, (words, _) in ablations.parts("ctgan").items():
        pairs, auc, c2st = rows[words]
        assert pairs == 6
        assert auc.mean == pytest.approx(COST[name] * 1.01)
        assert auc.low < COST[name] < auc.high
        assert c2st.mean == 0
    assert {place for _, place in table.bold} == {3}
    assert len(table.bold) == 3


def test_a_setting_that_other_generators_lack_does_not_disturb(tmp_path):
    arf = pd.DataFrame(
        [
            {"dataset": "pima", "generator": "arf", "classifier": "logistic", "seed": 0, "generator.max_iter": rounds}
            | {"synthetic/roc_auc": 0.8 + 0.01 * (rounds > 0), "fidelity/c2st_boosting": 0.7}
            for rounds in (0, 10)
        ]
    )
    pd.concat([sweep(), arf]).to_csv(tmp_path / "results.csv", index=False)
    rows = ablations.ablations_table(pd.read_csv(tmp_path / "results.csv")).rows
    assert [row[0] for row in rows] == ["ctgan"] * 3 + ["arf"]
    assert rows[-1][3].mean == pytest.approx(-0.01)


@pytest.mark.parametrize("variants", [["none"], ["pac", "modes"]])
def test_without_pairs_the_error_names_what_is_missing(variants):
    with pytest.raises(InputError, match="ablations and whole methods"):
        ablations.ablations_table(sweep(variants))

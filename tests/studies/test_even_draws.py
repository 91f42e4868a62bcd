"""Changes by even draws from a sweep's table: a planted gain, no gain, and results without both kinds."""

import numpy as np
import pandas as pd
import pytest

from trisynth.errors import InputError
from trisynth.studies.even_draws import changes, draws_picture, draws_table


def jobs(gain=0.01):
    """Jobs of ten data sets, of which copula gains by even draws and vae does not."""
    rng, rows = np.random.default_rng(0), []
    for dataset in map(str, range(10)):
        for generator in ("copula", "vae"):
            for seed in range(2):
                auc = 0.7 + 0.1 * rng.random()
                for draws in ("independent", "even"):
                    more = gain * (generator == "copula") * (draws == "even") + 0.002 * rng.normal()
                    rows.append(
                        {"key": "k", "dataset": dataset, "generator": generator, "classifier": "logistic", "seed": seed}
                        | {
                            "generator.draws": draws,
                            "synthetic/roc_auc": auc + more,
                            "fidelity/c2st_boosting": 0.6 - more,
                        }
                    )
    return pd.DataFrame(rows)


def test_a_planted_gain_is_found_and_no_other():
    rows = {row[0]: row[1:] for row in draws_table(jobs()).rows}
    assert list(rows) == ["copula", "vae", "all with dependence"]
    pairs, auc, c2st, p_auc, _ = rows["copula"]
    assert pairs == 20 and auc.mean == pytest.approx(0.01, abs=0.002) and auc.excludes_zero and p_auc.mean < 0.01
    assert c2st.mean == pytest.approx(-auc.mean)
    assert not rows["vae"][1].excludes_zero and rows["vae"][3].mean > 0.05
    assert np.isnan(rows["all with dependence"][3].mean) and rows["all with dependence"][1].mean == pytest.approx(
        0.005, abs=0.002
    )


def test_the_picture_has_a_panel_per_score_and_a_line_per_generator():
    axes = draws_picture(jobs()).figure.axes
    assert [each.get_title(loc="left")[3:] for each in axes] == ["synthetic: ROC AUC", "C2ST"]
    assert [text.get_text() for text in axes[0].get_yticklabels()] == ["copula", "vae", "all with dependence"]


def test_results_without_both_kinds_are_refused():
    table = jobs()
    with pytest.raises(InputError, match="no fit has both"):
        changes(table[table["generator.draws"] == "even"])
    with pytest.raises(InputError, match="has no generator"):
        changes(table.drop(columns="generator.draws"))

"""The table of advice at searches whose outcome was planted."""

import numpy as np
import pandas as pd
import pytest

from trisynth.errors import InputError
from trisynth.studies import advice


def sweep(flattery=0.02):
    return pd.DataFrame(
        [
            {"dataset": dataset, "generator": "auto", "classifier": classifier, "seed": seed}
            | {"generator/none": 1.0 - (dataset == "stroke"), "generator/gain_choosing": 0.01 * seed + flattery}
            | {"generator/gain": 0.01 * seed, "real/roc_auc": 0.7 + 0.01 * (classifier == "boosting")}
            | {"advised/roc_auc": 0.7 + 0.01 * (classifier == "boosting") + 0.03 * (dataset == "stroke")}
            | {f"generator/chose/{'circuit' if seed else 'smote'}": 1.0}
            for dataset in ("pima", "saheart", "stroke")
            for classifier in ("logistic", "boosting")
            for seed in range(2)
        ]
    )


def test_a_search_counts_once_whatever_the_classifiers():
    found = advice.searches(sweep())
    assert len(found) == 6
    assert found["advised"].sum() == 2
    np.testing.assert_allclose(found["bias"], 0.02)
    np.testing.assert_allclose(found.loc["stroke", "tested"], 0.03)
    np.testing.assert_allclose(found.loc["pima", "tested"], 0)
    assert set(found["winner"]) == {"circuit", "smote"}


def test_the_last_row_is_over_data_sets_and_marks_what_is_sure(tmp_path):
    sweep().to_csv(tmp_path / "results.csv", index=False)
    table = advice.advice_table(pd.read_csv(tmp_path / "results.csv"))
    assert [row[:4] for row in table.rows[2:]] == [["stroke", 2, 2, "circuit, smote"], ["all", 6, 2, ""]]
    flattery, tested = table.rows[-1][6:]
    assert flattery.mean == pytest.approx(0.02)
    assert tested.mean == pytest.approx(0.01)
    assert (3, 6) in table.bold
    assert (3, 7) not in table.bold


def test_jobs_that_are_no_searches_are_named():
    with pytest.raises(InputError, match="generator/none"):
        advice.advice_table(sweep().drop(columns="generator/none"))

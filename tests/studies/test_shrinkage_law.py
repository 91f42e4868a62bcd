"""The shrinkage law from a sweep's table: one that holds, one that does not, and the command that shows it."""

import numpy as np
import pandas as pd
import pytest

from trisynth.report.__main__ import main
from trisynth.studies import shrinkage_law as law


def fits(weights=(0.0, 1.0, 3.0), generators=("cgan", "vae"), error=0.0):
    """Jobs that follow the shrinkage law up to an error."""
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


def test_the_error_is_zero_exactly_where_the_shrinkage_law_holds():
    jobs = fits()
    found = law.law(jobs)
    np.testing.assert_allclose(found["predicted"], found["observed"])
    cgan = found[found["generator"] == "cgan"]
    assert cgan["share"].tolist() == pytest.approx([0, 0.2, 3 / 7])
    assert law.r_squared(cgan["observed"], cgan["predicted"]) == pytest.approx(1)
    wrong = law.law(fits(error=-0.3))
    assert law.r_squared(wrong["observed"], wrong["predicted"]) < 0.1
    table = law.law_table(jobs)
    assert [row[0] for row in table.rows] == ["cgan", "vae"]
    assert table.rows[0][6].mean == pytest.approx(1) and np.isnan(table.rows[1][6].mean)


def test_the_command_draws_and_tabulates_the_shrinkage_law(tmp_path):
    fits().to_csv(tmp_path / "results.csv", index=False)
    assert main(["study", "shrinkage_law", str(tmp_path / "results.csv"), str(tmp_path / "out")]) == 0
    assert {"law.png", "law.pdf", "shrinkage_law.csv"} <= {path.name for path in (tmp_path / "out").iterdir()}

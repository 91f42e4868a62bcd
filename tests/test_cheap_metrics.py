"""Correlations of metrics with utility: a planted predictor and an unrelated metric."""

import numpy as np
import pandas as pd
import pytest
from benchmarks.cheap_metrics import correlations, results


def test_a_planted_predictor_is_found_and_noise_is_not(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for dataset in "abcdef":
        for seed in range(3):
            for generator in range(8):
                quality = rng.normal()
                row = {"dataset": dataset, "classifier": "logistic", "seed": seed, "generator": generator}
                row |= {"real/roc_auc": 0.8 + 0.1 * seed, "combined/roc_auc": 0.8 + 0.1 * seed + rng.normal() / 100}
                row |= {"synthetic/roc_auc": 0.7 + 0.1 * seed + quality / 100, "fidelity/c2st_boosting": -quality}
                rows.append(row | {"fidelity/ks": rng.normal(), "fidelity/ks_floor": 1.0})
    (tmp_path / "study").mkdir()
    pd.DataFrame(rows).to_csv(tmp_path / "study" / "results.csv", index=False)
    jobs = results(tmp_path)
    assert "fidelity/ks_floor" not in jobs
    table = correlations(jobs).set_index(["metric", "gain"])
    best = table.loc[("fidelity/c2st_boosting", "synthetic")]
    assert best["correlation"] == pytest.approx(-1) and best["datasets"] == 6 and best["jobs"] == len(rows)
    assert abs(table.loc[("fidelity/ks", "synthetic"), "correlation"]) < 0.4
    assert table.index[0][0] == "fidelity/c2st_boosting"

"""Table of distances: ratios and gains are within a round, so that a slow round counts like a fast one."""

import pandas as pd
import pytest
from benchmarks import distances


def test_a_machine_that_slows_down_slows_all_distances():
    fits = pd.DataFrame(
        {"table": "pima", "generator": "vae", "loss": loss, "round": number, "seconds": pace * cost, "roc_auc": auc}
        for number, pace in enumerate((1.0, 3.0, 10.0))
        for loss, cost, auc in (("rec", 2.0, 0.7 + 0.01 * number), ("bures", 3.0, 0.71 + 0.01 * number))
    )
    plain, bures = distances.compared(fits).to_dict("records")
    assert (plain["loss"], plain["ratio"], plain["gain"], plain["rounds"]) == ("rec", 1.0, 0.0, 3)
    assert bures["ratio_least"] == pytest.approx(bures["ratio"]) == pytest.approx(bures["ratio_most"]) == 1.5
    assert bures["gain"] == pytest.approx(0.01)
    assert bures["gain_per_fit"] == pytest.approx(0.02)
    assert pd.isna(plain["gain_per_fit"])
    assert bures["seconds"] == 9.0


def test_a_fit_is_timed_and_scored(tmp_path, monkeypatch, config):
    quick = ("generator=vae", "generator.epochs=1", "generator.min_steps=2", "classifier=logistic", "arms=minimal")
    monkeypatch.setattr(distances, "composed", lambda _: config(*quick))
    found = distances.measured("classes", "vae", "rec", 0, tmp_path / "store")
    assert found["seconds"] > 0
    assert 0 <= found["roc_auc"] <= 1

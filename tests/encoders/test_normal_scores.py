"""Ranks: spikes and lattices survive a smeared score, and nothing is lost on the way."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trisynth.encoders.normal_scores import NormalScores
from trisynth.generators.neural.vae import VAE
from trisynth.objective import Loss


@pytest.fixture
def spiked() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.where(rng.random(3000) < 0.5, 0.0, rng.gamma(2.0, size=3000))


def test_scores_are_normal_and_lead_back(spiked):
    rng = np.random.default_rng(1)
    for cells in (spiked, rng.poisson(3, 3000).astype(float), rng.choice([-1e300, 0.0, 1e-300], 3000)):
        ranks = NormalScores.learn(cells)
        scores = ranks.encode(cells, rng.random(len(cells)))
        assert stats.kstest(scores, stats.norm.cdf).pvalue > 1e-3
        assert np.abs(ranks.decode(scores) - cells).mean() < 0.01 * np.ptp(cells)
        repeated = np.isin(cells, ranks.distinct[ranks.counts >= 3])
        assert (ranks.decode(scores)[repeated] == cells[repeated]).all()


def test_any_normal_scores_have_the_marginal_of_the_column(spiked):
    rng = np.random.default_rng(2)
    drawn = NormalScores.learn(spiked).decode(rng.normal(size=20_000))
    assert (drawn == 0).mean() == pytest.approx((spiked == 0).mean(), abs=0.01)
    assert stats.ks_2samp(drawn[drawn > 0], spiked[spiked > 0]).pvalue > 1e-3
    # Between values that do not repeat there are others: rows are not put together from training cells.
    assert np.isin(drawn[drawn > 0], spiked).mean() < 0.01
    far = NormalScores.learn(spiked).decode(np.array([-50.0, 50.0]))
    assert far.tolist() == [0.0, spiked.max()]


def test_columns_without_repeats_stay_on_their_scale():
    assert NormalScores.learn(np.random.default_rng(0).normal(size=500)) is None
    assert NormalScores.learn(np.full(500, 3.0)) is None and NormalScores.learn(np.zeros(0)) is None


def test_a_network_keeps_a_spike_only_by_ranks():
    rng = np.random.default_rng(3)
    count = np.where(rng.random(600) < 0.5, 0.0, np.round(rng.gamma(3.0, 4.0, 600) + 1))
    X, y = pd.DataFrame({"count": count, "x": rng.normal(size=600) + count / 9}), pd.Series(["all"] * 600)
    brief = {
        "latent_dim": 4,
        "hidden_layer_sizes": (32,),
        "epochs": 2,
        "min_steps": 200,
        "learning_rate": 1e-2,
        "loss": Loss(1, 0, 0),
    }
    zeros = [(VAE(normal_scores=on, **brief).fit(X, y).sample(2000)["count"] == 0).mean() for on in (True, False)]
    assert zeros[0] == pytest.approx((count == 0).mean(), abs=0.08)
    assert zeros[1] < (count == 0).mean() - 0.15

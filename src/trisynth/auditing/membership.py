"""Membership attacks on synthetic rows: scores that are larger for training rows than for new rows."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv
from scipy.stats import norm
from sklearn.base import clone
from sklearn.neighbors import NearestNeighbors

from trisynth import seeds
from trisynth.auditing.bounds import CONFIDENCE
from trisynth.auditing.records import MOST, with_rows
from trisynth.data.dataset import Dataset
from trisynth.encoders.table import TableEncoder
from trisynth.generators.base import Generator
from trisynth.statistics.roc import delong

# False positive rates at which the true positive rate is stated.
RATES = {"tpr_at_1_percent": 0.01, "tpr_at_0.1_percent": 0.001}
# Nearest rows that estimate a density.
_NEIGHBOURS = 3


@dataclass(frozen=True)
class Attack:
    """Separation of members, the training rows, from other real rows by a score.

    Parameters
    ----------
    auc, low, high : float
        ROC AUC with its 95 % interval (DeLong et al. 1988).
    tpr : dict of str to (float, float, float)
        True positive rate at the false positive rates of ``RATES``, with its Clopper-Pearson interval.
    used : float, default=1.0
        Fraction of the synthetic rows that the attack compares; copies of all others are missed.
    """

    auc: float
    low: float
    high: float
    tpr: dict
    used: float = 1.0

    @classmethod
    def of(cls, members: np.ndarray, others: np.ndarray, used: float = 1.0) -> "Attack":
        """Compare the scores of members and of other rows."""
        auc, error = delong(members, others)
        half = norm.ppf((1 + CONFIDENCE) / 2) * error
        found = {name: rate_at(members, others, rate) for name, rate in RATES.items()}
        return cls(auc, max(auc - half, 0.0), min(auc + half, 1.0), found, used)


def rate_at(members: np.ndarray, others: np.ndarray, rate: float) -> tuple[float, float, float]:
    """Return the fraction of members above the threshold that a fraction ``rate`` of others exceeds, and its interval.

    With fewer than 1 / ``rate`` others, the threshold is their largest score. The interval is for this threshold.
    """
    allowed = int(np.floor(rate * len(others)))
    threshold = np.sort(others)[::-1][min(allowed, len(others) - 1)]
    found, n = int((members > threshold).sum()), len(members)
    tail = (1 - CONFIDENCE) / 2
    low = float(betaincinv(found, n - found + 1, tail)) if found else 0.0
    high = float(betaincinv(found + 1, n - found, 1 - tail)) if found < n else 1.0
    return found / n, low, high


def by_distance(synthetic: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Score encoded rows by minus the distance to the nearest synthetic row (Chen et al. 2020)."""
    return -NearestNeighbors(n_neighbors=1).fit(synthetic).kneighbors(rows)[0][:, 0]


def by_density_ratio(synthetic: np.ndarray, reference: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Score encoded rows by the density of synthetic rows over that of real rows that are no members (DOMIAS).

    The logarithm of either density is estimated by those of the distances to the nearest rows, up to a factor that
    all rows share (van Breugel et al. 2023, with nearest neighbours for their density estimators).
    """
    return _log_distance(reference, rows) - _log_distance(synthetic, rows)


def _log_distance(known: np.ndarray, rows: np.ndarray) -> np.ndarray:
    near = NearestNeighbors(n_neighbors=min(_NEIGHBOURS, len(known))).fit(known).kneighbors(rows)[0]
    return np.log(np.maximum(near, 1e-6)).mean(1)


def attacks(
    train: Dataset, test: Dataset, synthetic: Dataset, seed: int, generator: Generator | None = None, most: int = 2_000
) -> dict[str, Attack]:
    """Attack synthetic rows by distance, by density ratio, and by the generator's own likelihood where it has one.

    Half of the held-out rows are the reference of the density ratio, and the others stand for new rows.

    Parameters
    ----------
    train, test, synthetic : Dataset
    seed : int
        Seed of the rows that stand for large tables.
    generator : Generator, optional
        Fitted on ``train``; its ``log_likelihood`` is the white-box attack.
    most : int, default=2000
        Maximum number of training rows and of held-out rows that are scored; they are compared with all synthetic and
        all reference rows, up to 100,000.

    Returns
    -------
    dict of str to Attack
        Empty where a table is too small.
    """
    rng = seeds.stream(seed, "auditing.membership")
    order = rng.permutation(len(test))
    parts = {
        "members": train.take(np.sort(rng.permutation(len(train))[:most])),
        "others": test.take(np.sort(order[: len(test) // 2][:most])),
        "reference": test.take(np.sort(order[len(test) // 2 :][:MOST])),
        "synthetic": synthetic.take(np.sort(rng.permutation(len(synthetic))[:MOST])),
    }
    if min(map(len, parts.values())) < 3 or not train.X.shape[1]:
        return {}
    encoder = TableEncoder().fit(parts["reference"].X)
    encoded = {name: encoder.transform(part.X) for name, part in parts.items()}
    sides = encoded["members"], encoded["others"]
    used = len(parts["synthetic"]) / len(synthetic)
    found = {
        "distance": [by_distance(encoded["synthetic"], side) for side in sides],
        "domias": [by_density_ratio(encoded["synthetic"], encoded["reference"], side) for side in sides],
    }
    if hasattr(generator, "log_likelihood"):
        known = [generator.log_likelihood(parts[name].X, parts[name].y) for name in ("members", "others")]
        found["likelihood"] = [np.maximum(each, -1e6) for each in known]
    # A likelihood needs no synthetic rows.
    return {name: Attack.of(*scores, 1.0 if name == "likelihood" else used) for name, scores in found.items()}


def shadow_attack(generator: Generator, dataset: Dataset, seed: int, shadows: int = 16, most: int = 300) -> Attack:
    """Attack by shadow models, fits with and without each row (LiRA, Carlini et al. 2022).

    Each shadow is fitted on a random half of the rows. The score of a row is the closeness of the synthetic rows of
    one fit; it is compared by normal distributions with the scores of fits with and without the row.

    Parameters
    ----------
    generator : Generator
        Unfitted; copies of it are fitted.
    dataset : Dataset
    seed : int
    shadows : int, default=16
        Fits besides the attacked one.
    most : int, default=300
        Maximum number of rows that are attacked.
    """
    rng = seeds.stream(seed, "auditing.shadows")
    n = len(dataset)
    chosen = np.sort(rng.permutation(n)[:most])
    encoder = TableEncoder().fit(dataset.X)
    rows = encoder.transform(dataset.take(chosen).X)
    inside, scores = [], []
    for i in range(shadows + 1):
        half = np.sort(rng.permutation(n)[: n // 2])
        inside.append(np.isin(chosen, half))
        scores.append(_closeness(_shadow(generator, dataset.take(half), seed, i, encoder), rows))
    ratio = _likelihood_ratio(np.array(inside), np.array(scores))
    return Attack.of(ratio[inside[0]], ratio[~inside[0]])


def attack_by_shadows(
    generator: Generator,
    train: Dataset,
    test: Dataset,
    synthetic: Dataset,
    seed: int,
    shadows: int = 16,
    most: int = 300,
) -> Attack:
    """Attack given synthetic rows by shadow models (LiRA, Carlini et al. 2022); see :func:`shadow_attack`.

    Each shadow is fitted on as many random rows of both real tables as the attacked generator, two thirds of all at
    most, so that a row is in some of them and not in others.

    Parameters
    ----------
    generator : Generator
        Fitted on ``train``; new copies of it are fitted.
    train, test, synthetic : Dataset
    seed : int
    shadows : int, default=16
        Fits besides the attacked one.
    most : int, default=300
        Maximum number of training rows and of held-out rows that are attacked.
    """
    rng = seeds.stream(seed, "auditing.shadows")
    known = with_rows(train, test.frame)
    sides = [np.sort(rng.permutation(len(part))[:most]) for part in (train, test)]
    chosen = np.concatenate([sides[0], len(train) + sides[1]])
    encoder = TableEncoder().fit(known.X)
    rows = encoder.transform(known.take(chosen).X)
    inside = [chosen < len(train)]
    scores = [_closeness(encoder.transform(synthetic.X), rows)]
    for i in range(shadows):
        part = np.sort(rng.permutation(len(known))[: min(len(train), 2 * len(known) // 3)])
        scores.append(_closeness(_shadow(generator, known.take(part), seed, i, encoder), rows))
        inside.append(np.isin(chosen, part))
    ratio = _likelihood_ratio(np.array(inside), np.array(scores))
    return Attack.of(ratio[inside[0]], ratio[~inside[0]])


def _shadow(generator: Generator, part: Dataset, seed: int, i: int, encoder: TableEncoder) -> np.ndarray:
    made = clone(generator).fit(part, seed=seeds.integer(seed, "auditing.shadow", i))
    return encoder.transform(part.drawn(made.sample(len(part), seeds.integer(seed, "auditing.shadow", i))).X)


def _closeness(synthetic: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return -np.log(-by_distance(synthetic, rows) + 1e-3)


def _likelihood_ratio(inside: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Compare the scores of the first fit by normal distributions with those of the others, with and without a row."""
    known, own = inside[1:], scores[1:]
    spread = max(float(own.std(0).mean()), 1e-6)
    ratio = np.zeros(scores.shape[1])
    for side, sign in ((known, 1.0), (~known, -1.0)):
        count = np.maximum(side.sum(0), 1)
        mean = np.where(side, own, 0).sum(0) / count
        # Few shadows: the standard deviation of a row is drawn towards that of all rows.
        squares = np.where(side, (own - mean) ** 2, 0).sum(0)
        deviation = np.sqrt((squares + 4 * spread**2) / (count + 4))
        ratio += sign * norm.logpdf(scores[0], mean, deviation)
    return ratio

"""Metrics of images and series: discriminative score, autocorrelation, Frechet distance, and dependence across kinds.

Each is left out of the result where the rows hold no such column. Networks are imported where they are needed: tables
do without them.
"""

import warnings
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.linalg import LinAlgWarning, sqrtm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from trisynth import seeds
from trisynth.data import sequences, tensors
from trisynth.data.arrays.features import autocorrelation
from trisynth.data.kinds import Sequence, Tensor, learn
from trisynth.encoders.table import TableEncoder
from trisynth.errors import require_whole
from trisynth.evaluation.metrics.base import FidelityMetric
from trisynth.evaluation.metrics.context import Context
from trisynth.evaluation.metrics.support import inside

# Fraction of the rows that the discriminator is tested on.
_TESTED = 0.2


def columns(context: Context) -> list[Tensor]:
    """Return the columns of tensors, as training rows and declared facts show them."""
    X, facts = context.train.X, context.train.facts
    return [learn(X[name], facts.get(name)) for name in X if tensors.is_tensor(X[name].dtype)]


def series(context: Context, column: Tensor) -> list[np.ndarray]:
    """Return training, held-out and synthetic series, shape (n, steps, channels), scaled by the training rows."""
    parts = [tensors.values(part.X[column.name]) for part in (context.train, context.test, context.synthetic)]
    cells = [part.reshape(len(part), column.shape[0], -1).astype(float) for part in parts]
    mean, deviation = cells[0].mean(axis=(0, 1)), cells[0].std(axis=(0, 1))
    return [(part - mean) / np.where(deviation > 0, deviation, 1.0) for part in cells]


def unequal(context: Context) -> list[Sequence]:
    """Return the columns of sequences."""
    X = context.train.X
    return [learn(X[name]) for name in X if tensors.is_sequence(X[name].dtype)]


def padded(context: Context, column: Sequence) -> list[np.ndarray]:
    """Return held-out and synthetic sequences, shape (n, longest, channels + 1), scaled by the training rows.

    Zeros follow the end of a sequence; the last channel is 1 before it.
    """
    cells = [part.X[column.name] for part in (context.train, context.test, context.synthetic)]
    steps = sequences.flat(cells[0]).astype(float)
    mean, deviation = steps.mean(axis=0), steps.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1.0)
    scaled = [sequences.mapped(part, lambda flat: (flat - mean) / scale) for part in cells[1:]]
    longest = int(max(sequences.lengths(part).max(initial=1) for part in scaled))
    return [sequences.padded(part, longest) for part in scaled]


@dataclass(frozen=True)
class NetworkScore(FidelityMetric):
    """Score by recurrent networks that are trained for it; see its subclasses for the arguments."""

    repeats: int = 3
    steps: int = 300
    max_rows: int = 2_000

    def __post_init__(self):
        """Check the arguments."""
        for name, least in (("repeats", 1), ("steps", 1), ("max_rows", 10)):
            require_whole(name, getattr(self, name), least)


@dataclass(frozen=True)
class DiscriminativeScore(NetworkScore):
    """Distance from one half of the accuracy of a recurrent network that separates synthetic from held-out series.

    ``discriminative_score`` is |accuracy - 1/2| on a fifth of the rows, the mean over ``repeats`` networks and splits
    (Yoon et al. 2019); 0 is indistinguishable and 0.5 the worst. With several columns of series, the score is their
    mean. Series of unequal lengths are padded, and the network sees where they end.

    Parameters
    ----------
    repeats : int, default=3
    steps : int, default=300
        Optimiser steps of a network, each on 128 rows.
    max_rows : int, default=2000
        Maximum number of rows of either side.
    """

    def _score(self, context):
        found = []
        every = [column for column in columns(context) if column.is_series]
        pairs = [(column, series(context, column)[1:]) for column in every]
        pairs += [(column, padded(context, column)) for column in unequal(context)]
        for column, (real, synthetic) in pairs:
            n = min(len(real), len(synthetic), self.max_rows)
            if n * _TESTED >= 1:
                rng = seeds.stream(context.seed, "metrics.discriminative", column.name)
                found += [self._repeat(real, synthetic, n, rng) for _ in range(self.repeats)]
        return {"discriminative_score": float(np.mean(found))} if found else {}

    def _repeat(self, real: np.ndarray, synthetic: np.ndarray, n: int, rng: np.random.Generator) -> float:
        from trisynth.evaluation.networks import fitted_gru

        chosen = np.concatenate([part[rng.permutation(len(part))[:n]] for part in (real, synthetic)])
        generated, held = np.repeat([0, 1], n), np.tile(np.arange(n) < round(_TESTED * n), 2)
        logits = fitted_gru(chosen[~held], generated[~held], self.steps, rng)
        return abs(float((logits(chosen[held]).argmax(axis=1) == generated[held]).mean()) - 0.5)


@dataclass(frozen=True)
class Autocorrelation(FidelityMetric):
    """Mean absolute differences of autocorrelations, and of correlations between channels, of series.

    ``autocorrelation_error`` averages over lags and channels the difference of the mean autocorrelations of synthetic
    and held-out series; ``cross_correlation_error`` averages that of the correlations of all pairs of channels.

    Parameters
    ----------
    max_lag : int, default=10
    """

    max_lag: int = 10

    def __post_init__(self):
        """Check the argument."""
        require_whole("max_lag", self.max_lag, 1)

    def _score(self, context):
        lags, pairs = [], []
        for column in columns(context):
            if not column.is_series or not len(context.synthetic):
                continue
            _, real, synthetic = series(context, column)
            for lag in range(1, min(self.max_lag, column.shape[0] - 1) + 1):
                means = [autocorrelation(part, lag).mean(axis=0) for part in (real, synthetic)]
                lags.append(np.abs(means[0] - means[1]).mean())
            channels = real.shape[2]
            if channels > 1:
                flat = [
                    correlations(part.reshape(-1, channels), part.reshape(-1, channels)) for part in (real, synthetic)
                ]
                pairs.append(np.abs(flat[0] - flat[1])[np.triu_indices(channels, 1)].mean())
        found = {"autocorrelation_error": float(np.mean(lags))} if lags else {}
        return found | ({"cross_correlation_error": float(np.mean(pairs))} if pairs else {})


@dataclass(frozen=True)
class Frechet(FidelityMetric):
    """Distances of synthetic to held-out rows in the features of a classifier trained on the real training rows.

    The network has strided convolutions over images or series and is trained on the classes of the target; its last
    hidden layer gives the features (Heusel et al. 2017, with a network for the data at hand). ``frechet_distance`` is
    that of two Gaussians. The others are in features that are standardised by the training rows. ``kernel_distance`` is
    the squared maximum mean discrepancy under a cubic kernel (Binkowski et al. 2018). ``feature_precision`` is the
    fraction of synthetic rows within the support of as many held-out rows, balls up to their k-th neighbour, and
    ``feature_recall`` the reverse (Kynkaanniemi et al. 2019). All are means over columns, and left out without classes.

    Parameters
    ----------
    features : int, default=16
    steps : int, default=300
        Optimiser steps of the network, each on 128 rows.
    n_neighbors : int, default=3
        The k of a ball.
    max_rows : int, default=1000
        Maximum number of rows of either side, except for the Gaussians.
    """

    features: int = 16
    steps: int = 300
    n_neighbors: int = 3
    max_rows: int = 1_000

    def __post_init__(self):
        """Check the arguments."""
        for name in ("features", "steps", "n_neighbors"):
            require_whole(name, getattr(self, name), 1)
        require_whole("max_rows", self.max_rows, 2)

    def _score(self, context):
        if context.train.classes is None or min(len(context.test), len(context.synthetic)) <= self.features:
            return {}
        from trisynth.evaluation.networks import fitted_convolutions

        found = []
        for column in columns(context):
            parts = (context.train, context.test, context.synthetic)
            train, real, synthetic = (tensors.values(part.X[column.name]).astype(float) for part in parts)
            mean, deviation = train.mean(), train.std() or 1.0
            rng = seeds.stream(context.seed, "metrics.frechet", column.name)
            labels = context.train.y.cat.codes.to_numpy().astype(int)
            network = fitted_convolutions(column, (train - mean) / deviation, labels, self.features, self.steps, rng)
            base, *features = [network((part - mean) / deviation) for part in (train, real, synthetic)]
            scale = np.where(base.std(axis=0) > 0, base.std(axis=0), 1.0)
            scaled = [(part - base.mean(axis=0)) / scale for part in features]
            found.append({"frechet_distance": frechet(*features)} | self._near(*scaled, rng))
        return {name: float(np.mean([each[name] for each in found])) for name in (found[0] if found else ())}

    def _near(self, real: np.ndarray, synthetic: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
        n = min(len(real), len(synthetic), self.max_rows)
        some, drawn = (part[rng.permutation(len(part))[:n]] for part in (real, synthetic))
        found = {"kernel_distance": cubic_mmd(some, drawn)}
        if n > self.n_neighbors:
            found["feature_precision"] = inside(drawn, some, self.n_neighbors)
            found["feature_recall"] = inside(some, drawn, self.n_neighbors)
        return found


@dataclass(frozen=True)
class CrossKind(FidelityMetric):
    """Difference of the dependence between columns of different kinds, ``cross_kind_gap``.

    Every column of tensors or texts is a group, and all other columns, target included, are one. Principal components
    of each group are learned from the training rows. The score is the mean absolute difference, between held-out and
    synthetic rows, of the correlations of the components of one group with those of another.

    Parameters
    ----------
    components : int, default=5
        Of each group.
    """

    components: int = 5

    def __post_init__(self):
        """Check the argument."""
        require_whole("components", self.components, 1)

    def _score(self, context):
        found = groups(context, self.components)
        if len(found) < 2 or len(context.synthetic) < 2:
            return {}
        gaps = []
        for one, other in combinations(found, 2):
            real, synthetic = (correlations(one[i], other[i]) for i in (0, 1))
            gaps.append(np.abs(real - synthetic).mean())
        return {"cross_kind_gap": float(np.mean(gaps))}


@dataclass(frozen=True)
class CrossKindDependence(FidelityMetric):
    """Dependence between columns of different kinds, as a classifier sees it, ``cross_kind_auc``.

    A logistic regression separates synthetic rows from the same rows with each kind permuted by itself, by products of
    the principal components of different kinds (as in ``CrossKind``). The score is its ROC AUC, cross-validated in two
    folds: 0.5 where the kinds are independent. ``cross_kind_auc_base`` is that of held-out rows.

    Parameters
    ----------
    components : int, default=5
        Of each group.
    max_rows : int, default=2000
        Maximum number of rows of either side.
    """

    components: int = 5
    max_rows: int = 2_000

    def __post_init__(self):
        """Check the arguments."""
        require_whole("components", self.components, 1)
        require_whole("max_rows", self.max_rows, 4)

    def _score(self, context):
        found, n = groups(context, self.components), min(len(context.test), len(context.synthetic), self.max_rows)
        if len(found) < 2 or n < 4:
            return {}
        parts = {"cross_kind_auc_base": 0, "cross_kind_auc": 1}
        return {name: self._auc([each[side][:n] for each in found], context.seed) for name, side in parts.items()}

    def _auc(self, kinds: list[np.ndarray], seed: int) -> float:
        rng = seeds.stream(seed, "metrics.cross_kind")
        permuted = [kind[rng.permutation(len(kind))] for kind in kinds]
        matrix = np.vstack([_products(kinds), _products(permuted)])
        joint = np.repeat([True, False], len(kinds[0]))
        # A row and the one that is permuted to its place are in one fold.
        held = np.tile(rng.permutation(len(kinds[0])) % 2 == 0, 2)
        scores = []
        for test in (held, ~held):
            centre, scale = matrix[~test].mean(axis=0), matrix[~test].std(axis=0)
            scaled = (matrix - centre) / np.where(scale > 0, scale, 1.0)
            model = LogisticRegression(max_iter=200, C=0.1).fit(scaled[~test], joint[~test])
            scores.append(roc_auc_score(joint[test], model.decision_function(scaled[test])))
        return float(np.mean(scores))


def groups(context: Context, components: int) -> list[list[np.ndarray]]:
    """Return the principal components of held-out and synthetic rows of each kind.

    Every column of arrays or texts is a group, and all others, target included, are one. Without an array or a text
    there is no group.
    """
    dtypes = context.train.X.dtypes
    apart = [name for name in context.train.X if tensors.is_cell(dtypes[name])]
    if not apart:
        return []
    parts = [part.target_last for part in (context.train, context.test, context.synthetic)]
    rest = [name for name in parts[0] if name not in apart]
    found = []
    for names in [rest] * bool(rest) + [[name] for name in apart]:
        encoder = TableEncoder().fit(parts[0][names])
        matrices = [encoder.transform(table[names]) for table in parts]
        mean = matrices[0].mean(axis=0)
        axes = np.linalg.svd(matrices[0] - mean, full_matrices=False)[2][:components]
        found.append([(matrix - mean) @ axes.T for matrix in matrices[1:]])
    return found


def _products(kinds: list[np.ndarray]) -> np.ndarray:
    """Return the products of standardised components of different kinds."""
    scaled = [(kind - kind.mean(axis=0)) / np.where(kind.std(axis=0) > 0, kind.std(axis=0), 1.0) for kind in kinds]
    return np.hstack([(a[:, :, None] * b[:, None, :]).reshape(len(a), -1) for a, b in combinations(scaled, 2)])


def correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute the correlations of all columns of one matrix with those of another, 0 where one is constant."""
    a, b = (part - part.mean(axis=0) for part in (a, b))
    scale = np.outer(np.sqrt((a**2).sum(axis=0)), np.sqrt((b**2).sum(axis=0)))
    return np.where(scale > 0, a.T @ b / np.where(scale > 0, scale, 1.0), 0.0)


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """Compute the Frechet distance of the Gaussians with the moments of two samples (Dowson and Landau 1982)."""
    gap = a.mean(axis=0) - b.mean(axis=0)
    first, second = (np.atleast_2d(np.cov(part.T)) for part in (a, b))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)
        # The product of two covariances, singular or not, has a real root; rounding leaves imaginary parts.
        root = np.real(np.asarray(sqrtm(first @ second)))
    return float(max(gap @ gap + np.trace(first + second - 2 * root), 0.0))


def cubic_mmd(a: np.ndarray, b: np.ndarray) -> float:
    """Estimate the squared maximum mean discrepancy of two samples, shape (n, d), under the kernel (x'y / d + 1)^3."""

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (x @ y.T / x.shape[1] + 1) ** 3

    def within(x: np.ndarray) -> float:
        every = kernel(x, x)
        return (every.sum() - every.trace()) / (len(x) * (len(x) - 1))

    return float(within(a) + within(b) - 2 * kernel(a, b).mean())

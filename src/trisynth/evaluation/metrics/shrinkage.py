"""Standard deviations of synthetic rows over those of real rows, and correlation of pairs by optimal transport.

Both occur in the shrinkage law of alpha L_rec + beta L_dist: sigma_Y / sigma_X, and the correlation rho of the pairs
that L_rec compares.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from trisynth import seeds
from trisynth.data.dataset import Dataset
from trisynth.errors import require_whole
from trisynth.evaluation.metrics.base import FidelityMetric

# A number whose standard deviation within classes is below this is constant, but for rounding.
_CONSTANT = 1e-9


@dataclass(frozen=True)
class Shrinkage(FidelityMetric):
    """Ratio of standard deviations and correlation of pairs by optimal transport, within classes, means over numbers.

    ``spread_ratio`` is sigma_Y / sigma_X of synthetic and training rows, pooled over classes; ``pair_correlation`` is
    Pearson's, within classes, of each number in batches of training rows and as many synthetic rows of the same
    classes, paired by optimal transport over all encoded columns, each of variance one. There are no scores without
    numbers, or without a class that both tables have rows of.

    Parameters
    ----------
    batch_size : int, default=128
        Rows that are paired at a time, as many as in a GAN's batch.
    repeats : int, default=20
        Batches.
    min_class_rows : int, default=20
        A class with fewer rows on either side is left out.
    """

    batch_size: int = 128
    repeats: int = 20
    min_class_rows: int = 20

    def __post_init__(self):
        """Check the arguments."""
        require_whole("batch_size", self.batch_size, 2)
        require_whole("repeats", self.repeats, 1)
        require_whole("min_class_rows", self.min_class_rows, 2)

    def _score(self, context):
        parts = context.train, context.synthetic
        classes = [_classes(part) for part in parts]
        known = np.intersect1d(*(np.flatnonzero(np.bincount(part) >= self.min_class_rows) for part in classes))
        if not context.numbers or not len(known):
            return {}
        kept = [np.isin(part, known) for part in classes]
        classes = [part[rows] for part, rows in zip(classes, kept, strict=True)]
        matrices = [context.encoder.transform(part.X)[rows] for part, rows in zip(parts, kept, strict=True)]
        scale = _unit_scale(matrices[0], context.encoder.blocks_)
        matrices = [matrix / scale for matrix in matrices]
        numbers = slice(0, len(context.encoder.numbers_))
        inner = [_centred(matrix[:, numbers], part) for matrix, part in zip(matrices, classes, strict=True)]
        deviations = [rows.std(axis=0) for rows in inner]
        found = deviations[0] > _CONSTANT
        if not found.any():
            return {}
        rho = self._pair_correlation(matrices, classes, inner, seeds.stream(context.seed, "metrics.spread"))
        return {
            "spread_ratio": float(np.mean(deviations[1][found] / deviations[0][found])),
            "pair_correlation": float(np.mean(rho[found])),
        }

    def _pair_correlation(self, matrices: list, classes: list, inner: list, rng: np.random.Generator) -> np.ndarray:
        """Correlate each number over the pairs of all batches, shape (numbers,); 0 for a constant one."""
        pairs = [[], []]
        for _ in range(self.repeats):
            batch = rng.choice(len(classes[0]), min(self.batch_size, len(classes[0])), replace=False)
            for label in np.unique(classes[0][batch]):
                real = batch[classes[0][batch] == label]
                generated = rng.choice(np.flatnonzero(classes[1] == label), len(real))
                _, matched = linear_sum_assignment(cdist(matrices[0][real], matrices[1][generated], "sqeuclidean"))
                pairs[0].append(inner[0][real])
                pairs[1].append(inner[1][generated[matched]])
        one, other = (rows - rows.mean(axis=0) for rows in map(np.concatenate, pairs))
        size = np.sqrt((one**2).mean(axis=0) * (other**2).mean(axis=0))
        return np.divide((one * other).mean(axis=0), size, out=np.zeros_like(size), where=size > _CONSTANT)


def _classes(part: Dataset) -> np.ndarray:
    """Return the class number of each row; a numeric target makes one class."""
    return np.zeros(len(part), int) if part.spec.task == "regression" else part.y.cat.codes.to_numpy(int)


def _unit_scale(matrix: np.ndarray, blocks: list) -> np.ndarray:
    scale = np.ones(matrix.shape[1])
    for block in blocks:
        total = np.sqrt(matrix[:, block.start : block.stop].var(axis=0).sum())
        scale[block.start : block.stop] = total if total > 0 else 1.0
    return scale


def _centred(rows: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Subtract from each row the mean of its class."""
    counts = np.bincount(classes)[:, None]
    sums = np.zeros((len(counts), rows.shape[1]))
    np.add.at(sums, classes, rows)
    return rows - (sums / np.maximum(counts, 1))[classes]

"""Raked pairs: a pool of rows, weighted to agree with noisy tables of all pairs of columns with the label."""

import numpy as np

from trisynth.generators.private.pairwise import PairwiseGenerator
from trisynth.generators.private.tables import pairs
from trisynth.generators.private.tables.pool import Pool
from trisynth.privacy import Budget


class RakedPairs(PairwiseGenerator):
    """Noisy tables of (column, column, label), of all pairs where the budget allows it, met by raking a pool of rows.

    The tables are counted as ``PairwiseGenerator`` states. A pool of rows is then drawn down the tree, and its weights
    are raked: scaled until they agree with the tables of all pairs. Before that, noisy tables are shrunk towards those
    of the pool, most strongly in cells of few rows. Rows are drawn from the pool by their weights, and a cell inside
    its group by the noisy histogram.

    Parameters
    ----------
    privacy : Budget or None, default=None
        Must be given.

    Notes
    -----
    Sources: raking is iterative proportional fitting (Deming & Stephan 1940), here of the weights of a sample, so that
    tables with cycles need no general inference; the weights maximise the entropy relative to the tree. The choice of
    pairs is that of MST (McKenna, Miklau & Sheldon 2021, https://doi.org/10.29012/jpc.778). The label in every table,
    the pool, and the shrinkage towards it are ours.
    """

    def __init__(self, privacy: Budget | None = None):
        super().__init__(privacy)

    def _model(self, ones, totals, tables, edges, sigma, rng) -> None:
        self.pool_ = Pool.raked(ones, totals, tables, edges, sigma, rng)

    def _draw(self, labels: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        return self.pool_.draw(labels, rng)

    def _fitted(self, label: int, codes: list[int]) -> tuple[list[float], dict[pairs.Pair, float]]:
        return self.pool_.rows(label, codes)

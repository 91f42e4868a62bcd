"""Choice of leaf size, pruning and class step of a sequential forest by L_total, which has no gradient in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from sklearn.preprocessing import QuantileTransformer

from trisynth import seeds
from trisynth.encoders.table import TableEncoder
from trisynth.objective import Loss, Objective

# Rows of a batch, within which rows are paired, and most batches of one chain.
_BATCH, _BATCHES = 256, 4
# Leaf sizes and class strengths that are tried, as multiples of the first ones.
SIZES, _STRENGTHS = (0.5, 1.0, 2.0, 4.0), (0.25, 1.0, 4.0)


@dataclass(frozen=True)
class Setting:
    """Leaf size, pruning and class step of all columns and chains of a forest.

    Parameters
    ----------
    size : int
        Minimum number of rows in a leaf.
    pruned : bool
        Whether splits that the unseen rows do not confirm are undone.
    class_strength : float
    """

    size: int
    pruned: bool
    class_strength: float


class Criterion:
    """L_total of drawn rows against rows that their chain was not grown on.

    As for the GANs, which have no pairs of rows either, L_rec is the squared distance of scaled columns under the
    cheapest pairing of a batch within classes (optimal transport). Numbers are compared as normal scores. Each term is
    divided by its value at the first call.

    Parameters
    ----------
    loss : Loss
    table : DataFrame, shape (n, d)
        Canonical training rows.
    labels : ndarray of int, shape (n,)
    target : object
        Name of a numeric target; None for classes.
    rng : Generator
    """

    def __init__(self, loss: Loss, table: pd.DataFrame, labels: np.ndarray, target: object, rng: np.random.Generator):
        self.encoder = TableEncoder(QuantileTransformer(output_distribution="normal", subsample=None)).fit(table)
        self.rows, self.labels = self._encoded(table), torch.tensor(labels, dtype=torch.long)
        blocks = self.encoder.blocks_
        place = next((b.start for b in blocks if (b.name, b.kind) == (target, "number")), None)
        self.objective = Objective(loss, self.rows, self.labels, blocks, seeds.torch_generator(rng), place)

    def __call__(self, drawn: Sequence[pd.DataFrame], places: Sequence[np.ndarray]) -> dict[str, float]:
        """Compute the terms of L_total, averaged over chains and batches.

        Parameters
        ----------
        drawn : sequence of DataFrame, shape (m, d)
            Rows of each chain.
        places : sequence of ndarray of int, shape (m,)
            Unseen training rows that they are compared with, and whose labels they have.
        """
        found: list[dict] = []
        with torch.no_grad():
            for rows, own in zip(map(self._encoded, drawn), map(torch.from_numpy, places), strict=True):
                for start in range(0, len(own), _BATCH):
                    part = own[start : start + _BATCH]
                    self.objective.adversarial(
                        torch.zeros(()), self.rows[part], self.labels[part], rows[start : start + _BATCH]
                    )
                    found.append(self.objective.terms)
        return {name: float(np.mean([terms[name] for terms in found])) for name in found[0]}

    def _encoded(self, table: pd.DataFrame) -> torch.Tensor:
        return torch.tensor(self.encoder.transform(table), dtype=torch.float32)


def compared(unseen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return places of unseen rows that a criterion compares, in whole batches where there are enough."""
    places = rng.permutation(np.flatnonzero(unseen))
    most = min(len(places), _BATCH * _BATCHES)
    return places[: most // _BATCH * _BATCH or most]


def chosen(first: Setting, largest: int, classes: bool, total: Callable[[Setting], float]) -> Setting:
    """Choose the setting of the lowest total: leaf size with pruning or without, then the class step.

    Parameters
    ----------
    first : Setting
        Tried before all others, and kept if none is better.
    largest : int
        Largest leaf.
    classes : bool
        Whether there is a class step.
    total : callable
        L_total of a setting.
    """
    totals = {first: total(first)}

    def lowest(settings: list[Setting]) -> Setting:
        for setting in settings:
            if setting not in totals:
                totals[setting] = total(setting)
        return min(totals, key=totals.__getitem__)

    sizes = sorted({max(1, min(round(first.size * factor), largest)) for factor in SIZES})
    best = lowest([replace(first, size=size, pruned=pruned) for size in sizes for pruned in (True, False)])
    if classes:
        best = lowest([replace(best, class_strength=first.class_strength * factor) for factor in _STRENGTHS])
    return best

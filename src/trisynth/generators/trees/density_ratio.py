"""Choice among drawn rows by an estimate of the ratio of the real density to that of the draws."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

# Draws for each real row, and most real rows.
_DRAWS, _MOST = 2, 50_000
# Real rows that decide when to stop, as a fraction, and the lowest gain over chance on them, in nats per row.
_HELD, _GAIN = 0.15, 0.005
# Candidate rows in one block.
_BLOCK = 200_000


@dataclass(frozen=True)
class DensityRatio:
    """Odds that a row is real and not drawn, learned from rows that the draws were not learned from.

    Choosing among candidates in proportion to the odds draws from the real density, as far as the odds are right and
    the candidates many: importance resampling (Rubin 1987) with weights from a classifier, as in discriminator
    rejection sampling (Azadi et al. 2019, https://arxiv.org/abs/1810.06758).

    Parameters
    ----------
    model : HistGradientBoostingClassifier
    gain : float
        Cross-entropy of chance, less that of the model, on real rows and draws that it was not fitted to; nats per row.
    """

    model: HistGradientBoostingClassifier
    gain: float

    @classmethod
    def learn(
        cls,
        table: pd.DataFrame,
        labels: np.ndarray,
        weights: np.ndarray,
        parts: Sequence[np.ndarray],
        draw: Callable[[int, np.ndarray, np.random.Generator], pd.DataFrame],
        rng: np.random.Generator,
    ) -> "DensityRatio | None":
        """Learn the odds, or return None where they are no better than chance.

        Parameters
        ----------
        table : DataFrame, shape (n, d)
            Canonical rows.
        labels : ndarray of int, shape (n,)
        weights : ndarray, shape (n,)
        parts : sequence of ndarray of bool, shape (n,)
            Rows that each chain has learned from.
        draw : callable
            Draws rows from a chain, given its number, their labels and a generator.
        rng : Generator
        """
        # A real row appears once: a second copy among the held rows would reward learning it by heart.
        turn = np.where(np.array(parts), -1.0, rng.random((len(parts), len(table))))
        chain = np.where(turn.max(axis=0) < 0, -1, turn.argmax(axis=0))
        rows = rng.permutation(np.flatnonzero(chain >= 0))[:_MOST]
        held = np.arange(len(rows)) < round(_HELD * len(rows))
        sides: list[list] = [[], []]
        for number in range(len(parts)):
            for side, inside in zip(sides, (~held, held), strict=True):
                own = rows[inside & (chain[rows] == number)]
                if not len(own):
                    continue
                asked = np.repeat(labels[own], _DRAWS)
                drawn = draw(number, asked, rng)
                side.append((_matrix(table.iloc[own], labels[own]), np.ones(len(own), int), weights[own]))
                side.append((_matrix(drawn, asked), np.zeros(len(asked), int), np.repeat(weights[own], _DRAWS)))
        (X, y, weight), (X_held, y_held, weight_held) = (
            [np.concatenate(part) for part in zip(*side, strict=True)] for side in sides
        )
        model = HistGradientBoostingClassifier(
            max_iter=1_000, early_stopping=True, l2_regularization=1.0, random_state=int(rng.integers(2**31 - 1))
        )
        model.fit(X, y, weight, X_val=X_held, y_val=y_held, sample_weight_val=weight_held)
        # The first score is that of the constant model.
        gain = float(model.validation_score_.max() - model.validation_score_[0])
        # Needed only for fitting; they could not be saved without pickle.
        for name in ("_loss", "_feature_subsample_rng"):
            vars(model).pop(name, None)
        return cls(model, gain) if gain >= _GAIN else None

    def odds(self, table: pd.DataFrame, labels: np.ndarray) -> np.ndarray:
        """Return the logarithm of the odds of each row, up to a constant, shape (n,)."""
        return self.model.decision_function(_matrix(table, labels))

    def chosen(
        self,
        labels: np.ndarray,
        candidates: int,
        draw: Callable[[np.ndarray], pd.DataFrame],
        rng: np.random.Generator,
    ) -> pd.DataFrame:
        """Draw candidates of each label and return one of them, with probabilities in proportion to their odds."""
        found = []
        size = max(1, _BLOCK // candidates)
        for start in range(0, len(labels), size):
            own = labels[start : start + size]
            asked = np.tile(own, candidates)
            rows = draw(asked)
            odds = self.odds(rows, asked).reshape(candidates, len(own))
            place = picked(odds, rng)
            found.append(rows.iloc[place * len(own) + np.arange(len(own))])
        return pd.concat(found, ignore_index=True)


def picked(odds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a candidate of each row in proportion to ``exp(odds)``, shape (candidates, n), by the Gumbel maximum."""
    return (odds + rng.gumbel(size=odds.shape)).argmax(axis=0)


def _matrix(table: pd.DataFrame, labels: np.ndarray) -> np.ndarray:
    """Return labels, codes of categories and numbers as columns, shape (n, 1 + d)."""
    cells = [labels.astype(float)]
    for name in table:
        column = table[name]
        categorical = isinstance(column.dtype, pd.CategoricalDtype)
        cells.append((column.cat.codes if categorical else column).to_numpy(float))
    return np.column_stack(cells)

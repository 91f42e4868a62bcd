"""Ridge regression of a column on the earlier ones, its penalty chosen by leaving one row out."""

from dataclasses import dataclass

import numpy as np

from trisynth.generators.trees.growing import is_codes

# Codes of a category with an indicator of their own; the rarer ones have the mean.
_CODES = 30
# Penalties that are compared, as multiples of the mean weight of a row.
_PENALTIES = np.geomspace(0.1, 1e4, 16)
# Rows that the coefficients are estimated from.
_ROWS = 50_000


@dataclass(frozen=True)
class Block:
    """Columns of the design matrix that one earlier column has.

    Parameters
    ----------
    place : ndarray of int or None
        Design column of each code, -1 for a rare one; None for a number, which has its score.
    width : int
        Design columns. A number with missing cells has an indicator of these, too.
    """

    place: np.ndarray | None
    width: int

    @classmethod
    def of(cls, cells: np.ndarray) -> "Block":
        """Learn the block of an earlier column, shape (n,)."""
        if not is_codes(cells):
            return cls(None, 1 + int(np.isnan(cells).any()))
        counts = np.bincount(cells)
        present = np.argsort(-counts, kind="stable")[: min(_CODES, int((counts > 0).sum()))]
        place = np.full(len(counts), -1)
        place[present] = np.arange(len(present))
        return cls(place, len(present))

    def design(self, cells: np.ndarray) -> np.ndarray:
        """Return the design columns of cells, shape (n, width)."""
        if self.place is None:
            missing = np.isnan(cells)
            return np.column_stack([np.where(missing, 0.0, cells), missing][: self.width]).astype(float)
        return (self.place[cells][:, None] == np.arange(self.width)).astype(float)

    def predict(self, cells: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Return the contribution of cells, shape (n, outcomes), by slopes of shape (width, outcomes)."""
        if self.place is None:
            return self.design(cells) @ slopes
        return np.vstack([slopes, np.zeros(slopes.shape[1])])[self.place][cells]


@dataclass(frozen=True)
class Ridge:
    """Linear prediction of the scores of a number, or of indicators of codes.

    Parameters
    ----------
    blocks : tuple of Block
        One for each earlier column.
    slopes : ndarray, shape (width of all blocks, outcomes)
    constant : ndarray, shape (outcomes,)
    """

    blocks: tuple
    slopes: np.ndarray
    constant: np.ndarray

    @classmethod
    def learn(cls, blocks: tuple, earlier: list[np.ndarray], outcome: np.ndarray, weights: np.ndarray) -> tuple:
        """Estimate the coefficients and choose the penalty under which left-out rows are predicted best.

        Parameters
        ----------
        blocks : tuple of Block
        earlier : list of ndarray, shape (n,)
            Earlier columns.
        outcome : ndarray, shape (n, outcomes)
        weights : ndarray, shape (n,)

        Returns
        -------
        Ridge
        ndarray, shape (n,)
            Leverage of each row, 0 for rows beyond the first 50,000, which have no part in the estimate.
        """
        X = np.column_stack([block.design(cells[:_ROWS]) for block, cells in zip(blocks, earlier, strict=True)])
        Y, w = outcome[:_ROWS], weights[:_ROWS] / weights[:_ROWS].mean()
        means = [np.average(part, axis=0, weights=w) for part in (X, Y)]
        root = np.sqrt(w)[:, None]
        X, Y = (X - means[0]) * root, (Y - means[1]) * root
        sizes, axes = np.linalg.eigh(X.T @ X)
        sizes = np.maximum(sizes, 0.0)
        turned = X @ axes
        squares, moments = turned**2, turned.T @ Y
        best = np.inf, None, None
        for penalty in _PENALTIES:
            shrunk = 1 / (sizes + penalty)
            leverage = np.minimum(squares @ shrunk + w / w.sum(), 0.99)
            coefficients = shrunk[:, None] * moments
            error = float((((Y - turned @ coefficients) / (1 - leverage)[:, None]) ** 2).sum())
            # Rounding must not decide between equal errors.
            if error < best[0] * (1 - 1e-9):
                best = error, coefficients, leverage
        slopes = axes @ best[1]
        every = np.zeros(len(outcome))
        every[: len(X)] = best[2]
        return cls(blocks, slopes, means[1] - means[0] @ slopes), every

    def predict(self, earlier: list[np.ndarray]) -> np.ndarray:
        """Return the prediction, shape (n, outcomes), from the earlier columns, arrays of shape (n,)."""
        found, start = np.tile(self.constant, (len(earlier[0]), 1)), 0
        for block, cells in zip(self.blocks, earlier, strict=True):
            found += block.predict(cells, self.slopes[start : start + block.width])
            start += block.width
        return found

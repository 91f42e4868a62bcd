"""Classifier two-sample test of real held-out rows against synthetic rows (Lopez-Paz and Oquab 2017)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from trisynth import seeds
from trisynth.errors import require_flag, require_number, require_whole
from trisynth.evaluation.metrics.base import FidelityMetric
from trisynth.evaluation.metrics.context import Context
from trisynth.evaluation.metrics.copying import row_hashes
from trisynth.evaluation.metrics.utility import auc
from trisynth.statistics.roc import delong


@dataclass(frozen=True)
class C2ST(FidelityMetric):
    """Cross-validated ROC AUC of discriminators between real and synthetic rows; 0.5 means indistinguishable.

    ``c2st_boosting`` is that of gradient-boosted trees, ``c2st_linear`` that of a logistic regression. Both use as many
    synthetic as held-out rows, the target among the features. The linear model detects hardly more than differences
    of means: a table of independent columns passes it, which is why the trees are the headline. Both are left out where
    the rows are too few for the folds.

    A row that repeats a few times on one side and is absent from the other stays in one fold. Otherwise the trees
    recognise the twins of rows they were trained on: a bootstrap of 1,000 real rows would score 0.60. A row that
    repeats more often is a collapse of the generator, which the trees are to detect. Where real rows repeat as well
    (tables of few categories), repeats are part of the distribution.

    ``c2st_boosting_se`` and ``c2st_linear_se`` are standard errors over real and synthetic rows, not over fits of the
    generator: those of DeLong et al. (1988) in each fold, their mean square corrected for the training rows that folds
    share (Nadeau and Bengio 2003). If the folds were treated as independent, that of the trees would be a third too
    small.

    Parameters
    ----------
    folds : int, default=5
    max_rows : int, default=5000
        Maximum number of rows of either side; a random subset of the others.
    max_repeats : int, default=10
        Maximum number of repeats of a row that stay in one fold.
    max_real_repeats : float, default=0.05
        Fraction of real rows with a twin above which repeats are part of the distribution.
    standard_errors : bool, default=False
        Whether standard errors are among the scores.
    """

    folds: int = 5
    max_rows: int = 5_000
    max_repeats: int = 10
    max_real_repeats: float = 0.05
    standard_errors: bool = False

    def __post_init__(self):
        """Check the arguments."""
        require_whole("folds", self.folds, 2)
        require_whole("max_rows", self.max_rows, 2)
        require_whole("max_repeats", self.max_repeats, 0)
        require_number("max_real_repeats", self.max_real_repeats, 0, 1)
        require_flag("standard_errors", self.standard_errors)

    def _score(self, context):
        _, real, synthetic = context.tables
        n = min(len(real), len(synthetic), self.max_rows)
        rng = seeds.stream(context.seed, "metrics.c2st")
        chosen = [table.iloc[rng.permutation(len(table))[:n]] for table in (real, synthetic)]
        table = pd.concat(chosen, ignore_index=True)
        generated = np.repeat([False, True], n)
        folds = self._assign_folds(row_hashes(table), generated, rng)
        trees = HistGradientBoostingClassifier(
            max_iter=80,
            max_leaf_nodes=15,
            learning_rate=0.1,
            early_stopping=False,
            random_state=seeds.integer(context.seed, "metrics.c2st.trees"),
        )
        models = {
            "c2st_boosting": (trees, ordinal(context, table)),
            "c2st_linear": (LogisticRegression(max_iter=500), indicators(context, table)),
        }
        found = {}
        for name, (model, matrix) in models.items():
            if scores := self._fold_aucs(model, matrix, generated, folds):
                aucs, errors = np.transpose(scores)
                found[name] = float(np.mean(aucs))
                if self.standard_errors:
                    corrected = 1 / len(errors) + 1 / max(len(errors) - 1, 1)
                    found[f"{name}_se"] = float(np.sqrt(corrected * np.mean(errors**2)))
        return found

    def _fold_aucs(
        self, model: ClassifierMixin, matrix: np.ndarray, generated: np.ndarray, folds: np.ndarray
    ) -> list[tuple[float, float]]:
        """Return the ROC AUC of each fold and its standard error; folds with one side only are left out."""
        scores = []
        for fold in range(self.folds):
            held = folds == fold
            if all(0 < generated[part].sum() < part.sum() for part in (held, ~held)):
                model.fit(matrix[~held], generated[~held])
                predicted = model.predict_proba(matrix[held])[:, 1]
                _, error = delong(predicted[generated[held]], predicted[~generated[held]])
                scores.append((auc(generated[held], predicted), error))
        return scores

    def _assign_folds(self, hashes: np.ndarray, generated: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Assign rows to folds of equal size on each side; equal rows of one side stay together if there are few."""
        folds = np.empty(len(generated), dtype=int)
        for side in (False, True):
            folds[generated == side] = rng.permutation(np.sum(generated == side)) % self.folds
        _, first, row, counts = np.unique(hashes, return_index=True, return_inverse=True, return_counts=True)
        of_generated = np.bincount(row, generated, minlength=len(counts))
        if np.mean((counts - of_generated)[row[~generated]] > 1) > self.max_real_repeats:
            return folds
        together = ((of_generated == 0) | (of_generated == counts)) & (counts <= self.max_repeats)
        return np.where(together[row], folds[first[row]], folds)


def ordinal(context: Context, table: pd.DataFrame) -> np.ndarray:
    """Encode categories by their codes; a missing number lies below all others, where trees can split it off."""
    columns = []
    for name in table:
        if name in context.scales:
            below = table[name].min() - context.scales[name]
            columns.append(np.nan_to_num(table[name].fillna(below).to_numpy()))
        else:
            columns.append(table[name].cat.codes.to_numpy())
    return np.column_stack(columns).astype(float)


def indicators(context: Context, table: pd.DataFrame) -> np.ndarray:
    """Encode numbers in standard deviations with missing indicators, and one column for each category."""
    blocks = []
    for name in context.numbers:
        values = table[name].to_numpy() / context.scales[name]
        centre = np.nansum(values) / max(np.sum(~np.isnan(values)), 1)
        blocks += [np.nan_to_num(values - centre)[:, None], np.isnan(values)[:, None]]
    for name in context.categories:
        codes, size = context.bins(name, table)
        blocks.append(np.eye(size)[codes])
    return np.hstack(blocks).astype(float)

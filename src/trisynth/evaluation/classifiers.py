"""Training of any scikit-learn estimator on the rows of an arm, and its predictions for the test rows.

The encoder is fitted on the real training rows. Labels become whole numbers before any estimator gets them, because
scikit-learn's weights by class reject labels such as "0". A numeric target is standardised, so that one set of
hyperparameters fits every unit.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import has_fit_parameter

from trisynth import seeds
from trisynth.encoders.table import TableEncoder
from trisynth.errors import InputError
from trisynth.evaluation.arms import Arm, TrainingSet

_INNER_FOLDS = 5
_MAX_ITER = 10
_RATIOS = (1e-3, 1e3)


@dataclass(frozen=True)
class Classifier:
    """Unfitted estimators under one name, one for each task.

    Parameters
    ----------
    name : str
    classification : BaseEstimator, optional
        With ``predict_proba``.
    regression : BaseEstimator, optional
    """

    name: str
    classification: BaseEstimator | None = None
    regression: BaseEstimator | None = None

    def __post_init__(self):
        """Check that probabilities can be predicted."""
        if self.classification is not None and not hasattr(self.classification, "predict_proba"):
            kind = type(self.classification).__name__
            raise InputError(
                "classifier.classification", kind, "must have predict_proba; wrap it in CalibratedClassifierCV"
            )

    def estimator(self, task: str, seed: int) -> BaseEstimator:
        """Return a copy of the estimator for ``task``, its random states seeded by the stream ``classifier``."""
        prototype = getattr(self, task)
        if prototype is None:
            raise InputError(f"classifier.{task}", None, f"{self.name} has no estimator for {task}; name one")
        estimator = clone(prototype)
        names = [key for key in estimator.get_params() if key.split("__")[-1] == "random_state"]
        return estimator.set_params(**dict.fromkeys(names, seeds.integer(seed, "classifier")))


@dataclass(frozen=True)
class Prediction:
    """Predictions of a trained estimator for the test rows, and their cost.

    Parameters
    ----------
    labels : ndarray of shape (n,) or None
        Predicted classes; None for regression.
    probabilities : ndarray of shape (n, k) or None
        Columns in the order of the classes; a class without a training row has probability 0.
    values : ndarray of shape (n,) or None
        Predicted numbers, in the target's units; None for classification.
    fit_seconds, predict_seconds : float
        Wall time; tuning the decision counts as fitting.
    converged : bool
        False if the estimator stopped at its iteration limit.
    """

    labels: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    values: np.ndarray | None = None
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    converged: bool = True


def fit_predict(
    classifier: Classifier,
    arm: Arm,
    training: TrainingSet,
    encoder: TableEncoder,
    X_test: pd.DataFrame,
    classes: Sequence | None,
    seed: int,
) -> Prediction:
    """Train an estimator on the rows of an arm and predict the test rows.

    Parameters
    ----------
    classifier : Classifier
    arm : Arm
        Decides how probabilities become labels.
    training : TrainingSet
    encoder : TableEncoder
        Fitted on real training rows.
    X_test : DataFrame, shape (n, d)
    classes : sequence of length k or None
        All labels; those of ``training`` are among them. None for regression.
    seed : int
        Seed of the streams ``classifier...``.

    Returns
    -------
    Prediction

    Raises
    ------
    InputError
        If the training set is empty, or the classifier has no estimator for the task.
    """
    if not len(training):
        raise InputError(f"classifier.{classifier.name}", 0, "has no training rows; request at least one synthetic row")
    if not encoder.width_:
        remedy = "the training rows have no usable feature, for example no word that occurs in two texts; add a column"
        raise InputError("X", list(training.X.columns), remedy)
    matrix, tests = encoder.transform(training.X), encoder.transform(X_test)
    # Some estimators read the order (unshuffled folds), and an arm's real rows come before its synthetic ones.
    order = seeds.stream(seed, "classifier.order").permutation(len(training))
    weight = None if training.weight is None else training.weight[order]

    if classes is None:
        return _regress(
            classifier.estimator("regression", seed), matrix[order], training.y.to_numpy(float)[order], weight, tests
        )
    codes = pd.Categorical(training.y, categories=list(classes)).codes.astype(int)[order]
    learner = _Learner(lambda: _shaped(classifier.estimator("classification", seed), encoder), len(classes), seed)
    start = time.perf_counter()
    multipliers = np.ones(len(classes))
    if arm.decision == "tuned":
        multipliers = tune_multipliers(learner.out_of_fold(matrix[order], codes, weight), codes)
    learner.fit(matrix[order], codes, weight)
    fitted = time.perf_counter()
    probabilities = learner.probabilities(tests)
    return Prediction(
        labels=np.asarray(classes, dtype=object)[np.argmax(probabilities * multipliers, axis=1)],
        probabilities=probabilities,
        fit_seconds=fitted - start,
        predict_seconds=time.perf_counter() - fitted,
        converged=learner.converged,
    )


def _shaped(estimator: BaseEstimator, encoder: TableEncoder) -> BaseEstimator:
    """Give the encoder to a classifier with a parameter of that name, such as one that needs the shapes of arrays."""
    names = [key for key in estimator.get_params(deep=False) if key == "encoder"]
    return estimator.set_params(**dict.fromkeys(names, encoder)) if names else estimator


def _regress(
    estimator: BaseEstimator, matrix: np.ndarray, y: np.ndarray, weight: np.ndarray | None, tests: np.ndarray
) -> Prediction:
    centre, scale = y.mean(), y.std()
    start = time.perf_counter()
    converged = _fit(_with_rows(estimator, len(y)), matrix, (y - centre) / (scale or 1.0), weight)
    fitted = time.perf_counter()
    values = estimator.predict(tests) * scale + centre
    return Prediction(
        values=values, fit_seconds=fitted - start, predict_seconds=time.perf_counter() - fitted, converged=converged
    )


class _Learner:
    """A classifier with a probability for each of ``k`` classes, whichever of them its rows hold."""

    def __init__(self, make: Callable[[], BaseEstimator], k: int, seed: int):
        self.make, self.k, self.seed = make, k, seed

    def fit(self, matrix: np.ndarray, codes: np.ndarray, weight: np.ndarray | None) -> None:
        self.present, labels = np.unique(codes, return_inverse=True)
        self.estimator, self.converged = None, True
        if len(self.present) < 2:
            return
        estimator = self.make()
        if weight is not None and not has_fit_parameter(estimator, "sample_weight"):
            rows = _resample(weight, seeds.stream(self.seed, "classifier.weight"))
            matrix, labels, weight = matrix[rows], labels[rows], None
        folds = estimator.get_params(deep=False).get("cv")
        if isinstance(folds, int):
            rows = _at_least(labels, folds)
            matrix, labels, weight = matrix[rows], labels[rows], None if weight is None else weight[rows]
        self.estimator = _with_rows(estimator, len(labels))
        self.converged = _fit(estimator, matrix, labels, weight)

    def probabilities(self, matrix: np.ndarray) -> np.ndarray:
        probabilities = np.zeros((len(matrix), self.k))
        seen = np.ones((len(matrix), 1)) if self.estimator is None else self.estimator.predict_proba(matrix)
        probabilities[:, self.present] = seen
        return probabilities

    def out_of_fold(self, matrix: np.ndarray, codes: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
        """Predict the probabilities of each row by a fit on the other inner folds."""
        folds = _stratified_folds(codes, seeds.stream(self.seed, "classifier.inner_folds"))
        found = np.zeros((len(codes), self.k))
        for fold in np.unique(folds) if len(np.unique(folds)) > 1 else []:
            held = folds == fold
            self.fit(matrix[~held], codes[~held], None if weight is None else weight[~held])
            found[held] = self.probabilities(matrix[held])
        return found


def tune_multipliers(probabilities: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Search, by coordinates, the factors on the columns of ``probabilities`` whose argmax has the best macro-F1.

    With two classes this is the search for the best threshold, exact over all thresholds that separate the rows.
    Each class in turn gets its best factor, until no factor improves the score.

    Parameters
    ----------
    probabilities : ndarray of shape (n, k)
        Of rows that were not trained on.
    codes : ndarray of shape (n,)
        True classes, 0..k-1.

    Returns
    -------
    ndarray of shape (k,)
        Positive; all ones if nothing beats the plain argmax.
    """
    k = probabilities.shape[1]
    truth = np.eye(k)[codes]
    multipliers = np.ones(k)
    best = _macro_f1(truth, np.eye(k)[probabilities.argmax(axis=1)])
    for _ in range(_MAX_ITER):
        before = best
        for label in range(k):
            factor, score = _best_factor(probabilities, truth, multipliers, label)
            if score > best + 1e-12:
                multipliers[label], best = factor, score
        if best == before:
            break
    return multipliers


def _best_factor(p: np.ndarray, truth: np.ndarray, multipliers: np.ndarray, label: int) -> tuple[float, float]:
    k = p.shape[1]
    others = p * multipliers
    others[:, label] = -1.0
    second = np.eye(k)[others.argmax(axis=1)]
    # A row is assigned to the label once the factor passes this ratio, and rows follow in its order; a row of
    # probability 0 never does. The clip keeps the factor finite for a row that is certain.
    able = p[:, label] > 0
    ratio = np.clip(others[able].max(axis=1) / p[able, label], *_RATIOS)
    order = np.argsort(ratio, kind="stable")
    ratio, joining, left = ratio[order], truth[able][order], second[able][order]
    own = np.eye(k)[[label]]
    predicted = second.sum(axis=0) + np.vstack([np.zeros(k), np.cumsum(own - left, axis=0)])
    correct = (truth * second).sum(axis=0) + np.vstack([np.zeros(k), np.cumsum(joining * (own - left), axis=0)])
    f1 = 2 * correct / np.maximum(predicted + truth.sum(axis=0), 1)
    scores = f1[:, truth.sum(axis=0) > 0].mean(axis=1)
    # The factor lies between two ratios, at their geometric mean; rows of equal ratio move together.
    edges = np.concatenate([[_RATIOS[0] / 4], ratio, [_RATIOS[1] * 4]])
    factors = np.sqrt(edges[1:] * edges[:-1])
    scores = np.where(edges[1:] > edges[:-1] * (1 + 1e-9), scores, -1.0)
    top = np.flatnonzero(scores >= scores.max() - 1e-12)
    # Of equal scores the factor nearest to the present one: no change without evidence.
    chosen = top[np.argmin(np.abs(np.log(factors[top] / multipliers[label])))]
    return float(factors[chosen]), float(scores[chosen])


def _macro_f1(truth: np.ndarray, predicted: np.ndarray) -> float:
    f1 = 2 * (truth * predicted).sum(axis=0) / np.maximum(truth.sum(axis=0) + predicted.sum(axis=0), 1)
    return float(f1[truth.sum(axis=0) > 0].mean())


def _stratified_folds(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Assign a fold to each row; the rows of each class are dealt to the folds in turn, however few they are."""
    order = rng.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    folds = np.empty(len(codes), dtype=int)
    folds[order] = np.arange(len(codes)) % _INNER_FOLDS
    return folds


def _with_rows(estimator: BaseEstimator, n: int) -> BaseEstimator:
    """Limit an estimator's number of neighbours to the ``n`` training rows."""
    names = [key for key in estimator.get_params() if key.split("__")[-1] == "n_neighbors"]
    return estimator.set_params(**{key: min(estimator.get_params()[key], n) for key in names})


def _fit(estimator: BaseEstimator, matrix: np.ndarray, target: np.ndarray, weight: np.ndarray | None) -> bool:
    """Fit in place and return whether it converged; other warnings pass through."""
    arguments = {} if weight is None else {"sample_weight": weight}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        estimator.fit(matrix, target, **arguments)
    for each in caught:
        if not issubclass(each.category, ConvergenceWarning):
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    return not any(issubclass(each.category, ConvergenceWarning) for each in caught)


def _resample(weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Resample positions: each row comes ``weight / weight.min()`` times on average, and at least once."""
    ratio = weight / weight[weight > 0].min()
    ends = np.floor(np.cumsum(ratio) + rng.random()).astype(int)
    return np.repeat(np.arange(len(weight)), np.diff(ends, prepend=0))


def _at_least(labels: np.ndarray, folds: int) -> np.ndarray:
    """List all positions; those of a class with fewer than ``folds`` rows repeat until every fold can have one."""
    counts = np.bincount(labels)
    return np.repeat(np.arange(len(labels)), -(-folds // np.minimum(counts, folds))[labels])

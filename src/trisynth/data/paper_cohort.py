"""A *simulated* cohort with the source paper's features and classes, whose density is known exactly.

The paper's patients are not public, and these rows are not patients: nothing found on them is a clinical finding.
They are drawn from one stated distribution, so that the best score that any model can reach, the true divergence of
a generator, and the worth of n more rows can be computed, which no real table allows.

The distribution. A class is drawn by ``PREVALENCE``. Given the class, every feature (or its logarithm) is a normal
variable truncated to the feature's range, and a Gaussian copula with the class's correlations joins them. The
density is that of the values as drawn, which are not rounded.

Centres and standard deviations are round figures inside what the literature reports; prevalences and correlations
are set here, with plausible signs, and estimate nothing.

- General population: Fryar et al. 2016, Vital and Health Statistics 3(39) (body mass index); Carroll et al. 2012,
  JAMA 308 (cholesterol); Wright et al. 2011, National Health Statistics Reports 35 (blood pressure).
- Pneumonia: Jain et al. 2015, New England Journal of Medicine 373 (age of adults in hospital).
- Heart failure: Adams et al. 2005, American Heart Journal 149 (the ADHERE registry: age, blood pressure).
- Sepsis: Singer et al. 2016, JAMA 315 (Sepsis-3: low blood pressure); van Vught et al. 2016, Critical Care
  Medicine 44 (high glucose); Gordon et al. 1996, Critical Care Medicine 24 (low cholesterol).
"""

import numpy as np
import pandas as pd
from scipy.special import logsumexp, ndtr, ndtri

from trisynth import seeds
from trisynth.errors import InputError
from trisynth.places import reader

TARGET = "diagnosis"
PREVALENCE = {"normal": 0.55, "pneumonia": 0.20, "heart failure": 0.15, "sepsis": 0.10}
CLASSES = tuple(PREVALENCE)

# Range in years, kg/m², mg/dL, mg/dL and mmHg, and whether the logarithm is normal.
RANGES = {
    "age": (18.0, 100.0, False),
    "bmi": (12.0, 75.0, True),
    "glucose": (40.0, 700.0, True),
    "cholesterol": (50.0, 500.0, True),
    "systolic_bp": (50.0, 260.0, False),
}
FEATURES = tuple(RANGES)

# Centre (the median, where the logarithm is normal) and spread, by class in the order of FEATURES.
MARGINALS = {
    "normal": ((48, 17), (27.5, 0.20), (98, 0.14), (192, 0.20), (122, 16)),
    "pneumonia": ((58, 19), (27.0, 0.24), (118, 0.25), (158, 0.24), (128, 22)),
    "heart failure": ((72, 13), (28.5, 0.23), (122, 0.30), (160, 0.25), (144, 30)),
    "sepsis": ((65, 16), (27.0, 0.26), (138, 0.40), (125, 0.32), (102, 23)),
}

CORRELATIONS = {
    "normal": {
        ("age", "systolic_bp"): 0.45,
        ("age", "glucose"): 0.25,
        ("age", "cholesterol"): 0.20,
        ("bmi", "glucose"): 0.30,
        ("bmi", "systolic_bp"): 0.20,
        ("bmi", "cholesterol"): 0.10,
        ("glucose", "systolic_bp"): 0.15,
    },
    "pneumonia": {("age", "bmi"): -0.20, ("age", "systolic_bp"): 0.20, ("bmi", "glucose"): 0.25},
    "heart failure": {("age", "bmi"): -0.30, ("bmi", "glucose"): 0.30, ("bmi", "systolic_bp"): 0.20},
    "sepsis": {
        ("glucose", "cholesterol"): -0.25,
        ("cholesterol", "systolic_bp"): 0.35,
        ("glucose", "systolic_bp"): -0.20,
        ("bmi", "glucose"): 0.20,
    },
}


@reader
def simulate(n: int = 5000, seed: int = 0) -> pd.DataFrame:
    """Simulate independent and identically distributed rows.

    Parameters
    ----------
    n : int, default=5000
        Number of rows; >= 1.
    seed : int, default=0
        Equal seeds give equal rows.

    Returns
    -------
    DataFrame, shape (n, 6)
        ``FEATURES`` and ``diagnosis``.
    """
    if n < 1:
        raise InputError("dataset.read.n", n, "must be at least 1")
    rng = seeds.stream(seed, "paper_cohort")
    label = rng.choice(len(CLASSES), size=n, p=list(PREVALENCE.values()))
    normal = rng.standard_normal((n, len(FEATURES)))
    values = np.empty_like(normal)
    for c, name in enumerate(CLASSES):
        rows = label == c
        correlated = normal[rows] @ np.linalg.cholesky(correlation(name)).T
        for j, feature in enumerate(FEATURES):
            values[rows, j] = _quantile(ndtr(correlated[:, j]), feature, *MARGINALS[name][j])
    return pd.DataFrame(values, columns=FEATURES).assign(**{TARGET: np.array(CLASSES)[label]})


def correlation(name: str) -> np.ndarray:
    """Compute the correlation matrix of a class's Gaussian copula, in the order of ``FEATURES``."""
    matrix = np.eye(len(FEATURES))
    for (one, other), value in CORRELATIONS[name].items():
        i, j = FEATURES.index(one), FEATURES.index(other)
        matrix[i, j] = matrix[j, i] = value
    return matrix


def log_density(X: pd.DataFrame) -> np.ndarray:
    """Compute the logarithm of the joint density p(x, y).

    Parameters
    ----------
    X : DataFrame, shape (n, >= 5)
        Must have ``FEATURES``; other columns do not matter.

    Returns
    -------
    ndarray, shape (n, 4)
        One column per class in the order of ``CLASSES``; minus infinity outside the ranges.
    """
    values = X[list(FEATURES)].to_numpy(dtype=float)
    columns = []
    for name in CLASSES:
        pairs = [_marginal(values[:, j], f, *MARGINALS[name][j]) for j, f in enumerate(FEATURES)]
        z, log_marginal = (np.stack(part, axis=1) for part in zip(*pairs, strict=True))
        R = correlation(name)
        # Copula: log N(z; 0, R) - log N(z; 0, I).
        excess = np.einsum("ni,ij,nj->n", z, np.linalg.inv(R) - np.eye(len(R)), z)
        log_copula = -0.5 * (np.linalg.slogdet(R)[1] + excess)
        columns.append(np.log(PREVALENCE[name]) + log_copula + log_marginal.sum(axis=1))
    return np.stack(columns, axis=1)


def posterior(X: pd.DataFrame) -> np.ndarray:
    """Compute the class probabilities p(y given x), shape (n, 4) in the order of ``CLASSES``; X must be in range."""
    joint = log_density(X)
    return np.exp(joint - logsumexp(joint, axis=1, keepdims=True))


def _scaled(x, feature: str, centre: float, spread: float):
    """Compute standard scores of ``x`` and of the ends of its range, before truncation."""
    low, high, logarithmic = RANGES[feature]
    scale = np.log if logarithmic else np.asarray
    return tuple((scale(value) - scale(centre)) / spread for value in (x, low, high))


def _marginal(x: np.ndarray, feature: str, centre: float, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Compute the copula score of ``x`` and its log density under a truncated (log-)normal distribution."""
    low, high, logarithmic = RANGES[feature]
    inside = (x >= low) & (x <= high)
    x = np.where(inside, x, centre)
    t, a, b = _scaled(x, feature, centre, spread)
    mass = ndtr(b) - ndtr(a)
    # The ends themselves have probability zero; keep their scores finite.
    share = np.clip((ndtr(t) - ndtr(a)) / mass, 1e-300, 1 - 1e-16)
    log_density = -0.5 * (t**2 + np.log(2 * np.pi)) - np.log(spread * mass) - (np.log(x) if logarithmic else 0)
    return ndtri(share), np.where(inside, log_density, -np.inf)


def _quantile(share: np.ndarray, feature: str, centre: float, spread: float) -> np.ndarray:
    low, high, logarithmic = RANGES[feature]
    _, a, b = _scaled(centre, feature, centre, spread)
    t = ndtri(ndtr(a) + share * (ndtr(b) - ndtr(a)))
    value = centre * np.exp(spread * t) if logarithmic else centre + spread * t
    return np.clip(value, low, high)

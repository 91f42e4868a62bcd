"""Simulated patients with vital signs, a pulse, an image and a note, whose joint distribution is known.

A patient has a diagnosis y and a severity s, which is normal with a mean that depends on y. Given both, all columns are
independent, so that every dependence between kinds passes through them:

- vital signs: age, temperature and systolic pressure are normal, ``smoker`` is a Bernoulli variable;
- pulse: twelve beats of two channels, interval (s) and amplitude, each a stationary first-order autoregression;
- image: 8 x 8 pixels, a spot whose place depends on y and whose brightness on s, with normal noise;
- note, on request: a short text of symptoms, each a Bernoulli variable, and a degree of distress, an ordered logit.

The numbers are chosen for the diagnoses to overlap and have no clinical meaning.
"""

import numpy as np
import pandas as pd
from scipy.special import expit, log_expit, logsumexp
from scipy.stats import norm

from trisynth import seeds
from trisynth.data import tensors
from trisynth.errors import require_whole
from trisynth.places import reader

TARGET = "diagnosis"
PREVALENCE = {"normal": 0.55, "heart failure": 0.25, "sepsis": 0.20}
# Mean of the severity; its standard deviation is 1.
SEVERITY = {"normal": -0.6, "heart failure": 0.5, "sepsis": 0.8}
BEATS, SIZE = 12, 8
# Of each vital sign: mean by diagnosis, change for each unit of severity, standard deviation.
VITALS = {
    "age": ((55.0, 66.0, 60.0), 2.0, 11.0),
    "temperature": ((36.8, 36.7, 37.6), 0.25, 0.5),
    "systolic_bp": ((126.0, 122.0, 112.0), -5.0, 13.0),
}
# Log-odds of smoking by diagnosis, and their change with severity.
SMOKER = ((-1.0, -0.5, -0.9), 0.4)
# Of each channel of the pulse: mean by diagnosis, change with severity, standard deviation, and autocorrelation.
PULSE = (
    ((0.86, 0.82, 0.79), -0.03, 0.09, (0.5, 0.2, 0.7)),
    ((1.00, 0.95, 0.97), -0.04, 0.15, (0.3, 0.3, 0.5)),
)
# Row and column of the spot by diagnosis, its width, its brightness and change with severity, and noise of a pixel.
SPOT = ((3.5, 2.9, 4.1), (3.5, 3.2, 4.1))
WIDTH, BRIGHTNESS, GLOW, NOISE = 1.6, 1.0, 0.25, 0.6
# Log-odds of each symptom in the note by diagnosis, and their change with severity.
SYMPTOMS = {
    "fever": ((-2.5, -2.5, 0.6), 0.2),
    "chills": ((-3.5, -3.5, -0.4), 0.3),
    "breathlessness": ((-2.2, 0.7, -0.6), 0.4),
    "swollen ankles": ((-3.0, 0.3, -2.5), 0.2),
    "fatigue": ((-0.8, 0.2, 0.1), 0.5),
    "cough": ((-0.9, -0.4, -0.6), 0.1),
}
# Sentences of distress in their order, their thresholds on the logit scale, and the change with severity.
DISTRESS = ("Looks well.", "Mild distress.", "Marked distress.")
THRESHOLDS, DISTRESS_SLOPE = (0.3, 2.2), 1.2
_NODES = 41


@reader
def simulate(n: int = 3000, seed: int = 0, note: bool = False) -> pd.DataFrame:
    """Simulate independent and identically distributed patients.

    Parameters
    ----------
    n : int, default=3000
    seed : int, default=0
    note : bool, default=False
        Whether patients have a note; all other cells are the same.

    Returns
    -------
    DataFrame, shape (n, 7) or (n, 8)
        The vital signs, ``smoker``, ``pulse`` of shape (12, 2), ``image`` of shape (8, 8), ``note``, a text, and
        ``diagnosis``.
    """
    require_whole("dataset.read.n", n, 1)
    rng = seeds.stream(seed, "multimodal_cohort")
    classes = list(PREVALENCE)
    y = rng.choice(len(classes), size=n, p=list(PREVALENCE.values()))
    s = np.array(list(SEVERITY.values()))[y] + rng.standard_normal(n)
    columns: dict[str, object] = {}
    for name, (means, slope, deviation) in VITALS.items():
        columns[name] = np.array(means)[y] + slope * s + deviation * rng.standard_normal(n)
    odds, change = SMOKER
    columns["smoker"] = np.where(rng.random(n) < expit(np.array(odds)[y] + change * s), "yes", "no")
    channels = []
    for means, slope, deviation, correlation in PULSE:
        phi, noise = np.array(correlation)[y], rng.standard_normal((BEATS, n))
        steps = [noise[0]]
        for shock in noise[1:]:
            steps.append(phi * steps[-1] + np.sqrt(1 - phi**2) * shock)
        channels.append(np.array(means)[y] + slope * s + deviation * np.array(steps))
    columns["pulse"] = tensors.column(np.stack(channels, axis=2).transpose(1, 0, 2))
    image = spots()[y] * (BRIGHTNESS + GLOW * s)[:, None, None] + NOISE * rng.standard_normal((n, SIZE, SIZE))
    columns["image"] = tensors.column(image)
    if note:
        columns["note"] = _written(y, s, seeds.stream(seed, "multimodal_cohort.note"))
    return pd.DataFrame({**columns, TARGET: np.array(classes)[y]})


def _written(y: np.ndarray, s: np.ndarray, rng: np.random.Generator) -> list[str]:
    odds = np.stack([np.array(given)[y] + slope * s for given, slope in SYMPTOMS.values()], axis=1)
    present = rng.random(odds.shape) < expit(odds)
    logit = np.log(1 / rng.random(len(y)) - 1) + DISTRESS_SLOPE * s
    degree = np.searchsorted(THRESHOLDS, logit)
    found = [[name for name, held in zip(SYMPTOMS, row, strict=True) if held] for row in present]
    return [f"{_sentence(names)} {DISTRESS[k]}" for names, k in zip(found, degree, strict=True)]


def _sentence(names: list[str]) -> str:
    if not names:
        return "No complaints."
    return f"Reports {', '.join(names[:-1])} and {names[-1]}." if len(names) > 1 else f"Reports {names[0]}."


def spots() -> np.ndarray:
    """Return the image of each diagnosis without noise at brightness 1, shape (3, 8, 8)."""
    rows, places = np.arange(SIZE)[:, None], np.arange(SIZE)[None, :]
    pairs = zip(*SPOT, strict=True)
    return np.stack([np.exp(-((rows - a) ** 2 + (places - b) ** 2) / (2 * WIDTH**2)) for a, b in pairs])


def posterior(X: pd.DataFrame, kinds: tuple[str, ...] = ("vitals", "pulse", "image")) -> np.ndarray:
    """Compute the probabilities of the diagnoses given some or all kinds of columns.

    Parameters
    ----------
    X : DataFrame, shape (n, >= 6)
    kinds : tuple of {"vitals", "pulse", "image", "note"}

    Returns
    -------
    ndarray, shape (n, 3)
        In the order of ``PREVALENCE``; the severity is integrated out by Gauss-Hermite quadrature.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    joint = []
    for c, (name, prior) in enumerate(PREVALENCE.items()):
        at = []
        for node, weight in zip(nodes, weights, strict=True):
            s = SEVERITY[name] + node
            at.append(np.log(weight) + sum(_LOG_DENSITY[kind](X, c, s) for kind in kinds))
        joint.append(np.log(prior) + logsumexp(at, axis=0))
    joint = np.stack(joint, axis=1)
    return np.exp(joint - logsumexp(joint, axis=1, keepdims=True))


def bayes_accuracy(n: int = 20_000, seed: int = 1, kinds: tuple[str, ...] = ("vitals", "pulse", "image")) -> float:
    """Estimate the accuracy of the best rule on ``n`` simulated patients, of those kinds of columns alone."""
    rows = simulate(n, seed, note="note" in kinds)
    truth = pd.Categorical(rows[TARGET], categories=list(PREVALENCE)).codes
    return float((posterior(rows, kinds).argmax(axis=1) == truth).mean())


def _vitals(X: pd.DataFrame, c: int, s: float) -> np.ndarray:
    found = [
        norm.logpdf(X[name].to_numpy(float), means[c] + slope * s, deviation)
        for name, (means, slope, deviation) in VITALS.items()
    ]
    odds, change = SMOKER
    sign = np.where((X["smoker"] == "yes").to_numpy(), 1.0, -1.0)
    return np.sum(found, axis=0) + log_expit(sign * (odds[c] + change * s))


def _pulse(X: pd.DataFrame, c: int, s: float) -> np.ndarray:
    cells, total = tensors.values(X["pulse"]).reshape(-1, BEATS, 2).astype(float), 0.0
    for channel, (means, slope, deviation, correlation) in enumerate(PULSE):
        z, phi = (cells[:, :, channel] - means[c] - slope * s) / deviation, correlation[c]
        total = total + norm.logpdf(z[:, 0])
        total = total + norm.logpdf(z[:, 1:], phi * z[:, :-1], np.sqrt(1 - phi**2)).sum(axis=1)
    return total


def _image(X: pd.DataFrame, c: int, s: float) -> np.ndarray:
    mean = spots()[c].ravel() * (BRIGHTNESS + GLOW * s)
    return norm.logpdf(tensors.values(X["image"]).astype(float), mean, NOISE).sum(axis=1)


def _note(X: pd.DataFrame, c: int, s: float) -> np.ndarray:
    cells, total = X["note"].astype(str), 0.0
    for name, (odds, slope) in SYMPTOMS.items():
        sign = np.where(cells.str.contains(name, regex=False), 1.0, -1.0)
        total = total + log_expit(sign * (odds[c] + slope * s))
    below = expit(np.array([-np.inf, *THRESHOLDS, np.inf]) - DISTRESS_SLOPE * s)
    degree = np.select([cells.str.contains(text, regex=False) for text in DISTRESS], range(len(DISTRESS)))
    return total + np.log(np.diff(below))[degree]


_LOG_DENSITY = {"vitals": _vitals, "pulse": _pulse, "image": _image, "note": _note}

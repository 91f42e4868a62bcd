"""One plain sentence for each score of synthetic rows, and the scores that their references show to be meaningless."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Where the two references are as close as this, the score cannot tell dependent columns from independent ones.
_CLOSE = 0.1
# Where a score is not larger than that of rows without any copying may be by chance.
_CHANCE = "The estimated fraction of memorised rows, {percent}, is not larger than chance allows, {allowed}."
# A ceiling of a discriminator as high as this separates even copies of the training rows.
_SEPARATED = 0.95


@dataclass(frozen=True)
class Meaning:
    """Reading of one score.

    Parameters
    ----------
    name : str
    text : str
        Sentence with ``{value}``, ``{percent}`` and, where the score has a base, ``{held_out}`` or ``{fresh}``.
    ideal : float or None
        The value without any difference, or without any copying.
    """

    name: str
    text: str
    ideal: float | None


MEANINGS = {
    "c2st_boosting": Meaning(
        "C2ST",
        "Boosted trees that separate real from synthetic rows reach a ROC AUC of {value}; 0.5 is chance.",
        0.5,
    ),
    "c2st_linear": Meaning(
        "C2ST, linear",
        "A linear classifier that separates them reaches a ROC AUC of {value}; 0.5 is chance.",
        0.5,
    ),
    "ks": Meaning(
        "KS",
        "The distribution functions of a number differ by at most {value}, averaged over columns.",
        0.0,
    ),
    "tv": Meaning(
        "TV",
        "{percent} of the rows would need another category, averaged over columns.",
        0.0,
    ),
    "correlation_gap": Meaning(
        "Correlation gap",
        "The association of a pair of columns differs by {value} on average.",
        0.0,
    ),
    "discriminative_score": Meaning(
        "Discriminative score",
        "A recurrent network that separates real from synthetic series is right {value} more often than one half.",
        0.0,
    ),
    "predictive_score": Meaning(
        "Predictive score",
        "Trained on synthetic series, a network misses the next step of real ones by {value} standard deviations.",
        0.0,
    ),
    "array_mmd": Meaning(
        "MMD of arrays",
        "By a kernel, the distributions of images or series are {value} apart.",
        0.0,
    ),
    "length_distance": Meaning(
        "Length distance",
        "The lengths of series are {value} standard deviations apart on average.",
        0.0,
    ),
    "autocorrelation_error": Meaning(
        "Autocorrelation error",
        "The mean autocorrelation of series differs by {value}, averaged over lags.",
        0.0,
    ),
    "frechet_distance": Meaning(
        "Frechet distance",
        "In the features of a network trained on the real rows, the distributions are {value} apart.",
        0.0,
    ),
    "kernel_distance": Meaning(
        "Kernel distance",
        "In the features of a network trained on the real rows, the distributions are {value} apart by a kernel.",
        0.0,
    ),
    "feature_precision": Meaning(
        "Precision in features",
        "{percent} of the synthetic arrays look like real ones to a network trained on the real rows.",
        None,
    ),
    "feature_recall": Meaning(
        "Recall in features",
        "{percent} of the real arrays look like synthetic ones to a network trained on the real rows.",
        None,
    ),
    "cross_kind_gap": Meaning(
        "Cross-kind gap",
        "The correlations between columns of different kinds differ by {value} on average.",
        0.0,
    ),
    "cross_kind_auc": Meaning(
        "Cross-kind AUC",
        "Synthetic rows are separated from rows of independent kinds with a ROC AUC of {value}; 0.5 is independence.",
        None,
    ),
    "text_perplexity": Meaning(
        "Text perplexity",
        "A model of the real texts is as uncertain about a synthetic word as among {value} equal choices.",
        None,
    ),
    "reverse_perplexity": Meaning(
        "Reverse perplexity",
        "A model of the synthetic texts is as uncertain about a real word as among {value} equal choices.",
        None,
    ),
    "distinct_gap": Meaning(
        "Distinct-n gap",
        "The fractions of words and pairs of words that are distinct differ by {value} on average.",
        0.0,
    ),
    "ngram_js": Meaning(
        "JS divergence of n-grams",
        "The frequencies of words and pairs of words differ by {value} bits; 0 is equal and 1 is disjoint.",
        0.0,
    ),
    "wasserstein": Meaning(
        "Wasserstein distance",
        "Sorted numbers lie {value} standard deviations apart, averaged over columns.",
        0.0,
    ),
    "js": Meaning(
        "Jensen-Shannon divergence",
        "Distributions of a column differ by {value} bits; 0 is equal and 1 is disjoint.",
        0.0,
    ),
    "kl": Meaning(
        "Kullback-Leibler divergence",
        "Describing a real cell by the synthetic distribution costs {value} nats more.",
        0.0,
    ),
    "standardized_mean_difference": Meaning(
        "Difference of means",
        "Means differ by {value} standard deviations, averaged over columns.",
        0.0,
    ),
    "variance_gap": Meaning(
        "Difference of variances",
        "Variances differ by {percent}, averaged over columns.",
        0.0,
    ),
    "missing_gap": Meaning(
        "Difference of missing cells",
        "The fraction of missing cells differs by {percent}, averaged over columns.",
        0.0,
    ),
    "coverage": Meaning(
        "Coverage",
        "{percent} of the real rows have a synthetic row among their neighbours.",
        1.0,
    ),
    "identical_match_share": Meaning(
        "Identical match share",
        "{percent} of the synthetic rows equal a training row{fresh}.",
        None,
    ),
    "rare_reproduced": Meaning(
        "Rare values reproduced",
        "{percent} of the values that fewer than five training rows hold occur in the synthetic rows{held_out}.",
        None,
    ),
    "rare_reproduced_max": Meaning(
        "Rare values reproduced, worst column",
        "Of the rare real values of one column, synthetic rows hold {percent}; this is the worst column.",
        None,
    ),
    "dcr_share": Meaning(
        "DCR share",
        "{percent} of the synthetic rows are closer to a training row than to a held-out row; 50 % is ideal.",
        0.5,
    ),
    "memorised": Meaning(
        "Memorised share",
        "About {percent} of the synthetic rows exist only because of a training row.",
        0.0,
    ),
    "copied_run": Meaning(
        "Copied run",
        "The longest passage that a synthetic text shares with a training text has {value} words on average.",
        None,
    ),
    "identical_texts": Meaning(
        "Identical texts",
        "{percent} of the synthetic texts equal a training text{fresh}.",
        None,
    ),
    "dcr_ratio": Meaning(
        "DCR ratio",
        "A synthetic row is {value} times as far from its nearest training row as a held-out row is; 1 is ideal.",
        1.0,
    ),
    "membership_distance": Meaning(
        "Membership by distance",
        "An attacker who takes rows near synthetic rows for training rows reaches a ROC AUC of {value}; 0.5 is chance.",
        0.5,
    ),
    "membership_domias": Meaning(
        "Membership by density ratio",
        "An attacker who also has other real rows reaches a ROC AUC of {value} (DOMIAS); 0.5 is chance.",
        0.5,
    ),
    "membership_likelihood": Meaning(
        "Membership by likelihood",
        "An attacker who has the saved generator reaches a ROC AUC of {value} with its likelihood; 0.5 is chance.",
        0.5,
    ),
    "membership_shadows": Meaning(
        "Membership by shadow models",
        "An attacker who fits the generator with and without a row reaches a ROC AUC of {value} (LiRA); 0.5 is chance.",
        0.5,
    ),
    "attribute_inference": Meaning(
        "Attribute inference",
        "One cell is inferred from the others for {percent} more of the training rows than of the held-out rows.",
        0.0,
    ),
    "singling_out_univariate": Meaning(
        "Singling out by one column",
        "Of the values that hold for one synthetic row alone, {percent} more single out a training row than a held-out "
        "row.",
        0.0,
    ),
    "singling_out_multivariate": Meaning(
        "Singling out by three columns",
        "Of the combinations that hold for one synthetic row alone, {percent} more single out a training row than a "
        "held-out row.",
        0.0,
    ),
    "linkability": Meaning(
        "Linkability",
        "Two halves of a row are linked by synthetic rows for {percent} more of the training rows than of the held-out "
        "rows.",
        0.0,
    ),
}

# Scores of single columns, which independent columns pass by construction.
MARGINAL = ("ks", "tv", "wasserstein", "js", "kl", "standardized_mean_difference", "variance_gap", "missing_gap")


def void(score: Mapping[str, Any]) -> str | None:
    """Return why the references of a score show it to be meaningless; None if they do not."""
    floor, ceiling = score["floor"], score["ceiling"]
    if score["metric"] in MARGINAL or floor is None or ceiling is None:
        return None
    ideal = score["ideal"] or 0.0
    distances = abs(floor - ideal), abs(ceiling - ideal)
    if score["group"] in ("copying", "privacy"):
        detected = abs(floor - ceiling) > _CLOSE and distances[1] > distances[0]
        return None if detected else "even copies of the training rows are not detected"
    close = abs(floor - ceiling) <= _CLOSE * max(distances)
    if score["metric"].startswith("c2st") and ceiling >= _SEPARATED:
        return "even copies of the training rows are separated from held-out rows"
    if distances[1] > distances[0]:
        return "independent columns score better than real rows"
    return "independent columns score as real rows do" if close else None


def beyond(score: Mapping[str, Any]) -> bool:
    """Check whether synthetic rows are more faithful than copies of the training rows, as shown digits have it."""
    if score["group"] != "fidelity" or score["ceiling"] is None or score["ideal"] is None:
        return False
    if number(score["ceiling"]) == number(score["value"]):
        return False
    return abs(score["ceiling"] - score["ideal"]) > abs(score["value"] - score["ideal"])


def sentence(score: Mapping[str, Any]) -> str:
    """Describe a score in one plain sentence, and its place between the references in a second part."""
    meaning, value = MEANINGS.get(score["metric"]), score["value"]
    # An estimate of a fraction may fall below 0 by chance.
    value = max(value, 0.0) if score["metric"] == "memorised" else value
    base = None if score["base"] is None else percent(score["base"])
    held_out = f", and {base} of the held-out real rows do" if base else ""
    fresh = f"; {base} would without copying" if base else ""
    known = meaning.text if meaning else "The score is {value}."
    allowed = score.get("noise")
    if allowed is not None:
        allowed = max(allowed, score["floor"] or 0.0)
        known = _CHANCE.replace("{allowed}", percent(allowed)) if value <= allowed else known
    return known.format(value=number(value), percent=percent(value), held_out=held_out, fresh=fresh)


def number(value: float) -> str:
    """Format a score with three digits, more where it is small."""
    text = f"{value:.3f}" if abs(value) >= 0.0095 or value == 0 else f"{value:.2g}"
    return text.replace("-", "−")


def percent(value: float) -> str:
    """Format a fraction as a percentage; the sign stays beside its number."""
    return f"{100 * value:.1f}\N{NO-BREAK SPACE}%".replace("-", "−")

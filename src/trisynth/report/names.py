"""Printed names of metrics, training sets, data sets and columns."""

import unicodedata

from trisynth.config import digest

# Metrics by the part of their name after the arm or the group; others lose their underscores.
METRICS = {
    "accuracy": "Accuracy",
    "precision_macro": "Precision",
    "recall_macro": "Recall",
    "f1_macro": "Macro-F1",
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "ece": "ECE",
    "r2": "R²",
    "mae": "MAE",
    "mse": "MSE",
    "c2st_boosting": "C2ST",
    "c2st_linear": "C2ST, linear",
    "ks": "KS",
    "tv": "TV",
    "js": "JS divergence",
    "wasserstein": "Wasserstein",
    "correlation_gap": "Correlation gap",
    "discriminative_score": "Discriminative score",
    "predictive_score": "Predictive score",
    "array_mmd": "MMD of arrays",
    "length_distance": "Length distance",
    "autocorrelation_error": "Autocorrelation error",
    "frechet_distance": "Frechet distance",
    "kernel_distance": "Kernel distance",
    "feature_precision": "Precision in features",
    "feature_recall": "Recall in features",
    "cross_kind_gap": "Cross-kind gap",
    "cross_kind_auc": "Cross-kind AUC",
    "text_perplexity": "Text perplexity",
    "reverse_perplexity": "Reverse perplexity",
    "distinct_gap": "Distinct-n gap",
    "ngram_js": "JS divergence of n-grams",
    "coverage": "Coverage",
    "identical_match_share": "Identical match share",
    "rare_reproduced": "Rare values reproduced",
    "copied_run": "Copied run",
    "identical_texts": "Identical texts",
    "dcr_share": "DCR share",
    "memorised": "Memorised share",
}
LOWER_IS_BETTER = ("mae", "mse", "log_loss", "brier", "ece")
_NAMES = {
    "aim": "AIM",
    "dp_circuit": "private circuit",
    "dpcircuit": "private circuit",
    "dp_gan": "GAN by DP-SGD",
    "dpgan": "GAN by DP-SGD",
    "dp_vae": "VAE by DP-SGD",
    "dpvae": "VAE by DP-SGD",
    "mst": "MST",
    "ngram": "n-gram model",
    "pate_gan": "PATE-GAN",
    "pategan": "PATE-GAN",
    "text_gru": "text GRU",
    "textgru": "text GRU",
    "duplicated": "duplicated real",
    "oversampled": "random oversampling",
    "class_weight": "class weights",
    "threshold": "tuned threshold",
    "balanced": "balanced by synthetic",
    "floor": "floor: independent columns",
    "ceiling": "ceiling: the training rows",
    "paper_cohort": "paper cohort (simulated)",
}
_ABBREVIATIONS = {"bmi": "BMI", "bp": "BP"}


def metric(name: str) -> str:
    """Return the printed name of a metric such as ``synthetic/roc_auc``, without its arm or group."""
    last = name.rpartition("/")[2]
    return METRICS.get(last, last.replace("_", " "))


def name(text: str) -> str:
    """Return the printed name of a data set, generator or training set."""
    return _NAMES.get(text, text.replace("_", " "))


def label(column: object) -> str:
    """Return the printed name of a column: blanks for underscores, abbreviations in capitals."""
    words = str(column).replace("_", " ").split()
    return " ".join(_ABBREVIATIONS.get(word, word) for word in words)


def shortened(text: object, length: int) -> str:
    """Shorten a text to ``length`` letters with an ellipsis in the middle."""
    text = " ".join(str(text).split())
    if len(text) <= length:
        return text
    last = length // 3
    return f"{text[: length - 1 - last].rstrip()}…{text[-last:].lstrip()}"


def printable(text: object, longest: int = 64) -> str:
    """Return a text that every page and file can hold: on one line, without control characters, of bounded length.

    A longer text loses its middle, and a digest at its end keeps two such texts apart.
    """
    bad = ("Cc", "Cs", "Cn")
    whole = " ".join(str(text).split())
    plain = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in bad else c for c in whole)
    if len(plain) <= longest:
        return plain
    return f"{shortened(plain, longest - 7)} ({digest(whole.encode('utf-8', 'surrogatepass').hex())[:4]})"


def file_name(text: object, longest: int = 40) -> str:
    """Spell a name in the letters that every file system admits; a digest keeps two odd names apart."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in str(text))
    if plain == str(text) and len(plain) <= longest:
        return plain
    return f"{plain[:longest].strip('_')}-{digest(str(text).encode('utf-8', 'surrogatepass').hex())[:4]}".strip("-")

"""Former names of settings, choices, metrics and objects, each with its present name.

Constructor arguments that changed their name are listed by their class, in its attribute ``renamed``.
"""

import re
from collections.abc import Mapping

# Metrics of the group that was called privacy and is copying today; privacy holds attacks.
_COPYING = {"closer_to_train", "distance_ratio", "exact_copies", "exact_copies_base", "memorised", "nearest"}
_COPYING |= {"dcr_share", "dcr_ratio", "identical_match_share", "identical_match_share_base"}
SETTINGS = {
    "metrics.privacy.nearest": "metrics.copying.nearest",
    "metrics.privacy.exact_copies": "metrics.copying.identical_match_share",
}
# By group of the configuration.
CHOICES = {"generator": {"marginals": "independent"}}
# Former choices that are commands today.
COMMANDS = {
    "generator": {"auto": "trisynth recommend"},
    "arms": {"advised": "trisynth recommend"},
    "experiment": {"auto": "trisynth recommend"},
}
METRICS = {
    "calibration_error": "ece",
    "closer_to_train": "dcr_share",
    "distance_ratio": "dcr_ratio",
    "exact_copies": "identical_match_share",
    "exact_copies_base": "identical_match_share_base",
    "mean_gap": "standardized_mean_difference",
    "pr_auc": "average_precision",
}
_MODULES = {
    "arms": "evaluation.arms",
    "generators.arf": "generators.trees.arf",
    "generators.circuit": "generators.circuit.circuit",
    "generators.marginals": "generators.independent",
    "generators.ngram": "generators.texts.ngram",
    "preprocessing.encoder": "encoders.table",
    "metrics.c2st": "evaluation.metrics.c2st",
    "metrics.coverage": "evaluation.metrics.coverage",
    "metrics.fidelity": "evaluation.metrics.fidelity",
    "metrics.privacy": "evaluation.metrics.copying",
    "metrics.spread": "evaluation.metrics.shrinkage",
    "metrics.utility": "evaluation.metrics.utility",
    **{
        f"generators.{n}": f"generators.neural.{n}"
        for n in ("cgan", "ctgan", "diffusion", "gan", "tgan", "tvae", "vae")
    },
    **{f"generators.{n}": f"generators.arrays.{n}" for n in ("autoregressive", "block_bootstrap", "class_gaussian")},
    **{f"generators.neural.{n}": f"generators.neural.series.{n}" for n in ("rcgan", "timevae")},
    **{f"evaluation.metrics.{n}": f"evaluation.metrics.kinds.{n}" for n in ("arrays", "series", "texts")},
}
# Names in the same module, or dotted ones where the module is another.
_OBJECTS = {
    "evaluation.metrics.c2st.c2st": "C2ST",
    "evaluation.metrics.copying.exact_copies": "IdenticalMatchShare",
    "evaluation.metrics.copying.identical_match_share": "IdenticalMatchShare",
    "evaluation.metrics.copying.nearest": "NearestRecord",
    "evaluation.metrics.coverage.coverage": "Coverage",
    "evaluation.metrics.shrinkage.spread": "Shrinkage",
    "generators.independent.Marginals": "Independent",
    "generators.smote.Smote": "SMOTE",
    **{
        f"evaluation.metrics.fidelity.{name.lower()}": name
        for name in ("Moments", "Distances", "Divergences", "Correlation")
    },
    **{
        f"evaluation.metrics.utility.{name.lower()}": name
        for name in ("Decisions", "Ranking", "Probabilities", "Errors")
    },
}


def metric(name: str) -> str | None:
    """Return the present name of a metric such as ``privacy/exact_copies_floor``; None if it is not a former one."""
    part, _, score = name.rpartition("/")
    stem, end = re.fullmatch(r"(.*?)(_floor|_ceiling)?", score).groups()
    part = "copying" if part == "privacy" and stem in _COPYING else part
    present = f"{part}/{METRICS.get(stem, stem)}{end or ''}".lstrip("/")
    return present if present != name else None


def group(name: str, members: object) -> str | None:
    """Return the present name of a group of metrics; None where ``members`` are not those of a former one."""
    if name != "privacy" or not isinstance(members, Mapping | list):
        return None
    named = members.values() if isinstance(members, Mapping) else members
    targets = [each.get("_target_") if isinstance(each, Mapping) else each for each in named]
    former = [text for text in map(str, targets) if "metrics.copying." in (target(text) or text)]
    return "copying" if former else None


def target(dotted: str) -> str | None:
    """Return the present dotted name of an object of this package; None if it is not a former one."""
    module, _, name = str(dotted).removeprefix("trisynth.").rpartition(".")
    module = _MODULES.get(module, module)
    name = _OBJECTS.get(f"{module}.{name}", name)
    present = f"trisynth.{name}" if "." in name else f"trisynth.{module}.{name}"
    return present if present != dotted else None

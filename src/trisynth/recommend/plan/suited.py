"""Candidates for the kinds of columns of a table."""

from collections.abc import Mapping
from typing import Any

from trisynth.config import allowed, locate
from trisynth.data.dataset import Dataset
from trisynth.data.kinds import Kind, Sequence, Tensor, Text

# Added to the candidates of texts alone, and of arrays and texts beside other columns.
_TEXTS = {"ngram": "trisynth.generators.texts.ngram.NGram"}
_ALL = {"composed": "trisynth.generators.composed.Composed"}
Candidates = dict[str, Mapping[str, Any]]


def suited(config: Mapping[str, Any], dataset: Dataset) -> tuple[Candidates, list[str]]:
    """Leave out candidates that do not take arrays or texts where the table has such columns, and add those that do.

    Parameters
    ----------
    config : mapping
        Resolved root configuration with its section ``recommend``.
    dataset : Dataset

    Returns
    -------
    candidates : dict of str to mapping
    notes : list of str
        One line about what was left out and added; none for tables without arrays and texts.
    """
    candidates = dict(config["recommend"]["candidates"])
    kinds: dict[type[Kind], list[str]] = {
        kind: [str(name) for name in dataset.X if kind.takes(dataset.X[name])] for kind in (Tensor, Sequence, Text)
    }
    needed = [kind for kind, names in kinds.items() if names]
    if not needed:
        return candidates, []
    allow = allowed(config.get("allow"))
    kept = {}
    for name, each in candidates.items():
        found = locate(each["_target_"], f"recommend.candidates.{name}", allow)
        # A private fit leaves texts out by itself, and refuses arrays in its own words.
        if getattr(found, "private", False) or set(needed) <= set(getattr(found, "kinds", needed)):
            kept[name] = each
    private = any(each.get("privacy") for each in candidates.values())
    alone = needed == [Text] and len(kinds[Text]) == dataset.X.shape[1]
    more = {} if private else _TEXTS if alone else _ALL
    added = {name: {"_target_": target} for name, target in more.items() if name not in kept}
    left = [name for name in candidates if name not in kept]
    columns = ", ".join(name for kind in needed for name in kinds[kind])
    line = f"{columns}: arrays or texts, which are modelled"
    line += f"; candidates that do not take them are left out: {', '.join(left)}" if left else ""
    line += f"; added: {', '.join(added)}" if added else ""
    return {**added, **kept}, [f"{line}."]

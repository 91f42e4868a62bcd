"""Checks of a search under a privacy budget, made before its first fit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trisynth.config import instantiate
from trisynth.errors import InputError
from trisynth.places import subclass
from trisynth.privacy import Budget

# Imported late: a search starts its processes before it imports what takes a second.
if TYPE_CHECKING:
    from trisynth.data.dataset import Dataset
    from trisynth.generators.base import Generator

# Stands for the number of rows where none is declared, so that the facts that are missing besides are found, too.
_SOME_ROWS = 1000


def is_given(overrides: Sequence[str]) -> bool:
    """Check whether settings give a privacy budget, or choose the panel of private generators."""
    settings = [text.lstrip("+") for text in overrides]
    names = {text.partition("=")[0].partition(".")[0] for text in settings}
    return "privacy" in names or "recommend=private" in settings


def require_budgets(config: Mapping[str, Any], given: bool) -> None:
    """Refuse wrong budgets and, where a budget is given, candidates that have none.

    Parameters
    ----------
    config : mapping
        Resolved root configuration with its section ``recommend``.
    given : bool
        Whether the user gives a budget.

    Raises
    ------
    InputError
    """
    candidates = config["recommend"].get("candidates") or {}
    private = {name: each["privacy"] for name, each in candidates.items() if isinstance(each, Mapping) and _has(each)}
    root, allow = config["privacy"], config.get("allow", ())
    epsilon = None
    if given or private:
        common = _budget(root, "privacy", allow)
        common.check()
        epsilon = common.epsilon
    for name, budget in private.items():
        parameter = f"recommend.candidates.{name}.privacy"
        if budget != root:
            _budget(budget, parameter, allow).check(parameter)
    if not given or epsilon is None:
        return
    for name in candidates:
        if name not in private or private[name].get("epsilon") is None:
            remedy = (
                f"has no guarantee to compare with privacy.epsilon={epsilon}; leave it out by "
                f"~recommend.candidates.{name}, or search without a budget"
            )
            raise InputError("recommend.candidates", name, remedy)


def _budget(config: Any, parameter: str, allow: Iterable[str]) -> Budget:
    """Build a budget; nothing else is built in its place."""
    if not isinstance(config, Mapping) or "_target_" not in config:
        raise InputError(parameter, config, "must be a budget with _target_, as in conf/privacy/dp.yaml")
    return instantiate(config, parameter, kind=subclass(Budget), allow=allow)


def _has(candidate: Mapping[str, Any]) -> bool:
    return isinstance(candidate.get("privacy"), Mapping)


def require_declared(config: Mapping[str, Any], dataset: "Dataset", file: Path | None) -> None:
    """Refuse a table on which every private candidate would be refused, in one error for all that is missing.

    Parameters
    ----------
    config : mapping
        Resolved root configuration with its section ``recommend``.
    dataset : Dataset
    file : Path or None
        Yaml file that declares the facts, or would.

    Raises
    ------
    InputError
    """
    from trisynth.generators.base import Generator

    refused: list[InputError] = []
    for name, candidate in config["recommend"]["candidates"].items():
        if not _has(candidate):
            return
        kind, allow = subclass(Generator), config.get("allow", ())
        made = instantiate(candidate, f"recommend.candidates.{name}", kind=kind, allow=allow)
        missing = _missing(made, dataset)
        if not missing:
            return
        refused = refused or missing
    if not refused:
        return
    first, *others = refused
    where = f"; the file of facts is {file}" if file else ""
    if file and not file.exists():
        where += ", which trisynth prepare writes"
    remedy = "; ".join([first.remedy, *(f"{each.parameter} {each.remedy}" for each in others)])
    raise InputError(first.parameter, first.value, f"{remedy}{where}")


def _missing(made: "Generator", dataset: "Dataset") -> list[InputError]:
    """List what a private fit of a data set would be refused for, by its own checks; nothing is fitted."""
    found: list[InputError] = []
    while True:
        try:
            made.require_declared(dataset)
        except InputError as error:
            found.append(error)
        else:
            return found
        if found[-1].parameter == "dataset.confirmed" and not dataset.spec.confirmed:
            dataset = replace(dataset, spec=replace(dataset.spec, confirmed=True))
        elif found[-1].parameter == "privacy.delta" and found[-1].value is None and dataset.spec.rows is None:
            dataset = replace(dataset, spec=replace(dataset.spec, rows=_SOME_ROWS))
        else:
            return found

"""The pages of the report: tables and gains of a sweep, figures of a data set, and studies declared in yaml."""

import inspect
import json
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from trisynth import places
from trisynth.cache import write_atomic
from trisynth.config import CONF, locate, parameters_of
from trisynth.data import tensors, texts
from trisynth.data.arrays.features import summarised
from trisynth.data.dataset import Column
from trisynth.errors import InputError
from trisynth.report import comparison, jobs, page
from trisynth.report.figures import nearest, samples, style
from trisynth.report.figures.class_counts import class_counts
from trisynth.report.figures.correlation import correlation
from trisynth.report.figures.distributions import distributions
from trisynth.report.figures.excerpts import excerpts
from trisynth.report.figures.gains import gains_picture, gains_rows
from trisynth.report.figures.ranks import ranks_picture
from trisynth.report.markup import Table
from trisynth.report.page import Picture
from trisynth.report.tables import all_tables


def _is_shown(function: Any) -> bool:
    if not inspect.isfunction(function) or not function.__module__.startswith("trisynth.studies."):
        return False
    return typing.get_type_hints(function).get("return") in (Picture, Table)


_SHOWN = places.Kind("a function of trisynth.studies that returns a Picture or a Table", _is_shown)


def tables(results: Path, out: Path, command: str, test_size: float, metrics: Path | None = None) -> None:
    """Write the tables of a sweep, and its headline numbers to ``metrics`` where given.

    Raises
    ------
    InputError
        If ``test_size`` is out of range, the results cannot be read or used, or a folder cannot be written.
    """
    if not 0 < test_size < 1:
        raise InputError("test-size", test_size, "must lie between 0 and 1")
    found = jobs.read(results)
    page.write(out, "Tables", command, all_tables(jobs.by_method(found), test_size))
    _headline(found, metrics)


def gains(results: Path, out: Path, command: str) -> None:
    """Write the gains of a sweep over the real rows, as a figure and as ``gains.csv``.

    Raises
    ------
    InputError
        If the results cannot be read or used, or ``out`` cannot be written.
    """
    found = jobs.by_method(jobs.read(results))
    page.write(out, "Gains", command, [gains_picture(found)])
    rows = gains_rows(found)
    write_atomic(out / "gains.csv", rows.to_csv(index=False, float_format="%.6f", lineterminator="\n"))


def compare(
    results: list[Path],
    score: str,
    against: str,
    lower_is_better: bool,
    rope: float,
    out: Path,
    command: str,
    test_size: float,
) -> None:
    """Write ranks and tests of generators over data sets; see ``comparison.read`` for the first arguments.

    Raises
    ------
    InputError
        If the results cannot be read or used, ``test_size`` is out of range, or ``out`` cannot be written.
    """
    if not 0 < test_size < 1:
        raise InputError("test-size", test_size, "must lie between 0 and 1")
    found = comparison.read(results, score, against, lower_is_better, rope)
    shown = [ranks_picture(found.means, score, lower_is_better), comparison.overall_table(found)]
    page.write(out, "Comparison of generators", command, [*shown, comparison.by_dataset_table(found, test_size)])


def _classes(about: dict) -> str | None:
    return about["target"] if about["task"] == "classification" else None


def figures(source: Path, out: Path, command: str) -> None:
    """Write the figures of one data set: correlations, distributions and, for classes, their counts.

    Parameters
    ----------
    source : Path
        Folder with ``real.parquet``, ``synthetic.parquet``, ``balanced.parquet`` (only the synthetic rows that fill
        the classes), each with the target as last column, and ``about.json``.
    out : Path
        Folder of the page.
    command : str

    Raises
    ------
    InputError
        If a file is missing or damaged, or ``out`` cannot be written.
    """
    about = _read(source / "about.json", lambda path: json.loads(path.read_text()))
    real, synthetic = (_read(source / f"{part}.parquet", tensors.read_parquet) for part in ("real", "synthetic"))
    common = {"generator": about["generator"].replace("_", " "), "simulated": about["simulated"]}
    title, target = about["title"], about["target"]
    facts = {name: Column(kind="tensor", **each) for name, each in about.get("tensors", {}).items()}
    panels = samples.of_table(real, synthetic, facts, title=title, target=_classes(about), **common)
    caption = "Real (left) and synthetic (right) samples of each class: the first rows of each table."
    found = [Picture(f"samples_{name}", caption, figure) for name, figure in panels.items()]
    caption = "Synthetic images or series (above), and the nearest training rows (below)."
    found += [
        Picture(f"nearest_{name}", caption, figure)
        for name, figure in nearest.of_table(real, synthetic, facts, title=title, **common).items()
    ]
    for name in (name for name in real if texts.is_text(real[name].dtype)):
        panel = excerpts(real, synthetic, name, title, _classes(about), **common)
        caption = "Beginnings of real (left) and synthetic (right) texts of each class: the first rows of each table."
        found.append(Picture(f"samples_{name}", caption, panel))
    real, synthetic = (summarised(table, facts) for table in (real, synthetic))
    found += [
        Picture(
            "correlation",
            "Association of every pair of columns: real, synthetic, and their difference.",
            correlation(real, synthetic, title, **common),
        ),
        Picture(
            "distributions",
            "Real against synthetic distribution of every feature and of the target.",
            distributions(real, synthetic, title, about["units"], **common),
        ),
    ]
    if about["task"] == "classification":
        balanced = _read(source / "balanced.parquet", tensors.read_parquet)
        counts = class_counts(real[target], balanced[target], title, **common)
        caption = "Rows of each class before and after synthetic rows fill it up to the largest."
        found.append(Picture("class_counts", caption, counts))
    heading = style.capitalised(title) + (style.SIMULATED if about["simulated"] else "")
    page.write(out, heading, command, found)


def study(
    name: str,
    results: Path,
    out: Path,
    command: str,
    config_dir: Path | None = None,
    metrics: Path | None = None,
) -> None:
    """Write the page that an experiment declares under ``study``, from the results of its sweep.

    Each entry of ``study.shows`` has the ``_target_`` of a function that takes the jobs, a DataFrame with one row each,
    and returns a ``Picture`` or a ``Table``; other keys are further arguments.

    Raises
    ------
    InputError
        If the declaration is missing or wrong, the results cannot be read or used, or a folder cannot be written.
    """
    declared = declaration(name, config_dir or CONF)
    makers = [maker(entry, f"study.shows[{place}]") for place, entry in enumerate(declared["shows"])]
    found = jobs.read(results)
    page.write(out, declared["title"], command, [make(found) for make in makers])
    _headline(found, metrics)


def declaration(name: str, conf: Path = CONF) -> Mapping[str, Any]:
    """Read what ``conf/experiment/<name>.yaml`` declares under ``study``: ``title`` and ``shows``.

    Raises
    ------
    InputError
        If there is none.
    """
    known = declared(conf)
    if name not in known:
        raise InputError("study", name, f"must be one of {', '.join(known)}, the experiments that declare a study")
    found = known[name]
    complete = isinstance(found, Mapping) and set(found) == {"title", "shows"} and isinstance(found["shows"], list)
    if not complete:
        raise InputError("study", found, f"must have a title and a list named shows in experiment/{name}.yaml")
    return found


def declared(conf: Path = CONF) -> dict[str, Any]:
    """Read the studies that the experiments of a folder of configs declare, by name."""
    contents = {path.stem: yaml.safe_load(path.read_text()) or {} for path in sorted(conf.glob("experiment/*.yaml"))}
    return {name: content["study"] for name, content in contents.items() if content.get("study")}


def maker(entry: Any, place: str) -> Callable[[pd.DataFrame], Any]:
    """Build the function of the jobs that an entry of ``study.shows`` describes.

    Raises
    ------
    InputError
        If the entry has no ``_target_``, or one that is unknown, not allowed, or does not take its arguments.
    """
    if not isinstance(entry, Mapping) or "_target_" not in entry:
        raise InputError(place, entry, "must be a mapping with a _target_, a function of the jobs")
    function = locate(entry["_target_"], f"{place}._target_", kind=_SHOWN)
    arguments = {key: value for key, value in entry.items() if key != "_target_"}
    places.check_names(place, function, arguments)

    def make(found: pd.DataFrame) -> Any:
        with parameters_of(place, arguments):
            return function(found, **arguments)

    return make


def _headline(found: pd.DataFrame, metrics: Path | None) -> None:
    if metrics is not None:
        write_atomic(metrics, json.dumps(jobs.headline(found), indent=1) + "\n")


def _read(path: Path, read: Callable[[Path], Any]) -> Any:
    try:
        return read(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise InputError("source", str(path), f"cannot be read ({reason}); run `dvc repro` to make it") from None

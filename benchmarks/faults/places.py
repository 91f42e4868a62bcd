"""Places of configurations, of yaml files beside tables and of saved generators that name an object."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from hydra.experimental.callback import Callback
from omegaconf import OmegaConf
from sklearn.base import BaseEstimator

from trisynth.commandline import composed
from trisynth.commandline.beside import merge, unfolded
from trisynth.commandline.guard import check
from trisynth.data import prepare
from trisynth.data.splits.folds import Fold
from trisynth.evaluation.arms import Arm
from trisynth.evaluation.metrics.base import GROUPS
from trisynth.experiment.build import build
from trisynth.experiment.job import Job
from trisynth.generators.base import Generator
from trisynth.generators.independent import Independent
from trisynth.objective import Loss
from trisynth.privacy import Budget
from trisynth.recommend.plan.private import require_budgets
from trisynth.recommend.plan.settings import Settings
from trisynth.recommend.trials import Trial
from trisynth.recommend.trials import jobs as trial_jobs
from trisynth.report.pages import maker


@dataclass(frozen=True)
class Place:
    """Place of a configuration that names an object.

    Parameters
    ----------
    name : str
        Dotted position.
    build : callable
        Builds what a config at this place describes.
    kind : callable
        Returns True for an object of the kind of the place, independently of the check that is tried.
    """

    name: str
    build: Callable[[dict[str, Any]], Any]
    kind: Callable[[Any], bool]


def _within(config: dict[str, Any], dotted: str, value: Any) -> dict[str, Any]:
    """Copy a config with another value at a position."""
    first, _, rest = dotted.partition(".")
    return {**config, first: _within(config.get(first) or {}, rest, value) if rest else value}


def _trials(config: dict[str, Any]) -> None:
    """Build what the first trial of each candidate would."""
    settings = Settings.of(config["recommend"])
    for name in settings.candidates:
        for each in trial_jobs(Trial(name, Fold("choose", 0), (1.0,)), config, settings, ()):
            build(Job.from_config(each))


def _with_facts(dataset: dict[str, Any], file: Path, facts: dict[str, Any]) -> None:
    """Read a table beside whose file other facts are declared."""
    file.write_text(yaml.safe_dump(facts))
    try:
        root = OmegaConf.create({"dataset": dataset})
        merge(root)
        prepare(unfolded(OmegaConf.to_container(root))["dataset"])
    finally:
        file.unlink()


def _members(folder: Path) -> dict[str, bytes]:
    """Save a generator, and return the members of its file."""
    file = folder / "saved.zip"
    Independent().fit(pd.DataFrame({"a": [1.0, 2.0] * 5, "b": ["x", "y"] * 5})).save(file)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _load(members: dict[str, bytes], config: dict[str, Any]) -> Generator:
    """Load a saved generator whose file names another class."""
    state = json.loads(members["state.json"])
    changed = json.dumps({**state, "class": config["_target_"]}).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, changed if name == "state.json" else content)
    Path("changed.zip").write_bytes(buffer.getvalue())
    try:
        return Generator.load("changed.zip")
    finally:
        Path("changed.zip").unlink()


def _is_reader(found: Any) -> bool:
    return getattr(found, "_is_reader", False) is True


def _subclass(*bases: type) -> Callable[[Any], bool]:
    return lambda found: isinstance(found, type) and issubclass(found, bases)


@cache
def _settings(*overrides: str) -> dict[str, Any]:
    """Compose a configuration once."""
    return composed(["dataset=csv", "dataset.path=rows.csv", "dataset.target=y", *overrides])


def places(folder: Path) -> list[Place]:
    """Return every place of a job, of a study and of Hydra's settings that names an object."""
    (folder / "rows.csv").write_text("a,y\n1,0\n2,1\n")
    whole = _settings("generator=independent", "classifier=logistic", "metrics=minimal")
    # Only what a job must have: each other object would be built again for each attempt.
    dataset = {name: whole["dataset"][name] for name in ("name", "target", "read")}
    dataset["path"] = str(folder / "rows.csv")
    given = {**whole, "dataset": dataset, "arms": {}, "metrics": {}}

    def with_generator(name: str) -> dict[str, Any]:
        return {**given, "generator": {"_target_": f"trisynth.generators.{name}"}}

    neural, private, composite = map(with_generator, ("neural.vae.VAE", "private.mst.MST", "composed.Composed"))
    budget = _within(private, "generator.privacy", {"_target_": "trisynth.privacy.budget.Budget"})

    def job(position: str, base: dict[str, Any] = given) -> Callable[[dict[str, Any]], Any]:
        return lambda config: build(Job.from_config(_within(base, position, config)))

    def facts(position: str) -> Callable[[dict[str, Any]], Any]:
        return lambda config: prepare(_within(given["dataset"], position, config))

    def hydra(position: str) -> Callable[[dict[str, Any]], Any]:
        return lambda config: check(OmegaConf.create({"allow": [], "hydra": _within({}, position, config)}))

    def trial(position: str) -> Callable[[dict[str, Any]], Any]:
        return lambda config: _trials(_within(advised, position, config))

    def budgeted(position: str) -> Callable[[dict[str, Any]], Any]:
        return lambda config: require_budgets(_within(limited, position, config), given=True)

    def beside_table(position: str) -> Callable[[dict[str, Any]], Any]:
        return lambda config: _with_facts(given["dataset"], folder / "rows.yaml", _within({}, position, config))

    advised = {**_settings("+recommend=default"), "dataset": dataset, "arms": {}, "metrics": {}}
    only = {"candidates": {"x": given["generator"]}, "classifiers": {"x": given["classifier"]}}
    advised["recommend"] = {**advised["recommend"], **only}
    limited = {**advised, "recommend": {**advised["recommend"], "candidates": {"x": budget["generator"]}}}
    saved = _members(folder)
    estimator = _subclass(BaseEstimator)
    none = lambda _: False  # noqa: E731
    return [
        Place("dataset.read", job("dataset.read"), _is_reader),
        Place("preprocessing", job("preprocessing"), estimator),
        Place("preprocessing.scaler", job("preprocessing.scaler"), estimator),
        Place("generator", job("generator"), _subclass(Generator)),
        Place("generator.loss", job("generator.loss", neural), _subclass(Loss)),
        Place("generator.encoder", job("generator.encoder", neural), estimator),
        Place("generator.epochs", job("generator.epochs", neural), none),
        Place("generator.backbone", job("generator.backbone", neural), none),
        *(
            Place(f"generator.{part}", job(f"generator.{part}", composite), _subclass(Generator))
            for part in ("table", "array", "text")
        ),
        Place("generator.privacy", job("generator.privacy", private), _subclass(Budget)),
        Place("generator.privacy.epsilon", job("generator.privacy.epsilon", budget), none),
        Place("privacy under recommend", budgeted("privacy"), _subclass(Budget)),
        Place("recommend.candidates.x", trial("recommend.candidates.x"), _subclass(Generator)),
        Place("recommend.candidates.x.privacy", budgeted("recommend.candidates.x.privacy"), _subclass(Budget)),
        Place("recommend.classifiers.x", trial("recommend.classifiers.x.classification"), estimator),
        Place("dataset.columns.a", facts("columns.a"), none),
        Place("dataset.columns.a.categories", facts("columns.a.categories"), none),
        Place("dataset.columns.a.shape", facts("columns.a.shape"), none),
        Place("dataset.missing", facts("missing"), none),
        Place("dataset.constraints", facts("constraints"), none),
        Place("yaml beside a table: read", beside_table("read"), _is_reader),
        Place("yaml beside a table: columns.a", beside_table("columns.a"), none),
        Place("class of a saved generator", lambda config: _load(saved, config), _subclass(Generator)),
        Place("classifier.classification", job("classifier.classification"), estimator),
        Place("classifier.regression", job("classifier.regression"), estimator),
        Place("arms.real", job("arms.real"), _subclass(Arm)),
        *(Place(f"metrics.{group}", job(f"metrics.{group}.x"), _subclass(kind)) for group, kind in GROUPS.items()),
        Place("study.shows", lambda config: maker(config, "study.shows"), none),
        *(Place(f"hydra.{name}", hydra(name), none) for name in ("launcher", "sweeper", "launcher.x")),
        Place("hydra.callbacks.x", hydra("callbacks.x"), _subclass(Callback)),
    ]

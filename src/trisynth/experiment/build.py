"""All objects of a job, built from its resolved configuration before the first row is read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.base import BaseEstimator, clone

from trisynth import data, renamed
from trisynth.config import instantiate, parameters_of
from trisynth.data.dataset import TASKS, Dataset
from trisynth.data.load import Reader
from trisynth.errors import InputError
from trisynth.evaluation.arms import Arm
from trisynth.evaluation.classifiers import Classifier
from trisynth.evaluation.metrics.base import GROUPS, Metric
from trisynth.experiment.job import Job
from trisynth.generators.base import Generator
from trisynth.places import CLASSIFIER, REGRESSOR, TRANSFORMER, Kind, subclass


@dataclass(frozen=True)
class Objects:
    """The objects of one job; none of them is fitted.

    Parameters
    ----------
    read : callable
        Reads the raw table.
    encoder : BaseEstimator
        Table to matrix, for classifiers and distances.
    generator : Generator
    classifier : Classifier
    arms : mapping of str to Arm
    metrics : mapping of str to mapping of str to Metric
        By group and name.
    """

    read: Reader
    encoder: BaseEstimator
    generator: Generator
    classifier: Classifier
    arms: Mapping[str, Arm]
    metrics: Mapping[str, Mapping[str, Metric]]

    def fit_generator(self, train: Dataset, seed: int) -> Generator:
        """Fit a copy of the generator; errors name its parameters as ``generator.<parameter>``."""
        generator = clone(self.generator)
        with parameters_of("generator", generator.get_params(deep=False)):
            return generator.fit(train, seed=seed)


def build(job: Job) -> Objects:
    """Build every object that a job names, each checked to be of its kind.

    Raises
    ------
    InputError
        If a name, an argument or the kind of an object is wrong; the parameter has its dotted name.
    """
    allow = job.allow
    return Objects(
        read=data.reader(job.dataset, allow),
        encoder=_of_kind(TRANSFORMER, job.preprocessing, "preprocessing", allow),
        generator=_generator(job.generator, allow),
        classifier=_classifier(job.classifier, job.dataset.get("task"), allow),
        arms={name: _of_kind(subclass(Arm), arm, f"arms.{name}", allow) for name, arm in job.arms.items()},
        metrics=_metrics(job.metrics, allow),
    )


def _of_kind(kind: Kind, config: Any, name: str, allow: Iterable[str]) -> Any:
    if not isinstance(config, Mapping) or "_target_" not in config:
        raise InputError(name, config, f"must name {kind.due} as _target_")
    return instantiate(config, name, kind=kind, allow=allow)


def _generator(config: Any, allow: Iterable[str]) -> Generator:
    made = _of_kind(subclass(Generator), config, "generator", allow)
    with parameters_of("generator", made.get_params(deep=False)):
        made.check()
    return made


def _classifier(config: Mapping[str, Any], task: str | None, allow: Iterable[str]) -> Classifier:
    """Build the estimators of a task; where the values decide the task, those of both."""
    kinds = {"classification": CLASSIFIER, "regression": REGRESSOR}
    tasks = [name for name in TASKS if config.get(name) is not None and task in (None, name)]
    made = {name: _of_kind(kinds[name], config[name], f"classifier.{name}", allow) for name in tasks}
    return Classifier(config.get("name", "classifier"), **made)


def _metrics(config: Mapping[str, Any], allow: Iterable[str]) -> dict[str, dict[str, Metric]]:
    for group in config:
        if present := renamed.group(group, config[group]):
            raise InputError(f"metrics.{group}", config[group], f"is now called metrics.{present}")
        if group not in GROUPS:
            raise InputError(f"metrics.{group}", config[group], f"no such group; known: {', '.join(GROUPS)}")
    found = {}
    for group, kind in GROUPS.items():
        named = config.get(group) or {}
        if not isinstance(named, Mapping):
            remedy = "must map names to metrics, such as {c2st: {_target_: ...}}; see conf/metrics/default.yaml"
            raise InputError(f"metrics.{group}", named, remedy)
        due = subclass(kind)
        found[group] = {name: _of_kind(due, each, f"metrics.{group}.{name}", allow) for name, each in named.items()}
    return found

"""All objects of a job, built from its resolved configuration before the first row is read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

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

T = TypeVar("T")


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
        encoder=_encoder(job.preprocessing, allow),
        generator=_of_kind(Generator, job.generator, "generator", allow),
        classifier=_classifier(job.classifier, job.dataset.get("task"), allow),
        arms={name: _of_kind(Arm, arm, f"arms.{name}", allow) for name, arm in job.arms.items()},
        metrics=_metrics(job.metrics, allow),
    )


def _of_kind(kind: type[T], config: Any, name: str, allow: Iterable[str]) -> T:
    made = instantiate(config, name, allow=allow)
    if not isinstance(made, kind):
        raise _unfit(config, name, f"a subclass of {kind.__name__}")
    return made


def _unfit(config: Any, name: str, due: str) -> InputError:
    if isinstance(config, Mapping) and "_target_" in config:
        return InputError(f"{name}._target_", config["_target_"], f"must be {due}")
    return InputError(name, config, f"must name {due} as _target_")


def _encoder(config: Any, allow: Iterable[str]) -> BaseEstimator:
    made = _of_kind(BaseEstimator, config, "preprocessing", allow)
    if not hasattr(made, "transform"):
        raise _unfit(config, "preprocessing", "an encoder with fit and transform, such as TableEncoder")
    return made


def _classifier(config: Mapping[str, Any], task: str | None, allow: Iterable[str]) -> Classifier:
    """Build the estimators of a task; where the values decide the task, those of both."""
    tasks = [name for name in TASKS if config.get(name) is not None and task in (None, name)]
    made = {name: _of_kind(BaseEstimator, config[name], f"classifier.{name}", allow) for name in tasks}
    return Classifier(config.get("name", "classifier"), **made)


def _metrics(config: Mapping[str, Any], allow: Iterable[str]) -> dict[str, dict[str, Metric]]:
    for group in config:
        if group not in GROUPS:
            if present := renamed.SETTINGS.get(f"metrics.{group}"):
                raise InputError(f"metrics.{group}", config[group], f"is now called {present}")
            raise InputError(f"metrics.{group}", config[group], f"no such group; known: {', '.join(GROUPS)}")
    found = {}
    for group, kind in GROUPS.items():
        named = config.get(group) or {}
        if not isinstance(named, Mapping):
            remedy = "must map names to metrics, such as {c2st: {_target_: ...}}; see conf/metrics/default.yaml"
            raise InputError(f"metrics.{group}", named, remedy)
        found[group] = {name: _of_kind(kind, each, f"metrics.{group}.{name}", allow) for name, each in named.items()}
    return found

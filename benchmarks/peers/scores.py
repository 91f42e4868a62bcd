"""Scores of one generator's rows on one split, by the package's own pipeline."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from trisynth import commandline
from trisynth.cache import Store
from trisynth.config import code_digest, digest, locate, own_module
from trisynth.data.dataset import Dataset
from trisynth.job import Job
from trisynth.metrics.context import Context
from trisynth.pipeline import Experiment, class_counts
from trisynth.preprocessing.schema import Schema

CLASSIFIERS = ("logistic", "forest", "boosting")
KEPT = ("roc_auc", "pr_auc", "f1_macro", "balanced_accuracy", "log_loss")
# The largest class over the smallest, from which a table counts as imbalanced.
IMBALANCED = 9
_REAL_ARMS = ("real", "class_weight", "oversampled")


def jobs(generator: str, table: str, split: int) -> dict[str, Job]:
    """The job that a run of this generator would have, with each classifier."""
    overrides = [f"dataset={table}", f"generator={generator}", f"seed={split}"]
    first = Job.from_config(commandline.composed([*overrides, f"classifier={CLASSIFIERS[0]}"]))
    others = (commandline.composed([f"classifier={name}"])["classifier"] for name in CLASSIFIERS[1:])
    return {job.classifier["name"]: job for job in (first, *(replace(first, classifier=config) for config in others))}


def code_key(job: Job) -> str:
    """Digest of the code that scores, and of what it is told to score."""
    names = [name for part in ("utility", "fidelity", "privacy") for name in job.metrics[part]]
    return digest(
        code_digest("trisynth.classifiers", *sorted(filter(None, map(own_module, names)))),
        [job.metrics, job.arms, job.preprocessing, CLASSIFIERS, KEPT, IMBALANCED],
    )


def requests(train: Dataset, job: Job, own: bool) -> list[Any]:
    """What to sample: as many rows as there are real ones and, of ours where classes are far apart, those that fill
    the classes up to the largest."""
    counts = class_counts(train)
    present = {label: n for label, n in counts.items() if n}
    if not own:
        return [present]
    balanced = locate(job.arms["balanced"]["_target_"])().needs(counts)
    return [len(train)] + [balanced] * (max(present.values()) > IMBALANCED * min(present.values()))


class Rows(Experiment):
    """An experiment whose synthetic rows are given.

    Parameters
    ----------
    job : Job
    store : Store
    given : sequence of (request, DataFrame, str)
        What was asked for, the rows with their target, and their digest.
    """

    def __init__(self, job: Job, store: Store, given: Mapping[str, tuple[str, pd.DataFrame]]):
        super().__init__(job, store)
        self.given = given

    def rows(self, n: Any) -> tuple[str, Dataset]:
        key, table = self.given["balanced" if isinstance(n, Mapping) else "synthetic"]
        return key, as_dataset(table, self.parts[0])


def as_dataset(table: pd.DataFrame, train: Dataset) -> Dataset:
    """A peer's rows in the dtypes of the training rows, numbers on their column's step and within its range.

    Our generators do this by themselves; without it, a fraction in a column of whole numbers would give a peer away.
    """
    schema = Schema.learn(train.X)
    X = schema.restore(schema.canonical(table[list(train.X)]))
    y = pd.Series(table[train.spec.target].astype(str), dtype=train.y.dtype, name=train.y.name)
    known = y.notna().to_numpy()
    return Dataset(X[known].reset_index(drop=True), y[known].reset_index(drop=True), train.spec)


def real(split_jobs: Mapping[str, Job], store: Store) -> dict[str, Any]:
    """Scores of the arms that need no generator."""
    return _arms(split_jobs, store, {}, _REAL_ARMS)


def synthetic(split_jobs: Mapping[str, Job], store: Store, given: Mapping[str, tuple[str, pd.DataFrame]]) -> dict:
    """Scores of the arms that the given rows allow, and fidelity and copying of the first ones."""
    arms = ("synthetic", "combined", *(["balanced"] if "balanced" in given else []))
    found = _arms(split_jobs, store, given, arms)
    experiment = Rows(next(iter(split_jobs.values())), store, given)
    (train, test), (_, rows) = experiment.parts, experiment.rows(0)
    found["rows"] = class_counts(rows)
    context = Context(train, test, rows, experiment.encoder, experiment.job.seed)
    with threadpool_limits(limits=1):
        for part in ("fidelity", "privacy"):
            metrics = (locate(name)(context) for name in experiment.job.metrics[part])
            found[part] = {name: round(value, 5) for scores in metrics for name, value in scores.items()}
    return found


def _arms(split_jobs: Mapping[str, Job], store: Store, given: Mapping, arms: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {"arms": {arm: {} for arm in arms}}
    for name, job in split_jobs.items():
        experiment = Rows(job, store, given)
        with threadpool_limits(limits=1):
            for arm in arms:
                scores, _ = experiment.arm(arm)
                found["arms"][arm][name] = {key: round(scores[key], 5) for key in KEPT if key in scores}
    return found

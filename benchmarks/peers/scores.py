"""Scores of one generator's rows on one split, by the steps of the package."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from trisynth import commandline
from trisynth.cache import Store
from trisynth.config import code_digest, digest, locate, targets
from trisynth.data.dataset import Dataset
from trisynth.data.schema import Schema
from trisynth.evaluation.metrics.context import Context
from trisynth.experiment.build import build
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment

CLASSIFIERS = ("logistic", "forest", "boosting")
KEPT = ("roc_auc", "average_precision", "f1_macro", "balanced_accuracy", "log_loss")
# Named here and not read from the default configuration: what is added there makes no result stale.
_CLASSES = {
    "utility": ("utility.Decisions", "utility.Ranking", "utility.Probabilities"),
    "fidelity": (
        "fidelity.Moments",
        "fidelity.Distances",
        "fidelity.Divergences",
        "fidelity.Correlation",
        "c2st.C2ST",
    ),
    "copying": ("copying.IdenticalMatchShare", "copying.NearestRecord"),
}
METRICS = {
    group: {name: {"_target_": f"trisynth.evaluation.metrics.{name}"} for name in names}
    for group, names in _CLASSES.items()
}
# The largest class over the smallest, from which a table counts as imbalanced.
IMBALANCED = 9
# Most rows to fill classes up with; three classifiers on more take an hour for each generator.
_FILLED = 100_000
_REAL_ARMS = ("real", "class_weight", "oversampled")
_ARMS = (*_REAL_ARMS, "synthetic", "combined", "balanced")
# Small tables with missing cells, categories, whole numbers, two classes and five.
_PROBES = ("cleveland", "pima")


def jobs(generator: str, table: str, split: int) -> dict[str, Job]:
    """The job that a run of this generator would have, with each classifier."""
    overrides = [f"dataset={table}", f"generator={generator}", f"seed={split}"]
    job = Job.from_config(commandline.composed(overrides))
    job = replace(job, metrics=METRICS, arms={name: job.arms[name] for name in _ARMS})
    configs = (commandline.composed([f"classifier={name}"])["classifier"] for name in CLASSIFIERS)
    return {config["name"]: replace(job, classifier=config) for config in configs}


def fingerprint(store: Store, raw: str) -> str:
    """Digest of what the present code scores on rows that never change: the training rows of two small tables.

    Results hang on this and not on the code's own digest, so that code which is only written better, or which is
    added, makes no result stale; the digest of the code decides when to look again.
    """
    probes = {table: placed(jobs("copy", table, 0), raw) for table in _PROBES}
    configs = [[job.classifier, job.preprocessing, job.arms] for job in probes[_PROBES[0]].values()]
    modules = "trisynth.evaluation.classifiers", "trisynth.data.splits.split", *targets(METRICS)
    code = digest(configs, METRICS, KEPT, code_digest(*modules))

    def make(folder: Path) -> None:
        found = []
        for split_jobs in probes.values():
            train, _ = Rows(next(iter(split_jobs.values())), store, {}).parts
            given = {"synthetic": (train.digest, train.frame)}
            found += [real(split_jobs, store), synthetic(split_jobs, store, given)]
        # Other machines may round another way.
        rounded = json.loads(json.dumps(found), parse_float=lambda text: round(float(text), 3))
        (folder / "fingerprint").write_text(digest(rounded))

    return store.get_or_make("fingerprint", code, make, lambda folder: (folder / "fingerprint").read_text())


def placed(split_jobs: Mapping[str, Job], raw: str) -> dict[str, Job]:
    """Jobs that find their raw tables in the folder ``raw``."""
    return {name: replace(job, raw=raw) for name, job in split_jobs.items()}


def requests(train: Dataset, job: Job, own: bool) -> list[Any]:
    """Rows to sample: as many as there are real ones and, of ours where classes are imbalanced, those that fill
    the classes up to the largest, unless these are too many."""
    counts = train.counts
    present = {label: n for label, n in counts.items() if n}
    if not own:
        return [present]
    balanced = locate(job.arms["balanced"]["_target_"])().needs(counts)
    imbalanced = max(present.values()) > IMBALANCED * min(present.values())
    return [len(train)] + [balanced] * (imbalanced and sum(balanced.values()) <= _FILLED)


class Rows(Experiment):
    """An experiment whose synthetic rows are given.

    Parameters
    ----------
    job : Job
    store : Store
    given : sequence of (request, DataFrame, str)
        Key of the request, rows with their target, and their digest.
    """

    def __init__(self, job: Job, store: Store, given: Mapping[str, tuple[str, pd.DataFrame]]):
        super().__init__(job, build(job), store)
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
    return by_arm(split_jobs, store, {}, _REAL_ARMS)


def synthetic(split_jobs: Mapping[str, Job], store: Store, given: Mapping[str, tuple[str, pd.DataFrame]]) -> dict:
    """Scores of the arms that the given rows allow, and fidelity and copying of the first ones."""
    arms = ("synthetic", "combined", *(["balanced"] if "balanced" in given else []))
    found = by_arm(split_jobs, store, given, arms)
    experiment = Rows(next(iter(split_jobs.values())), store, given)
    (train, test), (_, rows) = experiment.parts, experiment.rows(0)
    found["rows"] = rows.counts
    context = Context(train, test, rows, experiment.encoder, experiment.job.seed)
    with threadpool_limits(limits=1):
        for part in ("fidelity", "copying"):
            scores = (metric.score(context) for metric in experiment.objects.metrics[part].values())
            found[part] = {name: round(value, 5) for each in scores for name, value in each.items()}
    return found


def by_arm(split_jobs: Mapping[str, Job], store: Store, given: Mapping, arms: tuple[str, ...]) -> dict[str, Any]:
    """Scores that are kept, by arm and classifier."""
    found: dict[str, Any] = {"arms": {arm: {} for arm in arms}}
    for name, job in split_jobs.items():
        experiment = Rows(job, store, given)
        with threadpool_limits(limits=1):
            for arm in arms:
                scores, _ = experiment.arm(arm)
                found["arms"][arm][name] = {key: round(scores[key], 5) for key in KEPT if key in scores}
    return found

"""The steps of a job: data, generator, synthetic rows, arms, metrics; independent of Hydra and MLflow.

A job is one data set, generator, classifier and seed, with all arms, which are thus scored on the same test rows.
Every step is stored under the digest of exactly what it depends on. A generator is therefore fitted once for all
classifiers, and an arm without synthetic rows is scored once for all generators.
"""

import json
import math
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator, clone
from threadpoolctl import threadpool_limits

from trisynth import data
from trisynth.cache import Store, sha256
from trisynth.data.dataset import Dataset
from trisynth.evaluation import classifiers
from trisynth.evaluation.metrics.context import Context
from trisynth.evaluation.references import references
from trisynth.evaluation.scores import gains, row_scores, utility_scores
from trisynth.experiment.build import Objects
from trisynth.experiment.job import Job
from trisynth.experiment.results import Result
from trisynth.generators.base import Generator


class Experiment:
    """Steps of one job, each read from the store or made now.

    Parameters
    ----------
    job : Job
    objects : Objects
        Built from the job; see ``build``.
    store : Store
        Shared by all jobs.
    progress : callable, optional
        Receives the name of each step when it starts: ``data``, ``fit``, ``sample``, ``arm <name>``, ``metrics``.
        Steps that are read from the store are left out, except for arms and metrics.
    """

    def __init__(self, job: Job, objects: Objects, store: Store, progress: Callable[[str], None] | None = None):
        self.job, self.objects, self.store = job, objects, store
        self.progress = progress or (lambda step: None)
        self.seconds: dict[str, float] = defaultdict(float)
        self._fitted: Generator | None = None
        self._rows: dict[str, tuple[str, Dataset]] = {}

    @contextmanager
    def timed(self, part: str):
        """Add the time spent inside to ``seconds[part]``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] += time.perf_counter() - start

    @cached_property
    def dataset(self) -> Dataset:
        """Clean data set."""
        self.progress("data")
        with self.timed("load"):
            return data.load(self.job.dataset, self.job.raw, self.objects.read)

    @cached_property
    def parts(self) -> tuple[Dataset, Dataset]:
        """Real training and test rows."""
        dataset = self.dataset
        with self.timed("load"):
            return data.split(dataset, self.job.seed, self.job.test_size)

    @cached_property
    def encoder(self) -> BaseEstimator:
        """Encoder, fitted on the real training rows."""
        with self.timed("encode"):
            return clone(self.objects.encoder).fit(self.parts[0].X, self.parts[0].facts)

    def generator(self) -> Generator:
        """Return the generator, fitted on the real training rows."""
        train, _ = self.parts

        def make(folder: Path) -> None:
            self.progress("fit")
            with self.timed("fit"):
                fitted = self.objects.fit_generator(train, self.job.seed)
            fitted.save(folder / "generator.zip")

        if self._fitted is None:
            self._fitted = self.store.get_or_make(
                "generator",
                self.job.generator_key,
                make,
                lambda folder: Generator.load(folder / "generator.zip", self.job.allow),
            )
        return self._fitted

    def rows(self, n: Any) -> tuple[str, Dataset]:
        """Return the digest of synthetic rows, and the rows; ``n`` is as in ``Generator.sample``."""
        train, _ = self.parts

        def make(folder: Path) -> None:
            generator = self.generator()
            self.progress("sample")
            with self.timed("sample"):
                rows = train.drawn(generator.sample(n, self.job.seed))
            rows.write(folder / "rows.parquet")

        def read(folder: Path) -> tuple[str, Dataset]:
            return sha256(folder / "rows.parquet")[:16], Dataset.read(folder / "rows.parquet", train.spec)

        key = self.job.rows_key(n)
        if key not in self._rows:
            self._rows[key] = self.store.get_or_make("rows", key, make, read)
        return self._rows[key]

    def arm(self, name: str) -> tuple[dict[str, float], dict[str, int]]:
        """Return the scores of one arm on the real test rows, and its training rows per class."""
        train, test = self.parts
        arm, digest_of_rows, synthetic = self.objects.arms[name], None, None
        if arm.uses_synthetic:
            digest_of_rows, synthetic = self.rows(arm.needs(train.counts, self.generator))
        # Reported only here: the steps that make the synthetic rows are not part of the arm.
        self.progress(f"arm {name}")

        def make(folder: Path) -> None:
            training = arm.compose(train, synthetic, self.job.seed)
            given = self.objects.classifier, arm, training, self.encoder, test.X
            with self.timed("classify"):
                prediction = classifiers.fit_predict(*given, train.classes, self.job.seed)
            with self.timed("metrics"):
                scores = utility_scores(prediction, test, self.objects.metrics["utility"], train.classes)
            write_json(folder / "scores.json", [scores, train.counts_of(training.y)])

        key = self.job.arm_key(name, digest_of_rows)
        return tuple(self.store.get_or_make("scores", key, make, lambda folder: read_json(folder / "scores.json")))

    def comparison(self) -> dict[str, float]:
        """Return scores of an equal number of synthetic and real rows, each with its floor and ceiling."""
        train, test = self.parts

        def compare(synthetic: Dataset, generator: Callable[[], Generator] | None = None) -> dict[str, float]:
            context = Context(train, test, synthetic, self.encoder, self.job.seed, generator)
            return row_scores(context, {group: self.objects.metrics[group] for group in self.job.compared})

        def stored(rows_key: str | None, scores: Callable[[], dict[str, float]]) -> dict[str, float]:
            def make(folder: Path) -> None:
                with self.timed("metrics"):
                    write_json(folder / "scores.json", scores())

            key = self.job.comparison_key(rows_key)
            return self.store.get_or_make("scores", key, make, lambda folder: read_json(folder / "scores.json"))

        rows_key, synthetic = self.rows(len(train))
        frame = stored(None, lambda: references(train, self.job.seed, compare))
        return stored(rows_key, lambda: compare(synthetic, self.generator)) | frame

    def diagnostics(self) -> dict[str, float]:
        """Return the generator's diagnostics, and the terms of its loss in the last epoch."""
        generator = self.generator()
        found = {f"generator/{name}": value for name, value in generator.diagnostics().items()}
        curves = getattr(generator, "history_", {})
        found |= {f"final/{name}": values[-1] for name, values in curves.items() if values}
        return {name: value for name, value in found.items() if math.isfinite(value)}

    @property
    def remarks(self) -> list[str]:
        """Lines on where the job deviated from its settings."""
        return []

    def run(self) -> Result:
        """Run the job, arm by arm.

        Returns
        -------
        Result
            With ``<arm>/<metric>`` for every arm that fits the task, ``gain/<metric>`` = combined - real, and the
            fidelity and copying scores.
        """
        # One thread per job: jobs run side by side, and the order of floating-point sums stays the same.
        with threadpool_limits(limits=1):
            job, (train, test) = self.job, self.parts
            metrics: dict[str, float] = {}
            counts: dict[str, dict[str, int]] = {}
            for name, arm in self.objects.arms.items():
                if train.spec.task in arm.tasks:
                    scores, counts[name] = self.arm(name)
                    metrics |= {f"{name}/{metric}": value for metric, value in scores.items()}
            if {"real", "combined"} <= counts.keys():
                metrics |= gains(metrics)
            self.progress("metrics")
            metrics |= self.comparison() | self.diagnostics()
            digests = {"real_train": train.digest, "real_test": test.digest}
            digests["synthetic"] = self.rows(len(train))[0]
        seconds = {part: round(value, 4) for part, value in self.seconds.items()}
        return Result(job.key, job.name, job.config, metrics, digests, counts, seconds)


def write_json(path: Path, value: Any) -> None:
    """Write plain values; NaN is refused."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def read_json(path: Path) -> Any:
    """Read what ``write_json`` wrote."""
    return json.loads(path.read_text())

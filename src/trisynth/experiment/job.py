"""The identity of a job, and the digests of what each of its steps depends on."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from trisynth import data
from trisynth.config import allowed, code_digest, digest, target_name, targets
from trisynth.errors import InputError
from trisynth.evaluation.metrics.base import OPTIONAL

PARTS = ("dataset", "preprocessing", "generator", "classifier", "arms", "metrics", "seed", "test_size")


@dataclass(frozen=True)
class Job:
    """One cell of a sweep: a data set, a generator, a classifier and a seed.

    Parameters
    ----------
    dataset, preprocessing, generator, classifier, arms, metrics : mapping
        Resolved configurations, as the yaml files of ``conf`` have them.
    seed : int
        Seed of the split, of the generator and of the classifier, each in its own stream.
    test_size : float
        Fraction of the rows that are held out for testing.
    raw : str
        Folder of the raw files; not part of the key.
    allow : tuple of str
        Installed packages whose objects may be built; not part of the key, which has the version of those named.
    """

    dataset: Mapping[str, Any]
    preprocessing: Mapping[str, Any]
    generator: Mapping[str, Any]
    classifier: Mapping[str, Any]
    arms: Mapping[str, Any]
    metrics: Mapping[str, Any]
    seed: int = 0
    test_size: float = 1 / 3
    raw: str = "data/raw"
    allow: tuple[str, ...] = ()

    def __post_init__(self):
        """Check what the keys are computed from."""
        for part in PARTS[:6]:
            if not isinstance(getattr(self, part), Mapping):
                raise InputError(part, getattr(self, part), f"must name a file of conf/{part}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise InputError("seed", self.seed, "must be a whole number, 0 or more")
        if not isinstance(self.test_size, float) or not 0 < self.test_size < 1:
            raise InputError("test_size", self.test_size, "must lie between 0 and 1")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Job":
        """Build the job of a resolved root config; settings of tracking and folders are left out."""
        for name in ("raw", "cache", "runs"):
            if not isinstance((config["paths"] or {}).get(name), str):
                value = (config["paths"] or {}).get(name)
                raise InputError(f"paths.{name}", value, "must name a folder")
        parts = {part: config[part] for part in PARTS}
        return cls(**parts, raw=config["paths"]["raw"], allow=allowed(config.get("allow")))

    @cached_property
    def config(self) -> dict[str, Any]:
        """Settings that decide the result, as plain values."""
        return {part: getattr(self, part) for part in PARTS}

    # Each key names what a step depends on; upstream keys stand for all that lies before them.

    @cached_property
    def split_key(self) -> str:
        """Key of the training and test rows."""
        return digest(data.data_key(self.dataset), self.seed, self.test_size, code_digest("trisynth.data.splits.split"))

    @cached_property
    def generator_key(self) -> str:
        """Key of the fitted generator."""
        modules = targets(self.generator)
        return digest(self.split_key, self.generator, code_digest("trisynth.generators.base", *modules))

    def rows_key(self, n: Any) -> str:
        """Return the key of ``n`` synthetic rows."""
        return digest(self.generator_key, n)

    def arm_key(self, name: str, rows_key: str | None) -> str:
        """Return the key of one arm's scores; ``rows_key`` is the digest of its synthetic rows, None if it has none."""
        named = self.preprocessing, self.classifier, self.arms[name], self.metrics.get("utility")
        code = code_digest("trisynth.evaluation.classifiers", *targets(named))
        return digest(self.split_key, *named, rows_key, code)

    def comparison_key(self, rows_key: str | None) -> str:
        """Return the key of the scores of the rows ``rows_key``, None for floor and ceiling."""
        named = self.preprocessing, *(self.metrics.get(group) for group in self.compared)
        code = code_digest("trisynth.evaluation.references", *targets(named))
        # An attack may see the generator besides its rows.
        seen = [self.generator_key] if rows_key and self.metrics.get("privacy") else []
        return digest(self.split_key, *named, rows_key, code, *seen)

    @cached_property
    def compared(self) -> list[str]:
        """Groups of metrics of synthetic rows."""
        return ["fidelity", "copying", *(group for group in OPTIONAL if self.metrics.get(group))]

    @cached_property
    def key(self) -> str:
        """Digest of everything: equal keys mean equal results."""
        code = code_digest("trisynth.experiment.steps", "trisynth.experiment.build", *targets(self.config))
        return digest(self.config, self.generator_key, code)

    @cached_property
    def name(self) -> str:
        """Readable name of the job."""
        generator = target_name(self.generator)
        weights = self.generator.get("loss") or {}
        loss = [f"{key}={weights[key]:g}" for key in ("alpha", "beta", "gamma") if key in weights]
        return " ".join([self.dataset["name"], generator, self.classifier["name"], *loss, f"seed={self.seed}"])

"""Validation jobs: scored on a part of the training rows, never on the test rows.

A choice by scores (a search for weights, a look at a figure) must be made on such jobs; an ordinary job then tests the
choice. Ordinary jobs do not depend on this module, so that it changes neither their keys nor their bytes.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from trisynth.config import code_digest, digest
from trisynth.data.dataset import Dataset
from trisynth.data.splits.inner import inner
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment


@dataclass(frozen=True)
class ValidationJob(Job):
    """A job on the training rows of the ordinary job with the same settings; see ``Job``."""

    @cached_property
    def config(self) -> dict[str, Any]:
        """Settings that decide the result, as plain values."""
        return {**super().config, "validation": True}

    @cached_property
    def split_key(self) -> str:
        """Key of the inner training and the validation rows."""
        # All other keys but those of the arms' and the generator's own settings come from this one.
        return digest(super().split_key, "validation", code_digest("trisynth.data.splits.inner"))

    @cached_property
    def key(self) -> str:
        """Digest of everything: equal keys mean equal results."""
        return digest(super().key, code_digest("trisynth.experiment.validation"))

    @cached_property
    def name(self) -> str:
        """Readable name of the job."""
        return f"{super().name} validation"


class ValidationExperiment(Experiment):
    """Steps of a ``ValidationJob``, whose ``test`` is the validation part of the training rows throughout."""

    @cached_property
    def parts(self) -> tuple[Dataset, Dataset]:
        """Inner training and validation rows."""
        train, _ = super().parts
        with self.timed("load"):
            return inner(train, self.job.seed, self.job.test_size)

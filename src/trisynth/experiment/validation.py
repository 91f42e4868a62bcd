"""Jobs whose test rows stay sealed: they are scored on a part of the training rows.

Whatever chooses by scores (a search for weights, a look at a figure) must choose on such jobs, and run an ordinary one
for what it chose. An ordinary job knows nothing of this module, so that its key and its bytes are what they were.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from trisynth.config import code_digest, digest
from trisynth.data.dataset import Dataset
from trisynth.data.inner import inner
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment


@dataclass(frozen=True)
class ValidationJob(Job):
    """A job on the training rows of the ordinary job with the same settings; see ``Job``."""

    @cached_property
    def config(self) -> dict[str, Any]:
        """All that decides the result, as plain values."""
        return {**super().config, "validation": True}

    @cached_property
    def split_key(self) -> str:
        # All other keys but those of the arms' and the generator's own settings come from this one.
        return digest(super().split_key, "validation", code_digest("trisynth.data.inner"))

    @cached_property
    def key(self) -> str:
        """Digest of everything: equal keys mean equal results."""
        return digest(super().key, code_digest("trisynth.experiment.validation"))

    @cached_property
    def name(self) -> str:
        """Readable name of the job."""
        return f"{super().name} validation"


class ValidationExperiment(Experiment):
    """The steps of a ``ValidationJob``: ``test`` is everywhere the validation part of the training rows."""

    @cached_property
    def parts(self) -> tuple[Dataset, Dataset]:
        """Inner training and validation rows."""
        train, _ = super().parts
        with self.timed("load"):
            return inner(train, self.job.seed, self.job.test_size)

"""Jobs on a part of the training rows, scored on the same test rows as the ordinary job.

Ordinary jobs do not depend on this module, so that it changes neither their keys nor their bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from trisynth.config import code_digest, digest
from trisynth.data.dataset import Dataset
from trisynth.data.splits.thin import thin
from trisynth.errors import require_whole
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment


@dataclass(frozen=True)
class ThinnedJob(Job):
    """A job on at most ``train_rows`` of the training rows of the ordinary job; see ``Job``.

    Parameters
    ----------
    train_rows : int
    """

    train_rows: int = 2

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "ThinnedJob":
        """Build the job of a resolved root config that has ``train_rows``."""
        require_whole("train_rows", config["train_rows"], 2)
        return replace(super().from_config(config), train_rows=config["train_rows"])

    @cached_property
    def config(self) -> dict[str, Any]:
        """Settings that decide the result, as plain values."""
        return {**super().config, "train_rows": self.train_rows}

    @cached_property
    def split_key(self) -> str:
        """Key of the thinned training rows and the test rows."""
        # All other keys but those of the arms' and the generator's own settings come from this one.
        return digest(super().split_key, self.train_rows, code_digest("trisynth.data.splits.thin"))

    @cached_property
    def key(self) -> str:
        """Digest of everything: equal keys mean equal results."""
        return digest(super().key, code_digest("trisynth.experiment.thinned"))

    @cached_property
    def name(self) -> str:
        """Readable name of the job."""
        return f"{super().name} train_rows={self.train_rows}"


class ThinnedExperiment(Experiment):
    """Steps of a ``ThinnedJob``; the number of training rows is a score, ``data/train_rows``."""

    @cached_property
    def parts(self) -> tuple[Dataset, Dataset]:
        """Thinned training rows and all test rows."""
        train, test = super().parts
        with self.timed("load"):
            return thin(train, self.job.train_rows, self.job.seed), test

    def diagnostics(self) -> dict[str, float]:
        """Return the generator's diagnostics and the number of training rows."""
        return super().diagnostics() | {"data/train_rows": float(len(self.parts[0]))}

    @property
    def remarks(self) -> list[str]:
        """A line where the split has no more training rows than ``train_rows``, so that nothing is left out."""
        rows = len(super().parts[0])
        if rows >= self.job.train_rows:
            return []
        return [f"train_rows={self.job.train_rows}: the split has {rows} training rows; all of them are used"]

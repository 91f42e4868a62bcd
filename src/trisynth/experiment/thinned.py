"""Jobs on a part of the training rows, scored on the same test rows as the ordinary job.

Ordinary jobs do not depend on this module, so that it changes neither their keys nor their bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from trisynth.config import code_digest, digest
from trisynth.data.dataset import Dataset
from trisynth.data.splits.rare import imbalance, rarer, require_ratio
from trisynth.data.splits.thin import thin
from trisynth.errors import require_whole
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment

# Settings that leave out training rows.
THINNING = ("imbalance", "train_rows")


@dataclass(frozen=True)
class ThinnedJob(Job):
    """A job on some of the training rows of the ordinary job; see ``Job``.

    Parameters
    ----------
    train_rows : int or None
        Maximum number of training rows, of all classes in proportion.
    imbalance : float or None
        Rows of the other classes for each row of the rarest class, which is thinned first.
    """

    train_rows: int | None = None
    imbalance: float | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "ThinnedJob":
        """Build the job of a resolved root config that has ``train_rows`` or ``imbalance``."""
        given = {name: config[name] for name in THINNING if config.get(name) is not None}
        if "train_rows" in given:
            require_whole("train_rows", given["train_rows"], 2)
        if "imbalance" in given:
            require_ratio(given["imbalance"])
        return replace(super().from_config(config), **given)

    @cached_property
    def _thinning(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in THINNING if getattr(self, name) is not None}

    @cached_property
    def config(self) -> dict[str, Any]:
        """Settings that decide the result, as plain values."""
        return {**super().config, **self._thinning}

    @cached_property
    def split_key(self) -> str:
        """Key of the thinned training rows and the test rows."""
        # All other keys but those of the arms' and the generator's own settings come from this one.
        code = code_digest("trisynth.data.splits.thin", "trisynth.data.splits.rare")
        return digest(super().split_key, self._thinning, code)

    @cached_property
    def key(self) -> str:
        """Digest of everything: equal keys mean equal results."""
        return digest(super().key, code_digest("trisynth.experiment.thinned"))

    @cached_property
    def name(self) -> str:
        """Readable name of the job."""
        return " ".join([super().name, *(f"{name}={value:g}" for name, value in self._thinning.items())])


class ThinnedExperiment(Experiment):
    """Steps of a ``ThinnedJob``; what is left of the training rows is logged as ``data/...``."""

    @cached_property
    def parts(self) -> tuple[Dataset, Dataset]:
        """Thinned training rows and all test rows."""
        train, test = super().parts
        job = self.job
        with self.timed("load"):
            # Kept here: once this property is cached, the parent's is no longer at hand.
            self._remarks = _idle(train, job)
            if job.imbalance is not None:
                train = rarer(train, job.imbalance, job.seed)
            return train if job.train_rows is None else thin(train, job.train_rows, job.seed), test

    def diagnostics(self) -> dict[str, float]:
        """Return the generator's diagnostics, the number of training rows and, where it was set, their imbalance."""
        train = self.parts[0]
        found = super().diagnostics() | {"data/train_rows": float(len(train))}
        return found if self.job.imbalance is None else found | {"data/imbalance": imbalance(train)}

    @property
    def remarks(self) -> list[str]:
        """Lines where a setting leaves nothing out: the rows are as few, or the class as rare, already."""
        _ = self.parts
        return self._remarks


def _idle(train: Dataset, job: ThinnedJob) -> list[str]:
    lines = []
    if job.imbalance is not None:
        rare = rarer(train, job.imbalance, job.seed)
        if len(rare) == len(train):
            found = f"{imbalance(train):.1f} other rows for each row of the rarest class, so that none is left out"
            lines.append(f"imbalance={job.imbalance:g}: the training rows have {found}")
        train = rare
    if job.train_rows is not None and len(train) < job.train_rows:
        lines.append(f"train_rows={job.train_rows}: the split has {len(train)} training rows; all of them are used")
    return lines

"""Fold jobs: scored on one fold of all rows instead of the test rows, as trials of a recommendation.

Ordinary jobs do not depend on this module, so that it changes neither their keys nor their bytes.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from trisynth.config import code_digest, digest
from trisynth.data.dataset import Dataset
from trisynth.data.splits.folds import Fold, divide
from trisynth.errors import InputError
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment

FIRST = Fold("choose", 0)


@dataclass(frozen=True)
class FoldJob(Job):
    """A job whose training and test rows are those of a fold; see ``Job``.

    Parameters
    ----------
    fold : Fold
    """

    fold: Fold = FIRST

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "FoldJob":
        """Build the job of a resolved root config whose ``fold`` is the address of a fold."""
        given = config["fold"]
        try:
            fold = Fold(**given)
        except TypeError:
            names = ", ".join(Fold.__dataclass_fields__)
            raise InputError("fold", given, f"must map these names to values: {names}") from None
        return replace(super().from_config(config), fold=fold)

    @cached_property
    def config(self) -> dict[str, Any]:
        """Settings that decide the result, as plain values."""
        return {**super().config, "fold": asdict(self.fold)}

    @cached_property
    def split_key(self) -> str:
        """Key of the fold's training and held-out rows."""
        # All other keys but those of the arms' and the generator's own settings come from this one.
        return digest(super().split_key, asdict(self.fold), code_digest("trisynth.data.splits.folds"))

    @cached_property
    def key(self) -> str:
        """Digest of everything: equal keys mean equal results."""
        return digest(super().key, code_digest("trisynth.experiment.folds"))

    @cached_property
    def name(self) -> str:
        """Readable name of the job."""
        return f"{super().name} {self.fold.stage} {self.fold.repeat}.{self.fold.index}"


class FoldExperiment(Experiment):
    """Steps of a ``FoldJob``, whose ``test`` is the held-out part throughout."""

    @cached_property
    def parts(self) -> tuple[Dataset, Dataset]:
        """Rows to train on and held-out rows."""
        dataset = self.dataset
        with self.timed("load"):
            return divide(dataset, self.job.fold)

"""Teachers that all see one partition are caught; those of disjoint parts are not accused."""

import numpy as np
import pandas as pd
import pytest
import torch

from trisynth.auditing.canary import audit
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.generators.private import pate_gan
from trisynth.generators.private.pate_gan import PATEGAN
from trisynth.privacy import Budget

pytest.importorskip("dp_accounting", reason="needs the extra privacy")


class OnePartition(PATEGAN):
    """PATE-GAN that gives all rows to every teacher."""

    def _members(self, n, noise):
        return [np.arange(n)] * self.teachers


def tables() -> tuple[Dataset, pd.DataFrame]:
    """Rows that are all alike, and a canary that is not."""
    names, kinds = ["u", "v"], ["a", "b"]
    frame = pd.DataFrame({name: pd.Categorical(["a"] * 2, kinds) for name in names})
    facts = {name: Column("category", categories=("a", "b"), gaps=False) for name in names}
    canary = pd.DataFrame({name: pd.Categorical(["b"], kinds) for name in names})
    return Dataset.of(frame, Spec("alike", None, columns=facts, relations="none")), canary


@pytest.mark.parametrize(("kind", "fits", "holds"), [(OnePartition, 50, False), (PATEGAN, 24, True)])
def test_teachers_of_one_partition_are_caught(kind, fits, holds, monkeypatch):
    # Votes on all kinds of rows are all that an attack needs.
    monkeypatch.setattr(kind, "_shares", lambda self: torch.zeros(4))
    monkeypatch.setattr(pate_gan, "_STUDENT_STEPS", 1)
    monkeypatch.setattr(pate_gan, "_GENERATOR_STEPS", 1)
    monkeypatch.setattr(pate_gan, "_TEACHER_STEPS", 10)
    generator = kind(Budget(0.5, 1e-4), teachers=200, rounds=1, votes=16, learning_rate=0.1)
    found = audit(generator, *tables(), fits=fits)
    assert found.claimed <= 0.5 and found.holds == holds

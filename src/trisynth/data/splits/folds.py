"""Folds of all rows of a data set, for a choice on some of them and its confirmation on the others."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trisynth import seeds
from trisynth.data.dataset import Dataset
from trisynth.data.splits.records import records
from trisynth.data.splits.split import BINS, divided
from trisynth.errors import InputError, require_whole

STAGES = ("choose", "confirm")


@dataclass(frozen=True)
class Fold:
    """Address of one fold.

    Parameters
    ----------
    stage : {"choose", "confirm"}
        No row is held out by folds of both stages.
    index : int
        Number of the fold within its stage and repeat.
    repeat : int, default=0
        Number of the dealing of the stage's rows into its folds.
    parts : int, default=10
        Folds of both stages together.
    choosing : int, default=4
        Folds that choose; the others confirm.
    seed : int, default=0
        Seed of all dealings.
    rows : int, default=0
        Rows to train on at the most, of all classes in proportion; 0 takes all.
    """

    stage: str
    index: int
    repeat: int = 0
    parts: int = 10
    choosing: int = 4
    seed: int = 0
    rows: int = 0

    def __post_init__(self):
        """Check that there is such a fold."""
        if self.stage not in STAGES:
            raise InputError("fold.stage", self.stage, f"must be one of {', '.join(STAGES)}")
        for name, least in (("parts", 3), ("choosing", 1), ("repeat", 0), ("index", 0), ("seed", 0), ("rows", 0)):
            require_whole(f"fold.{name}", getattr(self, name), least)
        if self.choosing > self.parts - 2:
            raise InputError("fold.choosing", self.choosing, f"must leave at least 2 of {self.parts} folds to confirm")
        if self.index >= self.of:
            raise InputError(
                "fold.index", self.index, f"must be below {self.of}, the number of folds that {self.stage}"
            )

    @property
    def of(self) -> int:
        """Number of folds of this fold's stage."""
        return self.choosing if self.stage == "choose" else self.parts - self.choosing


def divide(dataset: Dataset, fold: Fold) -> tuple[Dataset, Dataset]:
    """Divide a data set into the rows that a fold trains on and those that it holds out.

    Parameters
    ----------
    dataset : Dataset
    fold : Fold

    Returns
    -------
    train, held : Dataset
        As the parts of :func:`trisynth.data.splits.split.split`. All rows that the fold does not hold out are training
        rows, or as many of them as it takes.
    """
    held = held_out(dataset, fold)
    aside = np.zeros(len(dataset), bool)
    aside[held] = True
    kept = np.flatnonzero(~aside)
    if 0 < fold.rows < len(kept):
        rng = seeds.stream(fold.seed, "folds", "rows", fold.stage, fold.repeat, fold.index)
        kept = kept[deal(strata(dataset)[kept], [fold.rows, len(kept) - fold.rows], rng)[0]]
    return divided(dataset, kept, held)


def require_no_time(dataset: Dataset) -> None:
    """Refuse a table that is to be split by time."""
    if dataset.spec.time is not None:
        remedy = "splits by time, but folds are dealt at random; leave it out where folds are used"
        raise InputError("dataset.time", dataset.spec.time, remedy)


def held_out(dataset: Dataset, fold: Fold) -> np.ndarray:
    """Return the sorted positions of the rows that a fold holds out."""
    require_no_time(dataset)
    # Equal rows are dealt as one: a classifier would otherwise be tested on rows that it has seen.
    record, first = _records(dataset)
    labels = strata(dataset)[first]
    sizes = [fold.choosing, fold.parts - fold.choosing]
    sides = deal(labels, sizes, seeds.stream(fold.seed, "folds", fold.parts, fold.choosing))
    own = sides[STAGES.index(fold.stage)]
    rng = seeds.stream(fold.seed, "folds", fold.parts, fold.choosing, fold.stage, fold.repeat)
    chosen = own[deal(labels[own], [1] * fold.of, rng)[fold.index]]
    return np.flatnonzero(np.isin(record, chosen))


def strata(dataset: Dataset) -> np.ndarray:
    """Return what the folds are stratified by: codes of the classes, or of quantile bins of a numeric target."""
    if dataset.spec.task == "classification":
        return dataset.y.cat.codes.to_numpy()
    ranks = np.argsort(np.argsort(dataset.y.to_numpy(), kind="stable"), kind="stable")
    return ranks * max(1, min(BINS, len(dataset) // 5)) // max(len(dataset), 1)


def deal(labels: np.ndarray, parts: list[int], rng: np.random.Generator) -> list[np.ndarray]:
    """Deal the positions of the rows to parts of the given relative sizes, the rows of each label in turn.

    Parameters
    ----------
    labels : ndarray of shape (n,)
    parts : list of int
        Sizes: ``[4, 6]`` gives two parts with two and three fifths of the rows.
    rng : Generator

    Returns
    -------
    list of ndarray
        Sorted, disjoint, together all rows.
    """
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    # The same sequence of parts is dealt over and over, so consecutive rows of a label reach every part.
    cards = rng.permutation(np.repeat(np.arange(len(parts)), parts))
    dealt = np.resize(cards, len(labels))
    return [np.sort(order[dealt == part]) for part in range(len(parts))]


def _records(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Give each row the number of its record, and find each record's first row."""
    record = records(dataset.X, dataset.y) if dataset.persons is None else pd.factorize(dataset.persons)[0]
    if record is None:
        return np.arange(len(dataset)), np.arange(len(dataset))
    return record, np.unique(record, return_index=True)[1]

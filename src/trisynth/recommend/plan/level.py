"""Effort of the trials of a search: all classifiers on all rows, or what a short budget leaves of them."""

from dataclasses import dataclass

from trisynth.data.dataset import Dataset
from trisynth.recommend.plan.settings import Settings

# Rows to train on at the most for the first impression, and on the lower level.
GLANCE = 2000


@dataclass(frozen=True)
class Level:
    """Classifiers and rows of each trial.

    Parameters
    ----------
    classifiers : int, default=0
        Number of classifiers, the first ones; 0 takes all.
    rows : int, default=0
        Rows to train on at the most; 0 takes all.
    """

    classifiers: int = 0
    rows: int = 0

    @property
    def lower(self) -> bool:
        """True if something is left out."""
        return bool(self.classifiers or self.rows)

    def spoken(self, settings: Settings, dataset: Dataset) -> str:
        """Describe what the trials leave out; an empty text if nothing."""
        parts, names = [], list(settings.classifiers)
        if self.classifiers:
            parts.append(f"with only {' and '.join(names[: self.classifiers])} of {len(names)} classifiers")
        if self.rows:
            parts.append(f"trained on {self.rows:,} of {len(dataset):,} rows")
        return ", ".join(parts)


def lowered(settings: Settings, dataset: Dataset) -> Level:
    """Return the level of the first impression, which equals the full one where nothing can be left out."""
    classifiers = 1 if len(settings.classifiers) > 1 else 0
    return Level(classifiers, GLANCE if len(dataset) > GLANCE else 0)


def needed(cost: float, finished: int, folds: tuple[int, int], workers: int) -> float:
    """Estimate the seconds until a candidate is chosen and confirmed.

    Parameters
    ----------
    cost : float
        Seconds of the baselines and the candidate on one fold.
    finished : int
        Folds that are finished.
    folds : (int, int)
        Folds that a choice and its confirmation take at the least.
    workers : int
    """
    choosing, confirming = folds
    left = max(choosing - finished, 0) + -(-confirming // workers) * workers
    return cost * left / workers

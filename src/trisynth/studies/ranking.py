"""Ranks of generators over data sets, as exhibits of a study."""

import pandas as pd

from trisynth.report.comparison import Comparison, overall_table
from trisynth.report.figures.ranks import ranks_picture
from trisynth.report.markup import Table
from trisynth.report.page import Picture


def _comparison(jobs: pd.DataFrame, score: str, against: str) -> Comparison:
    return Comparison(jobs.groupby(["dataset", "generator", "seed"], sort=False)[score].mean(), score, against)


def generators_picture(jobs: pd.DataFrame, score: str = "synthetic/roc_auc", against: str = "circuit") -> Picture:
    """Draw the critical-difference diagram of all generators."""
    return ranks_picture(_comparison(jobs, score, against).means, score)


def generators_table(jobs: pd.DataFrame, score: str = "synthetic/roc_auc", against: str = "circuit") -> Table:
    """Tabulate ranks and tests of all generators against one of them."""
    return overall_table(_comparison(jobs, score, against))

"""Images, series, texts and mixed rows: scores of every training set, and of the synthetic rows beside references."""

import pandas as pd

from trisynth.errors import InputError
from trisynth.report import names
from trisynth.report.jobs import by_method, scores
from trisynth.report.markup import Column, Table
from trisynth.report.tables import SCORES, dataset_table
from trisynth.statistics.resampling import estimate

_TEST_SIZE = 1 / 3
COMPARED = (
    "fidelity/discriminative_score",
    "fidelity/array_mmd",
    "fidelity/autocorrelation_error",
    "fidelity/cross_correlation_error",
    "fidelity/frechet_distance",
    "fidelity/kernel_distance",
    "fidelity/feature_precision",
    "fidelity/feature_recall",
    "fidelity/cross_kind_gap",
    "fidelity/cross_kind_auc",
    "fidelity/text_perplexity",
    "fidelity/reverse_perplexity",
    "fidelity/ngram_js",
    "copying/dcr_share",
    "copying/copied_run",
    "copying/identical_texts",
)
# Suffixes of the references, and of the score of held-out rows where that is one.
_FLOOR, _CEILING, _BASE = "_floor", "_ceiling", "_base"


def training_sets_table(jobs: pd.DataFrame) -> Table:
    """Tabulate accuracy, precision, recall and F1 of each training set and generator, of the one data set."""
    jobs = by_method(_of_one(jobs))
    found = {metric: scores(jobs, metric) for metric in SCORES}
    return dataset_table(found, str(jobs["dataset"].iloc[0]), _TEST_SIZE)


def scores_table(jobs: pd.DataFrame) -> Table:
    """Tabulate the scores of synthetic rows by generator, between floor and ceiling, with those of held-out rows."""
    jobs = by_method(_of_one(jobs))
    shown = [name for name in COMPARED if name in jobs and jobs[name].notna().any()]
    once = jobs.drop_duplicates("seed")
    parts = {"floor": (once, _FLOOR)}
    parts |= {str(method): (own, "") for method, own in jobs.groupby("method", sort=False)}
    parts |= {"ceiling": (once, _CEILING), "held-out rows": (once, _BASE)}
    columns = [Column("generator", "Generator"), Column("seeds", "Seeds")]
    columns += [Column(name.partition("/")[2], names.metric(name)) for name in shown]
    rows = []
    for method, (own, suffix) in parts.items():
        cells = [estimate(own[name + suffix].dropna(), _TEST_SIZE) if name + suffix in own else None for name in shown]
        if any(cell is not None for cell in cells):
            rows.append([method, own["seed"].nunique(), *cells])
    note = (
        "Mean over seeds, ± half of the 95 % interval (Nadeau and Bengio's corrected resampled t). The floor draws "
        "every column, and every element of an array or word of a text, by itself; the ceiling copies training rows. "
        "The glossary defines the scores."
    )
    return Table("scores_of_rows", "Scores of the synthetic rows, beside references.", note, columns, rows)


def _of_one(jobs: pd.DataFrame) -> pd.DataFrame:
    found = jobs["dataset"].unique()
    if len(found) != 1:
        raise InputError("results", list(found), "must be of one data set; give the results of one study")
    return jobs

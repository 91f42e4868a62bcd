"""StyleGAN part by part: scores of the versions A to F of its paper, each of which adds a part to the one before."""

import pandas as pd

from trisynth.errors import InputError
from trisynth.report import names
from trisynth.report.markup import Column, Table
from trisynth.statistics.estimate import Estimate

# The parts in the order of the paper, with the value that leaves each out.
ORDER = {
    "generator.bilinear": ("bilinear filters", False),
    "generator.styles": ("mapping and styles", False),
    "generator.constant_input": ("learned constant", False),
    "generator.noise": ("noise", False),
    "generator.mixing": ("style mixing", 0.0),
}
SCORES = (
    "fidelity/frechet_distance",
    "fidelity/feature_precision",
    "fidelity/feature_recall",
    "fidelity/c2st_boosting",
    "synthetic/accuracy",
    "copying/memorised",
    "generator/path_length_z",
    "generator/path_length_w",
)
_LABELS = {
    "synthetic/accuracy": "accuracy, synthetic",
    "copying/memorised": "memorised",
    "generator/path_length_z": "path in z",
    "generator/path_length_w": "path in w",
}


def with_version(jobs: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``version``, A to F: how many parts of ``ORDER`` a job has, none of which may be left out between.

    Raises
    ------
    InputError
        If the jobs have no StyleGAN with one of these versions.
    """
    missing = [name for name in ORDER if name not in jobs]
    if missing:
        raise InputError("results", missing[0], "has no such column; sweep experiment=stylegan_ablation")
    held = pd.DataFrame({name: _held(jobs[name], off) for name, (_, off) in ORDER.items()})
    ordered = (held.astype(int).diff(axis=1).iloc[:, 1:] <= 0).all(axis=1)
    if not ordered.any():
        raise InputError("results", len(jobs), "have no version of the paper's order; sweep conf/ablation/stylegan")
    version = held.sum(axis=1).map(lambda parts: "ABCDEF"[parts])
    return jobs.assign(version=version)[ordered]


def _held(column: pd.Series, off: object) -> pd.Series:
    """Tell the jobs that have a part, from the cells of a CSV column."""
    if isinstance(off, bool):
        return column.astype(str).str.lower() == "true"
    return pd.to_numeric(column) > off


def order_table(jobs: pd.DataFrame) -> Table:
    """Tabulate the scores of each version, the mean over seeds with half of their range."""
    jobs = with_version(jobs)
    scores = [name for name in SCORES if name in jobs]
    columns = [Column("version", "Version"), Column("adds", "Adds"), Column("fits", "Fits")]
    columns += [Column(name.rpartition("/")[2], _LABELS.get(name, names.metric(name))) for name in scores]
    rows, bold = [], set()
    adds = ["z as input", *(words for words, _ in ORDER.values())]
    for version, own in jobs.groupby("version"):
        cells = [_over_seeds(own[name].dropna()) for name in scores]
        rows.append([version, adds["ABCDEF".index(version)], len(own), *cells])
    if "fidelity/frechet_distance" in scores and len(rows) > 1:
        bold.add((min(range(len(rows)), key=lambda row: rows[row][3].mean), 3))
    note = (
        "Mean over seeds, which are also those of the split; ± half of the range over seeds. Each version has the part "
        "in its row and all parts above. The Frechet distance is that of held-out digits in features of a classifier, "
        "the accuracy that of a random forest trained on drawn digits alone. C2ST: 0.5 is best. Path: mean squared "
        "difference of a pixel, in standard deviations, per squared step. Bold: smallest Frechet distance."
    )
    return Table("stylegan_order", "Scores of StyleGAN by its parts.", note, columns, rows, bold)


def _over_seeds(values: pd.Series) -> Estimate | None:
    if values.empty:
        return None
    half = float(values.max() - values.min()) / 2 if len(values) > 1 else float("nan")
    return Estimate(float(values.mean()), half, len(values))

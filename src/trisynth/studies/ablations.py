"""Ablations: scores of a method without one part, minus those of the whole method."""

import pandas as pd
import yaml

from trisynth.config import CONF
from trisynth.errors import InputError
from trisynth.experiment.results import flat
from trisynth.report import names
from trisynth.report.markup import Column, Table
from trisynth.statistics.across_datasets import mean_over_datasets

WHOLE = "none"
SCORES = (
    "synthetic/roc_auc",
    "synthetic/f1_macro",
    "synthetic/log_loss",
    "fidelity/c2st_boosting",
    "fidelity/js",
    "copying/dcr_share",
)
_PAIR = ["dataset", "generator", "seed"]


def parts(generator: str) -> dict[str, tuple[str, dict[str, object]]]:
    """Read the ablations of a generator: by name, the description of the part and the settings without it.

    Both are read from ``conf/ablation/<generator>/<part>.yaml``, the description from its line ``# Off: ...``.
    """
    found = {}
    for path in sorted((CONF / "ablation" / generator).glob("*.yaml")):
        text = path.read_text()
        words = [line.removeprefix("# Off: ").rstrip(".") for line in text.splitlines() if line.startswith("# Off: ")]
        if words:
            settings = dict(flat(yaml.safe_load(text).get("generator", {}), "generator"))
            found[path.stem] = (words[0], settings)
    return found


def with_parts(jobs: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``part``: the ablation whose settings a job has, ``none`` for the whole method.

    Raises
    ------
    InputError
        If no job is an ablation, or no job has the whole method.
    """
    part = pd.Series(WHOLE, jobs.index)
    for generator in jobs["generator"].unique():
        for name, (_, settings) in parts(generator).items():
            fits = jobs["generator"] == generator
            for column, value in settings.items():
                fits &= _equal(jobs[column], value) if column in jobs else False
            part[fits] = name
    if (part == WHOLE).all() or not (part == WHOLE).any():
        raise InputError("results", sorted(part.unique()), "must contain ablations and whole methods; sweep both")
    return jobs.assign(part=part)


def _equal(column: pd.Series, value: object) -> pd.Series:
    """Compare the cells of a CSV column with a value of a yaml file."""
    if isinstance(value, bool):
        return column.astype(str).str.lower() == str(value).lower()
    if isinstance(value, int | float):
        return pd.to_numeric(column, errors="coerce") == value
    return column.astype(str) == str(value)


def ablations_table(jobs: pd.DataFrame) -> Table:
    """Tabulate the change of each score without a part, by generator and part."""
    jobs = with_parts(jobs)
    scores = [name for name in SCORES if name in jobs]
    means = jobs.groupby([*_PAIR, "part"], sort=False)[scores].mean().reset_index("part")
    columns = [Column("generator", "Method"), Column("part", "Off"), Column("pairs", "Pairs")]
    columns += [Column(name.rpartition("/")[2], names.metric(name), signed=True) for name in scores]
    rows, bold, rules = [], set(), set()
    for generator in jobs["generator"].unique():
        own = means[means.index.get_level_values("generator") == generator]
        whole = own.loc[own["part"] == WHOLE, scores]
        rules.add(len(rows))
        for name, (words, _) in parts(generator).items():
            changed = (own.loc[own["part"] == name, scores] - whole).dropna(how="all")
            if changed.empty:
                continue
            cells = [mean_over_datasets(changed[score].dropna()) for score in scores]
            bold |= {(len(rows), 3 + place) for place, cell in enumerate(cells) if cell.excludes_zero}
            rows.append([generator, words, len(changed), *cells])
    note = (
        "Scores without a part minus those of the whole method, on the same data set and seed; ± half of the 95 % t "
        "interval over data sets, each of which counts once. Classifiers are trained on synthetic rows. Log loss, JS "
        "divergence and DCR share: lower is better; C2ST: 0.5 is best. Bold: the interval excludes zero."
    )
    return Table("ablations", "Changes of the scores without one part of a method.", note, columns, rows, bold, rules)

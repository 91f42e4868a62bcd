"""What each defining part of a method is worth: scores without the part, less those of the whole method."""

import pandas as pd
import yaml

from trisynth.config import CONF
from trisynth.errors import InputError
from trisynth.experiment.results import flat
from trisynth.report.markup import Column, Table
from trisynth.statistics.pairs import by_dataset

WHOLE = "none"
SCORES = {
    "synthetic/roc_auc": "ROC AUC",
    "synthetic/f1_macro": "Macro-F1",
    "synthetic/log_loss": "Log loss",
    "fidelity/c2st_boosting": "C2ST",
    "fidelity/js": "JS divergence",
    "copying/dcr_share": "Closer to train",
}
_PAIR = ["dataset", "generator", "seed"]


def parts(generator: str) -> dict[str, tuple[str, dict[str, object]]]:
    """Ablations of a generator: by name, what is off in words and the settings that say so.

    Both are read from ``conf/ablation/<generator>/<part>.yaml``, the words from its line ``# Off: ...``.
    """
    found = {}
    for path in sorted((CONF / "ablation" / generator).glob("*.yaml")):
        text = path.read_text()
        words = [line.removeprefix("# Off: ").rstrip(".") for line in text.splitlines() if line.startswith("# Off: ")]
        if words:
            settings = dict(flat(yaml.safe_load(text).get("generator", {}), "generator"))
            found[path.stem] = (words[0], settings)
    return found


def named(jobs: pd.DataFrame) -> pd.DataFrame:
    """Jobs with the column ``part``: the ablation whose settings a job has, ``none`` for the whole method.

    Raises
    ------
    InputError
        If no job is an ablation, or none is whole.
    """
    part = pd.Series(WHOLE, jobs.index)
    for generator in jobs["generator"].unique():
        for name, (_, settings) in parts(generator).items():
            fits = jobs["generator"] == generator
            for column, value in settings.items():
                fits &= _equal(jobs[column], value) if column in jobs else False
            part[fits] = name
    if (part == WHOLE).all() or not (part == WHOLE).any():
        raise InputError("results", sorted(part.unique()), "needs ablations and whole methods; sweep both")
    return jobs.assign(part=part)


def _equal(column: pd.Series, value: object) -> pd.Series:
    """Whether the cells of a column of a CSV file are a value of a yaml file."""
    if isinstance(value, bool):
        return column.astype(str).str.lower() == str(value).lower()
    if isinstance(value, int | float):
        return pd.to_numeric(column, errors="coerce") == value
    return column.astype(str) == str(value)


def ablations_table(jobs: pd.DataFrame) -> Table:
    """Change of each score where a part is off, by generator and part."""
    jobs = named(jobs)
    scores = {name: title for name, title in SCORES.items() if name in jobs}
    means = jobs.groupby([*_PAIR, "part"], sort=False)[list(scores)].mean().reset_index("part")
    columns = [Column("generator", "Method"), Column("part", "Off"), Column("pairs", "Pairs")]
    columns += [Column(name.rpartition("/")[2], title, signed=True) for name, title in scores.items()]
    rows, bold, rules = [], set(), set()
    for generator in jobs["generator"].unique():
        own = means[means.index.get_level_values("generator") == generator]
        whole = own.loc[own["part"] == WHOLE, list(scores)]
        rules.add(len(rows))
        for name, (words, _) in parts(generator).items():
            changed = (own.loc[own["part"] == name, list(scores)] - whole).dropna(how="all")
            if changed.empty:
                continue
            cells = [by_dataset(changed[score].dropna()) for score in scores]
            bold |= {(len(rows), 3 + place) for place, cell in enumerate(cells) if cell.low > 0 or cell.high < 0}
            rows.append([generator, words, len(changed), *cells])
    note = (
        "Scores without a part less those of the whole method, on the same data set and seed; ± half of the 95 % t "
        "interval over data sets, each of which counts once. Classifiers are trained on synthetic rows. Log loss, JS "
        "divergence and closer to train: lower is better; C2ST: .5 is perfect. Bold: the interval leaves out zero."
    )
    return Table("ablations", "What the methods are without one of their parts.", note, columns, rows, bold, rules)

"""Levels of categories in figures: those of few real rows are summed, as a bar of one row would reveal a person."""

from dataclasses import replace

import pandas as pd

from trisynth.data.dataset import Column, Dataset

FEW = "(fewer rows)"


def hide_rare(real: Dataset, *others: Dataset) -> list[Dataset]:
    """Sum the levels of fewer real rows than ``rare`` of the data set's facts, unless they are declared.

    Parameters
    ----------
    real : Dataset
        Real rows, which decide.
    *others : Dataset
        Further rows of the same columns.

    Returns
    -------
    list of Dataset
        All of them, in this order; the target stays as it is.
    """
    changed: list[dict[str, pd.Series]] = [{} for _ in (real, *others)]
    for name in real.X.select_dtypes("category") if real.spec.rare else ():
        if real.spec.columns.get(name, Column()).categories is not None:
            continue
        counts = real.X[name].value_counts()
        kept = [level for level in real.X[name].cat.categories if counts[level] >= real.spec.rare]
        if len(kept) < len(counts):
            for part, rows in zip(changed, (real, *others), strict=True):
                cells = rows.X[name].astype(object)
                few = cells.notna() & ~cells.isin(kept)
                part[name] = pd.Series(pd.Categorical(cells.mask(few, FEW), [*kept, FEW]), index=cells.index)
    return [replace(rows, X=rows.X.assign(**part)) for part, rows in zip(changed, (real, *others), strict=True)]

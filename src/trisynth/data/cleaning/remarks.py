"""Remarks on doubtful cells, each with the line of yaml that settles it; nothing is changed here."""

from collections.abc import Callable

import numpy as np

from trisynth.data.cells import Cells
from trisynth.data.dataset import Column
from trisynth.data.profile import suspects

# Takes problem, number of cells, treatment and, if there is one, the line of yaml that settles it.
Note = Callable[..., None]


def remedy(texts: list[str]) -> str:
    """Return the line of yaml that settles texts among numbers."""
    censored = suspects.censored(texts)
    words = [text for text in texts if text not in censored][:6]
    lines = []
    if censored:
        lines.append(
            "values: {" + ", ".join(f"{quoted(text)}: {quoted(n)}" for text, n in [*censored.items()][:6]) + "}"
        )
    if words and len(texts) - len(censored) <= len(words):
        lines.append(f"missing: [{', '.join(map(quoted, words))}]")
    return "\n".join(lines)


def quoted(value: object) -> str:
    """Write a value as yaml: numbers bare, texts with quotes."""
    if isinstance(value, int | float):
        return f"{value}"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def note_days(column: Cells, found: list[int], note: Note) -> None:
    """Report dates that may stand for a missing one."""
    if found:
        texts = {column.labels[i]: int(column.counts[i]) for i in found}
        line = f"missing: [{', '.join(map(quoted, texts))}]"
        note(f"may stand for no date: {suspects.shown(texts)}", sum(texts.values()), "kept as dates", line)


def note_texts(column: Cells, absent: np.ndarray, facts: Column, note: Note) -> None:
    """Report texts that may mean a missing cell or another category; nothing is changed."""
    kept = np.flatnonzero(~absent)
    labels, counts = [column.labels[i] for i in kept], column.counts[kept]
    by_label = dict(zip(labels, map(int, counts), strict=True))
    if column.trimmed:
        note("spaces around a text", column.trimmed, "removed")
    if facts.categories is not None:
        return
    if facts.missing is None:
        found = suspects.missing(labels, counts)
        if found.codes and len(found.codes) < len(labels):
            listed = {text: by_label[text] for text in found.codes}
            line = f"missing: [{', '.join(map(quoted, found.codes))}]"
            note(f"may mean a missing cell: {suspects.shown(listed)}", found.cells, "kept as a category", line)
    if facts.values is None:
        _note_censored(column, kept, note)
        mark, parts = suspects.lists(labels, counts)
        if mark:
            cells = sum(n for text, n in by_label.items() if mark in text)
            how = f"kept as categories; give each of the {parts} values a column of yes and no"
            note(f"lists of several values ({mark} between them)", cells, how)
        others = suspects.spellings(labels, counts)
        if others:
            listed = {text: by_label[text] for text in {*others, *others.values()}}
            line = "values: {" + ", ".join(f"{quoted(text)}: {quoted(name)}" for text, name in others.items()) + "}"
            cells = sum(by_label[text] for text in others)
            note(f"spellings that may be one value: {suspects.shown(listed, 12)}", cells, "kept apart", line)


def _note_censored(column: Cells, kept: np.ndarray, note: Note) -> None:
    """Report texts such as 5+ among plain numbers."""
    others = [i for i in kept if not column.numeric[i]]
    texts = {column.labels[i]: int(column.counts[i]) for i in others}
    found = suspects.censored(list(texts))
    if not others or len(found) < len(texts) or column.counts[others].sum() > column.counts[kept].sum() / 2:
        return
    pairs = ", ".join(f"{quoted(text)}: {quoted(number)}" for text, number in found.items())
    line = f"kind: number\nvalues: {{{pairs}}}"
    note(f"numbers and censored ones: {suspects.shown(texts)}", sum(texts.values()), "kept as categories", line)

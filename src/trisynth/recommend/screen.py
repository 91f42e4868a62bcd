"""Display of a search: progress with the time left on stderr, and the answer in tables of 80 columns."""

import textwrap

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from trisynth.recommend.evidence import FIDELITY
from trisynth.recommend.recommendation import Recommendation
from trisynth.recommend.search import Search
from trisynth.recommend.verdict import METRICS

_WIDTH = 80
_STAGES = {"choose": "choosing", "confirm": "confirming", "end": "ending"}
# Seconds between the lines that stand for the bar where there is no terminal.
_BETWEEN = 30


class Screen:
    """Bar of the time that is left, and lines above it.

    Parameters
    ----------
    budget : float
        Seconds.
    """

    def __init__(self, budget: float):
        self.console = Console(stderr=True, highlight=False)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[trials]}"),
            TextColumn("left: {task.fields[left]}"),
            console=self.console,
            transient=True,
        )
        self.bar = self.progress.add_task("starting", total=budget, trials="", left=spoken(budget))
        self._next = _BETWEEN

    def __enter__(self) -> "Screen":
        """Show the bar, on a terminal only."""
        if self.console.is_terminal:
            self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        if self.console.is_terminal:
            self.progress.stop()

    def line(self, text: str) -> None:
        """Print a line above the bar."""
        self.console.print(text, markup=False, soft_wrap=not self.console.is_terminal)

    def update(self, search: Search) -> None:
        """Show the stage, the finished trials and the time left; without a terminal in a line from time to time."""
        spent, budget = search.elapsed(), search.settings.budget
        trials = f"{search.done}/{search.total} trials"
        left = spoken(max(budget - spent, 0.0))
        self.progress.update(
            self.bar, description=_STAGES[search.stage], completed=min(spent, budget), trials=trials, left=left
        )
        if not self.console.is_terminal and spent >= self._next:
            self._next = spent + _BETWEEN
            self.line(f"{_STAGES[search.stage]}: {trials}, left: {left}")


def spoken(seconds: float) -> str:
    """Format a duration: "40 s", "3 min 20 s", "1 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def head(search: Search) -> str:
    """Describe the table and the search in one line."""
    data, settings = search.dataset, search.settings
    task = f"{data.spec.task} of {data.spec.target}"
    return (
        f"{data.spec.name}: {len(data):,} rows, {data.X.shape[1]} columns, {task}; {METRICS[search.metric]}, "
        f"{len(settings.candidates)} candidates, budget {spoken(settings.budget)}"
    )


def nothing(elapsed: float) -> str:
    """Say that the first verdict is late."""
    return f"After {spoken(elapsed)}: no trial has finished yet; the first verdict follows as soon as one has."


def earlier(found: Recommendation) -> str:
    """Return the best answer of an earlier start of the same search."""
    jobs = len({key for keys in found.keys.values() for key in keys})
    return f"Continued: {jobs} finished jobs are read. The answer so far: {found.verdict}"


def first(found: Recommendation, elapsed: float) -> str:
    """Return the first verdict."""
    return f"After {spoken(elapsed)}: {found.verdict}"


def interrupted(found: Recommendation) -> str:
    """Return the best answer so far."""
    return f"The answer so far: {found.verdict}\n{found.sharing}"


def text(found: Recommendation) -> str:
    """Return tables and sentences of a recommendation, in 80 columns."""
    parts = [_training_sets(found), _candidates(found)]
    parts += ["\n".join(_wrapped(note) for note in found.notes)]
    parts += [_wrapped(sentence) for sentence in (found.verdict, found.sharing, found.surer)]
    spent, budget = spoken(found.seconds), spoken(found.budget)
    if found.finished:
        parts.append(f"All trials ran, in {spent} of {budget}.")
    else:
        parts.append(_wrapped(f"The budget of {budget} ended the search after {spent}; the same command continues it."))
    return "\n\n".join(filter(None, parts))


def _training_sets(found: Recommendation) -> str:
    if found.arms.empty:
        return ""
    name = METRICS.get(found.metric, found.metric)
    rows = [
        (row.arm[:34], f"{row.score:.3f}", *(("", "") if row.arm == "real" else (f"{row.gain:+.3f}", _bounds(row))))
        for row in found.arms.itertuples()
    ]
    table = pd.DataFrame(rows, columns=["training set", name, "gain", "95 % interval"])
    return f"On {found.arms['folds'].iloc[0]} folds that were not used for the choice:\n{_aligned(table)}"


def _bounds(row: tuple) -> str:
    return f"{row.lower:+.3f} to {row.upper:+.3f}"


def _candidates(found: Recommendation) -> str:
    tried = found.trials.loc[found.trials["stage"] == "choose"]
    if tried.empty:
        return ""
    best = tried.loc[tried.groupby("candidate", sort=False)["gain"].idxmax()]
    scores = found.tables.set_index("candidate") if len(found.tables) else pd.DataFrame()
    ranked = next((name for name in FIDELITY if name in scores), None)
    rows = []
    for row in best.sort_values("gain", ascending=False, kind="stable").itertuples():
        fidelity = f"{scores.loc[row.candidate, ranked]:.3f}" if ranked else ""
        rows.append((row.candidate[:20], row.amount, f"{row.gain:+.3f}", row.baseline, fidelity, "yes" * row.copying))
    label = "C2ST" if ranked == FIDELITY[0] else (ranked or "fidelity").partition("/")[2]
    columns = ["candidate", "rows added", "gain", "over", label, "copies"]
    table = _aligned(pd.DataFrame(rows, columns=columns))
    return f"On the folds used for the choice, the best amount of each candidate:\n{table}"


def _aligned(table: pd.DataFrame) -> str:
    """Align cells by columns, texts to the left and numbers to the right."""
    texts = {"training set", "candidate", "over"}
    widths = {name: max(len(name), *(len(str(cell)) for cell in table[name])) for name in table}

    def line(cells: list) -> str:
        shown = [
            str(cell).ljust(widths[name]) if name in texts else str(cell).rjust(widths[name])
            for name, cell in zip(table, cells, strict=True)
        ]
        return "  ".join(shown).rstrip()

    return "\n".join([line(list(table)), *(line(list(row)) for row in table.itertuples(index=False))])


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)

"""Facts of a column as far as its cells show them, and doubts about the others."""

from dataclasses import dataclass

from trisynth.data.dataset import Column


@dataclass(frozen=True)
class Context:
    """Facts of a table that all of its columns share.

    Parameters
    ----------
    comma : bool, default=False
        Whether decimals follow a comma.
    day_first : bool or None, default=None
        True if the day comes before the month; None if no column shows it.
    """

    comma: bool = False
    day_first: bool | None = None


@dataclass(frozen=True)
class Doubt:
    """Fact that the cells leave open.

    Parameters
    ----------
    problem : str
    cells : int
    treatment : str
        What is done until it is settled.
    remedy : str
        Line of yaml that settles it.
    """

    problem: str
    cells: int
    treatment: str
    remedy: str = ""


@dataclass(frozen=True)
class Profile:
    """Facts of a column, declared ones first, and doubts about the others.

    Parameters
    ----------
    facts : Column
    doubts : tuple of Doubt, default=()
    """

    facts: Column
    doubts: tuple[Doubt, ...] = ()

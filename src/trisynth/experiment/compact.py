"""Results of many jobs in little memory: what they have in common is stored once."""

import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from trisynth.config import canonical
from trisynth.experiment.results import Result

# Whole numbers beyond this one have no exact floating-point number.
_EXACT = 2**53


class Numbers(Mapping[str, float]):
    """Mapping of names to numbers, of which each takes eight bytes.

    Parameters
    ----------
    places : mapping of str to int
        Place of each name; the same object for all mappings with these names.
    whole : frozenset of str
        Names of whole numbers.
    values : iterable of float
    """

    __slots__ = ("_places", "_values", "_whole")

    def __init__(self, places: Mapping[str, int], whole: frozenset[str], values: Iterable[float]):
        self._places, self._whole, self._values = places, whole, array("d", values)

    def __getitem__(self, name: str) -> float:
        """Return the number of a name."""
        value = self._values[self._places[name]]
        return int(value) if name in self._whole else value

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._places)

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._places)


def read_all(root: str | Path, keys: Iterable[str]) -> list[Result]:
    """Read the finished records of those keys.

    Raises
    ------
    DamagedError
        If one of them is damaged.
    """
    parts: dict[str, Any] = {}
    names: dict[tuple, tuple[dict[str, int], frozenset[str]]] = {}

    def shared(value: Any) -> Any:
        return parts.setdefault(canonical(value), value)

    def compact(metrics: Mapping[str, float]) -> Mapping[str, float]:
        whole = frozenset(name for name, value in metrics.items() if isinstance(value, int))
        if any(abs(metrics[name]) > _EXACT for name in whole):
            return metrics
        same = (*metrics, whole)
        if same not in names:
            names[same] = {sys.intern(name): place for place, name in enumerate(metrics)}, whole
        return Numbers(*names[same], metrics.values())

    return [
        replace(
            result,
            config={sys.intern(part): shared(value) for part, value in result.config.items()},
            metrics=compact(result.metrics),
            counts=shared(result.counts),
            digests={sys.intern(name): value for name, value in result.digests.items()},
        )
        for result in filter(None, (Result.read(root, key) for key in keys))
    ]

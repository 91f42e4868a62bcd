"""Requirement that all modelled columns are series."""

from collections.abc import Iterable, Sequence

from trisynth.data.kinds import Kind
from trisynth.errors import InputError
from trisynth.generators.neural.networks.backbones import Part


def require_series(generator: str, columns: Iterable[Kind], parts: Sequence[Part]) -> Sequence[Part]:
    """Return the arrays of a row, all of which must be series.

    Raises
    ------
    InputError
        If an array is an image.
    """
    for column in columns:
        if not column.flat and not column.is_series:
            remedy = f"is an image, but {generator} models series; declare axes: [time, channel], or use generator=vae"
            raise InputError("X", column.name, remedy)
    return parts

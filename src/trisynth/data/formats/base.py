"""Base class of the formats of cells."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

# Between formats of which a column has several.
OR = " | "


class Format(ABC):
    """Base of the formats: texts to values, and values to texts."""

    @abstractmethod
    def parse(self, texts: Iterable[str]) -> pd.Series:
        """Read texts as values; what does not fit becomes missing.

        Returns
        -------
        Series, shape (n,)
            ``int64``, ``Int64`` or ``float64``, ``datetime64[ns]`` with or without a zone, or ``timedelta64[ns]``.
        """

    @abstractmethod
    def print(self, values: pd.Series) -> pd.Series:
        """Write values as texts, dtype object, with None for a missing one and the same index."""


def listed(texts: Iterable[str] | pa.Array) -> list[str]:
    """Return texts as a list."""
    return texts.to_pylist() if isinstance(texts, pa.Array) else list(texts)


@dataclass(frozen=True)
class Alternatives(Format):
    """Several formats of one column; the first is written.

    Parameters
    ----------
    formats : tuple of Format
    """

    formats: tuple[Format, ...]

    @classmethod
    def of(cls, formats: Sequence[Format]) -> Format:
        """Join formats; a single one stays as it is."""
        return formats[0] if len(formats) == 1 else cls(tuple(formats))

    def parse(self, texts: Iterable[str]) -> pd.Series:
        """Read each text in the first format that fits."""
        texts = listed(texts)
        values = self.formats[0].parse(texts)
        for other in self.formats[1:]:
            left = values.isna().to_numpy().nonzero()[0]
            read = other.parse([texts[i] for i in left]).set_axis(left).dropna()
            if len(read) and read.dtype != values.dtype and isinstance(values.dtype, pd.DatetimeTZDtype):
                read = (
                    read.dt.tz_localize(values.dtype.tz) if read.dt.tz is None else read.dt.tz_convert(values.dtype.tz)
                )
            values = read.combine_first(values) if len(read) else values
        return values.reset_index(drop=True)

    def print(self, values: pd.Series) -> pd.Series:
        """Write values in the first format."""
        return self.formats[0].print(values)

"""Cells of one column, reduced to their distinct values: every decision about a column is made on these.

A hundred thousand rows of ten categories cost ten decisions, and texts are searched by Arrow's compiled functions.
"""

import datetime
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api import types

from trisynth.data import tensors
from trisynth.errors import InputError

# As RE2 reads it.
NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(?i:inf(inity)?|nan)"
_ONE = "give one value per cell, or set kind=ignore"
_ARRAYS = "set kind=tensor with the shape of an image or series, kind=sequence for series of unequal lengths, or "
_ARRAYS += "kind=ignore"
_BLANKS = r"[\s\p{Z}]{2,}|[\t\n\r\f\v]|[^\S ]|\p{Zs}"


@dataclass(frozen=True)
class Cells:
    """Distinct values of a column, and the rows that hold them.

    Parameters
    ----------
    name : str
    codes : ndarray of shape (n,)
        Position of each cell's distinct value; -1 where the source has none.
    typed : ndarray, Index or None
        Distinct values of a source that has types: numbers, dates, durations or booleans; None for texts.
    texts : Array of str, shape (k,)
        Distinct values as texts, without outer blanks; of typed values only if they are booleans or categories.
    counts : ndarray of shape (k,)
        Cells of each distinct value.
    trimmed : int
        Cells with blanks around their text.
    replaced : int
        Cells that were read as another text, as declared.
    ordered : bool
        Whether the source declares an order of its categories.
    categories : tuple of str or None
        Categories of the source in their order.
    """

    name: str
    codes: np.ndarray
    typed: pd.Index | np.ndarray | None
    texts: pa.Array
    counts: np.ndarray
    trimmed: int = 0
    replaced: int = 0
    ordered: bool = False
    categories: tuple[str, ...] | None = None

    @classmethod
    def of(cls, cells: pd.Series, values: Mapping[str, str | None] | None = None) -> "Cells":
        """Reduce a column to its distinct values.

        Parameters
        ----------
        cells : Series, shape (n,)
            Raw cells of any dtype.
        values : mapping of str to str or None, optional
            Texts that are read as another one; None reads them as missing.

        Raises
        ------
        InputError
            If cells are lists or other compound values.
        """
        cells = _plain(cells)
        try:
            codes, distinct = pd.factorize(cells)
        except TypeError:
            remedy = f"holds cells that cannot be compared; {_ONE}"
            raise InputError(f"dataset.columns.{cells.name}.kind", "object", remedy) from None
        dtype = cells.dtype
        ordered, categories = False, None
        if isinstance(dtype, pd.CategoricalDtype):
            ordered, categories = bool(dtype.ordered), tuple(_texts(pd.Index(dtype.categories)).to_pylist())
            distinct = pd.Index(dtype.categories)[distinct.codes]
        typed = None
        if _quantity(distinct.dtype):
            typed = distinct
        raw = _texts(distinct) if typed is None else pa.array([], pa.string())
        codes = np.asarray(codes)
        counts = np.bincount(codes + 1, minlength=len(distinct) + 1)[1:]
        if typed is not None and values:
            typed, raw = None, _texts(distinct)
        if typed is not None:
            return cls(str(cells.name), codes, typed, raw, counts, ordered=ordered, categories=categories)
        texts, composed = pc.utf8_trim_whitespace(raw), _composed(raw)
        changed = pc.not_equal(texts, raw).to_numpy(zero_copy_only=False)
        texts = texts if composed is raw else pc.utf8_trim_whitespace(composed)
        trimmed = int(counts[changed & (pc.utf8_length(texts).to_numpy() > 0)].sum())
        replaced = 0
        if values:
            known = {key.strip(): value for key, value in values.items()}
            before = texts.to_pylist()
            after = [known.get(text, text) for text in before]
            replaced = sum(int(n) for n, a, b in zip(counts, after, before, strict=True) if a != b)
            texts = pa.array(["" if text is None else text.strip() for text in after], pa.string())
        # Texts that differ in outer blanks only are one value.
        if changed.any() or values or composed is not raw or not _of_texts(distinct):
            coded = texts.dictionary_encode()
            if len(coded.dictionary) < len(texts):
                position = coded.indices.to_numpy()
                codes = np.append(position, -1)[codes]
                texts, counts = coded.dictionary, np.bincount(position, counts, len(coded.dictionary)).astype(int)
        return cls(str(cells.name), codes, None, texts, counts, trimmed, replaced, ordered, categories)

    def __len__(self) -> int:
        """Count the distinct values."""
        return len(self.counts)

    @cached_property
    def labels(self) -> list[str]:
        """Distinct values as texts of categories: with single blanks inside, whole floats without a point."""
        if self.typed is not None:
            return _texts(pd.Index(self.typed)).to_pylist()
        odd = pc.match_substring_regex(self.texts, _BLANKS).to_numpy(zero_copy_only=False)
        texts = self.texts.to_pylist()
        if odd.any():
            texts = [" ".join(text.split()) if strange else text for text, strange in zip(texts, odd, strict=True)]
        return texts

    @cached_property
    def numeric(self) -> np.ndarray:
        """Booleans, shape (k,): distinct texts that are plain numbers."""
        if self.typed is not None:
            return np.full(len(self), types.is_numeric_dtype(self.typed.dtype))
        return matches(self.texts, NUMBER)

    @cached_property
    def numbers(self) -> np.ndarray:
        """Distinct values as plain numbers, shape (k,); NaN for a text that is none."""
        if self.typed is not None and types.is_numeric_dtype(self.typed.dtype):
            return np.asarray(self.typed, dtype=float)
        found = np.full(len(self), np.nan)
        if self.numeric.any():
            plain = pc.replace_substring(self.texts.filter(pa.array(self.numeric)), "+", "", max_replacements=1)
            try:
                found[self.numeric] = pc.cast(plain, pa.float64()).to_numpy()
            except pa.ArrowInvalid:
                found[self.numeric] = [float(text) for text in plain.to_pylist()]
        return found

    def absent(self, tokens: Collection[object]) -> np.ndarray:
        """Return which distinct values stand for a missing cell, shape (k,).

        Parameters
        ----------
        tokens : collection
            Texts or numbers, in any spelling; empty texts and nan always count.
        """
        keys = frozenset(key(str(token)) for token in tokens) | {"", "nan"}
        if keys not in self._absent:
            self._absent[keys] = self._is_one_of(keys)
        return self._absent[keys].copy()

    @cached_property
    def _absent(self) -> dict[frozenset[str], np.ndarray]:
        """Answers of ``absent`` so far: the profile of a column and its cleaning both need them."""
        return {}

    def _is_one_of(self, keys: frozenset[str]) -> np.ndarray:
        numbers = [float(token) for token in keys if is_number(token) and token != "nan"]
        gone = np.isin(self.numbers, numbers) if numbers else np.zeros(len(self), bool)
        if self.typed is None:
            # Other spellings have foreign letters or several blanks; only short texts can be one of the tokens.
            lengths = pc.utf8_length(self.texts).to_numpy()
            short = np.flatnonzero(lengths <= max(map(len, keys)) + 2)
            texts = self.texts.take(pa.array(short))
            gone[short] |= pc.is_in(pc.utf8_lower(texts), pa.array(sorted(keys))).to_numpy(zero_copy_only=False)
            odd = pc.or_(pc.invert(pc.string_is_ascii(texts)), pc.match_substring_regex(texts, r"\s\s|[^\S ]"))
            odd = np.flatnonzero(odd.to_numpy(zero_copy_only=False))
            close = texts.take(pa.array(odd)).to_pylist()
            gone[short[odd]] |= np.fromiter((key(text) in keys for text in close), bool, len(odd))
        return gone

    def spread(self, values: pd.Series, index: pd.Index) -> pd.Series:
        """Give every cell the value of its distinct value.

        Parameters
        ----------
        values : Series, shape (k,)
        index : Index of length n
        """
        column = values.reset_index(drop=True).reindex(range(len(values) + bool((self.codes < 0).any())))
        return column.take(np.where(self.codes < 0, len(values), self.codes)).set_axis(index).rename(self.name)


def matches(texts: pa.Array, pattern: str) -> np.ndarray:
    """Return which texts match a pattern of RE2 from end to end, shape (k,)."""
    return pc.match_substring_regex(texts, f"^(?:{pattern})$").to_numpy(zero_copy_only=False)


def is_number(text: str) -> bool:
    """Return whether a text is a plain number."""
    return bool(matches(pa.array([text]), NUMBER)[0])


def key(text: str) -> str:
    """Reduce a text to the key that all spellings of one category share."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _composed(texts: pa.Array) -> pa.Array:
    """Compose accents and letters; ASCII texts need no change."""
    foreign = np.flatnonzero(~pc.string_is_ascii(texts).to_numpy(zero_copy_only=False))
    if not len(foreign):
        return texts
    found = texts.to_pylist()
    for i in foreign:
        found[i] = unicodedata.normalize("NFC", found[i])
    return pa.array(found, pa.string())


def _of_texts(distinct: pd.Index) -> bool:
    """Return whether distinct values are texts in the source, so that they differ as texts, too."""
    return isinstance(distinct.dtype, pd.ArrowDtype) and pa.types.is_string(distinct.dtype.pyarrow_dtype)


def _quantity(dtype: object) -> bool:
    number = types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype)
    return number or types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype)


def _plain(cells: pd.Series) -> pd.Series:
    """Convert Arrow's types and Python's objects to the dtypes that cleaning expects."""
    dtype = cells.dtype
    if remedy := tensors.remedy_for(cells, _ONE, _ARRAYS):
        raise InputError(f"dataset.columns.{cells.name}.kind", str(getattr(dtype, "pyarrow_dtype", dtype)), remedy)
    if isinstance(dtype, pd.ArrowDtype):
        return _from_arrow(cells, dtype.pyarrow_dtype)
    if types.is_object_dtype(dtype):
        kinds = Counter(type(cell) for cell in cells.dropna().to_numpy())
        if kinds and all(issubclass(kind, datetime.date) for kind in kinds):
            aware = any(getattr(cell, "tzinfo", None) for cell in cells.dropna())
            return pd.to_datetime(cells, errors="coerce", utc=aware)
        if kinds and all(issubclass(kind, datetime.timedelta) for kind in kinds):
            return pd.to_timedelta(cells)
        if kinds and all(issubclass(kind, datetime.time) for kind in kinds):
            return pd.to_timedelta(cells.astype(str).where(cells.notna()))
        if kinds and all(issubclass(kind, Decimal) for kind in kinds):
            return cells.astype(float)
    return cells


def _from_arrow(cells: pd.Series, dtype: pa.DataType) -> pd.Series:
    if pa.types.is_date(dtype):
        return cells.astype("timestamp[s][pyarrow]").astype("datetime64[s]")
    if pa.types.is_timestamp(dtype):
        return cells.astype(pd.DatetimeTZDtype(dtype.unit, dtype.tz) if dtype.tz else f"datetime64[{dtype.unit}]")
    if pa.types.is_duration(dtype):
        return cells.astype(f"timedelta64[{dtype.unit}]")
    if pa.types.is_time(dtype):
        return pd.to_timedelta(cells.astype(object).astype(str).where(cells.notna()))
    if pa.types.is_decimal(dtype):
        return cells.astype("float64")
    if pa.types.is_dictionary(dtype):
        return cells.astype("category")
    if pa.types.is_integer(dtype):
        return cells.astype("UInt64" if dtype == pa.uint64() else "Int64")
    if pa.types.is_floating(dtype):
        return cells.astype("float64")
    if pa.types.is_boolean(dtype):
        return cells.astype("boolean")
    return cells


def _texts(distinct: pd.Index) -> pa.Array:
    """Write distinct values as texts: whole floats without a point."""
    if types.is_float_dtype(distinct.dtype):
        texts = [str(int(v)) if np.isfinite(v) and v == int(v) else str(float(v)) for v in distinct]
        return pa.array(texts, pa.string())
    if _of_texts(distinct):
        array = pa.array(distinct)
        return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return pa.array([str(value) for value in distinct], pa.string())

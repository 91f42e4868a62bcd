"""Features of one fitted generator for an attack: rows drawn from it, and numbers of its saved state."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from trisynth.data.dataset import Dataset
from trisynth.generators.base import Generator
from trisynth.generators.private.base import PrivateGenerator

# Beginning of the names of numbers of the state.
STATE = "state."
# Entries of one array that are features of their own; of a longer one the sum stands for the rest.
_ENTRIES = 64
# Objects inside objects that are followed.
_DEPTH = 6


def features(
    made: Generator, canary: pd.DataFrame, dataset: Dataset, rows: int, seed: int, white_box: bool
) -> dict[str, float]:
    """Describe one fitted generator near the canary.

    Parameters
    ----------
    made : Generator
        Fitted.
    canary : DataFrame of one row
    dataset : Dataset
        Rows without the canary.
    rows : int
        Rows that are drawn.
    seed : int
        Seed of the drawn rows.
    white_box : bool
        Whether the saved state is seen besides the drawn rows.

    Returns
    -------
    dict of str to float
    """
    found = _drawn(made.sample(rows, seed), canary)
    if white_box:
        if isinstance(made, PrivateGenerator):
            found |= traced(made, made.place(canary))
        given = made.get_params(deep=False)
        found |= _state({name: value for name, value in vars(made).items() if name not in given})
    return found


def traced(made: PrivateGenerator, placed: tuple[np.ndarray, np.ndarray]) -> dict[str, float]:
    """Return the values of a fitted generator's tables at the cells of a row that was placed."""
    return {f"trace.{i}": value for i, value in enumerate(made.traces(*placed).tolist())}


def _drawn(rows: pd.DataFrame, canary: pd.DataFrame) -> dict[str, float]:
    found, same = {}, np.ones(len(rows), bool)
    for name in canary:
        own, cell = rows[name], canary[name].iloc[0]
        equal = (own == cell).fillna(False).to_numpy(bool) if pd.notna(cell) else own.isna().to_numpy()
        same &= equal
        found[f"{name}.equal"] = float(equal.mean())
        if pd.api.types.is_numeric_dtype(own.dtype) and pd.notna(cell):
            numbers = own.to_numpy(float, na_value=np.nan)
            scale = max(abs(float(cell)), 1e-9)
            finite = numbers[np.isfinite(numbers)]
            found[f"{name}.max"] = float(finite.max(initial=-scale)) / scale
            found[f"{name}.mean"] = float(finite.mean()) / scale if len(finite) else 0.0
    return found | {"rows.equal": float(np.log1p(same.sum()))}


def _state(state: Mapping[str, object]) -> dict[str, float]:
    """Return the first numbers of every array of a fitted state, and the length and sum of each."""
    found = {}
    for path, values in _arrays(state, STATE, 0):
        flat = values.ravel().astype(float)
        flat = flat[np.isfinite(flat)]
        found[f"{path}.length"] = float(len(flat))
        found[f"{path}.sum"] = float(flat.sum())
        found |= {f"{path}.{i}": value for i, value in enumerate(flat[:_ENTRIES].tolist())}
    return found


def _arrays(value: object, path: str, depth: int) -> Iterator[tuple[str, np.ndarray]]:
    if isinstance(value, np.ndarray | np.number | int | float):
        numbers = np.asarray(value)
        if numbers.dtype.kind in "biuf" and numbers.size:
            yield path, numbers
    elif depth == _DEPTH or isinstance(value, str | bytes | type):
        return
    elif isinstance(value, pd.Series | pd.Index):
        yield from _arrays(value.to_numpy(), path, depth + 1)
    elif isinstance(value, pd.DataFrame | Mapping):
        for name in value:
            yield from _arrays(value[name], f"{path}.{name}", depth + 1)
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _arrays(item, f"{path}.{i}", depth + 1)
    elif hasattr(value, "__dict__"):
        yield from _arrays(vars(value), path, depth + 1)

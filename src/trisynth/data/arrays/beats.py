"""Heart beats cut from one electrocardiogram."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import find_peaks

from trisynth.cache import require_file
from trisynth.data import tensors
from trisynth.errors import InputError
from trisynth.places import reader

# Samples a second of the record; samples from one peak to the next at least, and around a peak; one of so many is kept.
RATE = 360
_APART, _BEFORE, _AFTER, _EVERY = 108, 96, 160, 4
# Least height of a peak above the valleys beside it, in millivolts.
_PROMINENCE = 0.8


@reader
def beats(path: str | Path) -> pd.DataFrame:
    """Read the beats of a record in a file of numpy with the array ``ecg``, in millivolts, 360 a second.

    A beat lies around a peak; it begins 0.27 s before it and ends 0.44 s after it, and has 90 samples a second.

    Parameters
    ----------
    path : path

    Returns
    -------
    DataFrame, shape (n, 1)
        ``beat``, tensors of shape (64,), in the order of the record.

    Raises
    ------
    InputError
        If the file has no such array of one axis, or fewer than ten beats.
    """
    require_file(path, "dataset.path")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            record = np.asarray(arrays["ecg"], float)
    except (KeyError, ValueError, OSError) as error:
        raise InputError("dataset.path", str(path), "is not a numpy file with an array ecg") from error
    peaks = find_peaks(record, distance=_APART, prominence=_PROMINENCE)[0] if record.ndim == 1 else np.empty(0, int)
    peaks = peaks[(peaks >= _BEFORE) & (peaks + _AFTER <= len(record))]
    if len(peaks) < 10:
        raise InputError("dataset.path", str(path), f"has {len(peaks)} beats; ten are needed")
    around = np.arange(-_BEFORE, _AFTER).reshape(-1, _EVERY)
    # The mean of four samples, so that the lower rate has no aliases.
    return pd.DataFrame({"beat": tensors.column(record[peaks[:, None, None] + around].mean(axis=2))})

"""Checks of constructor arguments that all neural generators share."""

import math
from collections.abc import Sequence

import numpy as np

from trisynth.errors import InputError, require_flag, require_whole
from trisynth.generators.neural.networks.backbones import BACKBONES


def check_sizes(**sizes: object) -> None:
    """Refuse every value that is neither a whole number >= 1 nor a sequence of such numbers."""
    for name, value in sizes.items():
        several = isinstance(value, Sequence) and not isinstance(value, str)
        for size in value if several else [value]:
            if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
                kind = "whole numbers" if several else "a whole number"
                raise InputError(name, value, f"must be {kind}, 1 or more")


def check_rates(**rates: object) -> None:
    """Refuse every value that is not a positive finite number."""
    for name, rate in rates.items():
        if isinstance(rate, bool) or not isinstance(rate, float | int) or not 0 < rate < math.inf:
            raise InputError(name, rate, "must be a positive number, such as 0.001")


def check_fractions(**fractions: object) -> None:
    """Refuse every value that is not a number from 0 to below 1."""
    for name, fraction in fractions.items():
        if isinstance(fraction, bool) or not isinstance(fraction, float | int) or not 0 <= fraction < 1:
            raise InputError(name, fraction, "must be a fraction from 0 to below 1, such as 0.25")


def check_backbone(backbone: object) -> None:
    """Refuse a backbone that does not exist."""
    if backbone not in BACKBONES:
        raise InputError("backbone", backbone, f"must be one of {', '.join(BACKBONES)}")


def check_whole(**values: object) -> None:
    """Refuse every value that is not a whole number >= 0."""
    for name, value in values.items():
        require_whole(name, value, 0)


def check_flags(**flags: object) -> None:
    """Refuse every value that is neither true nor false."""
    for name, flag in flags.items():
        require_flag(name, flag)

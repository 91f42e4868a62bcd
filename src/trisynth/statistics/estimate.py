"""A mean and its confidence interval."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A mean and its symmetric confidence interval.

    Parameters
    ----------
    mean : float
    half : float
        Half of the interval's width; NaN where the interval is undefined.
    count : int
        Number of values.
    """

    mean: float
    half: float
    count: int

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.mean + self.half

    @property
    def above_zero(self) -> bool:
        """True if the interval of at least three values lies above zero; two values may agree by chance."""
        return self.count > 2 and self.low > 0

    @property
    def excludes_zero(self) -> bool:
        """True if the interval lies above or below zero."""
        return self.low > 0 or self.high < 0

"""Success of an attack on training rows beside that of the same attack on held-out rows, and of guessing."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from trisynth.auditing.bounds import CONFIDENCE


def wilson(successes: float, attacks: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Estimate a success rate: the centre of Wilson's (1927) interval, and half of its width."""
    z = float(norm.ppf((1 + confidence) / 2))
    centre = (successes + z**2 / 2) / (attacks + z**2)
    half = z / (attacks + z**2) * np.sqrt(successes * (attacks - successes) / attacks + z**2 / 4)
    return float(centre), float(half)


@dataclass(frozen=True)
class Risk:
    """Success of an attack that uses synthetic rows (Giomi et al. 2023).

    Parameters
    ----------
    successes, controls, guesses : int
        Successful attacks on training rows, on held-out rows, and of an attacker who guesses without a use of the
        records.
    attacks, attacks_on_controls, attacks_by_guess : int
        Attacks of each kind.
    used : float, default=1.0
        Fraction of the rows that the attack compares; copies of all others are missed.
    compared : int, default=1
        Risks among which this one was chosen as the largest; its interval is that much wider (Bonferroni).
    overlap : float, default=1.0
        Attacks for each independent one; the interval is that of so many fewer attacks.
    """

    successes: int
    attacks: int
    controls: int
    attacks_on_controls: int
    guesses: int
    attacks_by_guess: int
    used: float = 1.0
    compared: int = 1
    overlap: float = 1.0

    @classmethod
    def of(cls, main: np.ndarray, control: np.ndarray, naive: np.ndarray, used: float = 1.0) -> "Risk":
        """Count the successes of the three attacks, each an array of bool that is not empty."""
        counts = [(int(np.sum(part)), len(part)) for part in (main, control, naive)]
        return cls(*counts[0], *counts[1], *counts[2], used)

    @property
    def rate(self) -> float:
        """Success rate on training rows; it is high also where a table is only easy to predict."""
        return wilson(self.successes, self.attacks)[0]

    @property
    def control(self) -> float:
        """Success rate on held-out rows, which shows what is true of all rows of such a table."""
        return wilson(self.controls, self.attacks_on_controls)[0]

    @property
    def naive(self) -> float:
        """Success rate of guessing; an attack that is not better shows nothing."""
        return wilson(self.guesses, self.attacks_by_guess)[0]

    @property
    def interval(self) -> tuple[float, float, float]:
        """Risk (p - c) / (1 - c) of the rates p and c on training and held-out rows, with its 95 % interval.

        The errors of both rates are propagated. Below 0, held-out rows were the easier ones, by chance. All three lie
        between -1 and 1.
        """
        risk = self._estimate(CONFIDENCE)[0]
        centre, half = self._estimate(1 - (1 - CONFIDENCE) / self.compared)
        ends = risk, min(centre - half, risk), max(centre + half, risk)
        return tuple(min(max(end, -1.0), 1.0) for end in ends)

    def _estimate(self, confidence: float) -> tuple[float, float]:
        parts = (self.successes, self.attacks), (self.controls, self.attacks_on_controls)
        (main, error), (control, other) = (wilson(*part, confidence) for part in parts)
        if self.overlap > 1:
            error, other = (wilson(s / self.overlap, n / self.overlap, confidence)[1] for s, n in parts)
        half = float(np.hypot(error / (1 - control), other * (1 - main) / (1 - control) ** 2))
        return (main - control) / (1 - control), half

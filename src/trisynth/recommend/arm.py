"""The arm that follows a recommendation."""

from dataclasses import dataclass
from typing import ClassVar

from trisynth.evaluation.arms import Combined, adding


@dataclass(frozen=True)
class Advised(Combined):
    """The real rows and as many synthetic ones as the generator recommends, which may be none.

    Parameters
    ----------
    ratio : float, default=1.0
        Synthetic rows for each real row where the generator makes no recommendation.
    """

    uses_synthetic: ClassVar[bool] = True
    renamed: ClassVar = {"amount": "ratio"}

    def needs(self, counts, generator=None):
        """Return the synthetic rows to sample; see ``Arm``."""
        advice = getattr(generator(), "advice_", None) if generator else None
        return super().needs(counts) if advice is None else adding(advice["amount"]).needs(counts)

"""AIM: tables chosen one after the other where the present estimate is worst."""

from collections.abc import Mapping
from itertools import combinations
from typing import ClassVar

import numpy as np

from trisynth.errors import InputError
from trisynth.generators.neural.checks import check_sizes
from trisynth.generators.private.label_triples import LabelTriples
from trisynth.generators.private.mixture import Mixture, draw
from trisynth.privacy import Budget
from trisynth.privacy.ledger import Ledger, Share
from trisynth.privacy.noise import Noise

_CHOICES, _TABLES = "adaptive choices", "adaptive tables"
# Rounds for each column: as many as leave this many groups of a column apart from noise.
_ROUNDS, _GROUPS = (3.0, 2.0, 1.0), 8.0
# Steps of the estimate after each round, and after the last one.
_STEPS, _LAST = 20, 300


class AIM(LabelTriples):
    """Adaptive and iterative mechanism on tables of (column, column, label).

    Single columns are counted as by ``label_triples``. In every round the exponential mechanism chooses the pair of
    columns whose table differs most from the present estimate, beyond what its noise would add, and the table is
    counted. The estimate is a mixture of independent columns within each label, fitted to all tables; the pairs need
    not form a tree. More rounds are planned where the budget, at the declared number of rows, resolves their tables.

    Parameters
    ----------
    privacy : Budget or None, default=None
        Must be given.
    components : int, default=100
        Components of the mixture of each label.

    Notes
    -----
    Sources: McKenna, Mullins, Sheldon & Miklau (2022), AIM, https://arxiv.org/abs/2201.12677, for rounds, quality score
    and a tenth of the adaptive budget for choices; Aydore et al. (2021), https://arxiv.org/abs/2103.06641, for
    mixtures instead of a graphical model. The source doubles the budget of a round when tables stop to change;
    here all rounds are planned in advance, which accounting by privacy loss distributions needs.
    """

    _tables: ClassVar[str] = _TABLES

    def __init__(self, privacy: Budget | None = None, components: int = 100):
        super().__init__(privacy)
        self.components = components

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        check_sizes(components=self.components)

    def _open(self, inner: int, singles: int, kinds: int) -> Ledger:
        pairs = inner * (inner - 1) // 2
        for per_column in _ROUNDS:
            self.rounds_ = min(int(per_column * (inner - 1)), pairs)
            try:
                ledger = super()._open(inner, singles, kinds)
            except InputError:
                if per_column == _ROUNDS[-1]:
                    raise
                continue
            rows = self._budget.rows
            if not self.rounds_ or rows is None or not ledger.sigma(_TABLES):
                break
            if np.sqrt(rows / kinds / ledger.sigma(_TABLES)) >= _GROUPS:
                break
        return ledger

    def _plan(self, inner: int) -> Mapping[str, Share]:
        return {_CHOICES: Share(0.3, self.rounds_, choice=True), _TABLES: Share(2.7, self.rounds_)}

    def _join(self, codes: list[np.ndarray], labels: np.ndarray, noise: Noise) -> None:
        ledger, kinds = self.ledger_, len(self.totals_)
        # The initial components need no privacy, but a stream of their own.
        model = Mixture.start(self.totals_, self.ones_, self.components, int(noise.uniform(1)[0] * 2**53))
        sizes, sigma = model.sizes, ledger.sigma(_TABLES) if self.rounds_ else 0.0
        pairs = list(combinations(range(len(codes)), 2))
        counted = {}
        for a, b in pairs:
            flat = (labels * sizes[a] + codes[a]) * sizes[b] + codes[b]
            counted[a, b] = np.bincount(flat, minlength=kinds * sizes[a] * sizes[b]).reshape(kinds, sizes[a], sizes[b])
        model.fit(_STEPS)
        for _ in range(self.rounds_):
            estimated = model.tables().numpy()
            # One row changes the distance by 1. What noise adds to a larger table is public.
            scores = [
                np.abs(counted[a, b] - estimated[:, model.block(a), model.block(b)]).sum()
                - np.sqrt(2 / np.pi) * sigma * counted[a, b].size
                for a, b in pairs
            ]
            a, b = pairs[ledger.choose(_CHOICES, np.array(scores), noise)]
            model.add(a, b, ledger.noisy(_TABLES, counted[a, b], noise), sigma)
            model.fit(_STEPS)
        model.fit(_LAST)
        self.mixture_, self.weights_ = model.arrays()

    def _groups(self, labels: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        return draw(self.mixture_, self.weights_, labels, rng)

    def _joint_traces(self, codes: list[np.ndarray], labels: np.ndarray) -> list[float]:
        label = int(labels[0])
        own = [part[label][:, int(code[0])] for part, code in zip(self.mixture_, codes, strict=False)]
        weights = self.weights_[label] * self.totals_[label]
        return [float((weights * first * second).sum()) for first, second in combinations(own, 2)]

"""Solver of the probability flow of ``edm`` with one pass a noise level, by the estimates of the last two levels.

Source: DPM-Solver++(2M), algorithm 2 of Lu et al. (2022), https://arxiv.org/abs/2211.01095.
"""

import itertools
import math
from collections.abc import Callable, Sequence

from torch import Tensor


def multistep(denoise: Callable[[Tensor, Tensor], Tensor], noise: Tensor, levels: Sequence[float]) -> Tensor:
    """Turn noise into rows; parameters as those of ``edm.heun``, but numbers as levels.

    Between two levels the estimate of the clean rows is continued as a line in log sigma. In the first step and in the
    last one, to sigma = 0, it is constant.
    """
    x, estimate, above = noise * levels[0], None, math.inf
    for sigma, lower in itertools.pairwise(levels):
        last, estimate = estimate, denoise(x, x.new_full((len(x), 1), sigma))
        ahead = estimate
        if last is not None and lower > 0:
            ahead = estimate + (estimate - last) * (math.log(sigma / lower) / (2 * math.log(above / sigma)))
        x, above = ahead + lower / sigma * (x - ahead), sigma
    return x

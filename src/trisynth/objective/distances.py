"""L_dist, from weak to strong: moments, moments with correlation, sliced Wasserstein, maximum mean discrepancy.

All take real and generated rows of scaled columns, shape (n, d), and the group of each row, shape (n,), numbered
0..g-1: row i of both tables belongs to ``groups[i]``. They return the mean over groups, weighted by their numbers of
rows, and are differentiable in the generated rows. ``DISTANCES`` builds one from the real training rows and a source of
randomness.
"""

from collections.abc import Callable

import torch
from torch import Tensor

# A class with fewer rows in a batch has no reliable moments; such classes are pooled.
_FEW = 8
# Below this standard deviation a scaled column is constant.
_CONSTANT = 1e-6
# Least variance in every direction: without it the root of a covariance has no gradient.
_LEAST_VARIANCE = 1e-6

Distance = Callable[[Tensor, Tensor, Tensor], Tensor]


def pooled(labels: Tensor) -> Tensor:
    """Return groups 0..g-1 of rows with the given ``labels``, both of shape (n,): classes, with small ones pooled.

    When the pool of small classes is too small as well, it joins the largest class.
    """
    counts = torch.bincount(labels).tolist()
    rest = sum(count for count in counts if count < _FEW)
    apart = rest >= _FEW
    largest = max(range(len(counts)), key=counts.__getitem__)
    big = [label for label, count in enumerate(counts) if count >= _FEW or (label == largest and not apart)]
    numbers = {label: number for number, label in enumerate(big)}
    small = len(big) if apart else numbers[largest]
    return torch.tensor([numbers.get(label, small) for label in range(len(counts))], device=labels.device)[labels]


def by_class(distance: Distance, real: Tensor, generated: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of ``distance`` over the classes of a batch, by frequency; small classes are pooled.

    Row i of both tables, shape (n, d), has class ``labels[i]``.
    """
    return distance(real, generated, pooled(labels))


def moments(real: Tensor, generated: Tensor, groups: Tensor | None = None) -> Tensor:
    """Return the mean over columns of (mu_X - mu_Y)^2 + (sigma_X - sigma_Y)^2.

    Column by column this is the squared 2-Wasserstein distance of two Gaussians: zero for equal means and
    variances, whatever else differs. Without ``groups`` the tables may differ in length.
    """
    (fraction, weights, mean, centred), (_, other_weights, other_mean, other_centred) = _both(real, generated, groups)
    # The root has no gradient at zero, the variance of a constant column.
    deviation = (weights @ centred.square() + _CONSTANT**2).sqrt()
    other_deviation = (other_weights @ other_centred.square() + _CONSTANT**2).sqrt()
    gaps = (mean - other_mean).square() + (deviation - other_deviation).square()
    return fraction @ gaps.mean(dim=1)


def bures(real: Tensor, generated: Tensor, groups: Tensor | None = None) -> Tensor:
    """Return (|mu_X - mu_Y|^2 + tr(S_X + S_Y - 2 (S_X^1/2 S_Y S_X^1/2)^1/2)) / d, moments with correlation.

    The squared 2-Wasserstein distance of two Gaussians, also called Frechet distance (Dowson & Landau 1982). Where
    neither table has correlations it is ``moments``. The roots are taken in double precision, of covariances that
    have a least variance in every direction; only eigenvalues are differentiated, which equal ones do not disturb.
    Without ``groups`` the tables may differ in length.
    """
    sides = _both(real.double(), generated.double(), groups)
    floor = _LEAST_VARIANCE * torch.eye(real.shape[1], dtype=torch.double, device=real.device)
    one, other = ((weights[:, :, None] * centred).mT @ centred + floor for _, weights, _, centred in sides)
    if not torch.isfinite(other).all():
        return other.sum().to(generated)
    # L^T S_Y L, where S_X = L L^T, has the eigenvalues of S_X^1/2 S_Y S_X^1/2, and L is the cheaper root.
    root = torch.linalg.cholesky_ex(one).L
    cross = root.mT @ other @ root
    # Rounding can push the smallest eigenvalue below the bound that the least variance implies.
    overlap = torch.linalg.eigvalsh((cross + cross.mT) / 2).clamp_min(_LEAST_VARIANCE**2).sqrt().sum(dim=1)
    traces = (one + other).diagonal(dim1=1, dim2=2).sum(dim=1)
    (fraction, _, mean, _), (_, _, other_mean, _) = sides
    gaps = (mean - other_mean).square().sum(dim=1) + traces - 2 * overlap
    return (fraction @ gaps / real.shape[1]).to(generated)


class Sliced:
    """Sliced 2-Wasserstein distance, squared (Rabin et al. 2012; Bonneel et al. 2015): sorted rows along directions.

    Zero only for equal distributions, in the limit of many directions, which are drawn anew at each call. The mean over
    directions of length one divides a shift by the number of columns, as the other distances do.

    Parameters
    ----------
    real : Tensor, shape (n, d)
    generator : torch.Generator
        Source of the directions' seed, so that their number changes no other draw.
    """

    directions = 32

    def __init__(self, real: Tensor, generator: torch.Generator):
        seed = int(torch.randint(2**31 - 1, (), generator=generator))
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, real: Tensor, generated: Tensor, groups: Tensor) -> Tensor:
        """Return the distance of one batch, a scalar."""
        directions = torch.randn(real.shape[1], self.directions, generator=self.generator).to(real)
        return sliced(real, generated, groups, directions / directions.norm(dim=0))


def sliced(real: Tensor, generated: Tensor, groups: Tensor, directions: Tensor) -> Tensor:
    """Return the mean squared gap of sorted rows along ``directions`` of shape (d, number), within groups."""
    lines = torch.cat([directions.T @ real.T, directions.T @ generated.T])
    by_group = lines[:, groups.argsort(stable=True)].split(torch.bincount(groups).tolist(), dim=1)
    line, other = torch.cat([part.sort(dim=1).values for part in by_group], dim=1).chunk(2)
    return (line - other).square().mean()


class MMD:
    """Squared maximum mean discrepancy (Gretton et al. 2012, equation 3), unbiased, with a rational quadratic kernel.

    Its expectation is zero only for equal distributions; a batch can be negative. The kernel
    1 / (1 + |x - y|^2 / (2 h^2)) is a mixture of Gaussian ones of all bandwidths around h (Rasmussen & Williams 2006,
    equation 4.19). h is the median distance of real rows, so that generated rows cannot change it.

    Parameters
    ----------
    real : Tensor, shape (n, d)
        Training rows.
    generator : torch.Generator
        Chooses the rows that the median is taken over.
    """

    max_rows = 512

    def __init__(self, real: Tensor, generator: torch.Generator):
        some = real[torch.randperm(len(real), generator=generator)[: self.max_rows].to(real.device)]
        distances = torch.pdist(some)
        # Equal rows would make the median zero.
        distances = distances[distances > _CONSTANT]
        self.bandwidth = float(distances.median()) if len(distances) else 1.0

    def kernel(self, rows: Tensor, others: Tensor) -> Tensor:
        """Return kernel values of shape (n, m)."""
        squares = rows.square().sum(dim=1, keepdim=True) + others.square().sum(dim=1)
        # Rounding can make the distance of a row to itself negative.
        distance = torch.addmm(squares, rows, others.T, alpha=-2).clamp_min(0)
        return 1 / (1 + distance / (2 * self.bandwidth**2))

    def __call__(self, real: Tensor, generated: Tensor, groups: Tensor) -> Tensor:
        """Return the squared discrepancy of one batch, a scalar."""
        n = len(real)
        same = (groups[:, None] == groups).to(real)
        count = same.sum(dim=1)
        # Pairs of a row with itself are left out; a weight of 1/n per row weights groups by their frequency.
        apart = same.clone().fill_diagonal_(0) / (count - 1).clamp_min(1)
        within = (apart * (self.kernel(real, real) + self.kernel(generated, generated))).sum()
        return (within - 2 * (same / count * self.kernel(real, generated)).sum()) / n


Side = tuple[Tensor, Tensor, Tensor, Tensor]


def _both(real: Tensor, generated: Tensor, groups: Tensor | None) -> tuple[Side, Side]:
    """Return for each table frequencies (g,), averaging weights (g, n), means (g, d) and centred rows (n, d).

    A product with weights is several times faster than a loop over masks.
    """
    if groups is None:
        parts = [(rows.new_ones(1), rows.new_full((1, len(rows)), 1 / len(rows)), 0) for rows in (real, generated)]
    else:
        member = (groups == torch.arange(int(groups.max()) + 1, device=groups.device)[:, None]).to(real)
        counts = member.sum(dim=1, keepdim=True)
        parts = [(counts[:, 0] / len(groups), member / counts, groups)] * 2
    sides = []
    for rows, (fraction, weights, group) in zip((real, generated), parts, strict=True):
        mean = weights @ rows
        sides.append((fraction, weights, mean, rows - mean[group]))
    return tuple(sides)


DISTANCES: dict[str, Callable[[Tensor, torch.Generator], Distance]] = {
    "moments": lambda real, generator: moments,
    "bures": lambda real, generator: bures,
    "sliced": Sliced,
    "mmd": MMD,
}

"""Optimal pairing of real and generated rows, the L_rec of families without pairs."""

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor


def transport_cost(real: Tensor, generated: Tensor, labels: Tensor) -> Tensor:
    """Return the mean squared distance of rows under the cheapest pairing within classes.

    Parameters
    ----------
    real, generated : Tensor, shape (n, width)
        Scaled rows; row i of both has class ``labels[i]``.
    labels : Tensor of int, shape (n,)

    Returns
    -------
    Tensor, scalar
        Summed over columns, averaged over rows; differentiable in ``generated``, with the pairing held fixed.
    """
    partner = torch.empty_like(labels)
    costs = torch.cdist(real.detach(), generated.detach()).square().cpu().numpy()
    groups = labels.cpu().numpy()
    for label in np.unique(groups):
        rows = np.flatnonzero(groups == label)
        _, matched = linear_sum_assignment(np.nan_to_num(costs[np.ix_(rows, rows)], nan=0.0, posinf=1e30))
        partner[torch.from_numpy(rows)] = torch.from_numpy(rows[matched]).to(partner)
    return (real - generated[partner]).square().sum(dim=1).mean()

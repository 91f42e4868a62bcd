"""What generators trained by gradient share: networks, batches, the training loop, and weights as arrays.

Random numbers are drawn on the CPU from a ``torch.Generator`` and then moved, so that a run on a GPU sees the
same draws as one on a CPU; torch's global random state is neither read nor written.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from trisynth.errors import InputError
from trisynth.objective import Diverged
from trisynth.preprocessing.encoder import Block

# Longer gradients are cut to this length: one odd batch must not undo an epoch.
_LONGEST_GRADIENT = 5.0
# Below this standard deviation a column is constant.
_CONSTANT = 1e-9


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, as small networks are fastest, and restore the former number."""
    former = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(former)


def checked_device(device: str) -> torch.device:
    """The torch device of a name.

    Raises
    ------
    InputError
        If the name is unknown or this machine has no such device.
    """
    if device not in ("cpu", "cuda"):
        raise InputError("device", device, "must be cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device", device, "no CUDA device is visible to torch here; use device=cpu")
    return torch.device(device)


def check_sizes(**sizes: object) -> None:
    """Refuse every value that is neither a whole number >= 1 nor a sequence of them."""
    for name, value in sizes.items():
        for size in value if isinstance(value, Sequence) and not isinstance(value, str) else [value]:
            if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
                raise InputError(name, value, "must be whole numbers, 1 or more")


def check_rates(**rates: object) -> None:
    """Refuse every value that is not a positive finite number."""
    for name, rate in rates.items():
        if isinstance(rate, bool) or not isinstance(rate, float | int) or not 0 < rate < math.inf:
            raise InputError(name, rate, "must be a positive number, such as 0.001")


def linear(inner: int, outer: int, generator: torch.Generator) -> nn.Linear:
    """Affine layer whose weights come from ``generator``."""
    # The usual constructor would draw its weights from torch's global state.
    layer = nn.utils.skip_init(nn.Linear, inner, outer)
    bound = 1 / math.sqrt(max(inner, 1))
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_((2 * torch.rand(parameter.shape, generator=generator) - 1) * bound)
    return layer


def mlp(
    sizes: Sequence[int], generator: torch.Generator, activation: Callable[[], nn.Module] = nn.SiLU
) -> nn.Sequential:
    """Fully connected network through layers of the given ``sizes`` with ``activation`` between."""
    layers: list[nn.Module] = []
    for inner, outer in itertools.pairwise(sizes):
        layers += [linear(inner, outer, generator), activation()]
    return nn.Sequential(*layers[:-1])


def gumbel_softmax(logits: Tensor, uniform: Tensor, temperature: float) -> Tensor:
    """Relaxed one-hot draws of shape (n, k) from uniform draws in (0, 1) of the same shape (Jang et al. 2017)."""
    return ((logits - (-uniform.log()).log()) / temperature).softmax(dim=1)


def batches(n: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Endless row numbers, ``min(n, size)`` at a time; every row comes once before any comes again."""
    size = min(n, size)
    waiting = torch.empty(0, dtype=torch.long)
    while True:
        while len(waiting) < size:
            waiting = torch.cat([waiting, torch.randperm(n, generator=generator)])
        yield waiting[:size]
        waiting = waiting[size:]


def descend(
    module: nn.Module,
    loss: Callable[[Tensor], tuple[Tensor, dict[str, float]]],
    rows: Iterator[Tensor],
    epochs: int,
    steps: int,
    learning_rate: float,
    weight_decay: float = 0.0,
) -> Iterator[dict[str, float]]:
    """Adam (Kingma & Ba 2015) with a cosine fall of the learning rate to zero.

    Parameters
    ----------
    module : Module
        Its parameters are trained in place.
    loss : callable
        From row numbers to the loss and the numbers to record.
    rows : iterator
        Row numbers of each step.
    epochs, steps : int
        Number of epochs, and gradient steps in each.
    learning_rate : float
        At the start.
    weight_decay : float

    Yields
    ------
    dict of str to float
        After each epoch, the means of the recorded numbers.

    Raises
    ------
    Diverged
        If the gradient is not finite; the parameters are those before that step.
    """
    parameters = list(module.parameters())
    optimizer = torch.optim.Adam(parameters, lr=learning_rate, weight_decay=weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * steps)
    for _ in range(epochs):
        sums: dict[str, float] = {}
        for _ in range(steps):
            value, record = loss(next(rows))
            optimizer.zero_grad()
            value.backward()
            length = float(nn.utils.clip_grad_norm_(parameters, _LONGEST_GRADIENT))
            if not math.isfinite(length):
                raise Diverged("gradient", length)
            optimizer.step()
            schedule.step()
            for name, number in record.items():
                sums[name] = sums.get(name, 0.0) + number
        yield {name: total / steps for name, total in sums.items()}


def to_arrays(module: nn.Module) -> dict[str, np.ndarray]:
    """A copy of the module's weights, as the persistence layer stores them."""
    return {name: value.detach().cpu().numpy().copy() for name, value in module.state_dict().items()}


def from_arrays(module: nn.Module, arrays: dict[str, np.ndarray]) -> nn.Module:
    """``module`` with the weights of ``arrays``."""
    module.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    return module


def standard(matrix: np.ndarray, blocks: Sequence[Block]) -> tuple[np.ndarray, np.ndarray]:
    """Centre and spread of the numbers, whatever scale the encoder gave them; indicators stay 0 and 1."""
    number = np.zeros(matrix.shape[1], dtype=bool)
    number[[block.start for block in blocks if block.kind == "number"]] = True
    spread = np.where(number, matrix.std(axis=0), 1.0)
    return np.where(number, matrix.mean(axis=0), 0.0), np.where(spread > _CONSTANT, spread, 1.0)


def fills(matrix: np.ndarray, blocks: Sequence[Block]) -> np.ndarray:
    """What each number with missing cells, in the order of their indicators, holds where it is missing."""
    numbers = {block.name: block.start for block in blocks if block.kind == "number"}
    indicators = [(numbers[block.name], block.start) for block in blocks if block.kind == "missing"]
    return np.array([matrix[matrix[:, indicator] == 1, number][0] for number, indicator in indicators])

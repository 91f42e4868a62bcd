"""What networks of all families share: layers, relaxed draws, batches, weights as arrays, and checks of sizes."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from trisynth.errors import InputError

# Uniform draws keep this distance from 0 and 1, where the inverse normal and the logarithm are infinite.
EDGE = 1e-6


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


def check_shares(**shares: object) -> None:
    """Refuse every value that is not a number from 0 to below 1."""
    for name, share in shares.items():
        if isinstance(share, bool) or not isinstance(share, float | int) or not 0 <= share < 1:
            raise InputError(name, share, "must be a share from 0 to below 1, such as 0.25")


def check_switches(**switches: object) -> None:
    """Refuse every value that is neither true nor false."""
    for name, switch in switches.items():
        if not isinstance(switch, bool):
            raise InputError(name, switch, "must be true or false")


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


def to_arrays(module: nn.Module) -> dict[str, np.ndarray]:
    """A copy of the module's weights, as the persistence layer stores them."""
    return {name: value.detach().cpu().numpy().copy() for name, value in module.state_dict().items()}


def from_arrays(module: nn.Module, arrays: dict[str, np.ndarray]) -> nn.Module:
    """``module`` with the weights of ``arrays``."""
    module.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    return module

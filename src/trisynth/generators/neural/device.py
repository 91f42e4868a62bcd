"""Threads and devices of torch, and network weights as arrays."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from trisynth.errors import InputError


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
    """Return the torch device of a name.

    Raises
    ------
    InputError
        If the name is unknown or this machine has no such device.
    """
    check_name(device)
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device", device, "no CUDA device is visible to torch here; use device=cpu")
    return torch.device(device)


def check_name(device: str) -> None:
    """Raise ``InputError`` unless ``device`` is the name of a device, whether or not this machine has it."""
    if device not in ("cpu", "cuda"):
        raise InputError("device", device, "must be cpu or cuda")


def to_arrays(module: nn.Module) -> dict[str, np.ndarray]:
    """Copy the module's weights into arrays, as the persistence layer stores them."""
    return {name: value.detach().cpu().numpy().copy() for name, value in module.state_dict().items()}


def from_arrays(module: nn.Module, arrays: dict[str, np.ndarray]) -> nn.Module:
    """Load the weights of ``arrays`` into ``module`` and return it."""
    module.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    return module

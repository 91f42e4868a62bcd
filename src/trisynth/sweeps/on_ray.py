"""Jobs of a sweep as tasks of Ray, on a cluster or on this machine."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from hydra.core.utils import JobReturn, JobStatus

from trisynth.errors import InputError
from trisynth.sweeps import worker

T = TypeVar("T")
# Nothing is reported, no token is written to the home folder, and no agent is waited for that a sweep has no use for.
_SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "RAY_enable_metrics_collection": "0"}
_STARTS = 2


@contextmanager
def cluster(address: str | None, workers: int) -> Iterator[None]:
    """Connect to a cluster of Ray, or start one on this machine that ends with the block.

    Parameters
    ----------
    address : str or None
    workers : int
        Cores of the cluster on this machine.

    Raises
    ------
    InputError
        If Ray is not installed, or the cluster cannot be reached or started.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise InputError("hydra/launcher", "ray", "needs Ray; pip install 'trisynth[ray]'") from None
    own = {"num_cpus": workers, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    options = {"address": address} if address else {"address": "local", **own}
    for attempt in range(1, _STARTS + 1):
        try:
            ray.init(**options, logging_level="ERROR", log_to_driver=False)
            break
        # Of many classes: a start that times out raises a bare Exception.
        except Exception as error:
            ray.shutdown()
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            if attempt == _STARTS:
                remedy = f"cannot be {'reached' if address else 'started'} ({reason}); check the address and the load"
                raise InputError("hydra.launcher.address", address, remedy) from None
            print(f"warning: Ray: {reason}; trying once more", file=sys.stderr)
    try:
        yield
    finally:
        ray.shutdown()


def run(content: bytes, jobs: Sequence[tuple[int, list[str]]], cpus: float = 1, retries: int = 3) -> list[JobReturn]:
    """Run the jobs of a sweep in their order; one that is lost returns no value, and the others go on.

    Parameters
    ----------
    content : bytes
        What ``worker.run`` reads from a file.
    jobs : sequence of (number, overrides)
    cpus : float
        Cores that a job reserves.
    retries : int
        New starts of a job whose worker or machine was lost.
    """
    digest = hashlib.sha256(content).hexdigest()
    arguments = [(digest, str(Path.cwd()), *job) for job in jobs]
    found = dict(mapped(_job, content, arguments, cpus, retries))
    # The callback of the sweep reports those without a status.
    lost = [JobReturn(overrides=overrides, status=JobStatus.COMPLETED) for _, overrides in jobs]
    return [found.get(i, lost[i]) for i in range(len(jobs))]


def _job(content: bytes, digest: str, folder: str, number: int, overrides: list[str]) -> JobReturn:
    # Paths of the configuration are relative to the folder of the command, which all machines must have.
    os.chdir(folder)
    return worker.run_shared(content, digest, number, overrides)


def mapped(
    function: Callable[..., T], content: Any, arguments: Iterable[tuple], cpus: float = 1, retries: int = 3
) -> Iterator[tuple[int, T]]:
    """Call a function as tasks of Ray; yield the position and the result of each call as it ends.

    Parameters
    ----------
    function : callable
        Of a module that every worker can import; its first argument is ``content``.
    content : object
        Sent to each machine once.
    arguments : iterable of tuple
        Further arguments of each call.
    cpus : float
    retries : int

    Yields
    ------
    tuple of int and object
        Calls whose worker was lost more than ``retries`` times are left out.
    """
    import ray
    from ray.exceptions import NodeDiedError, OutOfMemoryError, RayTaskError, WorkerCrashedError

    shared = ray.put(content)
    task = ray.remote(num_cpus=cpus, max_retries=retries)(function)
    waiting = {task.remote(shared, *each): i for i, each in enumerate(arguments)}
    while waiting:
        (done, *_), _ = ray.wait(list(waiting))
        place = waiting.pop(done)
        try:
            yield place, ray.get(done)
        except (WorkerCrashedError, NodeDiedError, OutOfMemoryError):
            continue
        except RayTaskError as error:
            # The mistake itself, not the text of a traceback.
            raise error.cause from None

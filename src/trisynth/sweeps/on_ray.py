"""Jobs of a sweep as tasks of Ray, on a cluster or on this machine."""

import hashlib
import os
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from hydra.core.utils import JobReturn, JobStatus
from joblib import effective_n_jobs
from omegaconf import OmegaConf

from trisynth.config import CONF
from trisynth.errors import InputError, require_number, require_whole
from trisynth.sweeps import worker

T = TypeVar("T")
# Nothing is reported, no token is written to the home folder, and no agent is waited for that a sweep has no use for.
_SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "RAY_enable_metrics_collection": "0"}
_STARTS = 2
# Longest wait for a connection to a cluster.
_SECONDS = 20


def settings(given: Mapping[str, str]) -> dict[str, Any]:
    """Read settings of ``conf/hydra/launcher/ray.yaml`` where Hydra does not run the program.

    Parameters
    ----------
    given : mapping of str to str
        Settings that differ from the file, as they were typed.

    Raises
    ------
    InputError
        If there is no such setting, or it has another type.
    """
    known = OmegaConf.to_container(OmegaConf.load(CONF / "hydra" / "launcher" / "ray.yaml"))
    found = {name: known[name] for name in ("address", "n_jobs", "cpus_per_job", "retries")}
    for name, text in given.items():
        if name not in found:
            raise InputError(f"launcher.{name}", text, f"is no setting; known: {', '.join(found)}")
        if name == "address":
            found[name] = None if text == "null" else text
            continue
        try:
            found[name] = float(text) if name == "cpus_per_job" else int(text)
        except ValueError:
            raise InputError(f"launcher.{name}", text, "must be a number") from None
    if found["n_jobs"] == 0 or found["n_jobs"] < -1:
        raise InputError("launcher.n_jobs", found["n_jobs"], "must be 1 or more, or -1 for as many as there are cores")
    require_number("launcher.cpus_per_job", found["cpus_per_job"], 0)
    require_whole("launcher.retries", found["retries"], 0)
    return found


def cores(jobs: int) -> int:
    """Return the number of cores that so many jobs at a time take; -1 stands for all of this machine."""
    return effective_n_jobs(jobs)


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
    if address:
        _require_there(address)
    own = {"num_cpus": workers, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    options = {"address": address} if address else {"address": "local", **own}
    for attempt in range(1, _STARTS + 1):
        try:
            ray.init(**options, logging_level="ERROR", log_to_driver=False)
            break
        # Of many classes: a start that times out raises a bare Exception.
        except Exception as error:
            ray.shutdown()
            reason = _line(error)
            if attempt == _STARTS:
                if address:
                    remedy = f"cannot be reached ({reason}); check the address, and whether the cluster runs"
                    raise InputError("hydra.launcher.address", address, remedy) from None
                remedy = f"cannot be started ({reason}); run the same command again when fewer processes are busy"
                raise InputError("hydra/launcher", "ray", remedy) from None
            print(f"warning: Ray: {reason}; trying once more", file=sys.stderr)
    try:
        yield
    finally:
        ray.shutdown()


def _require_there(address: str) -> None:
    """Refuse an address at which nothing listens: Ray would try for many minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS).close()
    except (OSError, OverflowError) as error:
        remedy = f"cannot be reached ({_line(error)}); check the address, and whether the cluster runs"
        raise InputError("hydra.launcher.address", address, remedy) from None


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".")


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

    Raises
    ------
    InputError
        If the cluster itself is lost.
    """
    import ray
    from ray.exceptions import NodeDiedError, OutOfMemoryError, RayError, RayTaskError, WorkerCrashedError

    shared = ray.put(content)
    task = ray.remote(num_cpus=cpus, max_retries=retries)(function)
    waiting = {task.remote(shared, *each): i for i, each in enumerate(arguments)}
    while waiting:
        try:
            (done, *_), _ = ray.wait(list(waiting))
            place = waiting.pop(done)
            found = ray.get(done)
        except (WorkerCrashedError, NodeDiedError, OutOfMemoryError):
            continue
        except RayTaskError as error:
            # The mistake itself, not the text of a traceback.
            raise error.cause from None
        except RayError as error:
            remedy = f"the cluster was lost ({_line(error)}); what is finished is kept: run the same command again"
            raise InputError("launcher", "ray", remedy) from None
        yield place, found

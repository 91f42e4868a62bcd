"""Worker process of a sweep: one job after the other, with a cache of what they have in common.

Although only the launcher uses this module, it is no Hydra plugin: Hydra reloads plugins whenever its state is set, and
their caches would be lost.
"""

import hashlib
import importlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import cloudpickle
from hydra.core.config_loader import ConfigLoader
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, run_job, setup_globals
from hydra.types import HydraContext
from omegaconf import DictConfig, open_dict

from trisynth import places
from trisynth.commandline.guard import check
from trisynth.commandline.parsing import parsed_once
from trisynth.errors import InputError

# Compositions that a worker caches; one takes 40 kB.
_KEPT = 100


def run(file: str, digest: str, number: int, overrides: list[str]) -> JobReturn:
    """Run one job of a sweep.

    Parameters
    ----------
    file : str
        File that ``hydra_plugins.trisynth_sweeps.Launcher`` wrote for all jobs of the batch.
    digest : str
        The file's sha256, which comes from the launcher by another way than the file.
    number : int
        Number of the job in its sweep.
    overrides : list of str

    Returns
    -------
    JobReturn
        The value and the status alone, which make a short message.
    """
    return _run(_begun(file, digest), number, overrides)


def run_shared(content: bytes, digest: str, number: int, overrides: list[str]) -> JobReturn:
    """Run one job as :func:`run` does, given the content of the file."""
    return _run(_received(_Content(content, digest)), number, overrides)


def _run(begun: "_Begun", number: int, overrides: list[str]) -> JobReturn:
    loader, context, config, task = begun
    job = loader.load_sweep_config(config, overrides)
    with open_dict(job):
        job.hydra.job.id = f"{job.hydra.job.name}_{number}"
        job.hydra.job.num = number
    done = run_job(task, job, "hydra.sweep.dir", "hydra.sweep.subdir", context)
    short = JobReturn(overrides=overrides, status=done.status)
    short.return_value = done._return_value
    return short


@lru_cache(maxsize=1)
def _begun(file: str, digest: str) -> "_Begun":
    return _begin(Path(file).read_bytes(), digest, file)


class _Content:
    """Content that is compared by its digest alone, so that a cache need not hold it."""

    def __init__(self, content: bytes, digest: str):
        self.content, self.digest = content, digest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Content) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@lru_cache(maxsize=1)
def _received(shared: _Content) -> "_Begun":
    return _begin(shared.content, shared.digest, "content")


_Begun = tuple[ConfigLoader, HydraContext, DictConfig, Any]


def _begin(content: bytes, digest: str, name: str) -> _Begun:
    """Start the worker on a batch of jobs: import modules, set Hydra's state, read what all jobs share."""
    # Reading a pickle runs code: only the one that the launcher wrote is read.
    if hashlib.sha256(content).hexdigest() != digest:
        raise InputError("sweep", name, "was changed after the launcher wrote it; run the same command again")
    preload, (context, config, task, state) = cloudpickle.loads(content)
    for module in preload:
        places.reach(module.partition(".")[0])
        importlib.import_module(module)
    setup_globals()
    Singleton.set_state(state)
    return SeedByHand(context.config_loader), context, config, task


class SeedByHand:
    """Config loader of Hydra that composes jobs which differ only in their seed once, and then sets the seed.

    Composing takes a tenth of a second; the seed selects none of the files that a job is composed of.

    Parameters
    ----------
    loader : ConfigLoader
    """

    def __init__(self, loader: ConfigLoader):
        self._loader = loader
        # As bytes, of which a copy is made in a fifth of the time. All come from this process.
        self._composed: dict[tuple[str, ...], tuple[str, bytes]] = {}

    def _compose(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        with parsed_once():
            config = self._loader.load_sweep_config(master_config, sweep_overrides)
        check(config)
        return config

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """Compose the configuration of one job; see Hydra's loader."""
        seeds = [override for override in sweep_overrides if re.fullmatch(r"seed=\d+", override)]
        if len(seeds) != 1:
            return self._compose(master_config, sweep_overrides)
        (seed,) = seeds
        others = tuple("seed=" if override == seed else override for override in sweep_overrides)
        if others not in self._composed:
            if len(self._composed) == _KEPT:
                self._composed.pop(next(iter(self._composed)))
            self._composed[others] = seed, cloudpickle.dumps(self._compose(master_config, sweep_overrides))
        before, content = self._composed[others]
        config = cloudpickle.loads(content)
        known, job = config.hydra.overrides, config.hydra.job
        known.task = [seed if override == before else override for override in known.task]
        job.override_dirname = job.override_dirname.replace(before, seed)
        config.seed = int(seed.removeprefix("seed="))
        return config

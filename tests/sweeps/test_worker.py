"""A worker starts once, composes once per choice, and a seed set by hand is a seed composed."""

import hashlib
import os
import sys

import cloudpickle
import pytest
from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobStatus
from hydra.types import HydraContext, RunMode

from trisynth.config import CONF
from trisynth.errors import InputError
from trisynth.sweeps import worker


def overrides_of(config):
    """A job that returns its arguments."""
    return list(HydraConfig.get().overrides.task), config.seed, HydraConfig.get().job.num


def test_a_worker_starts_once_and_each_job_gets_its_own(tmp_path, monkeypatch):
    (tmp_path / "planted_module.py").write_text("starts = []\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = Singleton.get_state()
    try:
        with initialize_config_dir(str(CONF), version_base="1.3", job_name="run"):
            loader = GlobalHydra.instance().config_loader()
            master = loader.load_configuration("config", [f"hydra.sweep.dir={tmp_path}"], RunMode.MULTIRUN)
            shared = HydraContext(loader, Callbacks()), master, overrides_of, Singleton.get_state()
            content = cloudpickle.dumps((["planted_module"], shared))
            (tmp_path / "shared").write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
        worker._begun.cache_clear()
        done = [
            worker.run(str(tmp_path / "shared"), digest, 7 + seed, ["dataset=pima", f"seed={seed}"]) for seed in (3, 4)
        ]
        assert "planted_module" in sys.modules
        assert worker._begun.cache_info().misses == 1
    finally:
        worker._begun.cache_clear()
        Singleton.set_state(before)
        sys.modules.pop("planted_module", None)
    assert [job.status for job in done] == [JobStatus.COMPLETED] * 2
    assert [job.return_value for job in done] == [
        (["dataset=pima", "seed=3"], 3, 10),
        (["dataset=pima", "seed=4"], 4, 11),
    ]


class Gadget:
    """An object whose pickle makes a folder when it is read."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_a_planted_pickle_is_not_read(tmp_path):
    content = cloudpickle.dumps(([], Gadget(str(tmp_path / "made"))))
    (tmp_path / "shared").write_bytes(content)
    digest = hashlib.sha256(b"what the launcher wrote").hexdigest()
    with pytest.raises(InputError, match="was changed after the launcher wrote it"):
        worker.run(str(tmp_path / "shared"), digest, 0, ["seed=0"])
    assert not (tmp_path / "made").exists()
    with pytest.raises(TypeError):
        worker.run(str(tmp_path / "shared"), hashlib.sha256(content).hexdigest(), 0, ["seed=0"])
    assert (tmp_path / "made").exists(), "the planted pickle does nothing"


def test_a_seed_set_by_hand_is_a_seed_composed():
    with initialize_config_dir(str(CONF), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("config", ["hydra.sweep.dir=here"], RunMode.MULTIRUN)
        quick = worker.SeedByHand(loader)
        for generator in ("smote", "vae"):
            for seed in range(3):
                job = [f"generator={generator}", f"seed={seed}", "loss.alpha=2", "test_size=0.2"]
                expected = loader.load_sweep_config(master, job)
                got = quick.load_sweep_config(master, job)
                assert got == expected
                got.loss.alpha = 100.0  # what a job does to its configuration must not reach the next one
        assert len(quick._composed) == 2
        for odd in (["generator=smote"], ["++seed=1"], ["seed=4", "generator=smote"]):
            assert quick.load_sweep_config(master, odd) == loader.load_sweep_config(master, odd)

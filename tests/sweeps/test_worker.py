"""A worker starts once, composes once per choice, and a seed set by hand is a seed composed."""

import sys

import cloudpickle
from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobStatus
from hydra.types import HydraContext, RunMode

from trisynth.config import CONF
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
            (tmp_path / "shared").write_bytes(cloudpickle.dumps((["planted_module"], shared)))
        worker._begun.cache_clear()
        done = [worker.run(str(tmp_path / "shared"), 7 + seed, ["dataset=pima", f"seed={seed}"]) for seed in (3, 4)]
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

"""Refusal of what Hydra would build or run by a configuration of somebody else, before it does so."""

from copy import deepcopy
from functools import cache

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from trisynth.commandline import guard
from trisynth.config import CONF
from trisynth.errors import InputError


@cache
def _composed(overrides: tuple[str, ...]):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(overrides), return_hydra_config=True)


def composed(*overrides: str):
    return deepcopy(_composed(overrides))


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["hydra/launcher=basic", "hydra/sweeper=basic"],
        ["hydra/launcher=joblib"],
        ["experiment=pareto"],
        ["experiment=pareto", "hydra/sweeper/sampler=evolution"],
        ["hydra/job_logging=default", "hydra/hydra_logging=default"],
        ["+hydra.job.env_set.OMP_NUM_THREADS=1"],
        ["+hydra.callbacks.log._target_=hydra.experimental.callbacks.LogJobReturnCallback"],
    ],
)
@pytest.mark.filterwarnings("ignore")  # of Optuna's imports
def test_what_hydra_and_this_package_have_is_admitted(overrides):
    guard.check(composed(*overrides))


ATTACKS = {
    "launcher": ["hydra.launcher._target_=os.system"],
    "a sweeper as launcher": ["hydra.launcher._target_=hydra_plugins.trisynth_sweeps.Sweeper"],
    "sweeper": ["hydra.sweeper._target_=trisynth.cache.write_atomic"],
    "callback": ["+hydra.callbacks.mine={_target_: os.system, command: id}"],
    "callback that is none": ["+hydra.callbacks.mine={_target_: trisynth.generators.copula.Copula}"],
    "callback of Hydra's inner parts": ["+hydra.callbacks.mine={_target_: hydra.utils.call}"],
    "sampler": ["experiment=pareto", "hydra.sweeper.sampler._target_=optuna.create_study"],
    "function as sampler": ["experiment=pareto", "hydra.sweeper.sampler._target_=optuna.samplers.deprecated"],
    "nested in the launcher": ["+hydra.launcher.more={_target_: os.system, command: id}"],
    "nested in a list": ["hydra.launcher.preload=[{_target_: os.system, command: id}]"],
    "behind a reference": ["+plan={_target_: os.system, command: id}", "+hydra.launcher.more=${plan}"],
    "behind a reference to the name": ["+plan=os.system", "hydra.launcher._target_=${plan}"],
    "made from a text": ["+hydra.launcher.more='${oc.create:\"{_target_: os.system}\"}'"],
    "search space": ["experiment=pareto", "+hydra.sweeper.custom_search_space=os.system"],
    "preload": ["hydra.launcher.preload=[antigravity]"],
    "preload of tests": ["hydra.launcher.preload=[sklearn.tests.test_base]"],
    "environment": ["+hydra.job.env_set.PYTHONPATH=/tmp/planted"],
    "factory of logging": ["+hydra.job_logging.handlers.x={'()': os.system, command: id}"],
    "handler of logging": ["+hydra.job_logging.handlers.x={class: logging.handlers.SMTPHandler}"],
    "name of the log": ["hydra.job.name=../x"],
    "name of the log from the shell": ["hydra.job.name=${oc.env:HOME}"],
    "file of logging": ["+hydra.job_logging.handlers.x={class: logging.FileHandler, filename: /etc/passwd, mode: w}"],
    "stream of logging": ["+hydra.hydra_logging.handlers.x={class: logging.StreamHandler, stream: 'ext://os.environ'}"],
    "files of Hydra elsewhere": ["hydra.output_subdir=../project"],
    "files of Hydra": ["hydra.output_subdir=conf"],
    "jobs elsewhere": ["hydra.sweep.subdir=../../x"],
    "jobs at the root": ["hydra.sweep.subdir=/x"],
    "a loop": ["+plan.more=${hydra.launcher}", "+hydra.launcher.more=${plan}"],
}


@pytest.mark.parametrize("case", ATTACKS)
def test_what_would_be_built_or_run_is_refused(case):
    overrides = [o for o in ATTACKS[case] if not o.startswith(("+hydra", "hydra", "+plan"))]
    try:
        cfg = composed(*ATTACKS[case])
    except Exception:
        # Hydra's schema refuses some of them by itself; the yaml of an experiment would still reach the check.
        cfg = composed(*overrides)
        OmegaConf.set_struct(cfg, False)
        for override in ATTACKS[case]:
            name, _, value = override.lstrip("+").partition("=")
            if name not in ("experiment",):
                OmegaConf.update(cfg, name, OmegaConf.create(f"v: {value}").v, force_add=True)
    with pytest.raises(InputError, match=r"^hydra\."):
        guard.check(cfg)


def test_run_checks_before_hydra_builds_anything(tmp_path, command):
    marker = tmp_path / "called"
    planted = f"+hydra.callbacks.mine={{_target_: pathlib.Path.touch, self: {marker}}}"
    done = command("run", "generator=copula", planted, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("error: hydra.callbacks.mine._target_='pathlib.Path.touch':")
    assert done.stderr.count("\n") == 1 and not marker.exists()

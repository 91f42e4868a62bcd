"""Committed results come from kernels that round alike on processors with AVX2, but for those that torch chooses."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from trisynth.config import KERNELS

ROOT = Path(__file__).parents[1]
DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text())
PORTABLE = next(entry["portable"] for entry in DVC["vars"] if "portable" in entry)
# A job whose training multiplies matrices in torch, and whose scores do so in numpy and scipy.
JOB = """
import json, sys
from trisynth import commandline
from trisynth.cache import Store
from trisynth.experiment.build import build
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment
overrides = ["dataset=paper_cohort", "dataset.read.n=400", "generator=gan"]
overrides += ["generator.epochs=5", "generator.min_steps=60"]
config = commandline.composed([*overrides, "arms=minimal", "metrics=loss", "classifier=logistic"])
job = Job.from_config(config)
found = Experiment(job, build(job), Store(sys.argv[1])).run()
print(json.dumps([found.key, found.digests, found.metrics]))
"""


def run(folder, **processor):
    command = f'exec {PORTABLE} "$0" -c "$1" "$2"'
    plain = {name: value for name, value in os.environ.items() if name not in KERNELS}
    shell = ["bash", "-c", command, sys.executable, JOB, str(folder)]
    done = subprocess.run(shell, env=plain | processor, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_a_processor_with_fewer_instructions_makes_the_same_bytes(tmp_path):
    older = {"MKL_ENABLE_INSTRUCTIONS": "AVX2"}
    assert run(tmp_path / "own") == run(tmp_path / "older", **older)


# Digests of rows that are the same on every processor with AVX2: no network is among them.
ROWS = {
    "circuit": "7493f36fa9f60425",
    "copula": "a881bebc2dd73bce",
    "independent": "0c2287ae608711f6",
    "smote": "d205f3bc7260f938",
}
ROWS_OF = """
import json
from trisynth import commandline
from trisynth.config import digest
from trisynth.data import load, split
from trisynth.experiment.job import Job
from trisynth.generators.base import fit
found = {}
for name in %s:
    job = Job.from_config(commandline.composed(["dataset=paper_cohort", "dataset.read.n=400", f"generator={name}"]))
    train, _ = split(load(job.dataset), 0)
    found[name] = digest(fit(job.generator, train, 0).sample(200, 1).to_csv(index=False))
print(json.dumps(found))
"""


def test_rows_without_a_network_are_those_of_other_processors():
    plain = {name: value for name, value in os.environ.items() if name not in KERNELS}
    script = ROWS_OF % sorted(ROWS)
    command = ["bash", "-c", f'exec {PORTABLE} "$0" -c "$1"', sys.executable, script]
    done = subprocess.run(command, env=plain, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.strip().splitlines()[-1]) == ROWS


def stages():
    for name, stage in DVC["stages"].items():
        yield name, stage.get("do", stage)["cmd"]


@pytest.mark.parametrize(("name", "command"), list(stages()))
def test_every_stage_that_trains_is_portable(name, command):
    trains = "trisynth.run" in command or "generate" in command
    assert command.startswith("${portable}") or not trains


def test_kernels_that_are_chosen_are_part_of_the_key(tmp_path):
    assert all(f"{name}=" in PORTABLE for name in KERNELS)
    script = "from trisynth.config import digest, versions; print(digest(versions()))"
    found = {
        subprocess.run([sys.executable, "-c", script], env=os.environ | own, capture_output=True, check=True).stdout
        for own in ({}, {"MKL_CBWR": "COMPATIBLE"}, {"MKL_CBWR": "AVX2"})
    }
    assert len(found) == 3

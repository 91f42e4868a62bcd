"""Committed results come from kernels that round alike on processors with AVX2."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from benchmarks import portable
from benchmarks.output import ROOT
from benchmarks.portable import LIMITS, kernels, merged, under_kernels, unlike

from trisynth.config import KERNELS

DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text())
# A job whose training multiplies matrices in torch, and whose scores do so in numpy and scipy.
JOB = """
import json, sys
from trisynth import commandline
from trisynth.cache import Store
from trisynth.experiment.build import build
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment
overrides = ["dataset=paper_cohort", "dataset.read.n=200", "generator=gan"]
overrides += ["generator.epochs=3", "generator.min_steps=30"]
config = commandline.composed([*overrides, "arms=minimal", "metrics=loss", "classifier=logistic"])
job = Job.from_config(config)
found = Experiment(job, build(job), Store(sys.argv[1])).run()
print(json.dumps([found.key, found.digests, found.metrics]))
"""


def test_a_processor_with_fewer_instructions_makes_the_same_bytes(tmp_path):
    own, limited = tmp_path / "own", tmp_path / "limited"
    assert under_kernels(JOB, str(own)) == under_kernels(JOB, str(limited), **LIMITS["AVX2"])


# Digests of rows that are the same on every processor with AVX2: no network is among them.
ROWS = {
    "circuit": "7493f36fa9f60425",
    "copula": "a881bebc2dd73bce",
    "independent": "0c2287ae608711f6",
    "smote": "d205f3bc7260f938",
}


def test_rows_without_a_network_are_those_of_other_processors():
    assert under_kernels(portable.ROWS, json.dumps(portable.SHORT), *ROWS) == ROWS


def digests(processor, **found):
    lines = [(processor, "none", name, value) for name, value in found.items()]
    return pd.DataFrame(lines, columns=["processor", "limit", "generator", "digest"])


def test_a_generator_that_differs_between_processors_is_named():
    table = merged(digests("a", gan="1", circuit="5"), digests("b", gan="2", circuit="5"))
    assert unlike(table) == ["gan"]
    assert unlike(merged(table, digests("b", gan="1"))) == []


def stages():
    for name, stage in DVC["stages"].items():
        yield name, stage.get("do", stage)["cmd"]


@pytest.mark.parametrize(("name", "command"), list(stages()))
def test_every_stage_that_trains_is_portable(name, command):
    trains = "trisynth.run" in command or "generate" in command
    assert command.startswith("${portable}") or not trains


def test_kernels_that_are_chosen_are_part_of_the_key(tmp_path):
    assert all(f"{name}=" in kernels() for name in KERNELS)
    script = "from trisynth.config import digest, versions; print(digest(versions()))"
    found = {
        subprocess.run([sys.executable, "-c", script], env=os.environ | own, capture_output=True, check=True).stdout
        for own in ({}, {"MKL_CBWR": "COMPATIBLE"}, {"MKL_CBWR": "AVX2"})
    }
    assert len(found) == 3

"""Hostile files: a sample of the campaign, and a planted fault that it must find."""

import signal

import numpy as np
import pandas as pd
import pytest
from benchmarks.faults import hostile

from trisynth import cache
from trisynth.errors import InputError
from trisynth.generators import archive, persistence
from trisynth.generators.base import Generator
from trisynth.generators.copy import Copy


@pytest.mark.parametrize(
    "only", ["deep", "shape", "many members", "bomb in", "member begins", "class", "table: ", "parquet: "]
)
def test_hostile_files_end_in_one_line(only, monkeypatch):
    table = hostile.campaign(only)
    assert len(table) and not table["wrong"].any(), table[table["wrong"]].to_string()


def test_a_planted_fault_is_found(monkeypatch):
    def load(path, *_):
        raise RecursionError

    monkeypatch.setattr(persistence, "load", load)
    table = hostile.campaign("deep")
    assert table["wrong"].all() and table["outcome"].eq("traceback RecursionError").all()


def test_a_process_that_waits_is_named_with_its_time(monkeypatch):
    monkeypatch.setattr(hostile, "SECONDS", 1.0)
    outcome, memory, _ = hostile.attempt(signal.pause)
    assert outcome.startswith("does not end after ")
    assert not memory <= hostile.MEMORY


def test_what_shrinks_beyond_the_limit_is_stored_as_it_is(tmp_path):
    arrays = [np.zeros(3_000_000), np.arange(10), np.tile(np.arange(7.0), 100_000)]
    state = {"cells": ["the same"] * 1_000_000}
    archive.write(tmp_path / "f", state, arrays)
    back, read = archive.read(tmp_path / "f")
    assert back == state
    assert all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(arrays, read, strict=True))


def test_a_generator_of_constant_columns_comes_back(tmp_path):
    rows = pd.DataFrame({"a": np.zeros(400_000), "b": ["x"] * 400_000})
    Copy().fit(rows).save(tmp_path / "f")
    pd.testing.assert_frame_equal(Generator.load(tmp_path / "f").sample(5), rows[:5])


def test_a_file_larger_than_memory_is_refused_before_it_is_read(tmp_path, monkeypatch):
    (tmp_path / "f").write_bytes(bytes(5000))
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": 4999}.get)
    with pytest.raises(InputError, match=r"^dataset\.path=.*this machine has .* of memory; give a part"):
        cache.require_file(tmp_path / "f", "dataset.path")
    cache.require_file(tmp_path / "absent", "dataset.path")

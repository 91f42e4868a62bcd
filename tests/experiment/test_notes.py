"""Notes on a table of the user's: what cleaning changes and a generator protects that commands state once."""

import numpy as np
import pandas as pd
import pytest

from trisynth import stages
from trisynth.commandline import composed
from trisynth.experiment.run import notes_of, run_job
from trisynth.sweeps.callback import show_notes


@pytest.fixture
def arguments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"id": np.arange(90), "age": rng.integers(20, 90, 90), "town": ["Ulm"] * 88 + ["Rust"] * 2})
    table["y"] = np.where(rng.random(90) < 0.5, "a", "b")
    table.to_csv("mine.csv", index=False)
    given = ["dataset=csv", "dataset.path=mine.csv", "dataset.target=y", "generator=independent", "tracking=none"]
    given += ["classifier=logistic", "arms=minimal", "metrics=minimal"]
    return [*given, *(f"paths.{name}={tmp_path / name}" for name in ("raw", "cache", "runs", "sweeps"))]


def test_a_job_keeps_its_notes_and_a_sweep_shows_them_once(arguments, tmp_path, capsys):
    results = [run_job(composed([*arguments, f"seed={seed}"]))[0] for seed in (0, 1)]
    kept = notes_of(tmp_path / "runs", results[0])
    assert any(line.startswith("id: 90 cells: identifiers") for line in kept)
    assert any(line.startswith("town: 1 rare category") for line in kept)
    capsys.readouterr()
    show_notes(str(tmp_path / "runs"), results)
    assert capsys.readouterr().err.splitlines() == kept


def test_generate_says_what_it_withholds(arguments, capsys):
    stages.main(["generate", *arguments])
    shown = capsys.readouterr().err
    assert shown.count("identifiers") == 1
    assert shown.count("town: 1 rare category") == 1

"""The benchmark of audits has a cell for every private generator, and runs no cell twice."""

from pathlib import Path

import pandas as pd
import pytest
from benchmarks import audits

CONF = Path(__file__).resolve().parent.parent / "conf/generator"


def test_every_private_generator_is_audited():
    private = {path.stem for path in CONF.glob("*.yaml") if "privacy: ${privacy}" in path.read_text()}
    assert set(audits.CELLS) == private
    assert {epsilon for name, epsilon in audits.cells() if name in private} == {"1", "10"}


def test_a_cell_with_a_row_is_not_run_again_and_a_broken_claim_ends_with_an_error(tmp_path, monkeypatch):
    run = []

    def cell(name, epsilon, table, rows, scale):
        run.append(epsilon)
        bound = 3.0 if epsilon == "1" else 0.0
        return {"generator": name, "epsilon": epsilon, "claimed": 1.0, "bound": bound, "holds": bound <= 1}

    monkeypatch.setattr(audits, "cell", cell)
    arguments = ["--generators", "mst", "--out", str(tmp_path)]
    for _ in range(2):
        with pytest.raises(SystemExit, match="a claim does not hold"):
            audits.main(arguments)
    assert run == ["1", "10"]
    assert list(pd.read_csv(tmp_path / "audits.csv", dtype=str)["bound"]) == ["3", "0"]

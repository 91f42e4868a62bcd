"""Cells of a benchmark: those of earlier runs stay, and are not run again."""

from benchmarks.output import Cells


def test_cells_of_earlier_runs_are_known_and_stay(tmp_path):
    path = tmp_path / "new" / "cells.csv"
    first = Cells(path, ("table", "seed"))
    assert not first and ("b", 0) not in first
    first.add(("b", 0), {"score": 0.25})
    first.add(("a", 1), {"score": 0.5, "late": 2})
    again = Cells(path, ("table", "seed"))
    assert ("b", 0) in again and ("a", 1) in again and ("b", 1) not in again
    again.add(("a", 0), {"score": 1.0})
    assert path.read_text() == "table,seed,score,late\na,0,1,\na,1,0.5,2\nb,0,0.25,\n"

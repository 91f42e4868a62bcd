import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from trisynth.commandline import composed
from trisynth.experiment.run import run_job
from trisynth.tracking import Mirror

FOLDER = Path(__file__).parents[1] / "notebooks"


def executed(name, folder):
    """Text and kinds of all outputs of a notebook run with ``folder`` as working directory."""
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    data = [output["data"] for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    texts = [part.get("text/markdown", part.get("text/plain", "")) for part in data]
    return "\n".join(texts), {kind for part in data for kind in part}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_committed_without_outputs_and_define_nothing(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
            kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
            assert not any(isinstance(node, kinds) for node in ast.walk(ast.parse(cell.source)))


def test_the_tour_runs_from_any_folder_and_leaves_nothing_there(tmp_path):
    text, kinds = executed("tour", tmp_path)
    assert "pima copula logistic seed=0" in text
    assert "threshold" in text
    assert "fidelity/c2st_boosting" in text
    assert "image/png" in kinds
    assert list(tmp_path.iterdir()) == []


def test_runs_are_read_back_from_mlflow_and_compared(tmp_path, monkeypatch):
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    choices = [
        "dataset=paper_cohort",
        "generator=copula",
        "dataset.read.n=300",
        "classifier=logistic",
        f"tracking.uri={uri}",
    ]
    choices += [f"paths.{name}={tmp_path / name}" for name in ("runs", "cache", "sweeps")]
    for seed in (0, 1):
        config = composed([*choices, f"seed={seed}", "tracking.figure=false"])
        mirror = Mirror(config["tracking"], config["paths"])
        mirror.job(run_job(config)[0])
        assert mirror.close() is None
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    text, kinds = executed("compare", tmp_path)
    assert "| paper cohort (simulated) | macro-F1 | copula | 2 |" in text
    assert "floor: independent columns" in text
    assert "image/png" in kinds

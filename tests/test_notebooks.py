"""Notebooks: they hold their outputs, define nothing, and run to the same kinds of output."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def kinds(cell: nbformat.NotebookNode) -> list[tuple]:
    """Kinds of a cell's outputs; a line about what a fit protects is a stream."""
    return [(output.output_type, *sorted(output.get("data", {}))) for output in cell.outputs]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_defines_nothing(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    nodes = [node for cell in code(notebook) for node in ast.walk(ast.parse(cell.source))]
    assert not any(isinstance(node, definitions) for node in nodes)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_to_the_kinds_of_output_that_it_holds(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    held = [kinds(cell) for cell in code(notebook)]
    assert all(output in ("execute_result", "stream") for cell in held for output, *_ in cell)
    before = sorted(FOLDER.iterdir())
    where = {"metadata": {"path": str(FOLDER)}}
    NotebookClient(notebook, timeout=None, kernel_name="python3", resources=where).execute()
    assert [kinds(cell) for cell in code(notebook)] == held
    assert sorted(FOLDER.iterdir()) == before


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_readme_links_the_notebook(path: Path) -> None:
    assert f"(notebooks/{path.name})" in (FOLDER.parent / "README.md").read_text()

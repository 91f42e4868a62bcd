"""The package reads from left to right: no module imports from its right, and each framework has one home."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "trisynth"

# A module may import its own layer and those above it. What a line names is a module or a package.
LAYERS = [
    {"errors", "lifeline", "renamed", "seeds", "temporary"},
    {"places"},
    {"cache", "config"},
    {"statistics"},
    {"privacy"},
    {"data"},
    {"encoders"},
    {"objective"},
    {"generators"},
    {"auditing", "evaluation"},
    {"experiment"},
    {"recommend"},
    {"frames"},
    {"report"},
    {"studies"},
    {"tracking"},
    {"commandline"},
    {"sweeps"},
    {"output"},
    {"audit", "sampling", "search", "stages"},
    {"run", "serve"},
    {"__main__"},
]
HOMES = {
    "mlflow": {"tracking"},
    "hydra": {"run", "sweeps", "stages", "commandline"},
    "omegaconf": {"run", "sweeps", "stages", "commandline"},
    "dvc": set(),
    "pickle": set(),
    "dill": set(),
    "cloudpickle": {"sweeps"},
    "ray": {"sweeps"},
    "starlette": {"serve"},
    "submitit": {"sweeps"},
    "uvicorn": {"serve", "__main__"},
}
# What the next start of a finished sweep must not wait for.
HEAVY = {"torch", "sklearn", "imblearn", "scipy", "mlflow", "matplotlib", "seaborn"}


def imported(path: Path) -> list[tuple[str, bool]]:
    """Modules that a file imports, and whether it does so when it is itself imported."""
    tree = ast.parse(path.read_bytes())
    later = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            later |= {inner for statement in node.body for inner in ast.walk(statement)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node not in later) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names = [f"{base}.{a.name}" for a in node.names] if base == "trisynth" else [base]
            found += [(name, node not in later) for name in names]
    return found


def violations(root: Path) -> list[str]:
    """Violations of the rules below ``root``, one line each."""
    place = {name: i for i, names in enumerate(LAYERS) for name in names}
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        # A package's command may import what a program does.
        own = parts[-1] if parts[-1] == "__main__" else parts[0]
        if own == "__init__":
            continue
        if own not in place:
            found.append(f"{own} has no layer")
            continue
        for name, _ in imported(path):
            top, *inner = name.split(".")
            if name.startswith("."):
                found.append(f"{'.'.join(parts)} imports relatively")
            elif top == "trisynth" and inner and place.get(inner[0], 99) > place[own]:
                found.append(f"{'.'.join(parts)} imports {name} from its right")
            elif own not in HOMES.get(top, {own}):
                found.append(f"{'.'.join(parts)} imports {top}")
    return found


def test_imports_go_one_way():
    assert violations(SOURCE) == []


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        ("data/load.py", "from trisynth.generators.base import Generator", "data.load imports trisynth.generators"),
        ("data/load.py", "def f():\n    from trisynth import tracking", "data.load imports trisynth.tracking"),
        ("objective/loss.py", "import trisynth.generators.base", "objective.loss imports trisynth.generators.base"),
        ("evaluation/arms.py", "import mlflow.data", "evaluation.arms imports mlflow"),
        ("experiment/steps.py", "from hydra import compose", "experiment.steps imports hydra"),
        ("experiment/job.py", "from omegaconf import OmegaConf", "experiment.job imports omegaconf"),
        ("stages.py", "import dvc.api", "stages imports dvc"),
        ("generators/persistence.py", "import pickle", "generators.persistence imports pickle"),
        ("evaluation/arms.py", "from . import classifiers", "evaluation.arms imports relatively"),
        ("helpers.py", "import json", "helpers has no layer"),
    ],
)
def test_a_planted_violation_is_caught(tmp_path, file, line, message):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(line + "\n")
    assert [found for found in violations(tmp_path) if found.startswith(message)]


def test_a_finished_job_needs_no_heavy_library():
    code = (
        "import sys\nimport trisynth.run, trisynth.experiment.run, trisynth.sweeps.callback\n"
        f"print(*sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded == set(), f"imported at the top: {loaded}"


def test_a_table_is_prepared_without_libraries_of_models():
    code = (
        "import sys\nimport trisynth.stages\nprint(*sorted({'scipy', 'sklearn', 'torch', 'mlflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.split()


def test_modules_are_small():
    lengths = {path.name: path.read_text().count("\n") for path in SOURCE.rglob("*.py")}
    assert max(lengths.values()) <= 350

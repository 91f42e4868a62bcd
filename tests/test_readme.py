"""Commands in README and docs/: every block runs as written, alone, in an empty folder."""

import math
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
# Commands that do not run here, and the reason.
ELSEWHERE = {
    "make test": "these tests are part of it",
    "make repro": "its target and its stages are checked below",
    "make docs": "tests/test_docs.py builds the site",
    "dvc repro": "its stages are checked below",
    "mlflow ui": "its address is checked below",
    "source .venv": "the interpreter of the tests takes its place",
}


def blocks(language: str) -> dict[str, str]:
    """Code blocks of a language in README and docs/, by page and number; a block that occurs twice counts once."""
    found = {}
    for path in (README, *sorted((ROOT / "docs").glob("*.md"))):
        for number, block in enumerate(re.findall(rf"```{language}\n(.*?)```", path.read_text(), flags=re.DOTALL)):
            if block not in found.values():
                found[f"{path.stem}-{number}"] = block
    return found


# Added to sweeps: no worker processes, no figures, and the arms and metrics that take least. A single run has all.
SMALLER = " hydra.launcher.n_jobs=1 arms=minimal metrics=minimal tracking.figure=false"
# Added to a sweep of a network alone, and to a run on thousands of texts.
BRIEF = " generator.epochs=2 generator.min_steps=20"
LIGHT = " arms=minimal metrics=minimal train_rows=400"


def commands(block: str) -> list[str]:
    """Commands of a block, without comments; sweeps are made smaller."""
    lines = [line.partition("  #")[0].strip() for line in block.splitlines() if line.strip()]
    return [
        line
        + (SMALLER if " run -m " in line else "")
        + (BRIEF if " generator=vae " in line else "")
        + (LIGHT if " dataset=reuters_r8 " in line else "")
        for line in lines
    ]


def is_elsewhere(command: str) -> bool:
    return any(command.startswith(known) for known in ELSEWHERE)


SHELL = {name: commands(block) for name, block in blocks("sh").items()}
RUNNABLE = {name: [line for line in lines if not is_elsewhere(line)] for name, lines in SHELL.items()}

# The block whose output README shows; a test of its own runs it.
SHOWN = "README-1"


def call(command: str, folder: Path) -> subprocess.CompletedProcess:
    """Run a command in which ``python`` is the interpreter of the tests."""
    path = os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-euc", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path, warm) -> Path:
    """A folder with the raw files and main results of the repository, and a user's own table."""
    (ROOT / "data/raw").mkdir(parents=True, exist_ok=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/raw").symlink_to(ROOT / "data/raw")
    (tmp_path / "experiments/paper").mkdir(parents=True)
    shutil.copy(ROOT / "experiments/paper/results.csv", tmp_path / "experiments/paper")
    (tmp_path / "bin").mkdir()
    # The console script of this checkout, whatever is installed.
    script = tmp_path / "bin/trisynth"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(warm)} trisynth "$@"\n')
    script.chmod(0o755)
    draw = random.Random(0)
    lines = ["age,sex,dose (mg/day),zip.code,outcome"]
    for _ in range(600):
        age, dose = draw.randint(20, 80), draw.randint(0, 20) / 2
        ill = draw.random() < 1 / (1 + math.exp(6 - age / 20 - dose / 4))
        lines.append(f"{age},{draw.choice('fm')},{dose},{draw.choice(['8001', '8002'])},{'yes' if ill else 'no'}")
    (tmp_path / "mine.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.mark.parametrize("name", [name for name, lines in RUNNABLE.items() if lines and name != SHOWN])
def test_block_of_commands_runs_alone(name: str, folder: Path, database: Path) -> None:
    # The command whose output README shows, and tests of the mirror, make one of their own.
    shutil.copy(database, folder / "mlflow.db")
    done = call("\n".join(RUNNABLE[name]), folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", list(blocks("python")))
def test_block_of_python_runs_alone(name: str, folder: Path, warm: list[str]) -> None:
    done = call(shlex.join([*warm, "-c", blocks("python")[name]]), folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_readme_declares_columns_in_a_yaml_beside_the_table(folder: Path) -> None:
    (folder / "mine.yaml").write_text(blocks("yaml")["README-0"])
    done = call("trisynth prepare dataset=csv dataset.path=mine.csv", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "read mine.yaml: target, 2 columns" in done.stderr


def test_readme_shows_what_a_run_prints(folder: Path) -> None:
    done = call(RUNNABLE[SHOWN][0], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in blocks("text")["README-0"].splitlines():
        # Scores may differ in the last digit between processors.
        words = re.split(r"\s*[-+]?\d", line)[0].strip(" ─.…")
        assert words in done.stdout


def test_commands_that_do_not_run_here_are_on_a_page() -> None:
    text = "\n".join(path.read_text() for path in (README, *(ROOT / "docs").glob("*.md")))
    assert [known for known in ELSEWHERE if known not in text] == []


def test_make_repro_and_dvc_know_every_stage() -> None:
    planned = call("make --dry-run repro", ROOT)
    assert planned.returncode == 0, planned.stderr
    assert "dvc repro" in planned.stdout
    stages = call("dvc stage list --name-only", ROOT).stdout.split()
    assert {name.partition("@")[0] for name in stages} >= {
        "collect",
        "prepare",
        "generate",
        "sweep",
        "tables",
        "figures",
    }


def test_database_of_the_pages_is_the_one_that_runs_write() -> None:
    lines = [line for block in SHELL.values() for line in block if line.startswith("mlflow ui")]
    assert lines
    for line in lines:
        assert f"uri: {shlex.split(line)[3]}\n" in (ROOT / "conf/tracking/sqlite.yaml").read_text()


def test_readme_is_short_and_starts_with_the_installation() -> None:
    lines = README.read_text().splitlines()
    assert len(lines) <= 130
    assert "make test" in "\n".join(lines[:40])


@pytest.mark.parametrize("term", ["TSTR", "TRTR", "DCR", "C2ST"])
def test_readme_defines_each_term(term: str) -> None:
    assert re.search(rf"\*\*{term}\*\* \([a-z0-9 ,-]+\)", README.read_text())

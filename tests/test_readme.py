"""The README's commands do what it says: each is run as written, in an empty folder, on the repository's code."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
COMMANDS = [line.partition("  #")[0].strip() for block in BLOCKS for line in block.splitlines() if line.strip()]
# What the commands of a test run must not do, with what shows instead that they would work.
ELSEWHERE = {
    "make test": "this test is part of it",
    "make repro": "its Makefile target and its stages are checked below",
    "dvc repro": "its stages are checked below",
    "mlflow ui": "its address is checked below",
}


def environment() -> dict[str, str]:
    """Environment in which ``python`` is the one that runs the tests."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def call(command: str, folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )


def is_elsewhere(command: str) -> bool:
    return any(command.startswith(known) for known in ELSEWHERE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """An empty project folder whose raw files are the repository's, with a user's own table in it."""
    folder = tmp_path_factory.mktemp("readme")
    (ROOT / "data/raw").mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir()
    (folder / "data/raw").symlink_to(ROOT / "data/raw")
    rows = [
        f"{20 + i % 60},{'f' if i % 3 else 'm'},{i * 7 % 11 / 2},{'yes' if i % 4 == 0 else 'no'}" for i in range(240)
    ]
    (folder / "mine.csv").write_text("\n".join(["age,sex,dose,outcome", *rows]) + "\n")
    return folder


@pytest.mark.parametrize("command", [command for command in COMMANDS if not is_elsewhere(command)])
def test_command_of_the_readme_runs(command: str, folder: Path) -> None:
    done = call(command, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_commands_that_are_not_run_are_in_the_readme() -> None:
    assert all(any(command.startswith(known) for command in COMMANDS) for known in ELSEWHERE)


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


def test_the_database_of_the_readme_is_the_one_that_runs_write() -> None:
    address = shlex.split(next(command for command in COMMANDS if command.startswith("mlflow ui")))[3]
    assert f"uri: {address}\n" in (ROOT / "conf/tracking/sqlite.yaml").read_text()


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / "README.md").read_text())
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []

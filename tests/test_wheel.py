"""The wheel: it holds the configuration and works away from the repository, without writing into itself."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from trisynth.config import CONF

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel built from the working tree."""
    folder = tmp_path_factory.mktemp("wheel")
    # Two builds at a time would share the builder's temporary names.
    with FileLock(folder / ".lock"):
        line = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        subprocess.run(line, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


def test_it_holds_every_yaml_and_every_module(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for file in (ROOT / "conf").rglob("*.yaml"):
        assert f"trisynth/conf/{file.relative_to(ROOT / 'conf').as_posix()}" in names
    for file in (ROOT / "src").rglob("*.py"):
        assert file.relative_to(ROOT / "src").as_posix() in names
    assert {name for name in names if "__pycache__" in name or name.startswith("tests")} == set()


def test_it_has_the_command(wheel):
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert "trisynth = trisynth.__main__:main" in archive.read(name).decode()


def test_it_works_in_an_empty_folder(wheel, tmp_path, tables):
    site, work = tmp_path / "site", tmp_path / "work"
    work.mkdir()
    zipfile.ZipFile(wheel).extractall(site)
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*") if path.is_file()}
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    pd.read_csv(tables["classes"]).to_csv(work / "mine.csv", index=False)
    (work / "mine.yaml").write_text("target: outcome\n")

    def call(*arguments: str) -> subprocess.CompletedProcess:
        line = [sys.executable, *arguments]
        return subprocess.run(line, cwd=work, env=environment, capture_output=True, text=True, check=False)

    where = call("-c", "import trisynth.config as c; print(c.CONF)")
    assert where.stdout.strip() == str(site / "trisynth" / "conf") != str(CONF), where.stderr
    quick = ["generator=independent", "classifier=logistic", "arms=minimal", "metrics=minimal", "tracking=none"]
    done = call("-m", "trisynth", "run", "dataset=csv", "dataset.path=mine.csv", *quick)
    assert done.returncode == 0, done.stderr
    assert "read mine.yaml: target" in done.stderr
    assert len(list((work / "runs").glob("*/result.json"))) == 1
    assert {path.name for path in work.iterdir()} == {"mine.csv", "mine.yaml", "cache", "runs"}
    assert {path: path.stat().st_mtime_ns for path in site.rglob("*") if path.is_file()} == before

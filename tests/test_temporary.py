"""Temporary folders: a killed process's goes at the next start, a living one's and a user's stay."""

import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from trisynth.cache import Store, write_atomic
from trisynth.errors import InputError
from trisynth.sampling import write
from trisynth.temporary import sweep, temporary_folder

HOLDER = """
import sys
from pathlib import Path
from trisynth.temporary import temporary_folder
with temporary_folder(sys.argv[1], Path(sys.argv[2])) as folder:
    (folder / "half").write_text("half")
    print(folder, flush=True)
    sys.stdin.read()
"""


def holder(prefix: str, parent: Path) -> tuple[subprocess.Popen, Path]:
    """A process that has a temporary folder until its standard input ends."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", HOLDER, prefix, parent], text=True, **pipes)
    return process, Path(process.stdout.readline().strip())


@pytest.fixture
def dead(tmp_path):
    """Make the folder of a process that was killed."""

    def killed(prefix: str, parent: Path = tmp_path) -> Path:
        parent.mkdir(exist_ok=True)
        process, folder = holder(prefix, parent)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert (folder / "half").is_file()
        return folder

    return killed


def test_nothing_stays(tmp_path):
    with temporary_folder("x-", tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "inner").mkdir()
    assert list(tmp_path.iterdir()) == []


def test_nothing_stays_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="wrong"), temporary_folder("x-", tmp_path):
        raise ValueError("wrong")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_killed_process_goes_and_that_of_a_living_one_stays(tmp_path, dead):
    alive, kept = holder("x-", tmp_path)
    left, other = dead("x-"), dead("y-")
    with temporary_folder("x-", tmp_path):
        assert not left.exists()
        assert (kept / "half").is_file()
        assert other.exists()
    alive.communicate()
    assert alive.returncode == 0
    assert not kept.exists()


def test_one_process_keeps_its_own(tmp_path):
    with temporary_folder("x-", tmp_path) as outer, temporary_folder("x-", tmp_path) as inner:
        assert outer.is_dir()
        assert inner.is_dir()


def test_folders_of_users_and_links_stay(tmp_path):
    (tmp_path / "x-mine").mkdir()
    (tmp_path / "x-mine.lock").touch()
    (tmp_path / ("x-" + "0" * 16)).mkdir()
    (tmp_path / "valuable").mkdir()
    (tmp_path / ("x-" + "1" * 16)).symlink_to(tmp_path / "valuable")
    (tmp_path / ("x-" + "1" * 16 + ".lock")).touch()
    before = sorted(tmp_path.iterdir())
    sweep("x-", tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_a_start_of_a_command_that_writes_the_same_file_removes_it(tmp_path, dead):
    left = dead(".rows.csv.")
    write(iter([pd.DataFrame({"a": [1]})]), tmp_path / "rows.csv")
    assert not left.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_the_next_entry_of_the_cache_removes_it(tmp_path, dead):
    left = dead(".making.", tmp_path / "kind")
    Store(tmp_path).get_or_make("kind", "key", lambda folder: (folder / "value").write_text("1"), lambda folder: None)
    assert not left.exists()


WRITER = """
import sys
from pathlib import Path
from trisynth.temporary import temporary_file
with temporary_file(Path(sys.argv[1])) as (file, name):
    file.write(b"half")
    file.flush()
    print(name, flush=True)
    sys.stdin.read()
"""


def writer(path: Path) -> tuple[subprocess.Popen, Path]:
    """A process that writes a file until its standard input ends."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", WRITER, path], text=True, **pipes)
    return process, Path(process.stdout.readline().strip())


def test_the_file_of_a_killed_process_goes_and_that_of_a_living_one_stays(tmp_path):
    alive, kept = writer(tmp_path / "result.json")
    dead, left = writer(tmp_path / "result.json")
    dead.send_signal(signal.SIGKILL)
    dead.communicate()
    mine = tmp_path / ".result.json.tmp-original"
    mine.write_text("a user's")
    assert left.read_bytes() == kept.read_bytes() == b"half"
    write_atomic(tmp_path / "result.json", "whole")
    assert sorted(tmp_path.iterdir()) == sorted([kept, mine, tmp_path / "result.json"])
    alive.communicate()
    assert alive.returncode == 0
    assert not kept.exists()


def test_nothing_stays_of_a_file_that_cannot_be_written(tmp_path):
    (tmp_path / "result.json").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_atomic(tmp_path / "result.json", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]

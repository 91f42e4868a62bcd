"""The store: an entry is there whole or not at all, whatever happens while it is made."""

import errno
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from trisynth import cache
from trisynth.cache import Store, write_atomic
from trisynth.errors import InputError


def make(folder: Path) -> None:
    (folder / "value.txt").write_text("made")


def read(folder: Path) -> str:
    return (folder / "value.txt").read_text()


def visible(root: Path) -> list[str]:
    """Everything below ``root`` but locks."""
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file() and p.suffix != ".lock")


def script(source: str, *arguments: object, **options) -> subprocess.Popen:
    """A process that runs Python code; it waits for the test wherever it reads from its standard input."""
    line = [sys.executable, "-c", textwrap.dedent(source), *map(str, arguments)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(line, **pipes, text=True, **options)


def test_made_once_then_read(tmp_path):
    store, calls = Store(tmp_path), []
    for _ in range(3):
        assert store.get_or_make("kind", "key", lambda folder: (calls.append(1), make(folder)), read) == "made"
    assert len(calls) == 1
    assert visible(tmp_path) == ["kind/key/manifest.json", "kind/key/value.txt"]


@pytest.mark.parametrize(
    "damage", ["change", "truncate", "delete", "manifest", "no manifest", "empty manifest", "list", "file", "link"]
)
def test_a_damaged_entry_is_made_again(tmp_path, damage):
    store = Store(tmp_path)
    store.get_or_make("kind", "key", make, read)
    place = tmp_path / "kind" / "key"
    match damage:
        case "change":
            (place / "value.txt").write_text("evil")
        case "truncate":
            (place / "value.txt").write_text("")
        case "delete":
            (place / "value.txt").unlink()
        case "manifest":
            (place / "manifest.json").write_text("{")
        case "no manifest":
            (place / "manifest.json").unlink()
        case "empty manifest":
            (place / "manifest.json").write_text("{}")
        case "list":
            (place / "manifest.json").write_text('[["value.txt", 1]]')
        case "file":
            shutil.rmtree(place)
            place.write_text("a file in the place of a folder")
        case "link":
            other = shutil.move(place, tmp_path.parent / f"{tmp_path.name}-elsewhere")
            (other / "value.txt").write_text("mine")
            (other / "manifest.json").write_text(json.dumps({"value.txt": hashlib.sha256(b"mine").hexdigest()}))
            place.symlink_to(other)
    assert store.get_or_make("kind", "key", make, read) == "made"
    assert visible(tmp_path) == ["kind/key/manifest.json", "kind/key/value.txt"]


def test_a_failing_make_leaves_nothing_and_its_own_error(tmp_path):
    def fails(folder):
        make(folder)
        raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"):
        Store(tmp_path).get_or_make("kind", "key", fails, read)
    assert visible(tmp_path) == []
    assert Store(tmp_path).get_or_make("kind", "key", make, read) == "made"


def test_killed_while_making_leaves_no_entry(tmp_path):
    process = script(
        """
        import sys
        from trisynth.cache import Store
        def make(folder):
            (folder / "value.txt").write_text("half")
            print("started", flush=True)
            sys.stdin.read()
        Store(sys.argv[1]).get_or_make("kind", "key", make, lambda folder: None)
        """,
        tmp_path,
    )
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "kind" / "key").exists()
    # The lock died with its holder, and what was left behind is in nobody's way.
    assert Store(tmp_path).get_or_make("kind", "key", make, read) == "made"


def test_two_processes_make_once(tmp_path):
    source = """
        import sys
        from pathlib import Path
        from trisynth.cache import Store
        root = Path(sys.argv[1])
        def make(folder):
            with (root / "calls.txt").open("a") as file:
                file.write("x")
            print("making", flush=True)
            sys.stdin.readline()
            (folder / "value.txt").write_text("made")
        print(Store(root).get_or_make("kind", "key", make, lambda folder: (folder / "value.txt").read_text()))
    """
    first = script(source, tmp_path)
    assert first.stdout.readline() == "making\n"
    # The second one comes while the first holds the lock, or after it; either way it must not make again.
    second = script(source, tmp_path)
    assert first.communicate("go\n")[0] == "made\n"
    assert second.communicate("go\n")[0] == "made\n"
    assert (tmp_path / "calls.txt").read_text() == "x"


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_is_one_clear_line(tmp_path, monkeypatch, call):
    write_atomic(tmp_path / "kept.txt", "old")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if call == "fsync":
        monkeypatch.setattr(cache.os, "fsync", full)
    else:
        opened = os.fdopen

        def fdopen(*arguments):
            file = opened(*arguments)
            return type("Full", (), {"__enter__": lambda s: s, "__exit__": lambda *_: file.close(), "write": full})()

        monkeypatch.setattr(cache.os, "fdopen", fdopen)
    with pytest.raises(InputError, match=r"No space left on device.*free space"):
        write_atomic(tmp_path / "kept.txt", "new")
    with pytest.raises(InputError, match="No space left on device"):
        Store(tmp_path / "store").get_or_make("kind", "key", make, read)
    assert (tmp_path / "kept.txt").read_text() == "old"
    assert visible(tmp_path) == ["kept.txt"]


def test_a_file_size_limit_stops_a_write_without_a_trace(tmp_path):
    # The kernel's own refusal, in the middle of a write.
    process = script(
        """
        import signal, sys
        from pathlib import Path
        from trisynth.cache import write_atomic
        from trisynth.errors import InputError
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            write_atomic(Path(sys.argv[1]) / "big.bin", bytes(100_000))
        except InputError as error:
            print(error)
        """,
        tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)),
    )
    out, err = process.communicate()
    assert "File too large" in out and not err
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_folder_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for attempt in (
        lambda: write_atomic(tmp_path / "file" / "x.txt", "text"),
        lambda: Store(tmp_path / "file" / "store").get_or_make("kind", "key", make, read),
    ):
        with pytest.raises(InputError, match="cannot be written"):
            attempt()
    assert visible(tmp_path) == ["file"]


def test_files_are_readable_as_the_umask_allows(tmp_path):
    old = os.umask(0o027)
    try:
        write_atomic(tmp_path / "shared.txt", "text")
    finally:
        os.umask(old)
    assert (tmp_path / "shared.txt").stat().st_mode & 0o777 == 0o640


def test_a_reader_never_sees_half_a_file(tmp_path):
    path = tmp_path / "result.json"
    write_atomic(path, "a" * 100_000)
    process = script(
        """
        import sys
        from pathlib import Path
        from trisynth.cache import write_atomic
        for i in range(60):
            write_atomic(Path(sys.argv[1]), "ab"[i % 2] * 100_000)
        """,
        path,
    )
    seen = set()
    while process.poll() is None:
        text = path.read_text()
        seen.add((len(text), len(set(text))))
    process.communicate()
    assert seen <= {(100_000, 1)}


def test_a_database_replaces_no_device_or_fifo(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    cache.made_whole(tmp_path / "fifo", lambda new: new.write_text("x"))
    assert (tmp_path / "fifo").is_fifo()

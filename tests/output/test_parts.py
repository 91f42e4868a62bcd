"""Large tables in parts: the same bytes in any order, unique identifiers, resumed, and never mixed."""

import errno
import os
import sys
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trisynth import sampling
from trisynth.cache import unsealed
from trisynth.commandline import enter
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.output import parts
from trisynth.output.parts import MANIFEST, Selection, batches, portion, total
from trisynth.sweeps import on_ray


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> list[str]:
    """Command line of a table with running numbers and codes as identifiers."""
    folder = tmp_path_factory.mktemp("source")
    rng = np.random.default_rng(3)
    n = 120
    codes = [f"{chr(65 + i % 26)}{chr(65 + i // 26)}-{rng.integers(1000):03d}" for i in range(n)]
    frame = pd.DataFrame(
        {"patient_id": np.arange(1000, 1000 + n), "code": codes, "age": rng.integers(20, 90, n)}
    ).assign(outcome=np.where(rng.random(n) < 0.3, "sick", "well"))
    frame.to_csv(folder / "mine.csv", index=False)
    paths = [f"paths.{name}={folder / name}" for name in ("cache", "raw")]
    return [f"{folder}/mine.csv", "--target", "outcome", "generator=independent", *paths]


@pytest.fixture
def make(source, tmp_path, monkeypatch) -> Callable[..., Path]:
    """Run the command for some parts; returns the folder."""
    monkeypatch.setattr(parts, "BATCH", 20)

    def run(part: str, folder: str = "rows", *more: str) -> Path:
        n = () if any(o.startswith("n=") for o in more) else ("n=130",)
        enter("synthesize", [*source, *n, *more, f"part={part}", f"out={tmp_path / folder}"])
        return tmp_path / folder

    return run


@pytest.fixture
def refusal(make, capsys) -> Callable[..., str]:
    """Run a command that must fail with one line, which it returns."""

    def run(*arguments: str) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            make(*arguments)
        *before, line = capsys.readouterr().err.splitlines()
        # Only the findings about the table come before.
        assert exit_.value.code == 2 and line.startswith("error: ") and not any("error" in text for text in before)
        return line

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.parquet"))}


def test_a_part_has_the_same_bytes_in_any_order(make):
    one = make("all/4", "one")
    for number in (3, 1, 4, 2):
        other = make(f"{number}/4", "other")
    assert len(contents(one)) == 4 and contents(one) == contents(other)
    assert len(set(contents(one).values())) == 4
    assert (one / MANIFEST).read_bytes() == (other / MANIFEST).read_bytes()


def test_parts_are_one_table_with_unique_identifiers(make):
    folder = make("all/4")
    frame = ds.dataset(folder).to_table().to_pandas()
    assert len(frame) == 130 and list(frame) == ["patient_id", "code", "age", "outcome"]
    assert frame["patient_id"].is_unique and frame["code"].is_unique
    assert set(frame["patient_id"]) == {str(number) for number in range(1120, 1250)}
    assert sorted(path.name for path in folder.glob("*.parquet")) == [
        f"part-{i:05d}-of-00004.parquet" for i in range(1, 5)
    ]
    # Batches and parts come from different streams.
    ages = [tuple(frame["age"][start : start + 10]) for start in range(0, 130, 10)]
    assert len(set(ages)) == len(ages)


def test_the_manifest_lists_rows_and_digests(make):
    folder = make("1-2/3")
    assert not (folder / MANIFEST).exists()
    make("3/3")
    known = unsealed((folder / MANIFEST).read_text())
    assert known["rows"] == 130 and known["seed"] == 0 and known["parts"] == 3
    for entry in known["files"]:
        content = (folder / entry["file"]).read_bytes()
        assert entry["sha256"] == sha256(content).hexdigest() and entry["bytes"] == len(content)
    assert [entry["rows"] for entry in known["files"]] == [43, 43, 44]


def test_a_damaged_or_absent_part_alone_is_made_again(make, monkeypatch, capsys):
    folder = make("all/4")
    before = contents(folder)
    drawn = []
    original = Generator.sample
    monkeypatch.setattr(Generator, "sample", lambda self, n, seed=0: drawn.append(n) or original(self, n, seed))
    (folder / "part-00002-of-00004.parquet").write_bytes(b"damaged")
    (folder / "part-00003-of-00004.parquet").unlink()
    make("all/4")
    assert contents(folder) == before
    assert sum(drawn) == 33 + 32
    done = capsys.readouterr()
    assert "2 of 4 parts were finished before" in done.out and done.err.count("is made again") == 2


def test_classes_are_met_exactly_and_mixed(make):
    frame = ds.dataset(make("all/3", "rows", "n={sick: 50, well: 7}")).to_table().to_pandas()
    assert frame["outcome"].value_counts().to_dict() == {"sick": 50, "well": 7}


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("2/4", "seed=1", "seed 0, not 1"),
        ("2/4", "n=131", "number of rows 130, not 131"),
        ("2/5", "n=130", "number of parts 4, not 5"),
        ("2/4", "generator=copula", "generator"),
    ],
)
def test_parts_of_another_table_are_refused(make, refusal, part, change, message):
    folder = make("1/4")
    before = contents(folder)
    line = refusal(part, "rows", change)
    assert "holds parts of another table" in line and message in line
    assert contents(folder) == before


def test_a_folder_without_a_part_is_taken_over(make, refusal, monkeypatch, tmp_path):
    def stopped(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def start() -> str:
        with monkeypatch.context() as patch:
            patch.setattr(pq, "ParquetWriter", stopped)
            return refusal("1/4", "rows", "seed=1")

    folder = tmp_path / "rows"
    assert "No space left" in start()
    assert {path.name for path in folder.iterdir()} <= {"_identity.json", "_identity.json.lock"}
    # What a killed command leaves beside it.
    killed = folder / f".part-00001-of-00004.parquet.{'0' * 16}"
    killed.mkdir()
    killed.with_name(f"{killed.name}.lock").touch()
    assert contents(make("1/4")) and not killed.exists()
    assert unsealed((folder / "_identity.json").read_text())["seed"] == 0
    # Now there is a part.
    assert "holds parts of another table (seed 0, not 1)" in start()


@pytest.mark.parametrize("content", ["", "{}", "x"])
def test_a_damaged_identity_without_a_part_is_replaced(make, refusal, tmp_path, content):
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "_identity.json").write_text(content)
    folder = make("1/4")
    (folder / "_identity.json").write_text(f"{content} ")
    assert "has a damaged _identity.json" in refusal("2/4")


def test_a_folder_in_which_a_part_is_being_written_is_not_taken_over(make, refusal, monkeypatch):
    writer, lines = pq.ParquetWriter, []

    def during(*given):
        if not lines:
            lines.append("")
            lines[0] = refusal("1/4", "rows", "seed=1")
        return writer(*given)

    monkeypatch.setattr(pq, "ParquetWriter", during)
    make("1/4")
    assert "holds parts of another table (seed 0, not 1)" in lines[0]


def test_a_part_whose_folder_was_taken_over_is_refused(refusal, monkeypatch, tmp_path):
    opened, taken = parts.Folder.open, []

    def then_taken_over(folder):
        opened(folder)
        # Before the temporary file is there.
        if not taken:
            taken.append(parts.Folder(folder.path, {**folder.identity, "seed": 9}))
            opened(taken[0])

    monkeypatch.setattr(parts.Folder, "open", then_taken_over)
    assert "holds parts of another table (seed 9, not 0)" in refusal("1/4")
    assert not list((tmp_path / "rows").glob("*part-*"))


@pytest.mark.parametrize("part", ["5/4", "٣/4", "0/4", "3-2/4", "1/0", "1-9/4", "x", "1", "1/2/3", "-1/4", "1/9999999"])
def test_a_part_that_does_not_exist_is_refused(refusal, part):
    assert f"part='{part}'" in refusal(part)


def test_other_files_are_not_mixed_with_parts(refusal, tmp_path):
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "mine.parquet").touch()
    line = refusal("1/4")
    assert "holds files that are not parts (mine.parquet)" in line and line.count("out=") == 1


def test_parts_without_rows_are_refused_and_leave_no_folder(refusal, tmp_path):
    assert "take fewer parts" in refusal("all/4", "rows", "n=3")
    assert not (tmp_path / "rows").exists()


def test_a_refused_command_leaves_nothing(refusal, make, monkeypatch, tmp_path):
    assert "n={'nope': 5}" in refusal("all/2", "rows", "n={nope: 5}")
    # A name that is None cannot be imported, as if Ray were not installed.
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "needs Ray" in refusal("all/2", "rows", "launcher=ray")
    assert not (tmp_path / "rows").exists()
    assert len(list(make("all/2").glob("part-*"))) == 2


def test_a_refused_file_leaves_no_folder(source, tmp_path):
    with pytest.raises(SystemExit):
        enter("synthesize", [*source, "n={nope: 5}", f"out={tmp_path / 'new' / 'rows.csv'}"])
    assert not (tmp_path / "new").exists()


def test_a_launcher_needs_parts(source, tmp_path, capsys):
    with pytest.raises(SystemExit):
        enter("synthesize", [*source, "n=10", "launcher=ray", f"out={tmp_path}/rows.csv"])
    assert "launcher='ray': makes parts of a table; add part=all/100" in capsys.readouterr().err


@pytest.mark.parametrize(("more", "message"), [("given=x.csv", "cannot be combined"), ("out=x.csv", "name a folder")])
def test_what_parts_cannot_be_combined_with(refusal, more, message, source, capsys):
    if more.startswith("out"):
        with pytest.raises(SystemExit):
            enter("synthesize", [*source, "part=1/2", more])
        assert message in capsys.readouterr().err
    else:
        assert message in refusal("1/4", "rows", more)


def test_a_full_disk_keeps_the_parts_before(make, refusal, monkeypatch):
    folder = make("1/4")
    before = contents(folder)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(parts, "write", full)
        assert "No space left on device" in refusal("all/4")
    assert contents(folder) == before
    make("all/4")
    assert len(contents(folder)) == 4


def test_parts_of_a_launcher_are_those_that_are_missing(make, monkeypatch, capsys):
    """The tasks of a cluster run here, the last one first."""
    asked = []

    @contextmanager
    def cluster(address, workers):
        asked.append((address, workers))
        yield

    def mapped(function, content, arguments, cpus, retries):
        asked.append((cpus, retries, [number for _, number in arguments]))
        for place, each in [*enumerate(arguments)][::-1]:
            yield place, function(content, *each)

    monkeypatch.setattr(on_ray, "cluster", cluster)
    monkeypatch.setattr(on_ray, "mapped", mapped)
    one, other = make("all/4", "one"), make("2/4", "other")
    make("all/4", "other", "launcher=ray", "launcher.address=auto", "launcher.n_jobs=3")
    assert asked == [("auto", 3), (1, 3, [1, 3, 4])]
    assert contents(one) == contents(other) and (one / MANIFEST).read_bytes() == (other / MANIFEST).read_bytes()
    assert "1 of 4 parts were finished before" in capsys.readouterr().out


def test_lost_parts_are_named(refusal, monkeypatch, tmp_path):
    monkeypatch.setattr(on_ray, "cluster", lambda *_: nullcontext())
    monkeypatch.setattr(on_ray, "mapped", lambda f, content, arguments, *_: [(0, f(content, *next(iter(arguments))))])
    assert "parts 2, 3 were lost with their workers; run the same command again" in refusal(
        "all/3", "rows", "launcher=ray"
    )
    assert len(contents(tmp_path / "rows")) == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["launcher=slurm"], "launcher='slurm': must be ray"),
        (["launcher.n_jobs=2"], "launcher.n_jobs='2': needs launcher=ray"),
        (["launcher=ray", "launcher.speed=2"], "launcher.speed='2': is no setting; known: address, n_jobs"),
        (["launcher=ray", "launcher.n_jobs=two"], "launcher.n_jobs='two': must be a number"),
        (["launcher=ray", "launcher.n_jobs=0"], "launcher.n_jobs=0: must be 1 or more"),
        (["launcher=ray", "launcher.retries=-1"], "launcher.retries=-1: must be a whole number"),
    ],
)
def test_a_launcher_that_does_not_exist_is_refused(refusal, more, message):
    assert message in refusal("all/3", "rows", *more)


def test_large_numbers_may_have_an_exponent():
    assert sampling.rows("1e9") == 10**9 and sampling.rows("{a: 2.5e3}") == {"a": 2500}
    for text in ("1.5e0", "1e-3", "e5", "٣", "{a: ٣}"):
        with pytest.raises(InputError, match="must be a number of rows"):
            sampling.rows(text)
    for text in ("1e99", "1e13", "9" * 20, "{a: 1e13}"):
        with pytest.raises(InputError, match="at most 1,000,000,000,000 rows"):
            sampling.rows(text)


@given(st.dictionaries(st.sampled_from("abc"), st.integers(0, 10**6), min_size=1), st.integers(1, 50))
def test_portions_add_up(n, count):
    found = [portion(n, number, count) for number in range(1, count + 1)]
    assert {label: sum(each[label] for each in found) for label in n} == n


@given(st.integers(1, 10**6), st.integers(1, 10**5))
def test_batches_add_up_and_are_small(n, most):
    found = [total(batch) for batch in batches(n, most)] if n // most < 1000 else [n]
    assert sum(found) == n and (max(found) <= most or n // most >= 1000)


def test_a_selection_has_numbers():
    assert list(Selection.parse("2-4/10").numbers) == [2, 3, 4]
    assert list(Selection.parse("all/3").numbers) == [1, 2, 3]
    assert list(Selection.parse("3/3").numbers) == [3]

"""Fits of folders in batches: exact sums over all rows where a generator can, and a line on what was seen."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trisynth import evaluate
from trisynth.commandline import enter
from trisynth.data.dataset import Column
from trisynth.data.reading import folder as reading
from trisynth.data.stream import Stream, read_folder
from trisynth.errors import InputError
from trisynth.generators.circuit import Circuit, streaming
from trisynth.generators.circuit.em import Prior, Rows, expected_counts
from trisynth.generators.circuit.streaming import (
    Blocks,
    continue_em,
    exact_em,
    log_likelihood,
    online_em,
    summed_counts,
)
from trisynth.generators.independent import Independent
from trisynth.generators.passes import Passes
from trisynth.generators.private.aim import AIM
from trisynth.generators.private.dp_vae import DPVAE
from trisynth.generators.private.label_triples import LabelTriples
from trisynth.generators.private.mst import MST
from trisynth.generators.private.raked_pairs import RakedPairs
from trisynth.privacy import Budget

ROWS, SAMPLE = 3_000, 600
FACTS = {
    "age": Column("number", bounds=(0, 100), integer=True, gaps=False),
    "dose": Column("number", bounds=(0, 60), gaps=True),
    "stage": Column("category", categories=("I", "II", "III"), gaps=False),
    "outcome": Column("category", categories=("sick", "well"), gaps=False),
}


def rows() -> pd.DataFrame:
    """Rows in the order of their classes, as a folder of hospitals might have them."""
    rng = np.random.default_rng(1)
    sick = np.arange(ROWS) < 0.2 * ROWS
    dose = np.round(rng.gamma(2.0 + 2 * sick, 3.0), 2)
    return pd.DataFrame(
        {
            "age": rng.integers(20, 60, ROWS) + 30 * sick,
            "dose": np.where(rng.random(ROWS) < 0.1, np.nan, dose),
            "stage": np.where(rng.random(ROWS) < 0.3, "I", np.where(dose > 9, "III", "II")),
            "outcome": np.where(sick, "sick", "well"),
        }
    )


def write(frame: pd.DataFrame, folder: Path) -> Path:
    folder.mkdir()
    for i, part in enumerate(np.array_split(np.arange(len(frame)), 3)):
        frame.iloc[part].to_parquet(folder / f"{i}.parquet", index=False)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write(rows(), tmp_path_factory.mktemp("large") / "rows")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(reading.Folder.tables, "__defaults__", (None, 256))


@pytest.fixture(scope="module")
def circuit(folder) -> Circuit:
    return Circuit(n_states=4).fit(read_folder(folder, "outcome", sample=SAMPLE))


@pytest.mark.parametrize("kind", [RakedPairs, LabelTriples, MST, AIM])
@pytest.mark.parametrize("target", ["outcome", "dose", None])
def test_private_generators_count_as_in_memory(folder, tmp_path, kind, target):
    def saved(sample: int) -> bytes:
        given = read_folder(folder, target, facts=FACTS, sample=sample)
        assert isinstance(given, Stream) == (sample < ROWS)
        budget = Budget(epsilon=1.0, delta=1e-6, seeded=True)
        kind(privacy=budget).fit(given, seed=2).save(tmp_path / f"{sample}.zip")
        return (tmp_path / f"{sample}.zip").read_bytes()

    assert saved(SAMPLE) == saved(ROWS)


def test_private_generators_refuse_what_batches_cannot_give(folder):
    stream = read_folder(folder, "outcome", facts=FACTS, sample=SAMPLE)
    with pytest.raises(InputError, match="use raked_pairs or dp_circuit"):
        DPVAE(privacy=Budget(epsilon=1.0, delta=1e-6)).fit(stream)
    with pytest.raises(InputError, match="is counted over all rows"):
        MST(privacy=Budget(epsilon=1.0, delta=1e-6, unit="person", person="age", rows_per_person=1)).fit(stream)


def test_a_folder_of_no_more_rows_than_the_sample_is_fitted_as_a_whole(folder):
    whole = read_folder(folder, "outcome", sample=ROWS)
    assert len(whole) == ROWS
    assert not Independent().fit(whole).notes


def test_a_generator_that_holds_all_rows_is_fitted_on_the_sample_and_states_it(folder):
    made = Independent().fit(read_folder(folder, "outcome", sample=SAMPLE))
    assert made.notes[0].startswith("fitted on 600 of 3,000 rows")
    assert made.counts_.tolist() == [600, 2_400]
    assert made.sample(500)["outcome"].value_counts().to_dict() == {"sick": 100, "well": 400}


@pytest.mark.parametrize("made", [Independent(), Circuit(n_states=2, max_iter=5)])
def test_rows_without_a_target_are_not_counted_among_those_of_a_fit(made, tmp_path):
    frame = rows()
    frame.loc[::3, "outcome"] = None
    line = made.fit(read_folder(write(frame, tmp_path / "gaps"), "outcome", sample=SAMPLE)).notes[0]
    assert re.match(r"fitted on (\d+ of )?2,000 rows;", line)
    assert line.endswith("; 1,000 rows without a target are left out") and made.counts_.sum() == 2_000


def test_the_circuit_has_the_class_fractions_of_all_rows(circuit, tmp_path):
    assert circuit.notes[0].startswith("fitted on 3,000 rows; structure")
    assert circuit.class_priors_.tolist() == [0.2, 0.8]
    circuit.save(tmp_path / "circuit.zip")
    assert Circuit.load(tmp_path / "circuit.zip").sample(50, 3).equals(circuit.sample(50, 3))


def blocks_of(circuit: Circuit, stream: Stream) -> Blocks:
    passes = Passes.of(circuit, stream, None, None)
    return Blocks(passes, circuit.discretizer_, circuit.counts_)


def test_counts_of_batches_are_those_of_all_rows(circuit, folder):
    blocks = blocks_of(circuit, read_folder(folder, "outcome", sample=SAMPLE))
    whole = read_folder(folder, "outcome")
    tokens = circuit.discretizer_.encode(circuit.relations_.reduce(circuit.schema_.canonical(whole.X)))
    summed = summed_counts(circuit.circuits_, blocks)
    for label, name in enumerate(circuit.labels_):
        own = Rows(tokens[whole.y == name], np.ones((whole.y == name).sum()))
        once = expected_counts(circuit.circuits_[label], own)
        assert summed[label].log_likelihood == pytest.approx(once.log_likelihood, rel=1e-6)
        for part in ("root", "transitions", "leaves"):
            np.testing.assert_allclose(getattr(summed[label], part), getattr(once, part), rtol=1e-3, atol=1e-2)


def test_passes_never_lower_the_likelihood_and_end_with_counts_of_their_circuits(circuit, folder):
    blocks = blocks_of(circuit, read_folder(folder, "outcome", sample=SAMPLE))
    priors = [Prior.of(c, circuit.smoothing_, circuit.discretizer_.starts, 1.0) for c in circuit.circuits_]
    before = sum(each.log_likelihood for each in summed_counts(circuit.circuits_, blocks))
    circuits, counts = exact_em(circuit.circuits_, priors, blocks)
    after = summed_counts(circuits, blocks)
    assert sum(each.log_likelihood for each in counts) >= before
    for one, other in zip(counts, after, strict=True):
        assert one.log_likelihood == other.log_likelihood
        assert sum(each.root.sum() for each in counts) == pytest.approx(ROWS, rel=1e-4)
        np.testing.assert_array_equal(one.leaves, other.leaves)


def test_a_label_of_very_many_rows_has_steps_of_some_that_are_evenly_spread(circuit, monkeypatch):
    monkeypatch.setattr(streaming, "_LIMIT", 100)
    own, stepped = circuit.circuits_[0], []
    monkeypatch.setattr(streaming._Online, "_step", lambda self, tokens: stepped.extend(tokens[:, 0]))
    state = streaming._Online(own, None, 1000)
    for start, last in ((0, 17), (17, 18), (18, 640), (640, 1000)):
        state.add(np.repeat(np.arange(start, last)[:, None], len(own.transitions), axis=1))
    taken = np.array([*stepped, *np.concatenate(state.waiting)[:, 0]])
    assert len(taken) == 100 and set(np.diff(taken)) == {10}


@pytest.mark.parametrize(("most", "lost"), [(10**6, 0.02), (200, 0.05)])
def test_online_em_reaches_the_likelihood_of_exact_em_and_counts_every_cell(circuit, folder, monkeypatch, most, lost):
    monkeypatch.setattr(streaming, "_LIMIT", most)
    shuffled = rows().sample(ROWS, random_state=0, ignore_index=True)
    stream = read_folder(folder, "outcome", sample=SAMPLE)
    monkeypatch.setattr(streaming, "_FEWEST", 64)
    monkeypatch.setattr(
        Stream, "frames", lambda self: iter([shuffled.astype({"stage": "category", "outcome": "category"})])
    )
    blocks = blocks_of(circuit, stream)
    priors = [Prior.of(c, circuit.smoothing_, circuit.discretizer_.starts, 1.0) for c in circuit.circuits_]
    every = next(iter(blocks))
    circuits, counts = online_em(circuit.circuits_, priors, blocks)
    exact, _ = exact_em(circuit.circuits_, priors, blocks)
    assert log_likelihood(circuits, every) > log_likelihood(circuit.circuits_, every)
    assert log_likelihood(circuits, every) > log_likelihood(exact, every) - lost * ROWS
    for label, each in enumerate(counts):
        cells = np.bincount(every.rows.tokens[every.labels == label].ravel(), minlength=len(each.leaves))
        np.testing.assert_allclose(each.leaves.sum(axis=1), cells, atol=1e-6)


def test_exact_em_takes_over_where_the_order_of_rows_misleads_online_em(circuit, folder, monkeypatch):
    blocks = blocks_of(circuit, read_folder(folder, "outcome", sample=SAMPLE))
    priors = [Prior.of(c, circuit.smoothing_, circuit.discretizer_.starts, 1.0) for c in circuit.circuits_]
    every = next(iter(blocks))
    uniform = [replace(c, leaves=np.full_like(c.leaves, 1e-3)) for c in circuit.circuits_]
    monkeypatch.setattr(streaming, "online_em", lambda *_: (uniform, []))
    circuits, _ = continue_em(circuit.circuits_, priors, blocks, every)
    assert log_likelihood(circuits, every) >= log_likelihood(circuit.circuits_, every)


@pytest.mark.parametrize("target", ["dose", None])
def test_numeric_and_absent_targets(folder, target):
    made = Circuit(n_states=4, refinement_steps=2).fit(read_folder(folder, target, sample=SAMPLE))
    drawn = made.sample(400, 1)
    assert set(drawn) == set(rows())
    assert made.counts_.sum() == (rows()["dose"].notna().sum() if target else ROWS)
    assert abs(drawn["age"].mean() - rows()["age"].mean()) < 3


def test_a_class_that_the_sample_lacks_is_one_line(tmp_path):
    frame = rows()
    frame.loc[17, "outcome"] = "dead"
    folder = write(frame, tmp_path / "rows")
    stream = read_folder(folder, "outcome", sample=SAMPLE)
    assert "dead" not in stream.sample.classes
    with pytest.raises(InputError, match=r"600.*no row of some classes: dead \(1 rows\)"):
        Independent().fit(stream)


def test_categories_that_the_sample_lacks_are_counted(tmp_path):
    frame = rows()
    frame.loc[[17, 18], "stage"] = "IV"
    stream = read_folder(write(frame, tmp_path / "rows"), "outcome", sample=SAMPLE)
    made = Circuit(n_states=2, refinement_steps=0).fit(stream)
    assert any(note.startswith("stage: 2 of 3,000 cells hold categories") for note in made.notes)
    assert "IV" not in set(made.sample(2_000)["stage"])


@pytest.fixture
def command(folder, tmp_path) -> Callable[..., Path]:
    def run(*arguments: str) -> Path:
        paths = [f"paths.{name}={tmp_path / name}" for name in ("cache", "raw")]
        given = [str(folder), "dataset.read.sample=600", "generator=independent", *paths, *arguments]
        enter("synthesize", [*given, *([] if "out=" in " ".join(arguments) else [f"out={tmp_path / 'out.parquet'}"])])
        return tmp_path / "out.parquet"

    return run


def test_the_command_fits_a_folder_and_writes_its_columns(command, folder, capsys):
    made = pd.read_parquet(command("--target", "outcome", "n=250"))
    assert dict(made.dtypes) == dict(pd.read_parquet(folder / "0.parquet").dtypes)
    said = capsys.readouterr()
    assert "fitted on 600 of 3,000 rows" in said.out
    assert "a sample of 600 of 3,000 rows; its quantiles are off by at most 5.5 percentage points" in said.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["n=5"], "dataset.target"),
        (["--target", "nothing", "n=5"], "no such column"),
        (["--target", "outcome", "n=5", "dataset.read.sample=1"], "must be a whole number, 2 or more"),
        (["--target", "outcome", "n=5", "dataset.duplicates=drop"], "cannot be found in batches"),
    ],
)
def test_mistakes_are_one_line(command, capsys, arguments, message):
    with pytest.raises(SystemExit):
        command(*arguments)
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert message in err


def test_rows_are_not_written_into_the_folder_they_come_from(command, folder, capsys):
    with pytest.raises(SystemExit):
        command("--target", "outcome", "n=5", f"out={folder / 'new.parquet'}")
    assert "lies in the input folder" in capsys.readouterr().err


def test_folders_are_evaluated_on_disjoint_samples_with_standard_errors(folder, circuit, tmp_path, caplog):
    made = write(circuit.sample(ROWS, 5), tmp_path / "made")
    scores = evaluate(folder, folder, made, "outcome", "logistic", rows=400).set_index(["group", "metric"])["value"]
    assert 0.4 < scores["fidelity", "c2st_boosting"] < 0.75
    assert 0.01 < scores["fidelity", "c2st_boosting_se"] < 0.05
    assert [record.getMessage() for record in caplog.records][:2] == [
        "real_train: a sample of 400 of 3,000 rows",
        "real_test: a sample of 400 of 3,000 rows",
    ]
    with pytest.raises(InputError, match="must be a folder of Parquet files"):
        evaluate(folder / "0.parquet", folder, made, "outcome")


def test_a_table_keeps_the_target_it_was_read_with(folder):
    table = read_folder(folder, target="outcome", sample=SAMPLE)
    assert Independent().fit(table, target="outcome").target_.name == "outcome"
    with pytest.raises(InputError, match=r"target='stage': the table was read with the target outcome"):
        Independent().fit(table, target="stage")
    with pytest.raises(InputError, match="facts="):
        Independent().fit(table, facts={"age": Column("number")})

"""Private generators read declared facts, and rows through the ledger alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from declared import facts_of

from trisynth.config import instantiate
from trisynth.data import sequences, tensors, texts
from trisynth.data.cleaning.clean import clean
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.generators.private.aim import AIM
from trisynth.generators.private.base import PrivateGenerator
from trisynth.generators.private.dp_circuit import DPCircuit
from trisynth.generators.private.dp_gan import DPGAN
from trisynth.generators.private.dp_sgd import clipped_sum, through
from trisynth.generators.private.dp_vae import DPVAE
from trisynth.generators.private.label_triples import LabelTriples
from trisynth.generators.private.mst import MST
from trisynth.generators.private.network import perceptron
from trisynth.generators.private.pate_gan import PATEGAN
from trisynth.generators.private.raked_pairs import RakedPairs
from trisynth.generators.private.tables.leaves import projected
from trisynth.privacy import Budget
from trisynth.privacy.ledger import Ledger
from trisynth.privacy.noise import Noise, SeededNoise

pytest.importorskip("dp_accounting", reason="needs the extra privacy")

KINDS = [RakedPairs, DPCircuit, LabelTriples, MST, AIM, DPVAE, DPGAN, PATEGAN]
# Settings of a fit that is fast; what the tests look at does not depend on them.
BRIEF = {
    AIM: {"max_cells": 3000},
    DPCircuit: {"n_states": 4, "max_iter": 5},
    DPVAE: {"steps": 3},
    DPGAN: {"steps": 3, "critic_steps": 2},
    PATEGAN: {"teachers": 5, "rounds": 2, "votes": 4},
}
FACTS = {
    "id": Column("identifier"),
    "age": Column("number", bounds=(0, 120), integer=True, gaps=False),
    "income": Column("number", bounds=(0, 100_000), integer=True, gaps=True),
    "height": Column("number", bounds=(0.5, 2.5), gaps=False),
    "born": Column("date", bounds=("1900-01-01", "2020-12-31"), gaps=False),
    "town": Column("category", categories=("Bonn", "Ulm", "Trier"), gaps=True),
    "sick": Column("category", categories=("no", "yes"), gaps=False),
}


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sick = rng.random(rows) < 0.3
    income = np.where(rng.random(rows) < 0.5, 0, rng.integers(0, 100_000, rows)).astype(float)
    return pd.DataFrame(
        {
            "id": [f"P{i:05d}" for i in rng.permutation(rows)],
            "age": np.clip(rng.normal(50 + 20 * sick, 10), 0, 120).astype("int64"),
            "income": pd.array(np.where(rng.random(rows) < 0.1, np.nan, income), dtype="Int64"),
            "height": rng.normal(1.7, 0.1, rows),
            "born": pd.Timestamp("1950-01-01") + pd.to_timedelta(rng.integers(0, 9000, rows), unit="D"),
            "town": rng.choice(np.array(["Bonn", "Ulm", None], dtype=object), rows),
            "sick": np.where(sick, "yes", "no"),
        }
    )


def other(rows: int) -> pd.DataFrame:
    """Rows of the same facts with other numbers, values beyond the bounds, and a category that is not declared."""
    frame = table(rows, seed=9)
    frame["income"] = pd.array(np.full(rows, 10**7), dtype="Int64")
    frame["height"] = np.where(np.arange(rows) == 3, np.inf, 99.0)
    frame["town"] = "Atlantis"
    frame["sick"] = "yes"
    return frame


@pytest.fixture
def deaf(monkeypatch):
    """Ledgers that answer every query alike, whatever the rows are."""
    monkeypatch.setattr(Ledger, "noisy", lambda self, name, counts, noise, **given: np.full(counts.shape, 50.0))
    monkeypatch.setattr(Ledger, "choose", lambda self, name, scores, noise, *given, **more: 0)


def saved(generator: Generator, folder: Path) -> bytes:
    generator.save(folder / "state")
    return (folder / "state").read_bytes()


def fitted(kind: type, frame: pd.DataFrame, **privacy) -> PrivateGenerator:
    budget = Budget(**{"epsilon": 1.0, "delta": 1e-6, "seeded": True, **privacy})
    return kind(privacy=budget, **BRIEF.get(kind, {})).fit(frame, target="sick", facts=FACTS)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_but_answers_of_the_ledger_depends_on_the_rows(kind, deaf, tmp_path):
    assert saved(fitted(kind, table(80)), tmp_path) == saved(fitted(kind, other(31)), tmp_path)


@pytest.mark.parametrize("kind", [RakedPairs, DPCircuit, LabelTriples, MST, AIM])
@pytest.mark.parametrize("target", ["sick", "age"])
def test_a_row_changes_no_query_by_more_than_what_is_charged(kind, target, monkeypatch):
    asked = []

    def noisy(self, name, counts, noise, queries=1, rho=None):
        self._charge(name, choice=False, queries=queries, rho=rho)
        asked.append((counts.astype(float), np.sqrt(queries), 2, rho))
        return np.full(counts.shape, 50.0)

    def choose(self, name, scores, noise, sensitivity=1.0, rho=None):
        self._charge(name, choice=True, rho=rho)
        # Every candidate may change by the sensitivity.
        asked.append((np.array(scores), sensitivity, np.inf, rho))
        return len(asked) % len(scores)

    monkeypatch.setattr(Ledger, "noisy", noisy)
    monkeypatch.setattr(Ledger, "choose", choose)
    frame = table(60)

    def fit(rows):
        asked.clear()
        # So much noise that not all pairs are counted, but chosen.
        kind(Budget(0.02, 1e-6), **BRIEF.get(kind, {})).fit(rows, target=target, facts=FACTS)
        return list(asked)

    # Seeds of models are no secret, and equal.
    monkeypatch.setattr(Noise, "uniform", lambda self, size: np.full(size, 0.5))
    one, two = fit(frame), fit(frame.drop(index=[17]))
    assert len(one) == len(two) and {order for *_, order, _ in one} == {2, np.inf}
    for (a, most, order, rho), (b, *others) in zip(one, two, strict=True):
        assert [most, order, rho] == others and np.linalg.norm((a - b).ravel(), order) <= most + 1e-6


class Peeking(MST):
    """A generator that takes a bound from the rows."""

    def _declare(self, X, y, target, facts, constraints):
        low = float(X["age"].min())
        return super()._declare(X, y, target, {**facts, "age": replace(facts["age"], bounds=(low, 120.0))}, constraints)


def test_a_planted_leak_is_seen(deaf, tmp_path):
    a, b = (Peeking(Budget(1.0, 1e-6)).fit(frame, target="sick", facts=FACTS) for frame in (table(80), table(80, 5)))
    # Classes of tests cannot be saved.
    a.__class__ = b.__class__ = MST
    assert saved(a, tmp_path) != saved(b, tmp_path)


@pytest.mark.parametrize("kind", [RakedPairs, LabelTriples, MST, AIM])
def test_without_noise_shares_and_dependence_come_back(kind):
    frame = table(4000)
    made = fitted(kind, frame, epsilon=None, delta=None, seeded=False)
    drawn = made.sample(4000, seed=1)
    assert drawn["sick"].value_counts().to_dict() == frame["sick"].value_counts().to_dict()
    for label in ("no", "yes"):
        real, own = frame.loc[frame["sick"] == label, "age"], drawn.loc[drawn["sick"] == label, "age"]
        # Five standard errors: draws without noise differ from fit to fit.
        most = 5 * real.std() / len(real) ** 0.5
        assert abs(real.mean() - own.mean()) < most and abs(real.std() - own.std()) < most
    assert abs((drawn["income"] == 0).mean() - (frame["income"] == 0).mean()) < 0.03
    assert abs(drawn["town"].isna().mean() - frame["town"].isna().mean()) < 0.03
    assert made.notes[0].startswith("NOT PRIVATE: no budget was given") and made.diagnostics() == {"not_private": 1.0}


def test_noisy_counts_are_projected_to_any_total():
    values = np.array([[5.0, -2.0], [0.5, 1.5]])
    for total in (6.0, 1.0, 1e-9):
        found = projected(values, total)
        assert found.min() >= 0 and found.sum() == pytest.approx(total)
    # A total that rounding loses beside the values.
    assert np.isfinite(projected(np.array([1e9, 3.0]), 1e-9)).all()
    assert not projected(values, 0.0).any() and projected(np.array([3.0, 1.0]), 2.0).tolist() == [2.0, 0.0]


@pytest.mark.parametrize("kind", KINDS)
def test_epsilon_and_delta_are_stated_wherever_the_fit_goes(kind, tmp_path):
    made = fitted(kind, table(300), seeded=False)
    made.save(tmp_path / "state")
    again = Generator.load(tmp_path / "state")
    assert 0.99 < again.diagnostics()["epsilon"] <= 1 and again.diagnostics()["delta"] == 1e-6
    # The bound of noise that depends on earlier answers is that by Renyi divergences.
    assert again.diagnostics()["epsilon"] <= again.diagnostics()["epsilon_rdp"]
    assert again.notes[0].startswith("privacy: epsilon") and "delta 1e-06 per row" in again.summary()
    seeded = fitted(kind, table(300))
    assert seeded.notes[0].startswith("NOT PRIVATE: the noise is from a seed")
    assert seeded.diagnostics()["not_private"] == 1


def test_saved_votes_show_no_last_bits_of_the_sums_of_the_teachers():
    made = fitted(PATEGAN, table(200), seeded=False)
    grid = 2.0 ** (np.floor(np.log2(made.ledger_.sigma("votes of the teachers"))) - 36)
    assert made.votes_.any() and not (made.votes_ % grid).any()


@pytest.mark.parametrize("kind", KINDS)
def test_noise_is_new_in_every_fit_unless_it_is_seeded(kind, tmp_path):
    frame = table(200)
    assert saved(fitted(kind, frame), tmp_path) == saved(fitted(kind, frame), tmp_path)
    assert saved(fitted(kind, frame, seeded=False), tmp_path) != saved(fitted(kind, frame, seeded=False), tmp_path)


@pytest.mark.parametrize(
    ("column", "facts", "line"),
    [
        ("age", {"bounds": None}, "facts.age.bounds=None: must be declared for a private fit"),
        ("age", {"gaps": None}, "facts.age.gaps=None: must be declared for a private fit"),
        ("town", {"categories": None}, "facts.town.categories=None: must be declared for a private fit"),
        ("town", {"gaps": None}, "facts.town.gaps=None: must be declared"),
        ("sick", {"categories": None}, "facts.sick.categories=None: must be declared"),
        ("born", {"bounds": None}, "facts.born.bounds=None: must be declared"),
    ],
)
def test_a_column_without_facts_is_refused(column, facts, line):
    lacking = {**FACTS, column: replace(FACTS[column], **facts)}
    with pytest.raises(InputError) as caught:
        MST(Budget(1.0, 1e-6)).fit(table(30), target="sick", facts=lacking)
    assert str(caught.value).startswith(line)
    with pytest.raises(InputError, match=rf"^facts\.{column}\."):
        MST(Budget(1.0, 1e-6)).fit(table(30), target="sick", facts={n: f for n, f in FACTS.items() if n != column})


def test_all_facts_that_are_lacking_stand_in_one_line():
    lacking = {**FACTS, "age": Column("number"), "town": Column("category", gaps=True), "sick": Column("category")}
    with pytest.raises(InputError, match=r"^facts\.age\.bounds=None: must be declared") as caught:
        MST(Budget(1.0, 1e-6)).fit(table(30), target="sick", facts=lacking)
    text = str(caught.value)
    assert text.endswith("; and so must age.gaps, town.categories, sick.categories, sick.gaps") and "\n" not in text


def test_kinds_that_no_private_fit_takes_are_named_before_anything_that_may_be_declared():
    notes = {"note": Column("text", generate=True)}
    takes = "a private fit takes numbers, categories, dates and durations"
    for cells, facts, line in (
        (tensors.column(np.zeros((30, 4))), {}, f"x.kind='tensor': {takes}; ignore or drop the column"),
        (sequences.column([np.zeros(3)] * 30), {}, f"x.kind='sequence': {takes}"),
        (
            ["a b"] * 30,
            notes,
            f"note.generate=True: {takes}; without generate: true, the column of texts is left empty",
        ),
    ):
        name = "note" if facts else "x"
        frame = table(30).drop(columns="id").assign(**{name: cells})
        for make in (MST, DPVAE):
            # Delta, rows, bounds and categories are lacking, too.
            with pytest.raises(InputError) as caught:
                make(Budget(1.0)).fit(frame, target="sick", facts=facts)
            assert str(caught.value).startswith(f"facts.{line}")
        frame = frame.assign(note=texts.column(frame["note"])) if facts else frame
        own = Dataset.of(frame, Spec("mine", "sick", columns=facts, confirmed=False))
        with pytest.raises(InputError) as caught:
            MST(Budget(1.0)).fit(own)
        assert str(caught.value).startswith(f"dataset.columns.{line}")


def test_a_spent_generator_and_an_absent_budget_are_refused():
    made = fitted(MST, table(50))
    with pytest.raises(InputError, match=r"^privacy=1\S+ was spent by an earlier fit"):
        made.fit(table(50), target="sick", facts=FACTS)
    with pytest.raises(InputError, match=r"^privacy=None: must be a budget"):
        MST().fit(table(50), target="sick", facts=FACTS)


def test_facts_that_were_read_from_rows_are_refused_until_confirmed():
    frame = table(60).drop(columns="id")
    facts = {name: fact for name, fact in FACTS.items() if name != "id"}
    spec = Spec("mine", "sick", columns=facts, rows=60, confirmed=False)
    with pytest.raises(InputError, match=r"^dataset\.confirmed=False: the facts were read from the rows"):
        MST(Budget(3.0)).fit(Dataset.of(frame, spec))
    made = MST(Budget(3.0)).fit(Dataset.of(frame, replace(spec, confirmed=True)))
    assert made.spent_["delta"] == pytest.approx(60**-1.5)


def test_a_format_that_one_row_can_change_is_refused_until_it_is_declared():
    days = [f"0{1 + i % 9}/0{1 + i % 7}/2020" for i in range(40)]
    column = {"kind": "date", "bounds": ["2019-01-01", "2021-01-01"], "gaps": False}
    classes = {"kind": "category", "categories": ["a", "b"], "gaps": False}

    def read(more: list[str], **declared) -> Dataset:
        raw = pd.DataFrame({"day": [*days, *more], "y": ["a", "b"] * 20 + ["a"] * len(more)})
        cfg = {"name": "mine", "target": "y", "rows": 40, "columns": {"day": {**column, **declared}, "y": classes}}
        return clean(raw, cfg)[0]

    def moved(**declared) -> int:
        return (read([], **declared).X["day"] != read(["04/13/2020"], **declared).X["day"][:40]).sum()

    assert moved() > 30 and moved(format="%d/%m/%Y") == 0
    with pytest.raises(InputError, match=r"^dataset\.columns\.day\.format=None: must be declared .* '%d/%m/%Y'"):
        MST(Budget(3.0)).fit(read([]))
    assert MST(Budget(3.0)).fit(read([], format="%d/%m/%Y")).spent_


def test_a_person_counts_once_and_needs_a_column(monkeypatch):
    frame = pd.concat([table(40)] * 5, ignore_index=True)
    person = {"unit": "person", "person": "id", "rows_per_person": 2}
    made = fitted(MST, frame, epsilon=200.0, **person)
    assert 70 < made.counts_.sum() < 90 and "per person (at most 2 rows each)" in made.promise
    assert made.notes[1].startswith("id: identifiers; synthetic rows have running numbers, since the form of the real")
    with pytest.raises(InputError, match=r"^privacy\.person='patient': names the column of persons"):
        fitted(MST, frame, **{**person, "person": "patient"})


def test_persons_of_a_file_are_those_of_its_declared_identifier():
    raw = pd.DataFrame(
        {"id": [f"P{i // 5}" for i in range(200)], "y": ["a", "b"] * 100, "v": ["1", "2", "3", "4"] * 50}
    )
    classes = {"kind": "category", "categories": ["a", "b"], "gaps": False}
    columns = {"v": {"kind": "number", "bounds": [0, 9], "integer": True, "gaps": False}, "y": classes}

    def fit(**of_person) -> PrivateGenerator:
        facts = {**columns, "id": {"kind": "identifier", **of_person}}
        dataset = clean(raw, {"name": "mine", "target": "y", "rows": 200, "columns": facts})[0]
        return MST(Budget(300.0, 1e-6, "person", "id", rows_per_person=2)).fit(dataset)

    made = fit(person=True)
    # Forty persons of five rows each.
    assert made.counts_.sum() == pytest.approx(80, abs=4) and list(made.sample(3)) == ["y", "v"]
    with pytest.raises(InputError, match=r"^privacy\.person='id': .*person: true"):
        fit()
    dataset = clean(raw, {"name": "mine", "target": "y", "rows": 200, "columns": columns})[0]
    with pytest.raises(InputError, match=r"^privacy\.person='v': .*person: true"):
        MST(Budget(3.0, 1e-6, "person", "v")).fit(dataset)


def test_declared_constraints_are_met_without_reading_rows():
    budget = Budget(5.0, 1e-6, seeded=True)
    made = MST(budget).fit(table(500), target="sick", facts=FACTS, constraints=["age >= 30"])
    assert made.sample(300)["age"].min() >= 30


def test_configured_generators_need_facts_that_tests_can_declare():
    X = table(60).drop(columns=["id", "sick"])
    config = {"_target_": "trisynth.generators.private.mst.MST", "privacy": None}
    made = instantiate(config, privacy=Budget(1.0, 1e-6, seeded=True)).fit(X, facts=facts_of(X))
    assert list(made.sample(5)) == list(X)


def test_gradients_of_rows_are_clipped_each_by_itself():
    network = perceptron([5, 4, 3], torch.Generator().manual_seed(0))
    rows = torch.randn(40, 5, generator=torch.Generator().manual_seed(1)) * torch.linspace(0.01, 3, 40)[:, None]

    def clipped(chosen):
        layers, out = through(network, chosen)
        slopes = torch.autograd.grad((out**2).sum(), [after for _, after in layers])
        return clipped_sum([(a.detach(), b) for (a, _), b in zip(layers, slopes, strict=True)], 1.5)

    expected, lengths = 0.0, []
    for row in rows:
        gradients = torch.autograd.grad((network(row) ** 2).sum(), list(network.parameters()))
        alone = torch.cat([each.flatten() for each in gradients])
        lengths.append(float(alone.norm()))
        expected = expected + alone / max(1.5, lengths[-1])
        assert clipped(row[None]).norm() <= 1
    assert min(lengths) < 1.5 < max(lengths)
    assert torch.allclose(clipped(rows), expected, atol=1e-4)


def test_every_row_has_one_teacher_whatever_the_others_are():
    made = PATEGAN(Budget(1.0, 1e-6), teachers=7)
    members = made._members(500, SeededNoise(np.random.default_rng(0)))
    assert sorted(np.concatenate(members)) == list(range(500)) and len(members) == 7
    few = made._members(499, SeededNoise(np.random.default_rng(0)))
    assert all(np.array_equal(a[a < 499], b) for a, b in zip(members, few, strict=True))


@pytest.mark.parametrize(("kind", "least"), [(DPVAE, 5), (DPGAN, 5), (PATEGAN, 1)])
def test_networks_learn_dependence_where_the_budget_allows_it(kind, least):
    frame = table(1500)
    settings = {
        DPVAE: {"steps": 200},
        DPGAN: {"steps": 400, "critic_steps": 1},
        PATEGAN: {"teachers": 50, "rounds": 60, "votes": 64},
    }
    made = kind(Budget(seeded=True), **settings[kind]).fit(frame, target="sick", facts=FACTS)
    drawn = made.sample(1500, seed=1)
    ages = drawn.groupby("sick", observed=True)["age"].mean()
    assert ages["yes"] - ages["no"] > least


def test_rows_of_one_person_cannot_be_sampled_one_by_one():
    person = {"unit": "person", "person": "id", "rows_per_person": 2}
    with pytest.raises(InputError, match=r"^privacy\.rows_per_person=2: must be 1, since rows are sampled"):
        fitted(DPVAE, table(40), **person)
    with pytest.raises(InputError, match="must be a probability below 1"):
        DPVAE(Budget(1.0, 1e-6), rate=2.0).check()

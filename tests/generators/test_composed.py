"""Rows of several kinds that are composed of conditional draws."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data import tensors, texts
from trisynth.data.dataset import Column
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.generators.composed import Composed, Strata
from trisynth.generators.independent import Independent
from trisynth.generators.joint import Joint
from trisynth.generators.neural.vae import VAE
from trisynth.generators.trees.cart import CART

FACTS = {"series": Column(shape=(6,)), "note": Column(kind="text", generate=True)}


def rows(n: int = 400) -> pd.DataFrame:
    """Rows whose kinds all depend on one number, of two classes that do not matter."""
    rng = np.random.default_rng(0)
    dose = rng.random(n) * 10
    columns = {
        "note": np.where(dose > 5, "much was given", "little was given"),
        "dose": dose,
        "series": tensors.column(dose[:, None] + rng.normal(size=(n, 6)) * 0.2),
        "state": np.array(["calm", "wild"])[rng.integers(0, 2, n)],
    }
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def fitted() -> Composed:
    return Composed(min_rows=30).fit(rows(), target="state", facts=FACTS)


def test_every_kind_depends_on_the_earlier_ones(fitted):
    drawn = fitted.sample(500)
    assert list(drawn) == list(rows()) and list(drawn.dtypes) == list(rows().dtypes)
    mean = tensors.values(drawn["series"]).mean(axis=1)
    assert np.corrcoef(mean, drawn["dose"])[0, 1] > 0.95
    much = drawn["note"].str.startswith("much").to_numpy()
    assert (much == (drawn["dose"] > 5)).mean() > 0.95 and (much == (mean > 5)).mean() > 0.9
    assert fitted.diagnostics()["strata"] >= 4
    assert fitted.sample({"calm": 5, "wild": 0})["state"].tolist() == ["calm"] * 5


def test_a_saved_generator_draws_the_same_rows(fitted, tmp_path):
    fitted.save(tmp_path / "state")
    assert Generator.load(tmp_path / "state").sample(30, seed=4).equals(fitted.sample(30, seed=4))
    assert not fitted.sample(30, seed=4).equals(fitted.sample(30, seed=5))


def test_names_of_columns_need_not_be_texts():
    names = {"note": 3, "series": ("scan", 1)}
    facts = {names[name]: fact for name, fact in FACTS.items()}
    real = rows(200).rename(columns=names)
    for made in (Composed(min_rows=30), Joint(VAE(epochs=1, min_steps=2))):
        drawn = made.fit(real, target="state", facts=facts).sample(5, seed=1)
        assert list(drawn) == list(real)
    before = Composed(min_rows=30).fit(rows(200), target="state", facts=FACTS).sample(5, seed=1)
    drawn = Composed(min_rows=30).fit(real, target="state", facts=facts).sample(5, seed=1)
    assert drawn.equals(before.rename(columns=names))


def test_parts_can_be_named_and_are_checked():
    made = Composed(table=CART(smallest=20), array=Independent(), text=Independent(), max_strata=2)
    drawn = made.fit(rows(), target="state", facts=FACTS).sample(20)
    assert len(drawn) == 20 and made.table.get_params() == CART(smallest=20).get_params()
    for part, other in {
        "table": "CART",
        "array": "ClassGaussian",
        "text": "NGram",
        "sequence": "Autoregressive",
    }.items():
        with pytest.raises(
            InputError, match=rf"{part}='cart': must be null or a generator, such as {other}\(\), in yaml"
        ):
            Composed(**{part: "cart"}).check()
    for wrong, line in (
        (Composed(max_strata=1), "max_strata"),
        (Joint(network="vae"), "network='vae': .* VAE"),
        (Joint(max_topics=0), "max_topics"),
    ):
        with pytest.raises(InputError, match=line):
            wrong.check()
    with pytest.raises(InputError, match=r"does not take columns of kind tensor"):
        Composed(array=CART()).fit(rows(), target="state", facts=FACTS)


def test_a_table_of_one_kind_and_of_few_rows():
    for names in (["note"], ["series"], ["dose"], ["series", "note"]):
        facts = {name: FACTS[name] for name in names if name in FACTS}
        drawn = Composed().fit(rows(8)[names], facts=facts, rare=0).sample(5)
        assert list(drawn) == names and len(drawn) == 5


def test_strata_separate_what_the_column_depends_on():
    table = rows()
    cells = texts.column(table["note"], "note")
    strata = Strata.learn(table[["dose"]], np.zeros(400, int), cells, 2, 30, np.random.default_rng(0))
    assert strata.count == 2
    found = strata.of(pd.DataFrame({"dose": [1.0, 4.9, 5.1, 9.0]}), np.zeros(4, int))
    assert found[0] == found[1] != found[2] == found[3]


def test_a_text_depends_on_a_rare_class():
    table = rows()[["dose", "note"]].assign(state=["rare"] * 40 + ["common"] * 360)
    table.loc[:39, "note"] = "died in the night"
    drawn = Composed().fit(table, target="state", facts={"note": FACTS["note"]}).sample({"rare": 50, "common": 50})
    died = drawn["note"].str.startswith("died").groupby(drawn["state"]).mean()
    assert died["rare"] > 0.9 and died["common"] == 0


@pytest.mark.parametrize("least", [1, 4])
def test_strata_of_fewer_rows_than_may_be_shown_are_refused(least):
    with pytest.raises(InputError, match=r"^min_rows=\d: must be a whole number, 5 or more"):
        Composed(min_rows=least).fit(rows(), target="state", facts=FACTS)


def test_bins_of_a_numeric_target_are_no_strata_of_their_own():
    real = rows(320).drop(columns="state")
    made = Composed(min_rows=150).fit(real, target="dose", facts=FACTS)
    assert all(strata.count == 2 for strata, _ in made.parts_.values())
    drawn = made.sample(300)
    assert np.corrcoef(tensors.values(drawn["series"]).mean(axis=1), drawn["dose"])[0, 1] > 0.7

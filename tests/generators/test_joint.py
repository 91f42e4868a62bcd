"""Rows of several kinds from one network, texts by their topics."""

import numpy as np
import pandas as pd
import pytest

from trisynth.data import tensors
from trisynth.data.dataset import Column
from trisynth.generators.base import Generator
from trisynth.generators.independent import Independent
from trisynth.generators.joint import Joint
from trisynth.generators.neural.vae import VAE

FACTS = {"series": Column(shape=(6,)), "note": Column(kind="text", generate=True)}
SHORT = VAE(backbone="conv", epochs=5, min_steps=400, batch_size=64, hidden_layer_sizes=(32,), latent_dim=4)


def rows(n: int = 300) -> pd.DataFrame:
    """Rows whose kinds all depend on one number, of two classes that do not matter."""
    rng = np.random.default_rng(0)
    dose = rng.choice([2.0, 8.0], n) + rng.normal(0, 0.3, n)
    columns = {
        "note": np.where(dose > 5, "much was given", "little was given"),
        "dose": dose,
        "series": tensors.column(dose[:, None] + rng.normal(size=(n, 6)) * 0.2),
        "state": np.array(["calm", "wild"])[rng.integers(0, 2, n)],
    }
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def fitted() -> Joint:
    return Joint(SHORT, max_topics=2).fit(rows(), target="state", facts=FACTS)


def test_every_kind_depends_on_the_others_through_the_code(fitted):
    drawn = fitted.sample(300)
    assert list(drawn) == list(rows()) and list(drawn.dtypes) == list(rows().dtypes)
    mean = tensors.values(drawn["series"]).mean(axis=1)
    much = drawn["note"].str.startswith("much").to_numpy()
    assert (much == (drawn["dose"] > 5)).mean() > 0.75 and (much == (mean > 5)).mean() > 0.75
    assert fitted.diagnostics() == {"topics": 4.0}
    assert fitted.sample({"calm": 5, "wild": 0})["state"].tolist() == ["calm"] * 5


def test_a_saved_generator_draws_the_same_rows(fitted, tmp_path):
    fitted.save(tmp_path / "state")
    assert Generator.load(tmp_path / "state").sample(30, seed=4).equals(fitted.sample(30, seed=4))
    assert not fitted.sample(30, seed=4).equals(fitted.sample(30, seed=5))


def test_a_topic_of_another_class_is_replaced():
    # The floor draws topics whatever the class.
    table = rows()
    table.loc[table["state"] == "wild", "note"] = "nothing"
    drawn = Joint(Independent(), max_topics=2).fit(table, target="state", facts=FACTS).sample(100)
    assert (drawn["note"] == "nothing").equals(drawn["state"] == "wild")


def test_texts_alone_and_rows_without_texts():
    for names in (["note"], ["series", "dose"]):
        facts = {name: FACTS[name] for name in names if name in FACTS}
        drawn = Joint(SHORT).fit(rows(60)[names], facts=facts, rare=0).sample(5)
        assert list(drawn) == names and len(drawn) == 5

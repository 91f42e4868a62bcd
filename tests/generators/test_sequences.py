"""Common contract of the generators that take series of unequal lengths."""

from functools import cache
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from configs import CONF, config, make

from trisynth.config import locate
from trisynth.data import sequences, tensors
from trisynth.data.dataset import Column
from trisynth.data.kinds import Number, Sequence
from trisynth.errors import InputError
from trisynth.evaluation.metrics.kinds.arrays import DiscriminativeScore
from trisynth.evaluation.metrics.kinds.series import SequenceLength
from trisynth.generators.arrays.autoregressive import Autoregressive
from trisynth.generators.arrays.block_bootstrap import BlockBootstrap
from trisynth.generators.arrays.class_gaussian import ClassGaussian
from trisynth.generators.base import Generator

NAMES = sorted(path.stem for path in (CONF / "generator").glob("*.yaml"))
KINDS = {name: locate(config(name)["_target_"]).kinds for name in NAMES}
TAKING = [name for name in NAMES if Sequence in KINDS[name]]


def rows(name: str, n: int = 90) -> tuple[pd.DataFrame, pd.Series]:
    """Short low and long high walks of two channels, beside a number where the generator takes one."""
    rng = np.random.default_rng(0)
    label = np.arange(n) % 2
    cells = [rng.normal(size=(rng.integers(2, 5) + 4 * each, 2)) + 5 * each for each in label]
    X = pd.DataFrame({"walk": sequences.column(cells)})
    if Number in KINDS[name]:
        X["size"] = rng.normal(size=n)
    return X, pd.Series(np.array(["low", "high"])[label], name="state")


@cache
def fitted(name: str) -> Generator:
    return make(name).fit(*rows(name))


@pytest.mark.parametrize("name", TAKING)
def test_rows_are_like_the_training_rows(name):
    X, y = rows(name)
    for n in (0, 1, 33):
        drawn = fitted(name).sample(n, seed=1)
        assert list(drawn) == [*X, "state"] and list(drawn.dtypes) == [*X.dtypes, y.dtype] and len(drawn) == n
    real, made = sequences.flat(X["walk"]), sequences.flat(drawn["walk"])
    assert real.min() <= made.min() and made.max() <= real.max()
    if name != "independent":
        drawn = fitted(name).sample({"low": 20, "high": 20}, seed=2)
        size, high = sequences.lengths(drawn["walk"]), (drawn["state"] == "high").to_numpy()
        assert size[high].min() >= 6 > 4 >= size[~high].max()
        level = np.array([cell.mean() for cell in sequences.values(drawn["walk"])])
        assert level[high].min() > level[~high].max()


@pytest.mark.parametrize("name", TAKING)
def test_a_saved_generator_draws_the_same_rows(name, tmp_path):
    fitted(name).save(tmp_path / "state")
    drawn = fitted(name).sample(20, seed=3)
    again = Generator.load(tmp_path / "state").sample(20, seed=3)
    other = fitted(name).sample(20, seed=4)
    cells = [np.concatenate(sequences.values(part["walk"])) for part in (drawn, again, other)]
    assert np.array_equal(cells[0], cells[1]) and not np.array_equal(cells[0], cells[2])


@pytest.mark.parametrize("name", TAKING)
def test_a_table_without_a_target(name):
    X, _ = rows(name)
    drawn = make(name).fit(X[["walk"]]).sample(7)
    assert drawn.shape == (7, 1) and drawn.dtypes.equals(X[["walk"]].dtypes)


@pytest.mark.parametrize("name", ["circuit", "vae", "rcgan", "class_gaussian"])
def test_other_generators_refuse_sequences_in_one_line(name):
    X, y = rows("independent")
    with pytest.raises(InputError, match=r"walk.*does not take columns of kind sequence; it takes"):
        make(name).fit(X, y)


def test_an_autoregression_recovers_its_coefficients_and_lengths():
    rng = np.random.default_rng(1)
    cells = []
    for size in rng.integers(20, 60, 300):
        walk = rng.normal(size=size)
        for step in range(1, size):
            walk[step] = 0.8 * walk[step - 1] + 0.6 * walk[step]
        cells.append(walk)
    X = pd.DataFrame({"walk": sequences.column(cells)})
    model = Autoregressive(order=1, degree=0).fit(X, rare=0)
    made = model.sample(400, seed=1)["walk"]
    found = sequences.values(made)
    pairs = np.concatenate([np.column_stack([cell[:-1, 0], cell[1:, 0]]) for cell in found])
    assert np.corrcoef(pairs.T)[0, 1] == pytest.approx(0.8, abs=0.03)
    assert {*sequences.lengths(made)} <= {*map(len, cells)}


def test_an_image_is_refused():
    X = pd.DataFrame({"image": tensors.column(np.zeros((20, 3, 3)))})
    with pytest.raises(InputError, match="X='image': is an image, but Autoregressive models series"):
        Autoregressive().fit(X, facts={"image": Column(shape=(3, 3))})


class Part:
    """Rows of a data set, as metrics see them."""

    facts: ClassVar[dict] = {}

    def __init__(self, more: int, seed: int, n: int = 80):
        rng = np.random.default_rng(seed)
        cells = [rng.normal(size=(rng.integers(3, 7) + more, 1)) for _ in range(n)]
        self.X = pd.DataFrame({"walk": sequences.column(cells)})

    def __len__(self) -> int:
        return len(self.X)


def test_metrics_see_lengths_and_ends():
    parts = {
        more: SimpleNamespace(train=Part(0, 0), test=Part(0, 1), synthetic=Part(more, 2), seed=0) for more in (0, 4)
    }
    lengths = {more: SequenceLength()._score(each)["length_distance"] for more, each in parts.items()}
    assert lengths[0] < 0.4 and lengths[4] > 2
    metric = DiscriminativeScore(repeats=1, steps=60)
    scores = {more: metric._score(each)["discriminative_score"] for more, each in parts.items()}
    assert scores[0] < 0.35 < 0.4 < scores[4]


@pytest.mark.parametrize("generator", [ClassGaussian(), BlockBootstrap(), Autoregressive()])
def test_a_table_of_few_rows_in_all_is_refused(generator):
    few = pd.DataFrame({"x": tensors.column(np.random.default_rng(0).normal(size=(4, 8))), "y": list("abab")})
    with pytest.raises(InputError, match=r"X='4 rows': are too few: .*give at least 5 rows"):
        generator.fit(few, target="y")
    assert len(generator.fit(few, target="y", rare=0).sample(3)) == 3
    visits = pd.concat([few, few, few], ignore_index=True).assign(p=[*"uuuuvvvvwwww"])
    with pytest.raises(InputError, match="X='3 persons': are too few"):
        generator.fit(visits, target="y", facts={"p": Column("identifier", person=True)})

"""The encoder is reversible, and knows nothing but the rows that it was fitted on."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from columns import same
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.base import clone

from trisynth.config import instantiate
from trisynth.encoders.table import TableEncoder
from trisynth.generators import persistence

CONF = sorted((Path(__file__).parents[2] / "conf" / "preprocessing").glob("*.yaml"))


@pytest.fixture(params=CONF, ids=lambda path: path.stem)
def encoder(request) -> TableEncoder:
    return instantiate(yaml.safe_load(request.param.read_text()))


def learned(encoder: TableEncoder, folder: Path) -> bytes:
    persistence.save(encoder, folder / "encoder")
    return (folder / "encoder").read_bytes()


CLOSE = {"check_exact": False, "rtol": 1e-9, "atol": 1e-9}


def test_table_comes_back_as_it_was(encoder, table):
    matrix = encoder.fit(table).transform(table)
    assert matrix.shape == (30, encoder.width_) and np.isfinite(matrix).all()
    same(encoder.inverse(matrix), table, **CLOSE)


def test_column_comes_back_as_it_was(encoder, column):
    real = column.to_frame()
    matrix = encoder.fit(real).transform(real)
    assert np.isfinite(matrix).all()
    same(encoder.inverse(matrix), real, **CLOSE)


def test_blocks_tile_the_matrix(encoder, table):
    encoder.fit(table)
    edges = [0, *(block.stop for block in encoder.blocks_)]
    assert [block.start for block in encoder.blocks_] == edges[:-1] and edges[-1] == encoder.width_
    matrix = encoder.transform(table)
    for block in encoder.blocks_:
        part = matrix[:, block.start : block.stop]
        if block.kind != "number":
            assert set(np.unique(part)) <= {0.0, 1.0}
        if block.kind == "category" and block.stop > block.start:
            assert (part.sum(axis=1) == 1).all()


def test_test_rows_never_reach_the_encoder(encoder, table, tmp_path):
    """Canary: whatever the held-out rows are, an encoder fitted on the training rows is the same."""
    train, test = table[:20], table[20:]
    before = learned(clone(encoder).fit(train), tmp_path)
    changed = pd.DataFrame(
        {
            name: test[name] * 1000 if test[name].dtype == float else test[name].iloc[::-1].to_numpy()
            for name in test.columns
        }
    )
    fitted = clone(encoder).fit(train)
    fitted.transform(test)
    fitted.transform(changed)
    fitted.inverse(fitted.transform(changed))
    assert learned(fitted, tmp_path) == before
    assert learned(clone(encoder).fit(table), tmp_path) != before, "the canary must be able to die"


def test_rows_are_encoded_one_by_one(encoder, table):
    encoder.fit(table)
    whole = encoder.transform(table)
    np.testing.assert_array_equal(encoder.transform(table[7:9]), whole[7:9])


def test_refit_forgets(encoder, table, tmp_path):
    fresh = learned(clone(encoder).fit(table[["float", "text"]]), tmp_path)
    assert learned(encoder.fit(table).fit(table[["float", "text"]]), tmp_path) == fresh


def test_input_and_scaler_are_not_touched(encoder, table):
    before, parameters = table.copy(), repr(encoder.get_params())
    encoder.fit(table).inverse(encoder.transform(table))
    pd.testing.assert_frame_equal(table, before)
    assert repr(encoder.get_params()) == parameters
    assert not [name for name in vars(encoder.scaler) if name.endswith("_") and not name.startswith("_")]


def test_unseen_category_has_no_column_of_its_own():
    encoder = TableEncoder().fit(pd.DataFrame({"c": ["a", "b"]}))
    np.testing.assert_array_equal(encoder.transform(pd.DataFrame({"c": ["b", "z", None]})), [[0, 1], [0, 0], [0, 0]])


def test_missing_cells_have_their_own_column():
    encoder = TableEncoder().fit(pd.DataFrame({"c": ["a", None], "x": [1.5, np.nan]}))
    assert [(b.name, b.kind, b.missing) for b in encoder.blocks_] == [
        ("x", "number", False),
        ("x", "missing", False),
        ("c", "category", True),
    ]
    np.testing.assert_array_equal(encoder.transform(pd.DataFrame({"c": [None], "x": [np.nan]})), [[0, 1, 0, 1]])


def test_missing_number_stands_at_the_median():
    real = pd.DataFrame({"x": [1.0, 2.0, np.nan, 30.0]})
    encoder = TableEncoder().fit(real)
    assert encoder.medians_.tolist() == [2.0]
    np.testing.assert_array_equal(encoder.transform(real)[2, 0], encoder.transform(real)[1, 0])


def test_standard_scaler_is_the_default(table):
    numbers = table[["float", "integer"]]
    matrix = TableEncoder().fit(numbers).transform(numbers)
    np.testing.assert_allclose(matrix.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(matrix.std(axis=0), 1)


@pytest.mark.parametrize("columns", [["text"], ["float"], ["no values"], ["no texts"], []])
def test_tables_of_one_kind(encoder, table, columns):
    real = table[columns]
    assert encoder.fit(real).transform(real).shape == (30, encoder.width_)
    back = encoder.inverse(encoder.transform(real))
    assert list(back.columns) == columns and len(back) == 30


@given(arrays.arrays(float, st.tuples(st.integers(1, 30), st.just(2)), elements=st.floats(-1e6, 1e6)))
def test_any_numbers_come_back(values):
    real = pd.DataFrame(values, columns=["a", "b"])
    encoder = TableEncoder().fit(real)
    np.testing.assert_allclose(encoder.inverse(encoder.transform(real)), real, rtol=1e-9, atol=1e-6)


@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=30))
def test_any_categories_come_back(values):
    real = pd.DataFrame({"c": pd.Series(values, dtype=object)})
    encoder = TableEncoder().fit(real)
    back = encoder.inverse(encoder.transform(real))["c"]
    assert [None if pd.isna(value) else value for value in back] == values


@given(st.data())
def test_any_matrix_is_a_table_inside_the_training_ranges(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    real = pd.DataFrame({"x": rng.normal(size=20), "n": rng.integers(0, 5, 20), "c": rng.choice(list("ab"), 20)})
    encoder = TableEncoder().fit(real)
    matrix = data.draw(arrays.arrays(float, (6, encoder.width_), elements=st.floats(-1e9, 1e9)))
    drawn = encoder.inverse(matrix)
    assert list(drawn.dtypes) == list(real.dtypes)
    assert drawn["x"].between(real["x"].min(), real["x"].max()).all()
    assert drawn["n"].between(real["n"].min(), real["n"].max()).all() and set(drawn["c"]) <= set("ab")

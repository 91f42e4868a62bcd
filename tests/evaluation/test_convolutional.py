"""The convolutional classifier: what it learns of images, and what it refuses."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.linear_model import LogisticRegression

from trisynth.config import instantiate
from trisynth.data import tensors
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.encoders.table import TableEncoder
from trisynth.errors import InputError
from trisynth.evaluation.arms import ClassWeight, Real
from trisynth.evaluation.classifiers import Classifier, fit_predict
from trisynth.evaluation.convolutional import ConvolutionalClassifier

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "conf" / "classifier" / "cnn.yaml").read_text())
SPEC = Spec("bars", "y", columns={"image": Column("tensor", shape=(8, 8))})


def bars(n: int, seed: int) -> Dataset:
    """Images with a short bar, upright or lying, at a random place; no pixel alone shows which."""
    rng = np.random.default_rng(seed)
    upright = rng.random(n) < 0.5
    cells = rng.normal(scale=0.1, size=(n, 8, 8))
    for image, standing in zip(cells, upright, strict=True):
        row, column = rng.integers(0, 6, 2)
        image[(slice(row, row + 3), column) if standing else (row, slice(column, column + 3))] += 1.0
    X = pd.DataFrame({"image": tensors.column(cells), "age": rng.normal(size=n)})
    return Dataset(X, pd.Series(pd.Categorical(np.where(upright, "up", "flat")), name="y"), SPEC)


def predicted(estimator, arm=None) -> np.ndarray:
    train, test = bars(400, 0), bars(200, 1)
    encoder = TableEncoder().fit(train.X, train.facts)
    training = (arm or Real()).compose(train, None, 0)
    prediction = fit_predict(
        Classifier("mine", estimator), arm or Real(), training, encoder, test.X, train.classes, seed=0
    )
    assert prediction.probabilities.sum(axis=1) == pytest.approx(1)
    return prediction.labels == test.y.to_numpy()


def test_shapes_are_learned_wherever_they_are_in_the_image():
    network = instantiate(CONFIG["classification"] | {"steps": 150})
    right = predicted(network)
    assert right.mean() > 0.9 > 0.75 > predicted(LogisticRegression()).mean()
    assert np.array_equal(right, predicted(network))


def test_weights_become_repeated_rows_and_rows_without_arrays_are_learned():
    assert predicted(ConvolutionalClassifier(features=8, steps=60), ClassWeight()).mean() > 0.6
    train = bars(80, 0)
    encoder = TableEncoder().fit(train.X[["age"]])
    model = ConvolutionalClassifier(encoder, 4, 80).fit(encoder.transform(train.X[["age"]]), train.X["age"] > 0)
    assert (model.predict(encoder.transform(train.X[["age"]])) == (train.X["age"] > 0)).mean() > 0.9


def test_a_network_that_knows_no_shapes_is_refused():
    with pytest.raises(InputError, match="must be a fitted TableEncoder"):
        ConvolutionalClassifier().fit(np.zeros((4, 2)), np.array([0, 1, 0, 1]))

"""Rows of several kinds from one network: its latent code gives all columns, and the topic of each text."""

from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from trisynth.data.dataset import Column
from trisynth.data.kinds import ENCODED, Kind, Text
from trisynth.encoders.table import TableEncoder
from trisynth.errors import require_whole
from trisynth.generators.base import Generator
from trisynth.generators.columns import with_column
from trisynth.generators.composed import check_parts, drawn_part, facts_of, fitted_part, is_number
from trisynth.generators.neural.vae import VAE
from trisynth.generators.texts.ngram import NGram

# Principal components of the tf-idf weights in which topics are found.
_COMPONENTS = 10
_STARTS = 3


class Joint(Generator):
    """Numbers, categories, arrays and texts that depend on each other through the latent code of one network.

    The network sees each text as its topic, a category: the cluster of its tf-idf weights among the texts of its class.
    It draws whole rows, topics among them, and each text is then drawn given class and topic.

    Parameters
    ----------
    network : Generator or None, default=None
        Generator of all columns but the texts; None is ``VAE(backbone="conv")``.
    text : Generator or None, default=None
        Of each text; None is ``NGram()``.
    max_topics : int, default=8
        Maximum number of topics of a class.
    min_rows : int, default=50
        A class has at most one topic for so many training rows.
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = (*ENCODED, Text)

    def __init__(
        self, network: Generator | None = None, text: Generator | None = None, max_topics: int = 8, min_rows: int = 50
    ):
        self.network, self.text, self.max_topics, self.min_rows = network, text, max_topics, min_rows

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        check_parts(self, network=VAE, text=NGram)
        require_whole("max_topics", self.max_topics, 1)
        require_whole("min_rows", self.min_rows, 1)

    def _fit(
        self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator, persons: np.ndarray | None = None
    ) -> None:
        whole = {column.name: column for column in self.schema_.columns if not column.flat}
        written = [name for name in table if isinstance(whole.get(name), Text)]
        seen = table.drop(columns=written).reset_index(drop=True)
        facts = {name: facts_of(whole[name]) for name in seen if name in whole}
        facts |= {
            name: Column(kind="number" if is_number(seen[name]) else "category") for name in seen if name not in whole
        }
        self.names_, self.texts_, self.topics_ = list(table), {}, {}
        for name in written:
            topics = self._found(table[name], labels, rng)
            place = f"topic of {name}"
            while place in seen:
                place += "'"
            seen[place] = pd.Categorical(topics.astype(str))
            facts[place] = Column(kind="category")
            made = self.text or NGram()
            own = {name: facts_of(whole[name])}
            # Topics are numbered over all classes, so that a topic implies its class.
            fitted = fitted_part(made, table[[name]], topics, own, rng, whole[name].rare, persons)
            self.texts_[name] = place, fitted
            counts = np.zeros((labels.max(initial=0) + 1, topics.max(initial=0) + 1))
            np.add.at(counts, (labels, topics), 1)
            self.topics_[name] = counts / counts.sum(axis=1, keepdims=True)
        self.network_ = fitted_part(self.network or VAE(backbone="conv"), seen, labels, facts, rng)

    def _found(self, cells: pd.Series, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the topic of each text, numbered over all classes."""
        table = cells.to_frame()
        encoded = TableEncoder().fit(table).transform(table)
        encoded = encoded - encoded.mean(axis=0)
        encoded = encoded @ np.linalg.eigh(encoded.T @ encoded)[1][:, ::-1][:, :_COMPONENTS]
        found, first = np.zeros(len(labels), int), 0
        for label in range(labels.max(initial=0) + 1):
            rows = np.flatnonzero(labels == label)
            distinct = len(np.unique(encoded[rows].round(9), axis=0)) if encoded.shape[1] else 1
            count = max(min(self.max_topics, len(rows) // self.min_rows, distinct), 1)
            if count > 1:
                seed = int(rng.integers(2**31))
                found[rows] = KMeans(count, n_init=_STARTS, random_state=seed).fit_predict(encoded[rows])
            found[rows] += first
            first += count
        return found

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        drawn = drawn_part(self.network_, labels, rng)
        for name, (place, generator) in self.texts_.items():
            topics = drawn[place].astype(str).astype(int).to_numpy()
            # The network may draw a topic of another class.
            shares = self.topics_[name]
            wrong = np.flatnonzero(shares[labels, topics] == 0)
            for label in np.unique(labels[wrong]):
                rows = wrong[labels[wrong] == label]
                topics[rows] = rng.choice(shares.shape[1], len(rows), p=shares[label])
            cells = drawn_part(generator, topics, rng)[name]
            drawn = with_column(drawn, name, cells)
        return drawn[self.names_]

    def diagnostics(self) -> dict[str, float]:
        """Return the number of topics of all texts."""
        return {"topics": float(sum(each.shape[1] for each in self.topics_.values()))} if self.topics_ else {}

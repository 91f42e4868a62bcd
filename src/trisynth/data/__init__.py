"""Data sets: collected, read, cleaned and split by the facts that ``conf/dataset/*.yaml`` declares.

``load`` gives the clean :class:`~trisynth.data.dataset.Dataset`, ``prepare`` also what cleaning found, ``split``
the training and test part, and ``data_key`` names the content.
"""

from trisynth.data.load import data_key, load, prepare, reader
from trisynth.data.splits.split import split

__all__ = ["data_key", "load", "prepare", "reader", "split"]

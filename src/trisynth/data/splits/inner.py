"""Second split inside the training part, for choices that are made by scores."""

from trisynth import seeds
from trisynth.data.dataset import Dataset
from trisynth.data.splits.split import split


def inner(train: Dataset, seed: int, test_size: float = 1 / 3) -> tuple[Dataset, Dataset]:
    """Split the training part of ``split`` into inner training rows and validation rows.

    Parameters
    ----------
    train : Dataset
        Training part of ``split``.
    seed : int
        The split uses the random stream ``"validation"`` of this seed.
    test_size : float, default=1/3
        Fraction of each class that is kept for validation; see ``split``.

    Returns
    -------
    train, validation : Dataset
    """
    return split(train, seeds.integer(seed, "validation"), test_size)

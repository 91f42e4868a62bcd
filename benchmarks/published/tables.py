"""Tables of the published comparisons, and their split into training and held-out rows."""

import argparse
import gzip
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from trisynth.config import CONF
from trisynth.data.collect import collect

# Adult's own test rows come first in the file.
_ADULT_TEST = 16_281
_TRAIN, _SEED = 0.9, 1234
# sha256 of the unpacked files of the UCI Machine Learning Repository.
_SHOPPERS = "9cda002173422ffbd455fbedcb378cd8b7cea1e6b727faaa39aec08d087d8120"
_DEFAULT = "78d4eb02af7dcc9671959e2cdf9e1afb6478fdd13d0127937f37969bf6e290b1"


@dataclass(frozen=True)
class Table:
    """Training and held-out rows of one table; categories are texts, numbers are numbers."""

    name: str
    target: str
    train: pd.DataFrame
    test: pd.DataFrame

    @property
    def categories(self) -> list[str]:
        return [name for name in self.train if self.train[name].dtype == object]


class AbsentError(Exception):
    """A file that no package ships and that the folder of files lacks; the message names it."""


def adult(_: Path, raw: Path) -> Table:
    """Return the census rows in their own split; a question mark is a category, as published."""
    frame = pd.read_parquet(_collected("adult", raw))
    texts = frame.select_dtypes(exclude="number").columns
    frame = frame.assign(**{name: frame[name].astype(str).str.strip() for name in texts})
    return Table("adult", "income", _renumbered(frame[_ADULT_TEST:]), _renumbered(frame[:_ADULT_TEST]))


def magic(_: Path, raw: Path) -> Table:
    """Return the telescope's showers."""
    lines = Path(_collected("magic", raw)).read_text().splitlines()
    rows = "\n".join(line for line in lines if line.strip() and not line.startswith("@"))
    frame = pd.read_csv(io.StringIO(rows), header=None, skipinitialspace=True)
    frame.columns = [*(f"x{i}" for i in range(10)), "particle"]
    return _split("magic", "particle", frame.astype({"particle": str}))


def shoppers(folder: Path, _: Path) -> Table:
    """Return the shop's visits; missing cells are means, as published."""
    frame = _downloaded(folder, "shoppers.csv", _SHOPPERS)
    texts = [*frame.columns[11:17], "Revenue"]
    frame = frame.fillna(frame.mean(numeric_only=True))
    return _split("shoppers", "Revenue", frame.astype(dict.fromkeys([frame.columns[10], *texts], str)))


def default(folder: Path, _: Path) -> Table:
    """Return the clients of a bank."""
    frame = _downloaded(folder, "default.csv", _DEFAULT)
    texts = ["SEX", "EDUCATION", "MARRIAGE", *(f"PAY_{i}" for i in (0, 2, 3, 4, 5, 6)), frame.columns[-1]]
    return _split("default", frame.columns[-1], frame.astype(dict.fromkeys(texts, str)))


TABLES: dict[str, Callable[[Path, Path], Table]] = {
    "adult": adult, "magic": magic, "shoppers": shoppers, "default": default,
}  # fmt: skip


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose tables and name the folders of their files."""
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--files", type=Path, default=Path("data/published"), help="folder of shoppers and default")
    parser.add_argument("--raw", type=Path, default=Path("data/raw"), help="folder of collected files")


def read(name: str, options: argparse.Namespace) -> Table | None:
    """Read a table; without its file, print a line and return None."""
    try:
        return TABLES[name](options.files, options.raw)
    except AbsentError as error:
        print(f"{name} is skipped: {error}")
        return None


def _collected(name: str, raw: Path) -> Path:
    return collect(yaml.safe_load((CONF / "dataset" / f"{name}.yaml").read_text()), raw)


def _downloaded(folder: Path, name: str, digest: str) -> pd.DataFrame:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            if hashlib.sha256(content).hexdigest() != digest:
                raise AbsentError(f"{path} is another file than the published one; give that of the UCI repository")
            return pd.read_csv(io.BytesIO(content))
    raise AbsentError(f"{name} is not in {folder}; give the folder with --files")


def _split(name: str, target: str, frame: pd.DataFrame) -> Table:
    """Split rows as the published comparisons do: the seed rises until every category has training rows."""
    seed = _SEED
    texts = [column for column in frame if frame[column].dtype == object]
    while True:
        places = np.arange(len(frame))
        np.random.RandomState(seed).shuffle(places)
        train = frame.iloc[places[: int(_TRAIN * len(frame))]]
        if all(train[column].nunique() == frame[column].nunique() for column in texts):
            test = frame.iloc[places[len(train) :]]
            return Table(name, target, _renumbered(train), _renumbered(test))
        seed += 1


def _renumbered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.reset_index(drop=True)

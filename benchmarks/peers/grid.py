"""Cells of the comparison: tables, generators and splits, in the order of the work."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.peers.process import OWN
from trisynth.config import CONF

# By rows, so that there is something to read soon.
TABLES = (
    "cleveland",
    "saheart",
    "pima",
    "contraceptive",
    "hypothyroid",
    "abalone19",
    "framingham",
    "stroke",
    "page_blocks",
    "nursery",
    "magic",
    "fars",
)
# Columns of numbers; the results of committed cells do not hold them.
NUMBERS = dict(zip(TABLES, (6, 8, 8, 2, 7, 7, 8, 3, 10, 0, 10, 2), strict=True))
SPLITS = (0, 1, 2)
REAL = "real"


@dataclass(frozen=True)
class Contender:
    """Something that fits and samples.

    Parameters
    ----------
    name : str
        For our own, that of its yaml in ``conf/generator``.
    environment, adapter : str
        See ``process.fit_and_sample``.
    label : str
        Name in print.
    """

    name: str
    environment: str = OWN
    adapter: str = "own"
    label: str = ""

    @property
    def own(self) -> bool:
        return self.environment == OWN


# Cheap ones first.
PEERS = (
    Contender("sdv_copula", "sdv", "sdv_models", "GaussianCopula (SDV)"),
    Contender("arfpy", "forests", "arf_reference", "arfpy"),
    Contender("tabular_argn", "mostlyai", "tabular_argn", "TabularARGN"),
    Contender("sdv_tvae", "sdv", "sdv_models", "TVAE (SDV)"),
    Contender("sdv_ctgan", "sdv", "sdv_models", "CTGAN (SDV)"),
    Contender("forest_diffusion", "forests", "forest_diffusion", "ForestDiffusion"),
)
_LABELS = {
    REAL: "real rows",
    "copy": "copy",
    "smote": "SMOTE (imbalanced-learn)",
    "arf": "ARF",
    "vae": "VAE",
    "tvae": "TVAE",
    "ctgan": "CTGAN",
    "tgan": "TGAN",
    "gan": "GAN",
    "cgan": "CGAN",
}
# Variants of SMOTE that repeat it on most tables, or that are no generator of whole tables.
_LEFT_OUT = {"smotenc", "adasyn", "borderline_smote"}
# Series, images and texts have benchmarks of their own, and a budget would be one more dimension of the grid.
_LEFT_OUT |= {"block_bootstrap", "class_gaussian", "composed", "conv_diffusion", "joint", "ngram", "rcgan", "timevae"}
_LEFT_OUT |= {"aim", "dp_circuit", "dp_gan", "dp_vae", "label_triples", "mst", "pate_gan", "raked_pairs"}
# Our networks: one split, without the largest table, shows where they stand beside each other and beside SDV's.
_NETWORKS = {"vae", "tvae", "gan", "cgan", "ctgan", "tgan", "diffusion"}


def own() -> tuple[Contender, ...]:
    """The real rows, as a row of its own, and every generator of ``conf``."""
    names = sorted(path.stem for path in (CONF / "generator").glob("*.yaml") if path.stem not in _LEFT_OUT)
    return tuple(Contender(name, label=_LABELS.get(name, name)) for name in (REAL, *names))


def generators() -> tuple[Contender, ...]:
    return (*own(), *PEERS)


@dataclass(frozen=True)
class Cell:
    """One generator on one split of one table."""

    generator: Contender
    table: str
    split: int


def cells(names: list[str] | None, tables: list[str] | None, splits: list[int] | None) -> Iterator[Cell]:
    """Cells in the order of the work: a whole split of all tables before the next.

    None stands for all; of our networks, unless they are named, for the first split of all tables but the largest.
    """
    # The slowest by far comes after everything else of its split.
    ends = (
        [g for g in generators() if g.name != "forest_diffusion"],
        [g for g in PEERS if g.name == "forest_diffusion"],
    )
    for split in splits or SPLITS:
        for part in ends:
            for table in tables or TABLES:
                brief = split == SPLITS[0] and table != TABLES[-1]
                asked = (g for g in part if (g.name in names if names else brief or g.name not in _NETWORKS))
                yield from (Cell(g, table, split) for g in asked)

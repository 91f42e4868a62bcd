"""Generators of other packages on the published tables: one process, at most ten CPU minutes, for each fit.

Environments, limits and costs are those of ``benchmarks.peers``. A cell that has a row in ``published_peers.csv`` is
not tried again, whether it was measured or not: the row of one that was not has the reason in ``status``. Only a fit
that did not end is tried again, once its limit is raised.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.output import Cells
from benchmarks.peers import process
from benchmarks.published import scores
from benchmarks.published.tables import Table
from trisynth.cache import Store, sha256
from trisynth.config import digest
from trisynth.data.schema import Schema

DONE, OUT_OF_TIME = "measured", "did not end within"
# A first fit that took longer has no second one on half of the rows.
_LONG = 300
# Fraction of whole numbers from which a column counts as one of counts.
_WHOLE = 0.95
# As progress bars print it.
_STEPS = re.compile(r"\b(\d+)/(\d+) \[")


@dataclass(frozen=True)
class Peer:
    """A generator of another package.

    Parameters
    ----------
    name, label : str
        Name in the table and in print.
    package : str
        Distribution whose pinned version is recorded.
    environment, adapter : str
        See ``benchmarks.peers.process.fit_and_sample``.
    """

    name: str
    label: str
    package: str
    environment: str
    adapter: str

    @property
    def version(self) -> str:
        """Pin of the package in its environment."""
        lines = process.requirements(self.environment).read_text().splitlines()
        wanted = self.package.lower().replace("-", "_") + "=="
        return next(line for line in lines if line.lower().replace("-", "_").startswith(wanted))


# Cheap ones first.
PEERS = {
    peer.name: peer
    for peer in (
        Peer("pyseq_cart", "pyseq-cart", "pyseq_cart", "trees", "sequential_trees"),
        Peer("python_synthpop", "python-synthpop", "python-synthpop", "trees", "sequential_trees"),
        Peer("py_synthpop", "py-synthpop", "py-synthpop", "synthpop", "sequential_trees"),
        Peer("bayesian_network", "DataSynthesizer", "DataSynthesizer", "trees", "bayesian_network"),
        Peer("sdv_copula", "GaussianCopula (SDV)", "sdv", "sdv", "sdv_rows"),
        Peer("synthyverse_trees", "synthpop (synthyverse)", "synthyverse", "synthyverse", "synthyverse_models"),
        Peer("tabddpm", "TabDDPM (synthyverse)", "synthyverse", "synthyverse", "synthyverse_models"),
        Peer("nrgboost", "NRGBoost", "nrgboost", "trees", "boosted_trees"),
        Peer("utrees", "utrees", "utrees", "trees", "boosted_trees"),
        Peer("tabsyn", "TabSyn (synthyverse)", "synthyverse", "synthyverse", "synthyverse_models"),
        Peer("cdtd", "CDTD (synthyverse)", "synthyverse", "synthyverse", "synthyverse_models"),
        Peer("tabdiff", "TabDiff (synthyverse)", "synthyverse", "synthyverse", "synthyverse_models"),
        Peer("sdv_tvae", "TVAE (SDV)", "sdv", "sdv", "sdv_rows"),
        Peer("sdv_ctgan", "CTGAN (SDV)", "sdv", "sdv", "sdv_rows"),
    )
}


def measured(table: Table, peer: Peer, seed: int, grid: str, store: Store, seconds: int) -> dict:
    """Fit a peer, draw as many rows as it was fitted on, and score them; ``status`` has the reason if it fails."""
    found: dict = {"grid": grid, "version": peer.version, "cap_s": seconds}
    try:
        rows, cost = fitted(table.train, table, peer, seed, store, seconds)
    except process.DidNotFinishError as error:
        return {**found, "status": reason(error, seconds)}
    found["status"] = DONE
    found |= scores.every(table, rows, seed, grid)
    found["fit_cpu_s"], found["sample_cpu_s"] = cost["fit_cpu_seconds"], cost["sample_cpu_seconds"]
    found["peak_mb"] = cost["peak_megabytes"] - cost["import_megabytes"]
    if cost["fit_cpu_seconds"] + cost["sample_cpu_seconds"] <= _LONG:
        halves = scores.halves(table.train, seed)
        try:
            half, _ = fitted(halves[0], table, peer, seed, store, seconds)
        except process.DidNotFinishError as error:
            found["status"] = f"{DONE}; half of the rows: {reason(error, seconds)}"
        else:
            found["copy_share"] = scores.copy_share(half, *halves, table.categories)
    return found


def without_scores(cells: Cells) -> list[str]:
    """Return a line for each cell without scores, with the reason, and for each peer without a cell."""
    rows = cells.table.to_dict("records") if cells else []
    known = {row["generator"] for row in rows}
    lines = [
        f"{PEERS[row['generator']].label} on {row['table']}: {row['status']}"
        for row in rows
        if not row["status"].startswith(DONE)
    ]
    return lines + [f"{peer.label}: no cell" for name, peer in PEERS.items() if name not in known]


def settled(cell: tuple[str, str, int], cells: Cells, seconds: int) -> bool:
    """Tell whether a cell has scores, an error, or a fit that did not end within as many CPU seconds."""
    return cell in cells and not any(row["cap_s"] < seconds for row in _late(cell[1], cells) if _cell(row) == cell)


def too_slow(name: str, cells: Cells, seconds: int) -> str | None:
    """Return where a peer did not end within as many CPU seconds, if anywhere; it is tried on no other table."""
    late = [row for row in _late(name, cells) if row["cap_s"] >= seconds]
    return f"it {late[0]['status']} on {late[0]['table']}" if late else None


def _late(name: str, cells: Cells) -> list[dict]:
    rows = cells.table.to_dict("records") if cells else []
    return [row for row in rows if row["generator"] == name and row["status"].startswith(OUT_OF_TIME)]


def _cell(row: dict) -> tuple[str, str, int]:
    return row["table"], row["generator"], row["seed"]


def reason(error: process.DidNotFinishError, seconds: int) -> str:
    """Return why a fit has no rows, with the last step that its progress bar showed."""
    if process.BY_THE_CLOCK in error.log:
        limit = f"{seconds * process.PATIENCE} seconds by the clock of a busy machine"
    elif str(error) == process.OUT_OF_TIME:
        limit = f"{seconds} CPU seconds"
    else:
        return str(error)
    steps = _STEPS.findall(error.log)
    return f"{OUT_OF_TIME} {limit}" + (": step {} of {}".format(*steps[-1]) if steps else "")


def fitted(
    train: pd.DataFrame, table: Table, peer: Peer, seed: int, store: Store, seconds: int = process.SECONDS
) -> tuple[pd.DataFrame, dict]:
    """Return a peer's synthetic rows, numbers on the step and in the range of the training rows, and its cost."""
    codes = (process.HERE / "worker.py", process.HERE / "adapters" / f"{peer.adapter}.py")
    key = digest(peer.name, seed, _content(train), sha256(process.requirements(peer.environment)), *map(sha256, codes))

    def make(folder: Path) -> None:
        about = {"generator": peer.name, "seed": seed, "target": table.target}
        process.fit_and_sample_table(peer.environment, peer.adapter, train, [len(train)], about, folder, seconds)

    def read(folder: Path) -> tuple[pd.DataFrame, dict]:
        return pd.read_parquet(folder / "rows-0.parquet"), json.loads((folder / "cost.json").read_text())

    rows, cost = store.get_or_make("published", key, make, read)
    return restored(rows, train, table.categories), cost


def restored(rows: pd.DataFrame, train: pd.DataFrame, categories: list[str]) -> pd.DataFrame:
    """Return rows in the training rows' columns, numbers on their step and within their range.

    Where nearly all training values are whole (shoppers' counts, whose missing cells are means), values that no
    training row has are rounded.
    """
    rows = rows[list(train)].reset_index(drop=True)
    numbers = [name for name in train if name not in categories]
    schema = Schema.learn(train[numbers])
    table = schema.restore(schema.canonical(rows[numbers].astype(float)))
    for name in numbers:
        if train[name].mod(1).eq(0).mean() > _WHOLE:
            table[name] = table[name].where(table[name].isin(train[name]), table[name].round())
    rows = rows.assign(**{name: table[name] for name in numbers})
    rows[categories] = rows[categories].astype(str).astype(object)
    return rows


def _content(frame: pd.DataFrame) -> str:
    return hashlib.sha256(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()).hexdigest()

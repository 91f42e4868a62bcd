"""Processor time of private fits, of many refits for an audit, and of DP-SGD beside plain training.

Each row of ``private_costs.csv`` is a measurement with its limit: seconds of a fit of the marginal methods on tables of
15 columns, whatever their rows, once the plan of queries is calibrated (``calibration`` has the time of that, once a
process and plan); seconds of 10,000 refits of an audit; and the time of an epoch of DP-SGD as a multiple of that of an
epoch of the same network with neither clipping nor noise.
"""

import os
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
import torch

from benchmarks import output
from trisynth.auditing.canary import canary_of
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.generators.private.aim import AIM
from trisynth.generators.private.base import PrivateGenerator
from trisynth.generators.private.dp_circuit import DPCircuit
from trisynth.generators.private.dp_gan import DPGAN
from trisynth.generators.private.dp_vae import DPVAE
from trisynth.generators.private.label_triples import LabelTriples
from trisynth.generators.private.mst import MST
from trisynth.generators.private.raked_pairs import RakedPairs
from trisynth.privacy import Budget

MARGINAL = {"mst": MST, "label_triples": LabelTriples, "raked_pairs": RakedPairs, "aim": AIM, "dp_circuit": DPCircuit}
BUDGET = Budget(1.0, 1e-6)
_SECONDS, _MINUTE, _TIMES = 2.0, 60.0, 8.0
_REFITS = 10_000


def table(rows: int, columns: int = 15) -> Dataset:
    """Simulate numbers and categories that depend on each other and on a label, with declared facts."""
    rng = np.random.default_rng(0)
    common = rng.standard_normal(rows)
    cells, facts = {}, {}
    for i in range(columns - 1):
        values = 0.6 * common + 0.8 * rng.standard_normal(rows)
        if i % 2:
            names = tuple(f"c{k}" for k in range(3 + i))
            places = np.clip((values * 2 + len(names) / 2).astype(int), 0, len(names) - 1)
            cells[f"x{i}"], facts[f"x{i}"] = (
                pd.Categorical.from_codes(places, list(names)),
                Column(categories=names, gaps=False),
            )
        else:
            cells[f"x{i}"] = np.clip(np.rint(values * 15 + 50), 0, 100)
            facts[f"x{i}"] = Column("number", bounds=(0, 100), integer=True, gaps=False)
    cells["y"] = pd.Categorical(np.where(common + rng.standard_normal(rows) > 1, "yes", "no"), ["no", "yes"])
    facts["y"] = Column("category", categories=("no", "yes"), gaps=False)
    return Dataset.of(pd.DataFrame(cells), Spec("simulated", "y", columns=facts, relations="none", rows=rows))


def seconds(work) -> float:
    """Return the processor time of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def fits(name: str, rows: int) -> list[dict]:
    """Time the calibration and a fit of a marginal method."""
    dataset = table(rows)
    first = seconds(lambda: MARGINAL[name](BUDGET).fit(dataset))
    own = seconds(lambda: MARGINAL[name](BUDGET).fit(dataset))
    found = {"measure": "fit", "generator": name, "rows": rows, "seconds": own, "limit": _SECONDS}
    return [found, {**found, "measure": "calibration", "seconds": max(first - own, 0.0), "limit": np.nan}]


def refits(name: str, rows: int, columns: int, tried: int = 300) -> dict:
    """Time refits of an audit, scaled to 10,000."""
    dataset = table(rows, columns)
    make, canary = MARGINAL[name](BUDGET).fits(dataset), canary_of(dataset)
    placed = make(0).place(canary)
    each = seconds(lambda: [make(i).traces(*placed) for i in range(tried)]) / tried
    measure = f"{_REFITS:,} refits, {columns} columns".replace(",", " ", 1)
    return {"measure": measure, "generator": name, "rows": rows, "seconds": each * _REFITS, "limit": _MINUTE}


def plain(kind: type) -> type:
    """Derive the same network with neither clipping nor noise."""

    class Plain(kind):
        def _gradient(self, rows, labels, factors, size, noise):
            chosen = torch.randperm(len(rows))[: round(self._expected)]
            found = factors(rows[chosen], labels[chosen])
            parts = [part for a, b in found for part in ((b.T @ a).flatten(), b.sum(0))]
            return torch.cat(parts).numpy() / len(chosen)

    return Plain


def epochs(name: str, kind: type[PrivateGenerator], rows: int) -> dict:
    """Time an epoch of DP-SGD against one of plain training, both without the calibration."""
    dataset, each = table(rows), {}
    for own, budget in ((kind, BUDGET), (plain(kind), Budget())):
        times = []
        for steps in (33, 133):
            made = own(budget, steps=steps).fits(dataset)
            # The first fit calibrates.
            times.append(min(seconds(lambda make=made: make(0)) for _ in range(2)))
        each[own] = times[1] - times[0]
    private, free = each.values()
    return {
        "measure": "epoch, times plain",
        "generator": name,
        "rows": rows,
        "seconds": private / free,
        "limit": _TIMES,
    }


def main(argv: list[str] | None = None) -> None:
    """Measure all and write ``private_costs.csv``."""
    parser = output.parser("private_costs", __doc__)
    parser.add_argument("--rows", type=int, nargs=2, default=(30_000, 300_000), help="rows of the fits")
    parser.add_argument("--refits", type=int, default=300, help="refits that are timed (default: 300)")
    given = parser.parse_args(argv)
    found = [row for name in MARGINAL for rows in given.rows for row in fits(name, rows)]
    found += [refits(name, 2000, columns, given.refits) for name in MARGINAL for columns in (5, 15)]
    found += [epochs(name, kind, given.rows[0]) for name, kind in (("dp_vae", DPVAE), ("dp_gan", DPGAN))]
    result = pd.DataFrame(found)
    result["met"] = (result["seconds"] <= result["limit"]).where(result["limit"].notna(), None)
    output.write(result, given.out / "private_costs.csv")
    print(result.to_string(index=False))


if __name__ == "__main__":
    main()

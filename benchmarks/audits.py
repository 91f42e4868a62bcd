"""Audits of every private generator, and of others at the right end: claims, lower bounds, ceilings, attacks, times.

Each row of ``audits.csv`` is a cell: one generator with one epsilon, on ``rows`` rows of framingham. An audit fits it
``fits`` times with and without a planted row; ``bound`` is the lower bound on its epsilon with 95 % confidence, and
``ceiling`` the largest bound that so many fits can show. Membership attacks on one fit of the training rows follow, as
ROC AUC with its 95 % interval, and the largest risk of the attacks on cells and rows. ``seconds`` is processor time of
the audit, ``attack_seconds`` that of the attacks. A cell that has a row is not run again, so that the command can be
stopped at any time. Private noise is from the operating system: another run gives other numbers. Networks are audited
with the few small steps that the column ``settings`` lists: the claim follows from the accounting and not from them.
"""

import math
import os
import sys
import time
from dataclasses import dataclass

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import pandas as pd

from benchmarks import output
from trisynth import commandline
from trisynth.audit import attacked, audited

EPSILONS = (1.0, 10.0)


@dataclass(frozen=True)
class Cell:
    """Fits of the audit and attacks of one generator.

    Parameters
    ----------
    fits : int
        Fits of each side of the audit; 0 leaves the audit out.
    drawn : int
        Rows that the audit draws from each fit; 0 attacks the values at the planted row alone.
    shadows : int
    settings : tuple of str
        Settings of the audit, so that hundreds of fits are fast; the attacks have the default ones.
    """

    fits: int = 0
    drawn: int = 0
    shadows: int = 0
    settings: tuple[str, ...] = ()


_SGD = "steps=10", "rate=0.5", "hidden=8", "learning_rate=0.05"
CELLS = {
    "mst": Cell(1000, shadows=8),
    "label_triples": Cell(500, shadows=8),
    "raked_pairs": Cell(250, shadows=8),
    "dp_circuit": Cell(100, settings=("n_states=4", "max_iter=10")),
    "aim": Cell(100, settings=("max_cells=2000",)),
    "dp_vae": Cell(300, shadows=4, settings=_SGD),
    "dp_gan": Cell(300, settings=(*_SGD, "critic_steps=5")),
    "pate_gan": Cell(300, settings=("teachers=10", "rounds=2", "votes=16")),
}
OTHERS = {
    "copy": Cell(60, 1000, 8),
    "independent": Cell(60, 1000, 8),
    "smotenc": Cell(shadows=8),
    "copula": Cell(60, 1000, 8),
    "cart": Cell(shadows=4),
    "sequential_forest": Cell(),
    "circuit": Cell(20, 1000),
    "arf": Cell(),
    "vae": Cell(),
    "gan": Cell(),
    "cgan": Cell(),
    "diffusion": Cell(),
    "tvae": Cell(),
    "ctgan": Cell(),
    "tgan": Cell(),
}
_KEY = ["generator", "epsilon"]
_ATTACKS = ("distance", "domias", "likelihood", "shadows")


def cells() -> list[tuple[str, str]]:
    """List all generators with the text of their epsilon, nothing for those without a budget."""
    private = [(name, f"{epsilon:g}") for name in CELLS for epsilon in EPSILONS]
    return [*private, *((name, "") for name in OTHERS)]


def cell(name: str, epsilon: str, table: str, rows: int, scale: float) -> dict:
    """Audit and attack one generator."""
    given = {**CELLS, **OTHERS}[name]
    settings = [f"dataset={table}", f"generator={name}"]
    if epsilon:
        settings.append(f"privacy.epsilon={epsilon}")
    row = {"generator": name, "epsilon": epsilon, "table": table, "rows": rows, "settings": " ".join(given.settings)}
    start, fits = time.process_time(), max(20, int(given.fits * scale))
    row |= {"fits": 0, "claimed": math.inf, "bound": math.nan, "ceiling": math.nan, "holds": True}
    if given.fits:
        own = commandline.composed([*settings, *(f"generator.{each}" for each in given.settings)])
        found = audited(own, fits, rows, given.drawn)
        row |= {"fits": fits, "claimed": found.claimed, "bound": found.bound, "ceiling": found.ceiling}
        row["holds"] = found.holds
    seconds = time.process_time() - start
    members, risks = attacked(commandline.composed(settings), given.shadows)
    for attack in _ATTACKS:
        own = members.get(attack)
        row |= {attack: own and own.auc, f"{attack}_low": own and own.low, f"{attack}_high": own and own.high}
        row[f"{attack}_tpr_1"] = own and own.tpr["tpr_at_1_percent"][0]
    worst = max(risks, key=lambda each: risks[each].interval[1])
    row |= {"risk": worst.split(" of ")[0], "risk_low": risks[worst].interval[1], "risk_high": risks[worst].interval[2]}
    return {**row, "seconds": seconds, "attack_seconds": time.process_time() - start - seconds}


def main(argv: list[str] | None = None) -> None:
    """Run the cells that ``audits.csv`` lacks."""
    parser = output.parser("audits", __doc__)
    parser.add_argument("--generators", nargs="*", default=[*CELLS, *OTHERS], help="generators (default: all)")
    parser.add_argument("--table", default="framingham", help="data set with declared facts (default: framingham)")
    parser.add_argument("--rows", type=int, default=300, help="rows of the audits (default: 300)")
    parser.add_argument("--scale", type=float, default=1.0, help="factor of the numbers of fits (default: 1)")
    given = parser.parse_args(argv)
    path = given.out / "audits.csv"
    known = pd.read_csv(path, dtype={"epsilon": str}, keep_default_na=False) if path.exists() else pd.DataFrame()
    done = set(zip(*(known[name] for name in _KEY), strict=True)) if len(known) else set()
    for name, epsilon in cells():
        if name not in given.generators or (name, epsilon) in done:
            continue
        row = cell(name, epsilon, given.table, given.rows, given.scale)
        # The file is read again, since another process may have added a row.
        known = pd.read_csv(path, dtype=str, keep_default_na=False) if path.exists() else pd.DataFrame()
        written = pd.DataFrame([row]).map(lambda value: f"{value:.4g}" if isinstance(value, float) else value)
        output.write(pd.concat([known, written.fillna("").astype(str)]), path)
        print(f"{name:<17} {epsilon or '-':<5} claimed {row['claimed']:<6.3g} audited {row['bound']:.2f}", flush=True)
    if path.exists() and not all(text == "True" for text in pd.read_csv(path, dtype=str)["holds"]):
        sys.exit("a claim does not hold")


if __name__ == "__main__":
    main()

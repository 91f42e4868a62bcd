"""Audits of every private generator, and of others at the right end: claims, lower bounds, ceilings, attacks, times.

Each row of ``audits.csv`` is a cell: one generator with one epsilon, on ``rows`` rows of framingham. An audit fits it
``fits`` times with and without a planted row; ``bound`` is the lower bound on its epsilon with 95 % confidence, and
``ceiling`` the largest bound that so many fits can show. Membership attacks on one fit of the training rows follow, as
ROC AUC with its 95 % interval, and the largest risk of the attacks on cells and rows. ``seconds`` is processor time of
the audit, ``attack_seconds`` that of the attacks. A cell that has a row is not run again, so that the command can be
stopped at any time. Private noise is from the operating system: another run gives other numbers.
"""

import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import pandas as pd

from benchmarks import output
from trisynth import commandline
from trisynth.audit import attacked, audited

# Fits of each side and shadow models by generator: fewer where a fit takes longer.
CELLS = {
    "raked_pairs": (100, 8),
    "label_triples": (100, 8),
    "mst": (100, 8),
    "dp_vae": (20, 0),
    "pate_gan": (20, 0),
}
OTHERS = {"independent": (100, 8), "smote": (20, 8), "circuit": (20, 0)}
EPSILONS = (1.0, 10.0)
_KEY = ["generator", "epsilon"]
_ATTACKS = ("distance", "domias", "likelihood", "shadows")


def cells() -> list[tuple[str, str]]:
    """List all generators with the text of their epsilon, nothing for those without a budget."""
    private = [(name, f"{epsilon:g}") for name in CELLS for epsilon in EPSILONS]
    return [*private, *((name, "") for name in OTHERS)]


def cell(name: str, epsilon: str, table: str, rows: int, scale: float) -> dict:
    """Audit and attack one generator."""
    fits, shadows = {**CELLS, **OTHERS}[name]
    settings = [f"dataset={table}", f"generator={name}"]
    if epsilon:
        settings.append(f"privacy.epsilon={epsilon}")
    config = commandline.composed(settings)
    start = time.process_time()
    found = audited(config, fits=max(20, int(fits * scale)), rows=rows)
    seconds = time.process_time() - start
    members, risks = attacked(config, shadows)
    row = {"generator": name, "epsilon": epsilon, "table": table, "rows": rows, "fits": found.fits}
    row |= {"claimed": found.claimed, "bound": found.bound, "ceiling": found.ceiling, "holds": found.holds}
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
        print(f"{name:<14} {epsilon or '-':<5} claimed {row['claimed']:<6.3g} audited {row['bound']:.2f}", flush=True)
    if path.exists() and not all(text == "True" for text in pd.read_csv(path, dtype=str)["holds"]):
        sys.exit("a claim does not hold")


if __name__ == "__main__":
    main()

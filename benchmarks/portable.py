"""Do the kernels that the stages request give the same rows on another processor?

Writes ``portable.csv``: a digest of the rows of every generator after a short training, by processor, with the
processor's own instructions and without those beyond AVX2. The rows of other processors stay in the file. The status
is 1 if a generator has more than one digest.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from benchmarks import output
from trisynth.config import KERNELS

GENERATORS = ("circuit", "copula", "smote", "vae", "tvae", "gan", "cgan", "ctgan", "tgan", "diffusion")
# Environment variables that hide a processor's instructions from MKL and from the C library; the stages set neither.
LIMITS = {
    "none": {},
    "AVX2": {"MKL_ENABLE_INSTRUCTIONS": "AVX2", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL"},
}
# Few steps: training amplifies a difference in the last bit, so that it shows after these.
SHORT = ["dataset=paper_cohort", "dataset.read.n=400"]
ROWS = """
import json, sys
from trisynth import commandline
from trisynth.config import digest
from trisynth.data import load, split
from trisynth.experiment.job import Job
from trisynth.generators.base import fit
shorter = {"epochs": 3, "min_steps": 60, "max_steps": 60, "steps": 60}
found = {}
for name in sys.argv[2:]:
    overrides = [*json.loads(sys.argv[1]), f"generator={name}"]
    known = commandline.composed(overrides)["generator"]
    overrides += [f"generator.{key}={value}" for key, value in shorter.items() if key in known]
    job = Job.from_config(commandline.composed(overrides))
    train, _ = split(load(job.dataset), 0)
    found[name] = digest(fit(job.generator, train, 0).sample(200, 1).to_csv(index=False))
print(json.dumps(found))
"""


def kernels() -> str:
    """Return the start of the stages' commands that requests the kernels (`portable` in dvc.yaml)."""
    variables = yaml.safe_load((output.ROOT / "dvc.yaml").read_text())["vars"]
    return next(entry["portable"] for entry in variables if "portable" in entry)


def under_kernels(script: str, *arguments: str, **limits: str) -> dict | list:
    """Run a script as the stages run their commands, and return its last line of JSON."""
    plain = {name: value for name, value in os.environ.items() if name not in KERNELS}
    command = ["bash", "-c", f'exec {kernels()} "$0" -c "$@"', sys.executable, script, *arguments]
    done = subprocess.run(command, env=plain | limits, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def processor() -> str:
    """Return the processor's name, family and model, where the system has them."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    facts = dict(tuple(map(str.strip, line.split(":", 1))) for line in lines[::-1] if ":" in line)
    names = ("model name", "cpu family", "model")
    return ", ".join(facts[name] for name in names if name in facts) or platform.machine()


def merged(earlier: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Replace the earlier digests of the same processor and generators."""
    names = ["processor", "limit", "generator"]
    return pd.concat([earlier, found]).drop_duplicates(names, keep="last").sort_values(names, ignore_index=True)


def unlike(table: pd.DataFrame) -> list[str]:
    """Return the generators whose rows differ between processors or limits."""
    counts = table.groupby("generator")["digest"].nunique()
    return list(counts.index[counts > 1])


def main(arguments: list[str] | None = None) -> int:
    """Write the digests of this processor beside those of others, and name the generators that differ."""
    parser = output.parser("portable", __doc__)
    parser.add_argument("--generators", nargs="+", default=list(GENERATORS))
    options = parser.parse_args(arguments)
    lines = []
    for limit, variables in LIMITS.items():
        found = under_kernels(ROWS, json.dumps(SHORT), *options.generators, **variables)
        lines += [(processor(), limit, name, value) for name, value in found.items()]
    path = options.out / "portable.csv"
    table = pd.DataFrame(lines, columns=["processor", "limit", "generator", "digest"])
    if path.exists():
        table = merged(pd.read_csv(path, dtype=str, keep_default_na=False), table)
    output.write(table, path)
    print(table.pivot_table("digest", "generator", ["processor", "limit"], aggfunc="first").to_string())
    differ = unlike(table)
    print(f"Rows differ: {', '.join(differ)}." if differ else "All rows are the same.")
    return int(bool(differ))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

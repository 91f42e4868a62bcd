"""Checks of synthetic rows of small files as people have them.

Every table of a folder goes through ``prepare``, ``synthesize`` with each generator, and ``run``, in a copy of the
folder. Writes ``cases.csv`` with a row for each table and generator; ``faults`` is empty where all checks passed:

- no command failed or printed a traceback;
- the names, order, types and formats of the columns are those of the file, and its rows can be appended;
- identifiers are fresh and unique, free text is empty;
- frequent values have nearly the same share, orders and sums of columns hold;
- with ``--python``, the same by polars, and sdmetrics' diagnostic report.

The target is the last column, unless ``--targets`` names another one.
"""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd

from benchmarks import output
from benchmarks.cases.checks import Table, faults
from trisynth.__main__ import main as trisynth

GENERATORS = ("circuit", "smote")
ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".gz", ".zip", ".xlsx")
_OUTSIDE = Path(__file__).resolve().parent / "outside.py"


def call(*arguments: str) -> tuple[int, str]:
    """Run a command in this process; return its status and what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            status = trisynth(list(arguments)) or 0
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 1
        except BaseException:
            traceback.print_exc()
            status = 99
    return status, printed.getvalue()


class Outside:
    """Process of another environment, which imports its libraries once.

    Parameters
    ----------
    python : str
        Interpreter.
    """

    def __init__(self, python: str):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([python, str(_OUTSIDE)], stdin=pipe, stdout=pipe, text=True)

    def check(self, folder: str) -> list[str]:
        """Return what is broken in the tables of a folder."""
        try:
            print(folder, file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline())
        except (OSError, ValueError):
            return ["outside: the process has ended"]

    def end(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def case(file: Path, target: str | None, generators: list[str], outside: Outside | None, run: bool) -> list[dict]:
    """Take one table through the commands; return a row for each generator."""
    kind = "parquet" if file.suffix == ".parquet" else "csv"
    table = [f"dataset={kind}", f"dataset.path={file.name}"]
    named = [*table, *(() if target is None else ("--target", target))]
    status, text = call("prepare", *named)
    row = {"case": file.name, "target": target, "prepare": status, "questions": text.count("to change that")}
    if status:
        return [{**row, "faults": "" if _refused(text) else "prepare", "said": _last(text)}]
    rows, real = [], None
    for name in generators:
        out = Path(f"{file.name}.{name}{'.parquet' if kind == 'parquet' else '.csv'}")
        status, text = call("synthesize", *table, f"generator={name}", f"out={out}", "paths.cache=cache")
        found = {**row, "generator": name, "synthesize": status, "said": _last(text)}
        if status:
            rows.append({**found, "faults": "" if _refused(text) else "synthesize"})
            continue
        real = real or Table.read(file)
        made = real.like(out)
        found |= {"rows": len(made.clean), "columns": made.raw.shape[1]}
        broken = faults(real, made)
        if outside:
            broken += _outside(outside, file, out, real, made)
        if run:
            status, text = call("run", *table, f"generator={name}", "classifier=logistic", "tracking=none", *_SMALL)
            found["run"] = status
            broken += ["run"] * (status != 0 and not _refused(text))
            found["said"] = _last(text) if status else found["said"]
        rows.append({**found, "faults": "; ".join(broken)})
    return rows


_SMALL = ("metrics=minimal", "paths.cache=cache")


def _outside(outside: Outside, source: Path, out: Path, real: Table, made: Table) -> list[str]:
    """Check the rows by libraries of another environment."""
    with tempfile.TemporaryDirectory() as folder:
        facts = {"source": str(source), "out": str(out), "read": real.dialect, "columns": real.metadata}
        for name, table in (("real", real), ("made", made)):
            table.for_metrics.to_parquet(Path(folder) / f"{name}.parquet")
        (Path(folder) / "facts.json").write_text(json.dumps(facts))
        return outside.check(folder)


def _refused(text: str) -> bool:
    """Tell whether a command ended with one line and its remedy."""
    return "Traceback" not in text


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def main(arguments: list[str] | None = None) -> None:
    """Check every table of a folder, and write the results."""
    parser = output.parser("cases", __doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--generators", nargs="+", default=list(GENERATORS))
    parser.add_argument("--only", nargs="+", help="names of tables (default: all of the folder)")
    parser.add_argument("--targets", nargs="+", default=[], metavar="FILE=COLUMN")
    parser.add_argument("--python", help="interpreter of an environment with polars, pyarrow and sdmetrics")
    parser.add_argument("--run", action="store_true", help="also run each table once")
    options = parser.parse_args(arguments)
    targets = dict(pair.split("=", 1) for pair in options.targets)
    out = options.out.resolve()
    python = options.python and str(Path(options.python).absolute())
    files = sorted(path for path in options.folder.iterdir() if path.suffix in ENDINGS)
    found: list[dict] = []
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            shutil.copyfile(path, Path(folder) / path.name)
        os.chdir(folder)
        try:
            outside = Outside(python) if python else None
            for path in files:
                if options.only and path.name not in options.only:
                    continue
                target = targets.get(path.name) or Table.last(Path(path.name))
                rows = case(Path(path.name), target, options.generators, outside, options.run)
                found += rows
                for row in rows:
                    print(row["case"], row.get("generator", "-"), row["faults"] or "passed", sep=" | ", flush=True)
            if outside:
                outside.end()
        finally:
            os.chdir(before)
    output.write(pd.DataFrame(found), out / "cases.csv")


if __name__ == "__main__":
    main(sys.argv[1:])

"""``python -m trisynth.report``: a sweep's results as CSV, Markdown and LaTeX."""

import argparse
import sys
from fractions import Fraction
from pathlib import Path

from trisynth.cache import write_atomic
from trisynth.errors import InputError
from trisynth.report import markup
from trisynth.report.tables import all_tables
from trisynth.statistics import estimates


def write(results: Path, out: Path, test_share: float, command: str) -> None:
    """Write every table of a sweep, and a page that shows them all.

    Parameters
    ----------
    results : Path
        A sweep's ``results.csv``.
    out : Path
        Folder of the tables, each as ``.csv``, ``.md`` and ``.tex``.
    test_share : float
        Share of the rows that each seed tested.
    command : str
        What the tables say made them.

    Raises
    ------
    InputError
        If the results cannot be read or used, or ``out`` cannot be written.
    """
    if not 0 < test_share < 1:
        raise InputError("test-share", test_share, "must lie between 0 and 1")
    jobs = estimates.read(results)
    page = ["# Tables", ""]
    for table in all_tables(jobs, test_share):
        files = {"csv": markup.csv(table), "md": markup.markdown(table, command), "tex": markup.latex(table, command)}
        for suffix, content in files.items():
            write_atomic(out / f"{table.name}.{suffix}", content)
        page += [files["md"], " · ".join(f"[{suffix}]({table.name}.{suffix})" for suffix in files), ""]
    write_atomic(out / "README.md", "\n".join(page))


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m trisynth.report", description=__doc__)
    parser.add_argument("results", type=Path, help="a sweep's results.csv")
    parser.add_argument("out", type=Path, help="folder of the tables")
    parser.add_argument("--test-share", type=Fraction, default=Fraction(1, 3), help="share of tested rows, such as 1/3")
    options = parser.parse_args(arguments)
    share = "" if options.test_share == Fraction(1, 3) else f" --test-share {options.test_share}"
    command = f"{parser.prog} {options.results.as_posix()} {options.out.as_posix()}{share}"
    try:
        write(options.results, options.out, float(options.test_share), command)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

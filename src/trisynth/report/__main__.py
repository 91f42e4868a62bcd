"""Figures and tables from results: ``python -m trisynth.report COMMAND ...``."""

import argparse
import sys
from fractions import Fraction
from pathlib import Path

from trisynth.errors import InputError, OneLineParser

_TEST_SIZE = Fraction(1, 3)


def parser(program: str = "trisynth report") -> argparse.ArgumentParser:
    """Build the command-line parser."""
    found = OneLineParser(prog=program, description="Make figures and tables from results.")
    commands = found.add_subparsers(dest="command", required=True, metavar="COMMAND")

    tables = commands.add_parser("tables", help="scores, gains, fidelity and copying of a sweep")
    _paths(tables)
    tables.add_argument(
        "--test-size",
        type=Fraction,
        default=_TEST_SIZE,
        help="fraction of test rows in each split, such as 1/3 (default)",
    )
    _metrics(tables)

    gains = commands.add_parser("gains", help="gain of every training set over the real rows of a sweep")
    _paths(gains)

    figures = commands.add_parser("figures", help="distributions, associations and class counts of one data set")
    figures.add_argument("source", type=Path, help="folder that trisynth generate wrote")
    figures.add_argument("out", type=Path, help="folder of the page")

    study = commands.add_parser("study", help="figures and tables that an experiment declares")
    study.add_argument("name", help="an experiment, such as gamma")
    study.add_argument("results", type=Path, nargs="?", help="default: experiments/NAME/results.csv")
    study.add_argument("out", type=Path, nargs="?", help="folder of the page; default: paper_figures/studies/NAME")
    study.add_argument("--config-dir", type=Path, help="folder whose experiment/NAME.yaml declares the study")
    _metrics(study)

    compare = commands.add_parser("compare", help="ranks and tests of generators over data sets")
    compare.add_argument("results", type=Path, nargs="+", help="results.csv of sweeps; columns dataset and generator")
    compare.add_argument("out", type=Path, help="folder of the page")
    compare.add_argument("--score", default="synthetic/roc_auc", help="column to compare (default: %(default)s)")
    compare.add_argument("--against", default="circuit", help="generator that others are compared with")
    compare.add_argument("--lower", action="store_true", help="lower scores are better")
    compare.add_argument("--rope", type=float, default=0.01, help="difference that is practically none (default: 0.01)")
    compare.add_argument("--test-size", type=Fraction, default=_TEST_SIZE, help="fraction of test rows; default 1/3")

    whole = commands.add_parser("index", help="one page of all pages below a folder")
    whole.add_argument("folder", type=Path, help="folder whose subfolders have pages")
    return found


def _paths(command: argparse.ArgumentParser) -> None:
    command.add_argument("results", type=Path, help="results.csv of a sweep")
    command.add_argument("out", type=Path, help="folder of the page")


def _metrics(command: argparse.ArgumentParser) -> None:
    command.add_argument("--metrics", type=Path, metavar="JSON", help="also write the headline numbers to this file")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = parser().parse_args(arguments)
    # Later, so that help and mistakes do not wait for the drawing libraries.
    from trisynth.report import pages
    from trisynth.report.page import index

    command = " ".join(["python -m trisynth.report", *arguments])
    try:
        match options.command:
            case "tables":
                pages.tables(options.results, options.out, command, float(options.test_size), options.metrics)
            case "gains":
                pages.gains(options.results, options.out, command)
            case "figures":
                pages.figures(options.source, options.out, command)
            case "study":
                results = options.results or Path("experiments", options.name, "results.csv")
                out = options.out or Path("paper_figures", "studies", options.name)
                pages.study(options.name, results, out, command, options.config_dir, options.metrics)
            case "compare":
                given = options.results, options.score, options.against, options.lower, options.rope
                pages.compare(*given, options.out, command, float(options.test_size))
            case "index":
                index(options.folder, command)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

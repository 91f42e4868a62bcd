"""``python -m trisynth.studies.study``: figures and tables of a study of the loss, from its sweep's results."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from trisynth.cache import write_atomic
from trisynth.errors import InputError
from trisynth.report import markup, style
from trisynth.report.markup import Table
from trisynth.studies import loss_figures as figures
from trisynth.studies import losses as tables
from trisynth.studies import pareto_figures as pareto
from trisynth.studies.ablations import ablations_table
from trisynth.studies.advice import advice_table
from trisynth.studies.pareto import agreement_table, chosen_table, hypervolume_table
from trisynth.studies.shrinkage_law import law_table


@dataclass(frozen=True)
class Study:
    """What is made of a study's results.

    Parameters
    ----------
    title : str
    figures : mapping of str to function of the jobs
    tables : sequence of functions of the jobs
    """

    title: str
    figures: dict[str, tuple[Callable[[pd.DataFrame], Figure], str]]
    tables: tuple[Callable[[pd.DataFrame], Table], ...]


_WINS = (figures.wins, "Share of pairs that each loss wins against the plain loss, with 95 % intervals.")
_CONFIDENCE = (figures.confidence, "What each loss changes in order, decisions and confidence, with 95 % intervals.")
_MAPS = (figures.maps, "Utility and fidelity of synthetic rows over the weights of L_dist and L_model.")
STUDIES = {
    "shrinkage_law": Study(
        "The shrinkage law",
        {"law": (figures.law, "Spread of generated rows, predicted and observed, and what it costs in utility.")},
        (law_table,),
    ),
    "loss_weights": Study(
        "Weights of the loss", {"wins": _WINS, "maps": _MAPS}, (tables.wins_table, tables.fidelity_table)
    ),
    "loss_grid": Study("Maps of the weights", {"maps": _MAPS}, (tables.wins_table, tables.fidelity_table)),
    "beta": Study("A large beta", {"wins": _WINS}, (tables.wins_table, tables.fidelity_table)),
    "gamma": Study(
        "Utility or confidence",
        {"confidence": _CONFIDENCE, "wins": _WINS},
        (tables.confidence_table, tables.fidelity_table),
    ),
    "pareto": Study(
        "Fronts of the weights",
        {
            "fronts": (pareto.fronts, "Fronts of searched weights, and hypervolume over the trials."),
            "tested": (pareto.tested, "What the weights of the fronts had on validation rows and have on test rows."),
        },
        (hypervolume_table, chosen_table, agreement_table),
    ),
    "auto": Study("Advice", {}, (advice_table,)),
    "ablations": Study("Methods without their parts", {}, (ablations_table,)),
    "ablations_circuit": Study("The circuit without its parts", {}, (ablations_table,)),
    "moment_ladder": Study("The ladder of distances", {"wins": _WINS}, (tables.wins_table, tables.fidelity_table)),
}
STUDIES |= {
    f"{name}_full": replace(STUDIES[name], title=f"{STUDIES[name].title}, full size")
    for name in ("shrinkage_law", "loss_weights", "gamma", "pareto")
}


def write(study: Study, results: Path, out: Path, command: str) -> None:
    """Draw and tabulate a study, with a page that shows it all.

    Raises
    ------
    InputError
        If the results cannot be read or used, or ``out`` cannot be written.
    """
    jobs = tables.read(results)
    page = [f"# {study.title}", "", f"Made by `{command}`; do not edit.", ""]
    for name, (draw, caption) in study.figures.items():
        style.save(draw(jobs), out / name)
        page += [f"![{caption}]({name}.png)", "", f"{caption} [PDF]({name}.pdf)", ""]
    for make in study.tables:
        table = make(jobs)
        files = {"csv": markup.csv(table), "md": markup.markdown(table, command), "tex": markup.latex(table, command)}
        for suffix, content in files.items():
            write_atomic(out / f"{table.name}.{suffix}", content)
        page += [files["md"], " · ".join(f"[{suffix}]({table.name}.{suffix})" for suffix in files), ""]
    write_atomic(out / "README.md", "\n".join(page))


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m trisynth.studies.study", description=__doc__)
    parser.add_argument("study", choices=STUDIES, help="which study")
    parser.add_argument("results", type=Path, help="its sweep's results.csv")
    parser.add_argument("out", type=Path, help="folder of the figures and tables")
    options = parser.parse_args(arguments)
    command = f"{parser.prog} {options.study} {options.results.as_posix()} {options.out.as_posix()}"
    try:
        write(STUDIES[options.study], options.results, options.out, command)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

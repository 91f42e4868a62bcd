"""``python -m trisynth.report``: the figures of one data set, from its tables."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from trisynth.cache import write_atomic
from trisynth.errors import InputError
from trisynth.report import style
from trisynth.report.class_counts import class_counts
from trisynth.report.correlation import correlation
from trisynth.report.distributions import distributions

_CAPTIONS = {
    "correlation": "Association of every pair of columns: real, synthetic, and their difference.",
    "distributions": "Real against synthetic distribution of every feature and of the target.",
    "class_counts": "Rows of each class before and after synthetic rows fill it up to the largest.",
}


def draw(source: Path, out: Path) -> list[str]:
    """Draw every figure that the tables in ``source`` allow; returns their names.

    Parameters
    ----------
    source : Path
        Folder with ``real.parquet``, ``synthetic.parquet``, ``balanced.parquet`` (only the synthetic rows that fill
        the classes), each with the target as last column, and ``about.json``.
    out : Path
        Folder of the figures, each as ``.png`` and ``.pdf``.

    Raises
    ------
    InputError
        If a file is missing or damaged, or ``out`` cannot be written.
    """
    about = _read(source / "about.json", lambda path: json.loads(path.read_text()))
    parts = ["real", "synthetic"] + ["balanced"] * (about["task"] == "classification")
    tables = {part: _read(source / f"{part}.parquet", pd.read_parquet) for part in parts}
    real, synthetic = tables["real"], tables["synthetic"]
    common = {"generator": about["generator"].replace("_", " "), "simulated": about["simulated"]}
    title, target = about["title"], about["target"]
    figures = {
        "correlation": correlation(real, synthetic, title, **common),
        "distributions": distributions(real, synthetic, title, about["units"], **common),
    }
    if "balanced" in tables:
        figures["class_counts"] = class_counts(real[target], tables["balanced"][target], title, **common)
    for name, figure in figures.items():
        style.save(figure, out / name)
    return list(figures)


def _read(path: Path, read: Any) -> Any:
    try:
        return read(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise InputError("source", str(path), f"cannot be read ({reason}); run `dvc repro` to make it") from None


def readme(command: str, title: str, names: list[str]) -> str:
    """Page that shows the figures and says which command made them."""
    lines = [f"# {title}", "", f"Made by `{command}`; do not edit.", ""]
    for name in names:
        lines += [f"![{_CAPTIONS[name]}]({name}.png)", "", f"{_CAPTIONS[name]} [PDF]({name}.pdf)", ""]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m trisynth.report", description=__doc__)
    parser.add_argument("source", type=Path, help="folder with real, synthetic and balanced.parquet and about.json")
    parser.add_argument("out", type=Path, help="folder of the figures")
    options = parser.parse_args(arguments)
    try:
        names = draw(options.source, options.out)
        about = json.loads((options.source / "about.json").read_text())
        command = f"{parser.prog} {options.source.as_posix()} {options.out.as_posix()}"
        title = style.capitalised(about["title"]) + (style.SIMULATED if about["simulated"] else "")
        write_atomic(options.out / "README.md", readme(command, title, names))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""One page: pictures and tables as files, and a ``README.md`` that shows them with the command that made it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from trisynth.cache import write_atomic
from trisynth.errors import InputError
from trisynth.report import markup
from trisynth.report.figures import style
from trisynth.report.markup import Table

README = "README.md"


@dataclass(frozen=True)
class Picture:
    """A figure with its file name and its caption.

    Parameters
    ----------
    name : str
        Name of its files, without suffix.
    caption : str
    figure : Figure
    """

    name: str
    caption: str
    figure: Figure


def write(out: Path, title: str, command: str, exhibits: Iterable[Picture | Table]) -> None:
    """Write a page: pictures as PNG and PDF, tables as CSV, Markdown and LaTeX, and a ``README.md`` with all of them.

    Parameters
    ----------
    out : Path
        Folder of the page.
    title, command : str
        The heading, and the command line that makes the page.
    exhibits : iterable of Picture or Table
        In their order on the page.

    Raises
    ------
    InputError
        If ``out`` cannot be written.
    """
    lines = [f"# {title}", "", f"Made by `{command}`; do not edit.", ""]
    for exhibit in exhibits:
        lines += _picture(out, exhibit) if isinstance(exhibit, Picture) else _table(out, exhibit, command)
    write_atomic(out / README, "\n".join(lines))


def _picture(out: Path, picture: Picture) -> list[str]:
    name, caption = picture.name, picture.caption
    style.save(picture.figure, out / name)
    return [f"![{caption}]({name}.png)", "", f"{caption} [PDF]({name}.pdf)", ""]


def _table(out: Path, table: Table, command: str) -> list[str]:
    files = {"csv": markup.csv(table), "md": markup.markdown(table, command), "tex": markup.latex(table, command)}
    for suffix, content in files.items():
        write_atomic(out / f"{table.name}.{suffix}", content)
    return [files["md"], " · ".join(f"[{suffix}]({table.name}.{suffix})" for suffix in files), ""]


def index(folder: Path, command: str) -> None:
    """Write ``folder/README.md``: the pages of all subfolders below each other, in the order of their paths.

    Headings become one level deeper, and links relative to ``folder``.

    Raises
    ------
    InputError
        If no subfolder has a page, or the index cannot be written.
    """
    pages = sorted(path for path in folder.rglob(f"*/{README}"))
    if not pages:
        raise InputError("folder", str(folder), f"no subfolder has a {README}; make figures and tables first")
    parts = [f"# Figures and tables\n\nAssembled by `{command}`; each part names the command that made it.\n"]
    for path in pages:
        place = path.parent.relative_to(folder).as_posix()
        text = re.sub(r"\]\((?!\w+:)", f"]({place}/", path.read_text())
        parts.append(re.sub(r"^#", "##", text, flags=re.MULTILINE))
    write_atomic(folder / README, "\n".join(parts))

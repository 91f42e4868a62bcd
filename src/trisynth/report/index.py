"""``python -m trisynth.report.index``: one page that shows every folder of figures or tables."""

import argparse
import re
import sys
from pathlib import Path

from trisynth.cache import write_atomic
from trisynth.errors import InputError


def page(folder: Path, command: str) -> str:
    """The ``README.md`` of all subfolders below each other, in the order of their names.

    Parameters
    ----------
    folder : Path
    command : str
        What the page says made it.

    Returns
    -------
    str
        Markdown whose headings are one level deeper and whose links start at ``folder``.

    Raises
    ------
    InputError
        If no subfolder has such a page.
    """
    found = sorted(folder.glob("*/README.md"))
    if not found:
        raise InputError("folder", str(folder), "no subfolder has a README.md; make the figures and tables first")
    parts = [f"# Figures and tables\n\nPut together by `{command}`; each part says what made it.\n"]
    for path in found:
        text = re.sub(r"\]\((?!\w+:)", f"]({path.parent.name}/", path.read_text())
        parts.append(re.sub(r"^#", "##", text, flags=re.MULTILINE))
    return "\n".join(parts)


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m trisynth.report.index", description=__doc__)
    parser.add_argument("folder", type=Path, help="holds the folders of figures and tables")
    options = parser.parse_args(arguments)
    try:
        content = page(options.folder, f"{parser.prog} {options.folder.as_posix()}")
        write_atomic(options.folder / "README.md", content)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

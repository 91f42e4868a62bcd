"""MkDocs hook: pages of the repository outside docs/, with links that lead to the same place on the site.

The README files of the studies, the benchmarks and the figures are read where they are; nothing is copied. A link is
written as it works in the repository. On the site, a page of docs/ is at the root, and a link to a file outside the
site, such as a module, becomes plain text.
"""

import logging
import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "LICENSE",
    "CITATION.cff",
    "benchmarks/*.md",
    "benchmarks/*.png",
    "benchmarks/*.csv",
    "benchmarks/peers/*.md",
    "benchmarks/peers/*.png",
    "benchmarks/peers/*.csv",
    "experiments/**/*.md",
    "experiments/**/results.csv",
    "notebooks/*.ipynb",
    "paper_figures/**/*",
)
LOG = logging.getLogger("mkdocs.plugins.pages")
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")


def on_files(files: Files, config) -> Files:
    """Add the repository's pages, pictures and tables to the site."""
    for pattern in OUTSIDE:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and path.suffix != ".sh":
                name = path.relative_to(ROOT).as_posix()
                files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page, config, files: Files) -> str:
    """Rewrite the links of a page from the repository's folders to the site's."""
    here = page.file.src_uri
    inside = Path(page.file.abs_src_path).is_relative_to(ROOT / "docs")
    folder = posixpath.dirname(f"docs/{here}" if inside else here)

    def moved(match: re.Match) -> str:
        picture, text, link, anchor = match.groups()
        target = posixpath.normpath(posixpath.join(folder, link))
        if not (ROOT / target).exists():
            LOG.warning("%s: [%s](%s) leads to no file", here, text, link)
            return text
        name = target.removeprefix("docs/")
        if files.get_file_from_path(name) is None:
            return text
        return f"{picture}[{text}]({posixpath.relpath(name, posixpath.dirname(here) or '.')}{anchor or ''})"

    return LINK.sub(moved, markdown)

"""Prose of the project: standard terms everywhere, and conventional docstrings in the package."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
ROOMS = sorted({"/".join(path.relative_to(SOURCE).parts[:2]) for path in SOURCE.rglob("*.py")})
PAGES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "docs/**/*.md", "experiments/**/*.md", "benchmarks/**/*.md", "paper_figures/**/*.md")
    for path in ROOT.glob(pattern)
)
CONFIGS = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("conf/**/*.yaml"))
SCRIPTS = sorted(
    str(path.relative_to(ROOT))
    for folder in ("benchmarks", "docs", "tests")
    for path in ROOT.glob(f"{folder}/**/*.py")
    if path != Path(__file__)
)
# Figures of speech where the field has a term, and verbs that make persons of programs.
BANNED = re.compile(
    r"\b(?:rivals?|exams?|fakes?|judges?|judged|told|tells|wants?|asks?|asked|says|said|climbs?"
    # AIM is the name of a mechanism, also in lower case.
    r"|aims"
    r"|(?<!shrinkage )laws?)\b",
    re.IGNORECASE,
)
# A part of a whole is a fraction; two metrics of the literature have the noun in their names. The verb is free.
SHARE = re.compile(
    r"\b(?:(?:an?|the|its|their|each|mean|test|smallest|largest) shares?\b|(?<!DCR )(?<!match )shares? of\b)",
    re.IGNORECASE,
)
NUMBER = re.compile(r"(?<![\w.)\]}/*])[-−+]?\.\d+\b(?![\w.])")
QUESTIONS = ("What", "How", "Which", "Whether", "Where", "Who", "When", "Why")


def prose(path: Path) -> list[tuple[int, str]]:
    """Line numbers and texts of the docstrings, comments and multi-word strings of a module."""
    source = path.read_text()
    found = [
        (token.start[0], token.string)
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            found.append((node.lineno, node.value))
    return found


def paragraphs(path: Path) -> list[tuple[int, str]]:
    """Line numbers and texts of the paragraphs of a Markdown page, without code, formulas and addresses of links."""
    text = path.read_text()
    text = re.sub(r"```.*?```", lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL)
    text = re.sub(r"`[^`\n]*`|\]\([^)\n]*\)", " ", text)
    found, line = [], 1
    for part in re.split(r"(\n\s*\n)", text):
        found.append((line, part))
        line += part.count("\n")
    return found


def comments(path: Path) -> list[tuple[int, str]]:
    """Line numbers and texts of the comments of a YAML file."""
    found = [(i, re.search(r"(?:^|\s)#(.*)", line)) for i, line in enumerate(path.read_text().splitlines(), start=1)]
    return [(i, match[1]) for i, match in found if match]


def faults(path: Path) -> list[str]:
    """Places in a module, page or configuration with a banned word or a number such as .5."""
    read = {".py": prose, ".md": paragraphs, ".yaml": comments}[path.suffix]
    return [
        f"{path.name}:{line}: {match[0]}"
        for line, text in read(path)
        for pattern in (BANNED, SHARE, NUMBER)
        for match in pattern.finditer(" ".join(text.split()))
    ]


def questions(path: Path) -> list[str]:
    """Definitions whose docstring starts with a question word."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return [
        f"{path.name}:{getattr(node, 'lineno', 1)}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, kinds) and (ast.get_docstring(node) or "").split(" ")[0] in QUESTIONS
    ]


def modules(room: str) -> list[Path]:
    place = SOURCE / room
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_use_the_terms_of_the_field(room):
    assert [place for path in modules(room) for place in faults(path)] == []


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_state_and_do_not_ask(room):
    assert [place for path in modules(room) for place in questions(path)] == []


@pytest.mark.parametrize("file", [*PAGES, *CONFIGS, *SCRIPTS])
def test_pages_and_comments_use_the_terms_of_the_field(file):
    assert faults(ROOT / file) == []


@pytest.mark.parametrize("file", SCRIPTS)
def test_docstrings_of_scripts_and_tests_state_and_do_not_ask(file):
    assert questions(ROOT / file) == []


def test_planted_faults_are_found(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        '"""Which rows are kept."""\n# The rival wants more.\nERROR = "nobody told us a share"\n# From .5 on.\n'
    )
    assert questions(path) == ["module.py:1"]
    assert faults(path) == [
        "module.py:2: rival",
        "module.py:2: wants",
        "module.py:4: .5",
        "module.py:3: told",
        "module.py:3: a share",
    ]


def test_planted_faults_in_pages_and_comments_are_found(tmp_path):
    page, config = tmp_path / "page.md", tmp_path / "config.yaml"
    page.write_text(
        "# Title\n\n`the law` of [it](law.png), the shrinkage\nlaw and the\nlaw, at .05\n\n```\nfake\n```\n\nfakes\n"
    )
    assert faults(page) == ["page.md:3: law", "page.md:3: .05", "page.md:11: fakes"]
    config.write_text("judge: 'a rival' # the DCR share is a share of rows\n# asked: no\n")
    assert faults(config) == ["config.yaml:1: a share", "config.yaml:2: asked"]

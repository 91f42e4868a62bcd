"""Prose of the package: standard terms and conventional docstrings, checked room by room."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
PACKAGE = SOURCE / "trisynth"
ROOMS = sorted({path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py")})
READY = {
    "__init__.py",
    "__main__.py",
    "cache.py",
    "commandline",
    "config.py",
    "data",
    "encoders",
    "errors.py",
    "evaluation",
    "experiment",
    "frames.py",
    "objective",
    "recommend",
    "renamed.py",
    "report",
    "run.py",
    "search.py",
    "seeds.py",
    "stages.py",
    "statistics",
    "studies",
    "sweeps",
    "synthesize.py",
    "tracking",
}
# Rooms that have not been rewritten yet; this set must become empty.
PENDING = set(ROOMS) - READY
# Figures of speech where the field has a term, and verbs that make persons of programs.
BANNED = re.compile(
    r"\b(rivals?|exams?|fakes?|judges?|told|wants?|asks|asked|says|said|tells|climbs?|(?<!shrinkage )laws?|aims?)\b",
    re.IGNORECASE,
)
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


def banned(path: Path) -> list[str]:
    """Places in a module with a banned word."""
    return [f"{path.name}:{line}: {match[0]}" for line, text in prose(path) for match in BANNED.finditer(text)]


def questions(path: Path) -> list[str]:
    """Definitions whose docstring starts with a question word."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return [
        f"{path.name}:{getattr(node, 'lineno', 1)}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, kinds) and (ast.get_docstring(node) or "").split(" ")[0] in QUESTIONS
    ]


def modules(room: str) -> list[Path]:
    place = PACKAGE / room
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


@pytest.mark.parametrize("room", [room for room in ROOMS if room not in PENDING])
def test_rooms_use_the_terms_of_the_field(room):
    assert [place for path in modules(room) for place in banned(path)] == []


@pytest.mark.parametrize("room", [room for room in ROOMS if room not in PENDING])
def test_docstrings_state_and_do_not_ask(room):
    assert [place for path in modules(room) for place in questions(path)] == []


def test_planted_faults_are_found(tmp_path):
    path = tmp_path / "module.py"
    path.write_text('"""Which rows are kept."""\n# The rival wants more.\nERROR = "nobody told us"\n')
    assert questions(path) == ["module.py:1"]
    assert banned(path) == ["module.py:2: rival", "module.py:2: wants", "module.py:3: told"]

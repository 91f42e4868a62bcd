"""Installation: requirements, lock, conda and make agree with each other."""

import ast
import importlib.metadata
import inspect
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from trisynth.config import instantiate, locate
from trisynth.evaluation.metrics.base import GROUPS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPTIONAL = PROJECT["optional-dependencies"]
# What only starts the same jobs elsewhere is not in the lock, as no result depends on it.
UNLOCKED = ("ray", "slurm")
EXTRAS = [pin for name, extra in OPTIONAL.items() if name not in UNLOCKED for pin in extra]
# Extras whose libraries are imported when their command is used.
IN_COMMANDS = (*UNLOCKED, "serve")
# Where the name to import is not that of the package; omegaconf comes with hydra-core and has its version.
IMPORTED = {
    "hydra": "hydra-core",
    "hydra_plugins": "hydra-joblib-launcher",
    "imblearn": "imbalanced-learn",
    "omegaconf": "hydra-core",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


LOCK, TORCH = ((ROOT / name).read_text() for name in ("requirements.lock", "requirements-torch.lock"))
# A version may be given twice, for different versions of Python.
LOCKED = re.findall(r"^([A-Za-z0-9_.-]+)(?:\[.*?\])?==([^\s;\\]+)", f"{LOCK}\n{TORCH}", flags=re.M)


def test_conda_gives_make_and_a_python_that_the_package_allows():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert "make" in conda
    python = next(entry.partition("=")[2] for entry in conda if entry.startswith("python="))
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(f"{python}.0")


def test_the_lock_has_a_hash_of_everything_but_torch():
    entries = LOCK.replace("\\\n", " ").splitlines()
    assert len(entries) > 200
    assert [
        entry for entry in entries if not re.fullmatch(r"\S+==[^\\]*?( +--hash=sha256:[0-9a-f]{64})+ *", entry)
    ] == []
    assert [line for line in TORCH.splitlines() if not re.fullmatch(r"#.*|torch==\S+", line)] == []


def test_the_lock_is_made_from_the_other_extras():
    command = (ROOT / "Makefile").read_text()
    assert set(re.findall(r"--extra (\w+)", command)) == set(OPTIONAL) - set(UNLOCKED)


@pytest.mark.parametrize("file", ["Makefile", "Dockerfile"])
def test_both_locks_are_installed_and_nothing_beside_them(file):
    lines = [line for line in (ROOT / file).read_text().splitlines() if "pip install" in line and " uv" not in line]
    both, package = lines[:-1], lines[-1]
    assert [re.split(r"[ /]", line)[-1] for line in both] == ["requirements.lock", "requirements-torch.lock"]
    assert all("--requirement" in line for line in both) and "--no-deps" in both[0]
    assert {"--no-deps", "--no-build-isolation"} <= set(package.split())


def test_every_requirement_has_a_lower_bound_and_the_lock_meets_it():
    locked = {canonicalize_name(name): version for name, version in LOCKED}
    for requirement in map(Requirement, [*PROJECT["dependencies"], *EXTRAS]):
        operators = {part.operator for part in requirement.specifier}
        assert ">=" in operators and "==" not in operators, f"{requirement}: pyproject.toml has lower bounds only"
        version = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"the lock disagrees with {requirement}"


def test_the_stated_versions_of_python_are_those_of_the_classifiers_and_of_make():
    versions = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if c.startswith("Programming Language")]
    allowed = Requirement(f"python{PROJECT['requires-python']}").specifier
    assert [f"3.{minor}" for minor in range(30) if allowed.contains(f"3.{minor}.0")] == versions
    assert f"PYTHONS := {' '.join(versions)}\n" in (ROOT / "Makefile").read_text()


def test_what_is_imported_is_declared():
    pins = [*PROJECT["dependencies"], *(pin for name in IN_COMMANDS for pin in OPTIONAL[name])]
    declared = {canonicalize_name(Requirement(pin).name) for pin in pins}
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    foreign = found - set(sys.stdlib_module_names) - {"trisynth"}
    assert {canonicalize_name(IMPORTED.get(name, name)) for name in foreign} <= declared


def nodes(value, path=()):
    """Every mapping with a target inside a config."""
    if isinstance(value, dict):
        if "_target_" in value:
            yield path, value
        for key, inner in value.items():
            yield from nodes(inner, (*path, key))


@pytest.mark.parametrize("group", ["classifier", "arms", "preprocessing", "dataset"])
def test_yaml_arguments_are_those_of_the_signatures(group):
    for file in sorted((ROOT / "conf" / group).glob("*.yaml")):
        for path, node in nodes(yaml.safe_load(file.read_text())):
            parameters = inspect.signature(locate(node["_target_"])).parameters
            unknown = set(node) - {"_target_"} - set(parameters)
            anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
            assert anything or not unknown, f"{file.name} {'.'.join(path)}: {unknown}"


def test_every_classifier_does_both_tasks_and_bears_its_files_name():
    for file in sorted((ROOT / "conf" / "classifier").glob("*.yaml")):
        content = yaml.safe_load(file.read_text())
        assert content["name"] == file.stem
        for task in ("classification", "regression"):
            assert callable(locate(content[task]["_target_"]))


def test_every_metric_exists():
    for file in sorted((ROOT / "conf" / "metrics").glob("*.yaml")):
        groups = yaml.safe_load(file.read_text())
        # Attacks are expensive and therefore no part of the other choices.
        assert list(groups) == [name for name in GROUPS if name in groups]
        assert set(GROUPS) - set(groups) <= {"privacy"}
        for group, named in groups.items():
            assert all(isinstance(instantiate(config), GROUPS[group]) for config in named.values())


# Licences that allow use, change and redistribution; weak copyleft where a library is used as it is.
FREE = re.compile(
    r"apache|\bbsd|\bmit\b|isc|psf|python software|mozilla|mpl|lgpl|lesser general|hpnd|historical|unlicense"
    r"|public domain|zlib|cc0|0bsd|zope|eclipse",
    re.IGNORECASE,
)
# Their metadata do not name the licence in words that are known: what the file of the licence has.
# asyncssh may be used under the EPL alone; grandalf and pygit2 are of DVC, which is no part of the package.
STATED = {
    "asyncssh": "Eclipse Public License - v 2.0",
    "grandalf": "distributed under either one of the two licenses",
    "huey": "Permission is hereby granted, free of charge, to any person obtaining a copy",
    "pygit2": "the authors give you unlimited permission to link the compiled version of this library",
    "skops": "MIT License",
}


def licence(name):
    """Everything that a distribution's metadata say about its licence."""
    found = importlib.metadata.metadata(name)
    parts = [found.get("License-Expression"), *(found.get_all("Classifier") or ())]
    stated = [part for part in parts if part and (part == parts[0] or part.startswith("License ::"))]
    return " ".join(stated) or (found.get("License") or "")[:200]


def test_every_locked_package_has_a_licence_that_is_allowed():
    names = {name for name, _ in LOCKED}
    installed = {canonicalize_name(each.metadata["Name"]) for each in importlib.metadata.distributions()}
    found = {name: licence(name) for name in names if canonicalize_name(name) in installed}
    assert len(found) > 100
    wrong = {name: text for name, text in found.items() if not FREE.search(text) and name not in STATED}
    assert wrong == {}


@pytest.mark.parametrize(("name", "sentence"), STATED.items())
def test_a_licence_that_metadata_do_not_name_is_in_its_file(name, sentence):
    named = re.compile("licen[cs]e|copying", re.IGNORECASE)
    files = [path for path in importlib.metadata.files(name) if named.search(path.name)]
    assert any(sentence in " ".join(path.read_text(encoding="utf-8").split()) for path in files)


@pytest.mark.parametrize("text", ["GPL-3.0-only", "License :: Other/Proprietary License", ""])
def test_another_licence_is_found(text):
    assert not FREE.search(text)

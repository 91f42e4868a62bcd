"""Changelog: it lists every former name that the package answers with the present one."""

from pathlib import Path

import pytest
import yaml

from trisynth import renamed
from trisynth.config import locate

ROOT = Path(__file__).parents[1]
LINES = (ROOT / "CHANGELOG.md").read_text().splitlines()


def listed(before: str, now: str, generator: str = "") -> bool:
    row = f"| `{before}` | `{now}` |"
    return any(line.startswith(row) and (not generator or f"`{generator}`" in line[len(row) :]) for line in LINES)


@pytest.mark.parametrize("path", sorted((ROOT / "conf/generator").glob("*.yaml")), ids=lambda path: path.stem)
def test_renamed_arguments_are_listed(path: Path) -> None:
    former = getattr(locate(yaml.safe_load(path.read_text())["_target_"]), "renamed", {})
    assert {before: now for before, now in former.items() if not listed(before, now, path.stem)} == {}


def test_renamed_metrics_are_listed() -> None:
    assert {before: now for before, now in renamed.METRICS.items() if not listed(before, now)} == {}


def test_an_unlisted_name_is_noticed() -> None:
    assert not listed("hidden", "latent_dim")
    assert not listed("states", "n_states", "vae")

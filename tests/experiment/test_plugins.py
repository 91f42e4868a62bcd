"""Objects of a package outside this one: built where the user allows it, and their code counts in the keys."""

import sys

import pytest

from trisynth import config as config_module
from trisynth.errors import InputError
from trisynth.experiment.job import Job
from trisynth.experiment.run import run_job

SOURCE = """
from dataclasses import dataclass
from sklearn.linear_model import LogisticRegression
from trisynth.evaluation.arms import Combined
from trisynth.evaluation.metrics.base import FidelityMetric
from trisynth.generators.copula import Copula

class Mine(Copula):
    pass

class Model(LogisticRegression):
    pass

@dataclass(frozen=True)
class Double(Combined):
    ratio: float = 2.0

@dataclass(frozen=True)
class Rows(FidelityMetric):
    factor: int = 1

    def _score(self, context):
        return {"rows": float(self.factor * len(context.synthetic))}
"""
PARTS = (
    "generator=copula",
    "generator._target_=plugins_of_mine.Mine",
    "classifier.classification._target_=plugins_of_mine.Model",
    "arms.combined._target_=plugins_of_mine.Double",
    "arms.combined.ratio=2.0",
    "+metrics.fidelity.rows={_target_: plugins_of_mine.Rows, factor: 3}",
)


@pytest.fixture
def module(tmp_path, monkeypatch):
    path = tmp_path / "plugins_of_mine.py"
    path.write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    config_module._source.cache_clear()
    yield path
    config_module._source.cache_clear()
    sys.modules.pop("plugins_of_mine", None)


def test_allowed_objects_run(config, module):
    result, _ = run_job(config(*PARTS, "allow=[plugins_of_mine]"))
    assert sum(result.counts["combined"].values()) == 3 * sum(result.counts["real"].values())
    assert result.metrics["fidelity/rows"] == 3 * sum(result.counts["real"].values())
    assert "mine" in result.name


@pytest.mark.parametrize("part", PARTS[1:4])
def test_others_are_refused(config, module, part):
    with pytest.raises(InputError, match=r"to admit an installed package, add allow=\[plugins_of_mine\]"):
        run_job(config("generator=copula", part))


@pytest.mark.parametrize(
    ("parts", "moved"),
    [
        (PARTS[:2], {"key", "generator"}),
        (PARTS[2:3], {"key", "arm"}),
        (PARTS[3:5], {"key", "arm"}),
        (PARTS[5:], {"key", "comparison"}),
    ],
)
def test_their_code_moves_the_keys_of_what_they_decide(config, module, parts, moved):
    def keys():
        job = Job.from_config(config(*parts, "allow=[plugins_of_mine]"))
        return {
            "key": job.key,
            "split": job.split_key,
            "generator": job.generator_key,
            "arm": job.arm_key("combined", None),
            "comparison": job.comparison_key(None),
        }

    before = keys()
    module.write_text(SOURCE.replace("pass", "extra = 1"))
    config_module._source.cache_clear()
    after = keys()
    assert {name for name in before if before[name] != after[name]} == moved


def test_a_package_of_the_current_folder_is_imported_only_once_it_is_admitted(tmp_path, monkeypatch):
    (tmp_path / "planted_here.py").write_text(
        "from trisynth.generators.copula import Copula as Base\nclass Mine(Base): ..."
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])
    with pytest.raises(InputError, match=r"add allow=\[planted_here\]"):
        config_module.locate("planted_here.Mine")
    assert str(tmp_path) not in sys.path and "planted_here" not in sys.modules
    assert config_module.locate("planted_here.Mine", allow=["planted_here"]).__name__ == "Mine"
    assert sys.path[-1] == str(tmp_path)
    sys.modules.pop("planted_here")

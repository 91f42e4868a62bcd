"""Extension from outside the repository: a user's yaml files, packages named in allow, and entry points."""

import os
import sys

import pytest

from trisynth import config as configs
from trisynth.commandline import choices, composed, enter
from trisynth.errors import InputError
from trisynth.experiment.run import run_job
from trisynth.sweeps.objectives import check

PACKAGE = """\
from dataclasses import dataclass

from sklearn.naive_bayes import GaussianNB
from trisynth.evaluation.metrics.base import FidelityMetric
from trisynth.generators.independent import Independent


class Generator(Independent):
    def __init__(self, loops=1):
        self.loops = loops


class Classifier(GaussianNB):
    pass


@dataclass(frozen=True)
class Width(FidelityMetric):
    scale: float = 1.0

    def _score(self, context):
        return {"width": self.scale * context.synthetic.X.shape[1]}
"""
YAMLS = {
    "generator/mine.yaml": "_target_: {name}.Generator\nloops: 2\n",
    "classifier/mine.yaml": "name: mine\nclassification: {{_target_: {name}.Classifier}}\n",
    "metrics/mine.yaml": (
        "utility:\n  ranking: {{_target_: trisynth.evaluation.metrics.utility.Ranking}}\n"
        "fidelity:\n  width: {{_target_: {name}.Width, scale: 2.0}}\n"
    ),
}


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """A package on Python's path and a folder of yaml files that name its classes; returns both."""
    name = "outside_package"
    (tmp_path / f"{name}.py").write_text(PACKAGE)
    for file, text in YAMLS.items():
        path = tmp_path / "conf" / file
        path.parent.mkdir(parents=True)
        path.write_text(text.format(name=name))
    monkeypatch.syspath_prepend(tmp_path)
    yield name, tmp_path / "conf"
    sys.modules.pop(name, None)
    configs._source.cache_clear()


def given(overrides, tmp_path, *more: str) -> list[str]:
    mine = {"generator": "mine", "classifier": "mine", "metrics": "mine"}
    return overrides(tmp_path, "classes", *(f"{group}={choice}" for group, choice in mine.items()), *more)


@pytest.mark.parametrize("how", ["--config-dir={}", "hydra.searchpath=[file://{}]"])
def test_a_generator_a_classifier_and_a_metric_of_a_package(overrides, tmp_path, outside, how):
    name, conf = outside
    arguments = [*given(overrides, tmp_path, f"allow=[{name}]"), how.format(conf)]
    assert choices.options("generator", arguments).count("mine") == 1
    result, _ = run_job(composed(arguments))
    assert result.metrics["fidelity/width"] == 8.0
    assert result.config["generator"]["loops"] == 2
    assert 0 <= result.metrics["real/roc_auc"] <= 1


def test_without_permission_one_line_names_the_remedy(overrides, tmp_path, outside):
    name, conf = outside
    with pytest.raises(InputError, match=rf"^generator\._target_='{name}.Generator': .*add allow=\[{name}\]"):
        run_job(composed([*given(overrides, tmp_path), f"--config-dir={conf}"]))
    assert name not in sys.modules


def test_its_source_counts_in_keys(overrides, tmp_path, outside):
    from trisynth.experiment.job import Job

    name, conf = outside
    config = composed([*given(overrides, tmp_path, f"allow=[{name}]"), "--config-dir", str(conf)])
    before = Job.from_config(config).key
    (tmp_path / f"{name}.py").write_text(PACKAGE.replace("self.scale *", "2 * self.scale *"))
    configs._source.cache_clear()
    assert Job.from_config(config).key != before


def test_a_choice_that_exists_only_there_is_suggested(outside):
    _, conf = outside
    with pytest.raises(InputError, match="did you mean mine"):
        choices.check("generator=mime", [f"--config-dir={conf}"])


@pytest.fixture
def entry_points(tmp_path, outside):
    """Metadata of an installed package that declares a generator and a classifier."""
    name, _ = outside
    info = tmp_path / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[trisynth.generators]\nshiny = {name}:Generator\n\n[trisynth.classifiers]\nplain = {name}:Classifier\n"
    )
    choices.installed.cache_clear()
    yield name
    choices.installed.cache_clear()


def test_entry_points_are_choices_and_are_listed(overrides, tmp_path, entry_points, capsys):
    from trisynth.__main__ import main

    assert main(["run", "--help"]) == 0
    text = capsys.readouterr().out
    assert f"generator=shiny allow=[{entry_points}]" in text
    assert f"classifier=plain allow=[{entry_points}]" in text
    mine = ["generator=shiny", "classifier=plain", f"allow=[{entry_points}]"]
    result, _ = run_job(composed(overrides(tmp_path, "classes", *mine)))
    assert result.config["generator"]["_target_"] == f"{entry_points}.Generator"
    assert result.config["classifier"]["name"] == "plain"


def test_a_sweep_starts_again_when_a_file_outside_changes(overrides, tmp_path, outside, command):
    name, conf = outside
    arguments = ["-m", *given(overrides, tmp_path, f"allow=[{name}]", "hydra/launcher=basic")]
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}

    def printed() -> str:
        done = command("run", *arguments, "--config-dir", str(conf), cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "nothing to run" not in printed()
    assert "nothing to run" in printed()
    (conf / "generator" / "mine.yaml").write_text(YAMLS["generator/mine.yaml"].format(name=name).replace("2", "3"))
    assert "nothing to run" not in printed()
    (tmp_path / f"{name}.py").write_text(PACKAGE.replace("self.scale *", "2 * self.scale *"))
    assert "nothing to run" not in printed()


@pytest.mark.parametrize(
    "arguments",
    [["--config-dir", "missing"], ["--config-dir="], ["hydra.searchpath=[missing]"], ["hydra.searchpath=[file:///no]"]],
)
def test_a_folder_of_choices_must_exist(arguments):
    with pytest.raises(InputError, match="no such folder"):
        composed(arguments)


def test_a_choice_that_is_no_yaml_is_one_line(outside, capsys):
    _, conf = outside
    (conf / "generator" / "torn.yaml").write_text("a: 1\n_target_: [x\n")
    with pytest.raises(SystemExit) as caught:
        enter("prepare", ["--config-dir", str(conf), "generator=torn"])
    error = capsys.readouterr().err
    assert caught.value.code == 2
    assert error.startswith("error: ") and error.count("\n") == 1 and "torn.yaml, line" in error


@pytest.mark.parametrize("setting", ["allow=3", "paths.runs=null", "paths=null", "objective=3", "objective=[]"])
def test_settings_of_a_wrong_type_are_one_line(overrides, tmp_path, setting):
    with pytest.raises(InputError):
        config = composed([*overrides(tmp_path, "classes"), setting])
        check(config["objective"])
        run_job(config)

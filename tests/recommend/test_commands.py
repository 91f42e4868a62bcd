"""Both commands end with the table of the trials and one sentence, and say the same again from the store."""

import pytest

from trisynth import commandline, sampling
from trisynth.experiment.run import run_job

BRIEF = (
    "generator=auto",
    *(f"~generator.candidates.{name}" for name in ("arf", "circuit", "vae_rec", "vae_dist", "vae_model")),
    "~generator.classifiers.boosting",
    "generator.folds=4",
    "generator.repeats=1",
)


def heard(text: str) -> list[str]:
    """From the table's head to the sentence."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:2] == ["stage", "candidate"])
    stop = next(i for i, line in enumerate(lines) if line.startswith("auto: "))
    return lines[start : stop + 1]


def test_synthesize_prints_trials_and_advice(overrides, tmp_path, capsys):
    sampling.main([*overrides(tmp_path, "classes", *BRIEF), "n=9", f"out={tmp_path / 'rows.csv'}"])
    said = heard(capsys.readouterr().out)
    assert len([line for line in said if line.split()[0] == "choose"]) == 8
    assert (tmp_path / "rows.csv").read_text().count("\n") == 10


@pytest.mark.parametrize("task", ["classes", "number"])
def test_run_prints_trials_and_advice(config, capsys, task):
    resolved, said = config(*BRIEF, "arms=advised", task=task), []
    for cached in (False, True):
        result, known = run_job(resolved)
        assert known == cached
        commandline.show(result, resolved)
        said.append(heard(capsys.readouterr().out))
    assert said[0] == said[1]
    assert result.metrics["generator/none"] in (0, 1)
    assert result.metrics["generator/budget_spent_out"] == 0
    if result.metrics["generator/none"]:
        metric = "r2" if task == "number" else "roc_auc"
        assert result.metrics[f"advised/{metric}"] == result.metrics[f"real/{metric}"]


def test_a_generator_without_words_leaves_none(config, capsys):
    resolved = config("arms=minimal")
    commandline.show(run_job(resolved)[0], resolved)
    assert "auto:" not in capsys.readouterr().out

"""Names, parameters, metrics and times of a run in MLflow."""

import json
import os
import subprocess

import pytest

from trisynth.experiment.results import Result
from trisynth.tracking import content
from trisynth.tracking.content import headline, history, note, params, times


def result(**config):
    chosen = {"dataset": {"name": "mine"}, "generator": {"_target_": "trisynth.generators.smote.Smote"}}
    return Result("key", "mine smote", {**chosen, "classifier": {"name": "forest"}, "seed": 3, **config}, {})


def test_training_curves_are_read_where_there_are_any(tmp_path):
    assert list(history(tmp_path)) == []
    (tmp_path / "history.json").write_text(json.dumps({"rec": [1.0, 0.5]}))
    assert list(history(tmp_path)) == [("train/rec", 0, 1.0), ("train/rec", 1, 0.5)]


def test_parameters_are_few_and_short():
    assert params(result()) == {"dataset": "mine", "generator": "smote", "classifier": "forest", "seed": "3"}
    network = {"_target_": "trisynth.generators.neural.vae.Vae", "loss": {"alpha": 1.0, "beta": 0.1, "gamma": 0.0}}
    assert params(result(generator=network)).items() >= {"loss.alpha": "1.0", "loss.gamma": "0.0"}.items()


def test_headline_metrics_come_first_in_the_order_of_the_views():
    metrics = {f"{arm}/{m}": 0.1 for arm in ("gain", "real", "combined") for m in ("accuracy", "f1_macro", "roc_auc")}
    metrics |= {"fidelity/c2st_boosting": 0.6, "copying/dcr_share": 0.5}
    short = headline(metrics)
    assert list(short) == ["F1_gain", "F1_real", "F1_combined", "C2ST", "DCR_share"]
    assert sorted({**metrics, **short})[: len(short)] == sorted(short)


@pytest.mark.parametrize(("metric", "short"), [("r2", "R2_gain"), ("roc_auc", "AUC_gain"), ("accuracy", None)])
def test_other_tasks_have_headlines_of_their_own(metric, short):
    assert list(headline({f"gain/{metric}": 0.1})) == ([short] if short else [])


def test_a_job_ends_when_its_result_was_written(tmp_path):
    found = Result("key", "mine", {}, {}, timings={"fit": 2.0, "classify": 1.5})
    folder = found.write(tmp_path)
    os.utime(folder / "result.json", (1000.0, 1000.0))
    assert times(found, tmp_path) == (996_500, 1_000_000)


def test_outside_a_clone_there_is_no_commit(monkeypatch, tmp_path):
    monkeypatch.setattr(content, "ROOT", tmp_path)
    content._log_of.cache_clear()
    assert "mlflow.source.git.commit" not in content.source_tags(1_000_000)
    content._log_of.cache_clear()


def test_a_long_description_is_its_last_paragraph():
    assert note("table\n\nsentence\n") == {"mlflow.note.content": "```\ntable\n\nsentence\n```"}
    assert note("x" * 9000 + "\n\nsentence\n") == {"mlflow.note.content": "```\nsentence\n```"}


def test_the_commit_is_the_one_that_was_checked_out_then(monkeypatch, tmp_path):
    def git(*line, when):
        day = f"{when} +0000"
        environment = {**os.environ, "GIT_AUTHOR_DATE": day, "GIT_COMMITTER_DATE": day}
        named = ("-c", "user.name=Somebody of Two Names", "-c", "user.email=a@b", "-C", str(tmp_path))
        done = subprocess.run(["git", *named, *line], check=True, capture_output=True, text=True, env=environment)
        return done.stdout.strip()

    git("init", "-q", when=1_000_000_000)
    commits = {}
    for when in (1_000_000_000, 1_000_001_000):
        git("commit", "-q", "--allow-empty", "-m", "tab\tin a message", when=when)
        commits[when] = git("rev-parse", "HEAD", when=when)
    monkeypatch.setattr(content, "ROOT", tmp_path)
    content._log_of.cache_clear()
    found = [content.source_tags(1000 * end)["mlflow.source.git.commit"] for end in (1_000_000_500, 1_000_002_000)]
    content._log_of.cache_clear()
    assert found == list(commits.values())

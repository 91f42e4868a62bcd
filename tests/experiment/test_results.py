"""A result on disk is whole, the same bytes each time, and the last thing that a job writes."""

import json
import math

import pytest

from trisynth.errors import InputError
from trisynth.experiment import results
from trisynth.experiment.results import Result, table, write_failure

CONFIG = {
    "dataset": {"name": "patients"},
    "generator": {"_target_": "trisynth.generators.neural.vae.VAE", "loss": {"alpha": 1, "beta": 0.5, "gamma": 2}},
    "classifier": {"name": "logistic"},
    "seed": 3,
}


def result(**changes) -> Result:
    values = {
        "key": "abc",
        "name": "patients vae logistic seed=3",
        "config": CONFIG,
        "metrics": {"real/f1_macro": 0.5, "combined/recall_ja ärztlich": 1.0, "gain/f1_macro": -0.1},
        "digests": {"synthetic": "x"},
        "counts": {"real": {"sick": 3}},
        "timings": {"fit": 1.5},
    }
    return Result(**values | changes)


def test_what_is_written_is_read(tmp_path):
    result().write(tmp_path)
    assert Result.read(tmp_path, "abc") == result()
    assert Result.read(tmp_path, "abc").seconds(tmp_path) == {"fit": 1.5}


def test_timings_and_the_order_of_metrics_do_not_touch_the_bytes(tmp_path):
    one = result().write(tmp_path / "one") / "result.json"
    metrics = dict(reversed(result().metrics.items()))
    other = result(metrics=metrics, timings={"fit": 99.0}).write(tmp_path / "other") / "result.json"
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"key": "abc"}', '{"unknown": 1}', "\x00"])
def test_a_record_that_cannot_be_read_counts_as_absent(tmp_path, content):
    folder = result().write(tmp_path)
    (folder / "result.json").write_text(content)
    assert Result.read(tmp_path, "abc") is None


def test_an_absent_record_is_none(tmp_path):
    assert Result.read(tmp_path, "nothing") is None
    assert result().seconds(tmp_path) == {}


def test_the_result_comes_last(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(results, "write_atomic", lambda path, _: written.append(path.name))
    (tmp_path / "abc").mkdir()
    result().write(tmp_path)
    assert written == ["timings.json", "result.json"]


def test_numbers_that_json_has_not_are_refused_before_anything_is_half_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        result(metrics={"real/f1_macro": math.nan}).write(tmp_path)
    assert Result.read(tmp_path, "abc") is None


def test_a_failure_gives_way_to_a_result(tmp_path):
    write_failure(tmp_path, "abc", "ValueError: planted")
    assert json.loads((tmp_path / "abc" / "failure.json").read_text()) == {"key": "abc", "error": "ValueError: planted"}
    assert Result.read(tmp_path, "abc") is None
    folder = result().write(tmp_path)
    assert not (folder / "failure.json").exists()


def test_an_unwritable_folder_is_one_clear_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        result().write(tmp_path / "file")


def test_the_table_starts_with_what_identifies_a_job():
    plain = {**CONFIG, "generator": {"_target_": "trisynth.generators.smote.BorderlineSMOTE"}}
    frame = table([result(), result(key="def", config=plain, metrics={"real/accuracy": 1.0})])
    identity = ["key", "dataset", "generator", "classifier", "seed", "loss.alpha", "loss.beta", "loss.gamma"]
    assert list(frame.columns[: len(identity)]) == identity
    assert frame["generator"].tolist() == ["vae", "borderline_smote"]
    assert frame["loss.beta"][0] == 0.5
    assert frame["loss.beta"].isna()[1]
    assert frame["real/accuracy"].isna()[0]


def test_settings_that_were_varied_are_columns():
    def job(key, loss=None, **settings):
        known = {"_target_": "trisynth.generators.smote.SMOTE", **settings} if loss is None else CONFIG["generator"]
        return result(key=key, config={**CONFIG, "generator": known | ({"loss": loss} if loss else {})})

    jobs = [
        job("a", k_neighbors=1),
        job("b", k_neighbors=3),
        job("c", {"distance": "mmd"}),
        job("d", {"distance": "w"}),
    ]
    frame = table([*jobs, result(key="e", config={**CONFIG, "arms": {"combined": {"ratio": 2}}})])
    assert list(frame.columns[8:10]) == ["generator.k_neighbors", "loss.distance"]
    assert frame["generator.k_neighbors"].tolist()[:2] == [1, 3] and frame["generator.k_neighbors"][2:].isna().all()
    assert frame["loss.distance"].tolist()[2:4] == ["mmd", "w"]


def test_a_setting_that_goes_with_a_choice_is_no_column():
    smote = {**CONFIG, "generator": {"_target_": "trisynth.generators.smote.SMOTE", "k_neighbors": 5}}
    assert not [name for name in table([result(), result(key="b", config=smote)]) if name.startswith("generator.")]

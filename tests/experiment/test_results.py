"""A result on disk is whole, the same bytes each time, and the last thing that a job writes."""

import json
import math
import os
from dataclasses import asdict

import pytest
import yaml

from trisynth.cache import sealed, unsealed
from trisynth.errors import InputError
from trisynth.experiment import results
from trisynth.experiment.results import DamagedError, Result, is_whole, set_aside, table, write_failure

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


def reseal(path, change):
    """Change the content of a record and give it a digest that fits."""
    content = unsealed(path.read_text())
    change(content)
    path.write_text(sealed(content))


DAMAGES = {
    "empty": lambda text: "",
    "half": lambda text: text[: len(text) // 2],
    "another digit": lambda text: text.replace("0.5", "0.6", 1),
    "another name": lambda text: text.replace("patients", "patient5", 1),
    "a blank": lambda text: text.replace("\n", " \n", 1),
    "no digest": lambda text: "\n".join(line for line in text.splitlines() if ' "digest":' not in line) + "\n",
    "another digest": lambda text: text.replace(' "digest": "', ' "digest": "0', 1),
    "twice": lambda text: text + text,
    "a list": lambda text: "[]",
    "no mapping": lambda text: "3",
    "NaN": lambda text: text.replace("0.5", "NaN", 1),
    "deep": lambda text: "[" * 100_000,
    "zero bytes": lambda text: "\x00" * len(text),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_is_refused(tmp_path, damage):
    path = result().write(tmp_path) / "result.json"
    changed = DAMAGES[damage](path.read_text())
    assert changed != path.read_text()
    path.write_text(changed)
    with pytest.raises(DamagedError, match=r"^result='.*result.json': is damaged \(.+\); run its command again$"):
        Result.read(tmp_path, "abc")
    assert not is_whole(tmp_path, "abc")


@pytest.mark.parametrize("place", range(0, 900, 37))
def test_every_changed_bit_of_a_record_is_found(tmp_path, place):
    path = result().write(tmp_path) / "result.json"
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 1 << place % 8
    path.write_bytes(content)
    with pytest.raises(DamagedError):
        Result.read(tmp_path, "abc")


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(key="def"),
        lambda c: c.update(name=None),
        lambda c: c.update(config=[]),
        lambda c: c["config"].update(dataset={"name": 3}),
        lambda c: c["config"]["generator"].update(loss=[1]),
        lambda c: c["config"].pop("seed"),
        lambda c: c["config"].update(seed="1"),
        lambda c: c.update(metrics={"real/f1_macro": "0.5"}),
        lambda c: c.update(metrics={"real/f1_macro": True}),
        lambda c: c.update(metrics={"real/f1_macro": 10**400}),
        lambda c: c.update(counts={"real": 3}),
        lambda c: c.update(counts={"real": {"sick": 0.5}}),
        lambda c: c.update(digests=["x"]),
        lambda c: c.update(unknown=1),
        lambda c: c.pop("metrics"),
    ],
)
def test_a_wrong_shape_is_damage_even_with_a_digest_that_fits(tmp_path, change):
    path = result().write(tmp_path) / "result.json"
    reseal(path, change)
    with pytest.raises(DamagedError):
        Result.read(tmp_path, "abc")


def test_a_record_in_the_folder_of_another_is_refused(tmp_path):
    result().write(tmp_path).rename(tmp_path / "def")
    with pytest.raises(DamagedError, match="it is the result of key abc"):
        Result.read(tmp_path, "def")


@pytest.mark.parametrize("name", ["config.yaml", "timings.json", "history.json", "summary.txt"])
def test_a_changed_file_beside_a_record_is_found(tmp_path, name):
    (tmp_path / "abc").mkdir()
    for each in {"config.yaml", "history.json", "summary.txt"}:
        (tmp_path / "abc" / each).write_text("1")
    result().write(tmp_path)
    assert Result.read(tmp_path, "abc") == result()
    (tmp_path / "abc" / name).write_text("2")
    with pytest.raises(DamagedError, match=f"{name} beside it has changed"):
        Result.read(tmp_path, "abc")


def test_a_record_that_is_no_file_is_refused_without_waiting(tmp_path):
    path = result().write(tmp_path) / "result.json"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DamagedError, match="it is not a file"):
        Result.read(tmp_path, "abc")


def earlier(root, **changes):
    """Write a record as an earlier version did, without a digest and a manifest."""
    folder = root / "abc"
    folder.mkdir(parents=True)
    content = asdict(result(**changes))
    content.pop("timings")
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / "result.json").write_text(text + "\n")
    (folder / "config.yaml").write_text(yaml.safe_dump(content["config"]))
    return folder


def test_a_record_of_an_earlier_version_is_read_with_one_note(tmp_path, capsys):
    earlier(tmp_path)
    assert [Result.read(tmp_path, "abc") for _ in range(2)] == [result(), result()]
    assert capsys.readouterr().err.count("without a digest; they are read, but") == 1


@pytest.mark.parametrize("damage", ["config.yaml", "form", "infinite"])
def test_what_can_be_checked_of_an_earlier_version_is_checked(tmp_path, damage):
    folder = earlier(tmp_path, **({"metrics": {"real/f1_macro": math.inf}} if damage == "infinite" else {}))
    if damage == "config.yaml":
        (folder / "config.yaml").write_text("seed: 4\n")
    if damage == "form":
        (folder / "result.json").write_text((folder / "result.json").read_text().replace("{", "{ ", 1))
    with pytest.raises(DamagedError):
        Result.read(tmp_path, "abc")


def test_a_damaged_record_is_moved_and_never_lost(tmp_path):
    for number in (1, 2):
        path = result().write(tmp_path) / "result.json"
        path.write_text(f"damage {number}")
        assert set_aside(tmp_path, "abc") == tmp_path / "damaged" / f"abc-{number}"
        assert Result.read(tmp_path, "abc") is None
        assert (tmp_path / "damaged" / f"abc-{number}" / "result.json").read_text() == f"damage {number}"


def test_a_whole_record_is_never_moved(tmp_path):
    result().write(tmp_path)
    assert set_aside(tmp_path, "abc") is None
    assert Result.read(tmp_path, "abc") == result()


def test_an_absent_record_is_none(tmp_path):
    assert Result.read(tmp_path, "nothing") is None
    assert result().seconds(tmp_path) == {}


def test_the_result_comes_last(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(results, "write_atomic", lambda path, _: written.append(path.name))
    (tmp_path / "abc").mkdir()
    result().write(tmp_path)
    assert written == ["timings.json", "manifest.json", "result.json"]


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


@pytest.mark.parametrize("linked", ["abc", "abc/result.json"])
def test_a_link_is_no_result_and_what_it_leads_to_stays(tmp_path, linked):
    runs, elsewhere = tmp_path / "runs", tmp_path / "elsewhere"
    result().write(elsewhere)
    write_failure(elsewhere, "abc", "mine")
    (runs / linked).parent.mkdir(parents=True)
    (runs / linked).symlink_to(elsewhere / linked)
    before = {path.name: path.read_bytes() for path in (elsewhere / "abc").iterdir()}
    with pytest.raises(DamagedError, match="it is a link to another place"):
        Result.read(runs, "abc")
    assert not is_whole(runs, "abc")
    set_aside(runs, "abc")
    assert Result.read(runs, "abc") is None
    result().write(runs)
    assert Result.read(runs, "abc") == result()
    assert {path.name: path.read_bytes() for path in (elsewhere / "abc").iterdir()} == before

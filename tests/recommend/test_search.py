"""The search advises what helps, advises nothing where nothing does, and keeps its budget."""

import json
from concurrent.futures import BrokenExecutor, Future
from dataclasses import replace
from itertools import count

import numpy as np
import pandas as pd
import pytest
from notes import notes
from planted import WIDTH, scarce

from trisynth import data
from trisynth.commandline import composed
from trisynth.data import sequences
from trisynth.data.dataset import Dataset, Spec
from trisynth.errors import InputError
from trisynth.recommend.answer import answer
from trisynth.recommend.plan.settings import seconds
from trisynth.recommend.plan.suited import suited
from trisynth.recommend.pool import InProcess
from trisynth.recommend.recommendation import TRIAL_COLUMNS, Recommendation
from trisynth.recommend.search import Search


@pytest.fixture
def table(tmp_path):
    """Write a table of two classes and return its path."""

    def make(rows: int = 100, share: float = 0.5, noise: bool = False, width: int = 5) -> str:
        rng = np.random.default_rng(0)
        labels = (rng.permutation(rows) < share * rows).astype(int)
        frame = scarce(np.zeros(rows) if noise else labels, rng).iloc[:, :width]
        frame = frame.assign(y=np.where(labels, "well", "ill"))
        path = tmp_path / "mine.csv"
        frame.to_csv(path, index=False)
        return str(path)

    return make


@pytest.fixture
def searched(tmp_path):
    """Run a search with one classifier in this process, and return it with its answer."""

    def run(path: str, candidates: dict[str, str], *more: str, target: str = "y", **given) -> tuple[Search, object]:
        paths = [f"paths.{name}={tmp_path / name}" for name in ("raw", "cache", "runs", "sweeps")]
        config = composed(
            [
                "+recommend=default",
                "metrics=recommend",
                "tracking=none",
                "dataset=csv",
                f"dataset.path={path}",
                f"dataset.target={target}",
                "~recommend.classifiers.boosting",
                "recommend.repeats=1",
                "recommend.amounts=[1,4]",
                "recommend.folds=6",
                "recommend.choosing=2",
                *paths,
                *more,
            ]
        )
        named = {name: {"_target_": target} for name, target in candidates.items()}
        config["recommend"] = {**config["recommend"], "candidates": named}
        config["metrics"] = {**config["metrics"], "fidelity": {}}
        config["allow"] = ["planted"]
        workers = given.pop("workers", InProcess())
        search = Search(config, data.load(config["dataset"], config["paths"]["raw"]), workers, **given)
        search.run()
        return search, answer(search)

    return run


INDEPENDENT = "trisynth.generators.independent.Independent"
COPY = "trisynth.generators.copy.Copy"


def test_the_candidate_that_knows_the_density_is_advised(table, searched):
    more = "recommend.metric=roc_auc", "recommend.amounts=[4]", "recommend.repeats=2"
    search, found = searched(table(60, width=WIDTH), {"independent": INDEPENDENT, "oracle": "planted.Oracle"}, *more)
    assert found.use["candidate"] == "oracle"
    assert found.verdict.startswith("Use oracle, ")
    assert found.finished
    assert search.done == search.total
    confirmed = found.trials.query("stage == 'confirm'")
    assert confirmed["baseline"].tolist() == ["real", "duplicated", "oversampled", "class_weight"]
    assert (confirmed["lower"] < confirmed["gain"]).all()
    assert (confirmed["gain"] < confirmed["upper"]).all()
    assert list(found.trials) == list(TRIAL_COLUMNS)


@pytest.mark.parametrize(("added", "beside"), [("ngram", False), ("composed", True)])
def test_candidates_that_take_no_texts_make_way_for_one_that_does(tmp_path, searched, added, beside):
    rows = notes(60)
    rows = rows.assign(age=np.arange(60.0) % 37) if beside else rows
    rows.to_csv(tmp_path / "mine.csv", index=False)
    declared = ["+dataset.columns.note.kind=text", "+dataset.columns.note.generate=true", "recommend.amounts=[1]"]
    candidates = {"copula": "trisynth.generators.copula.Copula"}
    _, found = searched(str(tmp_path / "mine.csv"), candidates, *declared, target="state")
    assert set(found.trials["candidate"]) == {added} and not (found.trials["stage"] == "failed").any()
    line = "note: arrays or texts, which are modelled; candidates that do not take them are left out: copula; added: "
    assert f"{line}{added}." in found.notes


def test_series_of_unequal_lengths_are_left_to_a_candidate_that_takes_them():
    X = pd.DataFrame({"walk": sequences.column([np.zeros(3), np.ones(2)])})
    candidates = {"copula": {"_target_": "trisynth.generators.copula.Copula"}}
    found, notes = suited({"recommend": {"candidates": candidates}}, Dataset(X, None, Spec("walks", None)))
    assert list(found) == ["composed"]
    assert notes[0].endswith("candidates that do not take them are left out: copula; added: composed.")


def test_columns_of_noise_are_not_advised(table, searched):
    _, found = searched(table(120, noise=True), {"independent": INDEPENDENT})
    assert found.use is None
    assert found.verdict.startswith(("Synthetic rows do not help here", "Synthetic rows could not be shown to help"))
    assert found.sharing.startswith("To share a table, take independent")
    assert "does not guarantee privacy" in found.sharing


def test_what_copies_is_neither_advised_nor_shared(table, searched):
    _, found = searched(table(), {"copy": COPY})
    assert found.trials["copying"].all()
    assert found.use is None
    assert found.share is None
    assert found.verdict.startswith("Every candidate copies training rows")
    assert "copy copied training rows" in found.sharing


def test_what_copies_is_no_first_impression(table, searched):
    heard = []

    def listen(search: Search, event: str) -> None:
        if event == "trial" and "copy" in search.evidence.tried and search.evidence.alone():
            heard.append(answer(search).verdict)

    searched(table(), {"copy": COPY}, listen=listen)
    assert heard[0] == "No verdict yet: copy copied training rows, and no other candidate has been compared."


def test_a_candidate_that_fails_does_not_stop_the_others(table, searched):
    _, found = searched(table(), {"broken": "planted.Broken", "independent": INDEPENDENT})
    failed = found.trials.query("stage == 'failed'")
    assert failed["candidate"].tolist() == ["broken"]
    assert failed["problem"].item() == "FloatingPointError: overflow"
    assert set(found.trials.query("stage == 'choose'")["candidate"]) == {"independent"}


def test_a_numeric_target_is_scored_by_r2(table, searched):
    _, found = searched(table(), {"independent": INDEPENDENT}, target="x1")
    assert found.metric == "r2"
    assert found.arms["arm"].tolist()[:2] == ["real", "duplicated"]


def test_a_spent_budget_ends_the_search_and_the_same_command_continues_it(table, searched):
    ticks = count()
    path = table()
    search, found = searched(path, {"independent": INDEPENDENT}, "recommend.budget=30", clock=lambda: next(ticks))
    assert not found.finished
    assert found.seconds < 60
    again, done = searched(path, {"independent": INDEPENDENT})
    assert done.finished
    assert set(search.evidence.results) <= set(again.evidence.results)


class Hanging(InProcess):
    """Workers that end jobs of the baselines and a few others, or none; waiting takes all the time that it may."""

    def __init__(self, others: int = 0, baselines: bool = True):
        self.now, self.killed, self.others, self.baselines = 0.0, 0, others, baselines

    def submit(self, configs):
        """Run the jobs, or keep them for ever."""
        real = all("real" in config["arms"] for config in configs)
        self.others -= not real
        ends = self.baselines if real else self.others >= 0
        return super().submit(configs) if ends else Future()

    def wait(self, futures, timeout):
        """Move the clock on to the end of the wait."""
        found = {future for future in futures if future.done()}
        self.now += 0.01 if found else timeout
        return found

    def kill(self):
        """Count the calls."""
        self.killed += 1


def test_trials_that_never_end_are_stopped_when_the_budget_is_spent(table, searched):
    workers = Hanging(others=2)
    given = {"workers": workers, "clock": lambda: workers.now}
    search, found = searched(table(), {"independent": INDEPENDENT}, "recommend.budget=100", **given)
    assert search.deadline == 92
    assert workers.now == pytest.approx(92, abs=0.1)
    assert workers.killed
    assert not found.finished
    assert found.verdict.startswith("Not confirmed yet: ")


@pytest.mark.parametrize(
    ("baselines", "why"), [(True, "scored best on one fold (macro-F1 "), (False, "the only trial")]
)
def test_a_search_without_any_comparison_goes_on_a_little_and_states_why(table, searched, baselines, why):
    workers, heard = Hanging(baselines=baselines), []
    given = {"workers": workers, "clock": lambda: workers.now, "listen": lambda search, event: heard.append(event)}
    _, found = searched(table(), {"independent": INDEPENDENT}, "recommend.budget=30", **given)
    assert workers.now == pytest.approx(33)
    assert workers.killed
    assert heard.count("nothing") == 1
    assert found.verdict.startswith("No verdict yet: after 33 s no candidate has been compared with the real rows")
    assert why in found.verdict
    assert "--budget 10min" in found.surer


def test_a_longer_end_than_expected_moves_the_deadline(table, searched):
    workers = Hanging(others=2)

    def listen(search: Search, event: str) -> None:
        search.reserve = 40

    given = {"workers": workers, "clock": lambda: workers.now, "listen": listen}
    searched(table(), {"independent": INDEPENDENT}, "recommend.budget=100", **given)
    assert workers.now == pytest.approx(60, abs=0.1)


def test_a_large_table_is_looked_at_in_few_rows_first(table, searched, monkeypatch):
    monkeypatch.setattr("trisynth.recommend.plan.level.GLANCE", 40)
    monkeypatch.setattr("trisynth.recommend.answer.GLANCE", 40)
    ticks, heard = count(), []

    def listen(search: Search, event: str) -> None:
        if event == "first":
            heard.append(answer(search).verdict)

    given = {"clock": lambda: next(ticks), "listen": listen}
    search, _ = searched(table(), {"independent": INDEPENDENT}, "recommend.budget=400", **given)
    assert heard[0].startswith(
        "First impression, preliminary and possibly chance (one fold, one classifier, 40 training rows)"
    )
    assert heard[0].endswith("Nothing is confirmed, and later trials can reverse this.")
    (look,) = search.evidence.glances["independent"]
    assert look.config["fold"]["rows"] == 40
    assert all(not fold.rows for _, fold in search.evidence.results)


class Slow(InProcess):
    """Workers whose jobs of the second classifier take most of the budget, by a clock of their own."""

    def __init__(self):
        self.now = 0.0

    def submit(self, configs):
        """Run the jobs and move the clock on."""
        seconds = sum(30.0 if config["classifier"]["name"] == "knn" else 0.5 for config in configs)
        self.now += seconds
        future = Future()
        future.set_result(replace(super().submit(configs).result(), seconds=seconds))
        return future


@pytest.mark.parametrize("budget", [100, 130])
def test_a_short_budget_ends_with_a_confirmed_candidate(table, searched, budget):
    workers = Slow()
    more = "+classifier@recommend.classifiers.knn=knn", f"recommend.budget={budget}", "recommend.amounts=[1]"
    given = {"workers": workers, "clock": lambda: workers.now}
    search, found = searched(table(60, noise=True), {"independent": INDEPENDENT}, *more, **given)
    assert search.level.lower
    assert workers.now < budget
    assert found.arms["folds"].min() == 4
    assert "with only logistic of 2 classifiers" in found.verdict


class Losing(InProcess):
    """Workers that are lost on their first jobs."""

    def __init__(self, times: int):
        self.left = times

    def submit(self, configs):
        """Fail as loky does when a process is killed."""
        if not self.left:
            return super().submit(configs)
        self.left -= 1
        future = Future()
        future.set_exception(BrokenExecutor("a process was killed"))
        return future


def test_jobs_of_a_killed_process_run_again_once(table, searched):
    search, found = searched(table(), {"independent": INDEPENDENT}, workers=Losing(1))
    assert found.finished
    assert not search.evidence.problems
    with pytest.raises(InputError, match="the real rows alone could not be scored"):
        searched(table(noise=True), {"independent": INDEPENDENT}, workers=Losing(99))


def test_the_first_verdict_comes_before_a_tenth_of_the_budget_is_over(table, searched):
    ticks, heard = count(), []

    def listen(search: Search, event: str) -> None:
        heard.append(event)
        if event == "first":
            heard.append(answer(search).verdict)
            assert 10.4 <= search.elapsed() < 13

    given = {"clock": lambda: next(ticks) / 4, "listen": listen}
    searched(table(), {"independent": INDEPENDENT}, "recommend.budget=130", **given)
    assert heard.count("first") == 1
    assert heard[heard.index("first") + 1].startswith("Not confirmed yet: ")


def test_the_same_seed_gives_the_same_answer_and_survives_the_file(table, searched, tmp_path):
    path = table(noise=True)
    found = [searched(path, {"independent": INDEPENDENT}, f"paths.runs={tmp_path / n}")[1] for n in ("a", "b")]
    pd.testing.assert_frame_equal(found[0].trials, found[1].trials)
    found[0].write(tmp_path / "answer")
    read = Recommendation.read(tmp_path / "answer")
    assert (read.verdict, read.sharing, read.surer, read.seed) == (
        found[0].verdict,
        found[0].sharing,
        found[0].surer,
        0,
    )
    assert read.trials["gain"].tolist() == pytest.approx(found[0].trials["gain"].tolist())
    assert json.loads((tmp_path / "answer" / "recommendation.json").read_text())["data"]["rows"] == 100


@pytest.mark.parametrize(
    ("rows", "share", "message"),
    [
        (
            12,
            0.5,
            "recommend.folds=10: the second largest class of y has 6 rows, which are too few; set recommend.folds=6",
        ),
        (12, 0.2, "recommend.folds=10: the second largest class of y has 3 rows, which are too few; add rows"),
    ],
)
def test_too_few_rows_are_one_line(table, searched, rows, share, message):
    with pytest.raises(InputError) as error:
        searched(table(rows, share), {"independent": INDEPENDENT}, "recommend.folds=10")
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("recommend.budget=1e9h", "recommend.budget='1e9h': must be a time above zero"),
        ("recommend.budget=999999h", "recommend.budget='999999h': must be at most a year"),
        ("recommend.budget=0", "recommend.budget=0: must be a time above zero"),
        ("recommend.budget=soon", "recommend.budget='soon'"),
        ("recommend.budget=true", "recommend.budget=True"),
        ("recommend.amounts=[]", "recommend.amounts=[]: must be a list"),
        ("recommend.amounts=[0]", "recommend.amounts=0: must hold ratios > 0 or balance"),
        ("recommend.metric=auc", "recommend.metric='auc': must be one of roc_auc"),
        ("recommend.folds=3", "recommend.folds=3: must be a whole number, 4 or more"),
        ("recommend.repeats=1000000000000", "recommend.repeats=1000000000000: must be at most 1000"),
        ("recommend.choosing=9", "recommend.choosing=9: must leave at least 2"),
        ("recommend.n_jobs=0", "recommend.n_jobs=0"),
        ("~recommend.copying.identical", "recommend.copying={'memorised': 0.5}: must have limits"),
        ("recommend.copying.memorised=2", "recommend.copying.memorised=2: must be a number, from 0 to 1"),
        ("+recommend.rounds=2", "recommend=['amounts'"),
        ("recommend.amounts=[balance]", "recommend.amounts=['balance']: leaves nothing to try"),
        ("+dataset.time=x0", "dataset.time='x0': splits by time, but folds are dealt at random"),
    ],
)
def test_a_bad_setting_is_one_line(table, searched, override, message):
    with pytest.raises(InputError) as error:
        searched(table(), {"independent": INDEPENDENT}, override)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("10min", 600), ("1.5h", 5400), (600, 600), ("2 min", 120)])
def test_budgets(text, value):
    assert seconds(text) == value


def test_intervals_that_hold_together_are_wider(table, searched):
    search, _ = searched(table(noise=True), {"independent": INDEPENDENT})
    alone, together = search.evidence.over_real(), search.evidence.over_real(together=True)
    assert list(alone) == [name for name in search.evidence.baselines if name != "real"] == list(together)
    assert all(together[name].mean == alone[name].mean for name in alone)
    assert all(together[name].half > alone[name].half for name in alone if alone[name].half > 0)

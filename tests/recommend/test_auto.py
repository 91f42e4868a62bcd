"""The search recommends what helps, recommends none where nothing does, and tests no row on a fit that used it."""

import math

import numpy as np
import pandas as pd
import pytest
from tables import apart

from trisynth.data.dataset import Dataset, Spec
from trisynth.encoders.table import TableEncoder
from trisynth.errors import InputError
from trisynth.evaluation.arms import BALANCE, Real
from trisynth.generators.base import Generator
from trisynth.generators.base import fit as fit_config
from trisynth.generators.copula import Copula
from trisynth.generators.copy import Copy
from trisynth.generators.independent import Independent
from trisynth.generators.smote import SMOTE
from trisynth.recommend import search
from trisynth.recommend.auto import Auto
from trisynth.recommend.folds import deal, make_folds
from trisynth.recommend.summary import sentence

LOGISTIC = {
    "classification": {"_target_": "sklearn.linear_model.LogisticRegression"},
    "regression": {"_target_": "sklearn.linear_model.Ridge"},
}
WIDTH = 20


def scarce(labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of two classes that differ in the difference of two columns, beside columns that only mislead."""
    X = rng.normal(size=(len(labels), WIDTH))
    X[:, 1] = X[:, 0] + 0.3 * X[:, 1] + 0.7 * (labels - 0.5)
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(WIDTH)])


def table(rows: int = 100, seed: int = 0, share: float = 0.5) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    labels = (rng.permutation(rows) < share * rows).astype(int)
    return scarce(labels, rng), pd.Series(labels, name="y")


class Oracle(Generator):
    """Knows the density of ``scarce``."""

    def _fit(self, table, labels, rng):
        self.width_ = table.shape[1]

    def _sample(self, labels, rng):
        return scarce(labels, rng)


class Broken(Independent):
    """Fails on every table."""

    def _fit(self, table, labels, rng):
        raise FloatingPointError("overflow")


class Spy(Independent):
    """Remembers the rows that each fit has seen."""

    seen: list = []  # noqa: RUF012

    def _fit(self, table, labels, rng):
        super()._fit(table, labels, rng)
        Spy.seen.append((frozenset(table["row"].astype(int)), set(table["mark"].cat.categories)))


def auto(**arguments) -> Auto:
    given = {"classifiers": {"logistic": LOGISTIC}, "folds": 10, "repeats": 1, "amounts": (1.0,)}
    return Auto(**given | {"candidates": {"independent": Independent()}} | arguments)


# What it advises


def test_the_candidate_that_knows_the_density_is_advised():
    candidates = {"independent": Independent(), "smote": SMOTE(), "oracle": Oracle()}
    found = auto(candidates=candidates, amounts=(0.5, 4.0), repeats=2).fit(*table())
    assert found.advice_["candidate"] == "oracle"
    assert found.advice_["amount"] == 4.0
    assert found.advice_["gain_over_real"] > 0.05
    assert 0 < found.advice_["lower"] < found.advice_["gain"]
    assert found.summary().splitlines()[-1].startswith("auto: oracle, ratio 4: ROC AUC +")
    assert isinstance(found.chosen_, Oracle)


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_not_advised(seed):
    found = auto(candidates={f"noise{i}": Independent() for i in range(4)}, amounts=(0.5, 1.0, 2.0, BALANCE))
    found.fit(*table(120, seed, share=0.3))
    assert found.advice_["amount"] == 0
    assert found.advice_["reason"]
    assert found.diagnostics()["none"] == 1
    assert ": none: " in found.summary().splitlines()[-1]
    assert len(found.sample(7)) == 7


def test_balancing_is_not_advised_where_oversampling_does_the_same(monkeypatch):
    X, y = table(600, share=0.1)
    found = auto(candidates={"copy": Copy()}, amounts=(BALANCE,), metric="balanced_accuracy")
    assert found.fit(X, y).advice_["amount"] == 0
    assert found.advice_["baseline"] in ("oversampled", "class_weight", "threshold")
    # Against the real rows alone it looks like a gift.
    monkeypatch.setattr(search, "baselines", lambda *_: {"real": Real()})
    assert found.fit(X, y).advice_["amount"] == BALANCE
    assert found.advice_["lower"] > 0


def test_balancing_is_not_tried_where_the_classes_are_level_or_the_target_is_a_number():
    X, y = table(100)
    for target in (y, X["x0"].rename("target") + 0.5):
        found = auto(amounts=(1.0, BALANCE)).fit(X, target)
        assert set(found.trials_["amount"]) == {"1.0"}


def test_where_no_amount_is_left_the_answer_is_none():
    found = auto(amounts=(BALANCE,)).fit(*table(100))
    assert found.advice_["amount"] == 0 and not len(found.trials_)
    assert found.summary() == "auto: none: there are no classes to balance"


def test_a_numeric_target_is_scored_by_r2():
    X, y = table(100)
    found = auto(candidates={"copula": Copula()}).fit(X, 3.0 * X["x1"].rename("z") + y)
    assert found.advice_["metric"] == "r2"
    assert set(found.trials_["baseline"]) <= {"real", "duplicated"}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [(8, "4 rows of a second class are too few"), (1, "0 rows of a second class are too few for 10 folds")],
)
def test_too_few_rows_are_named(rows, reason):
    found = auto().fit(*table(rows))
    assert reason in found.advice_["reason"]
    assert found.advice_["amount"] == 0 and not len(found.trials_)
    assert len(found.sample(5)) == 5


def test_the_bound_must_hold_against_every_baseline():
    found = auto(candidates={"oracle": Oracle()}, amounts=(4.0,), repeats=2).fit(*table())
    confirmed = found.trials_.query("stage == 'confirm'")
    assert sorted(confirmed["baseline"]) == ["class_weight", "duplicated", "oversampled", "real"]
    assert found.advice_["lower"] == confirmed["lower"].min()
    assert (found.advice_["amount"] != 0) == (confirmed["lower"] > 0).all()


# Nothing leaks


def test_no_row_tests_a_fit_that_used_it_and_none_that_confirms_has_chosen():
    X, y = table(100)
    X = X.assign(row=np.arange(100.0), mark=pd.Categorical(np.arange(100).astype(str)))
    Spy.seen.clear()
    found = auto(candidates={"spy": Spy()}, repeats=2)
    # Whatever the gain, the second half of the folds shall be reached.
    real = search.Search._choose
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search.Search, "_choose", lambda self, rows, parts: real(self, rows, parts) and "")
        found.fit(X, y)
    *seen, (everything, _) = Spy.seen
    assert len(seen) == 4 + 2 * 6
    assert everything == set(range(100))
    held = [everything - rows for rows, _ in seen]
    choosing, first, second = frozenset().union(*held[:4]), held[4:10], held[10:]
    for folds in (first, second):
        assert sum(map(len, folds)) == len(frozenset().union(*folds)) == 60
        assert not choosing & frozenset().union(*folds)
    assert len(choosing) == sum(map(len, held[:4])) == 40
    assert first != second
    for rows, marks in seen:
        assert marks == {str(row) for row in rows}, "a category that only rows kept aside have was known to the fit"


def test_rows_kept_aside_move_neither_fit_nor_encoder():
    X, y = table(60)
    y = pd.Series(pd.Categorical(y.astype(str)), name="y")
    seen = []
    for shift in (0.0, 1e6):
        changed = X.copy()
        changed.iloc[:10] += shift
        fold = make_folds(Dataset(changed, y, Spec("t", "y")), [np.arange(10)], seed=0)[0]
        fitted, encoder = Copula().fit(fold.train), TableEncoder().fit(fold.train.X)
        seen.append((apart(fitted.sample(20))[0], encoder.medians_.tolist()))
        assert fold.held.X.max().max() >= shift
    assert seen[0][0].equals(seen[1][0]) and seen[0][1] == seen[1][1]


def test_every_label_is_dealt_out_in_turn():
    labels = np.repeat([0, 1, 2], [50, 23, 10])
    parts = deal(labels, [4, 6], np.random.default_rng(0))
    assert sorted(np.concatenate(parts)) == list(range(83))
    for part, share in zip(parts, (0.4, 0.6), strict=True):
        for label, rows in enumerate((50, 23, 10)):
            assert abs((labels[part] == label).sum() - share * rows) <= 2
    singles = deal(labels, [1] * 10, np.random.default_rng(0))
    assert all((labels[part] == 2).any() for part in singles)


# The budget


def test_without_a_budget_nothing_is_tried_and_the_summary_states_it():
    found = auto(budget=0).fit(*table())
    assert found.advice_["amount"] == 0
    assert found.diagnostics()["budget_spent_out"] == 1
    assert found.diagnostics()["trials"] == 0
    assert "the budget ended the search after 0 of 1 candidates" in found.summary()
    assert len(found.sample(3)) == 3


def test_a_spent_budget_stops_between_candidates(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(search.time, "process_time", lambda: next(clock))
    candidates = {"a": Independent(), "b": SMOTE(), "c": Copula()}
    found = auto(candidates=candidates, budget=2.5, amounts=(0.5, 1.0)).fit(*table())
    tried = found.trials_.query("stage == 'choose'")
    assert tried["candidate"].tolist() == ["a", "a", "b", "b"]
    assert found.diagnostics()["budget_spent_out"] == 1
    assert "after 2 of 3 candidates" in found.summary()


def test_an_ample_budget_changes_nothing(tmp_path):
    for name, budget in (("a", math.inf), ("b", 1e9)):
        auto(budget=budget).fit(*table()).set_params(budget=0.0).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# The chosen one


def test_it_draws_what_the_chosen_one_draws_alone():
    X, y = table(100)
    found = auto(candidates={"copula": Copula()}, amounts=(0.5, 1.0)).fit(X, y, seed=3)
    alone = Copula().fit(X, y, seed=3)
    for drawn, expected in zip(apart(found.sample(50, seed=4)), apart(alone.sample(50, seed=4)), strict=True):
        assert drawn.equals(expected)
    assert apart(found.chosen_.sample(50, seed=4))[0].equals(apart(found.sample(50, seed=4))[0])


def test_a_candidate_that_fails_is_reported_and_passed_over():
    found = auto(candidates={"broken": Broken(), "independent": Independent()}).fit(*table())
    failed = found.trials_.query("stage == 'failed'")
    assert failed["candidate"].tolist() == ["broken"]
    assert failed["problem"].item() == "FloatingPointError: overflow"
    assert found.advice_["candidate"] == "independent"


def test_a_candidate_that_cannot_be_fitted_is_passed_over_where_there_is_no_search():
    found = auto(candidates={"broken": Broken(), "independent": Independent()}).fit(*table(2))
    assert found.advice_["candidate"] == "independent"
    with pytest.raises(FloatingPointError):
        auto(candidates={"broken": Broken()}).fit(*table(2))


def test_trials_and_advice_survive_the_file(tmp_path):
    found = auto(candidates={"copula": Copula(), "smote": SMOTE()}, amounts=(1.0, BALANCE)).fit(*table(100, share=0.3))
    found.save(tmp_path / "auto")
    again = Generator.load(tmp_path / "auto")
    pd.testing.assert_frame_equal(again.trials_, found.trials_)
    assert repr(again.advice_) == repr(found.advice_)
    assert again.summary() == found.summary()
    assert again.advice_["amount"] == found.advice_["amount"]


# Bad arguments


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("candidates", {}, "candidates={}: must name at least one generator"),
        ("candidates", {"smoote": None}, "candidates.smoote=None: must name a generator"),
        ("candidates", {"s": {"_target_": "trisynth.generators.smote.Smoote"}}, "candidates.s._target_="),
        (
            "candidates",
            {"s": {"_target_": "sklearn.linear_model.Ridge"}},
            "candidates.s._target_='sklearn.linear_model.Ridge': must be a subclass of Generator",
        ),
        ("candidates", {"a": Auto()}, "candidates.a='Auto': must be a generator other than auto"),
        ("candidates", {"s": SMOTE(k_neighbors=0)}, "candidates.s.k_neighbors=0"),
        ("amounts", [], "amounts=[]: must be a list"),
        ("amounts", "balance", "amounts='balance': must be a list"),
        ("amounts", [0], "amounts=0: must hold ratios > 0 or balance"),
        ("amounts", [1.0, "all"], "amounts='all': must hold ratios > 0 or balance"),
        ("amounts", [math.inf], "amounts=inf"),
        ("classifiers", {}, "classifiers={}: must name at least one classifier"),
        ("classifiers", {"x": {"regression": None}}, "classifiers.x="),
        ("metric", "auc", "metric='auc': must be one of roc_auc"),
        ("folds", 3, "folds=3: must be a whole number, 4 or more"),
        ("folds", True, "folds=True"),
        ("repeats", 0, "repeats=0: must be a whole number, 1 or more"),
        ("confidence", 1.0, "confidence=1.0: must lie between 0.5 and 1"),
        ("budget", -1.0, "budget=-1.0: must be CPU seconds, 0 or more"),
        ("budget", math.nan, "budget=nan"),
        ("budget", "1h", "budget='1h'"),
    ],
)
def test_a_bad_argument_is_named_in_one_line(argument, value, message):
    with pytest.raises(InputError) as error:
        auto(**{argument: value}).fit(*table())
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_config_names_the_argument_as_it_is_typed():
    config = {"_target_": "trisynth.recommend.auto.Auto", "budget": -1}
    with pytest.raises(InputError, match=r"^generator\.budget=-1: "):
        fit_config(config, Dataset(*table(), Spec("mine", "y", "classification")), 0)


# Words


def test_sentences():
    advice = auto(candidates={"c": Copula()}).fit(*table()).advice_ | {
        "candidate": "circuit",
        "tried": 1.0,
        "baseline": "class_weight",
        "gain": 0.008,
        "lower": 0.001,
        "gain_over_real": 0.012,
        "lower_over_real": 0.004,
    }
    yes = "auto: circuit, ratio 1: ROC AUC +0.012 against real (95 % lower bound +0.004)"
    assert sentence(advice | {"reason": "", "baseline": "real"}) == yes
    assert sentence(advice | {"reason": ""}) == f"{yes}, +0.008 (+0.001) against class_weight, its strongest baseline"
    no = "auto: none: no gain is surely above zero; best was circuit, balance: ROC AUC +0.008 against class_weight"
    none = advice | {"reason": "no gain is surely above zero", "tried": BALANCE}
    assert sentence(none | {"lower": -0.002}) == f"{no} (95 % lower bound -0.002)"
    assert sentence(none | {"lower": math.nan}) == no

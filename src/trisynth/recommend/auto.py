"""Choice of a generator, its loss weights and the amount of its rows by validation, which may recommend none."""

import copy
import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from threadpoolctl import threadpool_limits

from trisynth.config import instantiate, parameters_of
from trisynth.data.dataset import TASKS, Dataset, Spec
from trisynth.encoders.table import TableEncoder
from trisynth.errors import InputError
from trisynth.evaluation.arms import BALANCE, adding
from trisynth.generators.base import Generator
from trisynth.places import subclass
from trisynth.recommend import summary
from trisynth.recommend.folds import DECISIONS, RANKING, REGRESSION, Panel
from trisynth.recommend.search import Search

# The state that a generator has before its hook is called.
_STATE = ("schema_", "numeric_target_", "target_", "target_column_", "labels_", "counts_")
_STATE += ("withheld_", "guards_", "order_", "rare_classes_")


def _vae(alpha: float, beta: float, gamma: float) -> dict[str, Any]:
    loss = {"_target_": "trisynth.objective.Loss", "alpha": alpha, "beta": beta, "gamma": gamma}
    return {"_target_": "trisynth.generators.neural.vae.VAE", "epochs": 20, "min_steps": 400, "loss": loss}


CANDIDATES = {
    "smote": {"_target_": "trisynth.generators.smote.SMOTE"},
    "copula": {"_target_": "trisynth.generators.copula.Copula"},
    "arf": {"_target_": "trisynth.generators.trees.arf.ARF"},
    "circuit": {"_target_": "trisynth.generators.circuit.Circuit"},
    "vae_rec": _vae(1.0, 0.0, 0.0),
    "vae_dist": _vae(1.0, 1.0, 0.0),
    "vae_model": _vae(1.0, 0.0, 1.0),
}
_BOOSTING = {"max_iter": 100, "learning_rate": 0.06, "max_leaf_nodes": 15, "l2_regularization": 1.0}
CLASSIFIERS = {
    "logistic": {
        "classification": {"_target_": "sklearn.linear_model.LogisticRegression", "C": 1.0, "max_iter": 1000},
        "regression": {"_target_": "sklearn.linear_model.Ridge", "alpha": 1.0},
    },
    "boosting": {
        task: {"_target_": f"sklearn.ensemble.HistGradientBoosting{kind}", **_BOOSTING, "early_stopping": False}
        for task, kind in (("classification", "Classifier"), ("regression", "Regressor"))
    },
}


class Auto(Generator):
    """Candidate whose rows gain most beside the real ones, with the recommendation to add them or not.

    Some of the folds choose: every candidate is fitted without the fold's rows, and every amount of its rows is put
    beside the real ones that it learned from; classifiers trained on both are tested on the fold. A trial's gain is
    that over its strongest baseline: the real rows alone, the same rows duplicated, oversampled or weighted by class.
    The best trial is then confirmed on the other folds. It is recommended only if its gain over *each* baseline has
    a lower confidence bound above zero there; otherwise the recommendation is none. Either way the best candidate is
    fitted to all rows, and draws exactly what it would draw alone with this seed.

    Parameters
    ----------
    candidates : mapping of str to generator
        Tried in this order, so the cheap ones come first. Generators, or configs as in ``conf/generator``.
    amounts : sequence of float or "balance"
        Synthetic rows for each real one, class shares kept; or those that fill every class up to the largest, which
        is left out where the target is a number.
    classifiers : mapping of str to mapping
        As in the files of ``conf/classifier``; a gain is the mean over them.
    metric : str, default="roc_auc"
        One of roc_auc, average_precision, f1_macro, balanced_accuracy, accuracy. The last three have one more
        baseline, a tuned threshold. A numeric target is always scored by R².
    folds : int, default=10
        Parts that the rows are dealt into, at least 4; two fifths choose and the others confirm.
    repeats : int, default=2
        How often the rows that confirm are dealt into their folds.
    confidence : float, default=0.95
        Of the one-sided lower bounds.
    budget : float, default=600.0
        CPU seconds for the search. When they are spent, the search stops before the next candidate; what it has found
        is still confirmed and fitted. Only a search that ended by itself gives the same bytes again.
    encoder : TableEncoder, default=None
        Encoder of the classifiers; None takes the standard one.

    Attributes
    ----------
    trials_ : DataFrame
        ``stage`` (choose, confirm, failed), ``candidate``, ``amount``, ``baseline``, ``gain`` (mean over the folds),
        ``lower`` (its bound; for the winner, unbiased only on the confirmation folds), ``folds``, ``problem``.
    advice_ : dict
        ``candidate``, ``amount`` (0 for none), ``reason`` (empty unless none), and what was confirmed.
    chosen_ : Generator
        Fitted to all rows.

    Notes
    -----
    The winner's own score is no estimate of what it gains (Varma & Simon 2006,
    https://doi.org/10.1186/1471-2105-7-91): the rows that confirm have chosen nothing. They were among the training
    rows of the fits that chose, as in the bootstrap of out-of-fold predictions by Tsamardinos, Greasidou & Borboudakis
    (2018), https://doi.org/10.1007/s10994-018-5714-4. The bound has the variance of Nadeau & Bengio (2003) for
    overlapping training sets, which is approximate; requiring it of all baselines at once needs no further
    correction (intersection-union test, Berger 1982).
    """

    def __init__(
        self,
        candidates: Mapping = CANDIDATES,
        amounts: tuple = (0.5, 1.0, 2.0, "balance"),
        classifiers: Mapping = CLASSIFIERS,
        metric: str = "roc_auc",
        folds: int = 10,
        repeats: int = 2,
        confidence: float = 0.95,
        budget: float = 600.0,
        encoder: BaseEstimator | None = None,
    ):
        self.candidates = candidates
        self.amounts = amounts
        self.classifiers = classifiers
        self.metric = metric
        self.folds = folds
        self.repeats = repeats
        self.confidence = confidence
        self.budget = budget
        self.encoder = encoder

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        candidates = self._checked()
        # The chosen candidate is fitted as if there had been no search.
        alone = copy.deepcopy(rng)
        with threadpool_limits(limits=1):
            search = self._search(candidates, self._dataset(table, labels), labels, int(rng.integers(2**31)))
        self.trials_, self.advice_ = search.table(), search.advice
        self._refit(candidates, search.ranking, table, labels, alone)

    def _sample(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        return self.chosen_._sample(labels, rng)

    def summary(self) -> str:
        """Return the table of the trials, and the recommendation in one line."""
        return summary.text(self.trials_, self.advice_)

    def diagnostics(self) -> dict[str, float]:
        """Return gain and bound over the strongest baseline and over the real rows, and the choice."""
        advice = self.advice_
        names = "gain_choosing", "gain", "lower", "gain_over_real", "lower_over_real"
        found = {name: advice[name] for name in names}
        found |= {"none": advice["amount"] == 0, "balance": advice["tried"] == BALANCE}
        found |= {"budget_spent_out": advice["spent_out"], "trials": (self.trials_["stage"] == "choose").sum()}
        found |= {f"chose/{advice['candidate']}": True}
        if advice["tried"] != BALANCE:
            found["ratio"] = advice["tried"]
        return {name: float(value) for name, value in found.items() if np.isfinite(value)}

    def _search(self, candidates: Mapping[str, Generator], data: Dataset, labels: np.ndarray, seed: int) -> Search:
        regression = self.numeric_target_
        panel = Panel(
            instantiate(self.classifiers, "classifiers"),
            REGRESSION if regression else self.metric,
            self.encoder if self.encoder is not None else TableEncoder(),
            data.classes,
        )
        balances = not regression and bool(adding(BALANCE).needs(data.counts))
        search = Search(
            data,
            labels,
            candidates,
            [amount for amount in self.amounts if amount != BALANCE or balances],
            panel,
            folds=self.folds,
            repeats=self.repeats,
            confidence=self.confidence,
            budget=self.budget,
            seed=seed,
        )
        search.run()
        return search

    def _refit(
        self,
        candidates: Mapping[str, Generator],
        ranking: list[str],
        table: pd.DataFrame,
        labels: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        """Fit the best candidate that can be fitted; a recommendation of one that cannot is withdrawn."""
        for name in ranking:
            chosen = clone(candidates[name])
            vars(chosen).update({key: value for key, value in vars(self).items() if key in _STATE})
            try:
                with parameters_of(f"candidates.{name}", chosen.get_params(deep=False)):
                    chosen._fit(table.copy(), labels, copy.deepcopy(rng))
            except (ArithmeticError, RuntimeError, ValueError) as error:
                if isinstance(error, InputError) or name == ranking[-1]:
                    raise
                continue
            if name != self.advice_["candidate"]:
                reason = f"{self.advice_['candidate']} could not be fitted to all rows"
                self.advice_ |= {"candidate": name, "amount": 0.0, "reason": self.advice_["reason"] or reason}
            self.chosen_ = chosen
            return

    def _dataset(self, table: pd.DataFrame, labels: np.ndarray) -> Dataset:
        """Return the canonical table as a data set; classes are the numbers of the labels, as text."""
        if self.numeric_target_:
            spec = Spec("auto", self.target_column_, "regression")
            return Dataset(table.drop(columns=self.target_column_), table[self.target_column_], spec)
        y = pd.Categorical.from_codes(labels, [str(i) for i in range(len(self.labels_))])
        return Dataset(table, pd.Series(y, name="label"), Spec("auto", "label"))

    def _checked(self) -> dict[str, Generator]:
        """Build the candidates and check every argument."""
        if not isinstance(self.candidates, Mapping) or not self.candidates:
            raise InputError("candidates", self.candidates, "must name at least one generator")
        for name, value in self.candidates.items():
            described = isinstance(value, Mapping) and "_target_" in value
            if not described and not isinstance(value, Generator):
                raise InputError(
                    f"candidates.{name}", value, "must name a generator by _target_, like the files of conf/generator"
                )
        candidates = instantiate(dict(self.candidates), "candidates", kind=subclass(Generator))
        for name, value in candidates.items():
            if not isinstance(value, Generator) or isinstance(value, Auto):
                raise InputError(f"candidates.{name}", type(value).__name__, "must be a generator other than auto")
        if not isinstance(self.amounts, Sequence) or isinstance(self.amounts, str) or not len(self.amounts):
            raise InputError("amounts", self.amounts, "must be a list of ratios or balance, such as [0.5,1,balance]")
        for amount in self.amounts:
            if amount != BALANCE and not (_is_number(amount) and 0 < amount < math.inf):
                raise InputError("amounts", amount, "must hold ratios > 0 or balance")
        if not isinstance(self.classifiers, Mapping) or not self.classifiers:
            raise InputError("classifiers", self.classifiers, "must name at least one classifier")
        for name, value in self.classifiers.items():
            for task in TASKS:
                if not isinstance(value, Mapping) or task not in value:
                    raise InputError(f"classifiers.{name}", value, "must have the keys of a file of conf/classifier")
        if self.metric not in (*RANKING, *DECISIONS):
            raise InputError("metric", self.metric, f"must be one of {', '.join((*RANKING, *DECISIONS))}")
        for name, least in (("folds", 4), ("repeats", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InputError(name, value, f"must be a whole number, {least} or more")
        if not _is_number(self.confidence) or not 0.5 <= self.confidence < 1:
            raise InputError("confidence", self.confidence, "must lie between 0.5 and 1")
        if not _is_number(self.budget) or not self.budget >= 0:
            raise InputError("budget", self.budget, "must be CPU seconds, 0 or more")
        return candidates


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)

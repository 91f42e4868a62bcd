"""The recommendation that a search supports so far."""

from collections.abc import Mapping
from typing import Any

from trisynth.config import versions
from trisynth.recommend import verdict
from trisynth.recommend.evidence import Evidence
from trisynth.recommend.plan.level import GLANCE
from trisynth.recommend.recommendation import Recommendation
from trisynth.recommend.search import Search
from trisynth.recommend.trials import BASELINES, Trial, jobs

# An interval of fewer folds is hardly one.
_LEAST_FOLDS = 3


def answer(search: Search) -> Recommendation:
    """Build the recommendation of a search, which may still run or have been interrupted."""
    evidence, chosen = search.evidence, search.chosen
    found = finding(search)
    tables = evidence.tables()
    fit = tables.loc[~tables["copying"].astype(bool)]
    shared = None if fit.empty else str(fit.iloc[0]["candidate"])
    copying = [str(name) for name in tables.loc[tables["copying"].astype(bool), "candidate"]]
    scores = {} if fit.empty else fit.iloc[0].drop(["candidate", "copying"]).to_dict()
    candidates = search.settings.candidates
    epsilon = epsilon_of(candidates)
    use = None
    if found is not None and found.helps:
        use = {"candidate": chosen.candidate, "amount": chosen.amount, "generator": candidates[chosen.candidate]}
    dataset = search.dataset
    return Recommendation(
        verdict=f"{verdict.verdict(found)}{_of_candidates(search)}." if found else _open(search),
        sharing=verdict.sharing(shared, scores, copying, search.settings.copying["memorised"], epsilon),
        surer=verdict.surer(found, min(search.level.rows or len(dataset), len(dataset)))
        if found and not search.level.lower
        else verdict.longer(search.settings.budget, search.waited),
        use=use,
        beats_baselines=bool(use and found.beats_all),
        share=None
        if shared is None or not verdict.worth_sharing(scores)
        else {"candidate": shared, "generator": candidates[shared]},
        trials=evidence.trials(chosen),
        arms=evidence.arms(chosen),
        tables=tables,
        data={
            "name": dataset.spec.name,
            "target": dataset.spec.target,
            "task": dataset.spec.task,
            "rows": len(dataset),
            "columns": dataset.X.shape[1],
            "digest": dataset.digest,
        },
        metric=search.metric,
        budget=search.settings.budget,
        seconds=round(search.elapsed(), 1),
        finished=search.finished,
        config=search.config,
        keys=evidence.keys(),
        job=_job(search, use["candidate"] if use else shared),
        notes=[
            *verdict.promise(epsilon, fits(evidence)),
            *search.notes,
            *(f"{name} failed: {problem}" for name, problem in evidence.problems.items()),
        ],
        versions=versions(),
    )


def epsilon_of(candidates: Mapping[str, Mapping[str, Any]]) -> float | None:
    """Return the budget of each fit; None where a candidate has none, or noise from a seed."""
    budgets = [config.get("privacy") or {} for config in candidates.values()]
    given = [None if budget.get("seeded") else budget.get("epsilon") for budget in budgets]
    return None if None in given else max(map(float, given))


def fits(evidence: Evidence) -> int:
    """Count the fits of candidates."""
    return sum(name != BASELINES for name in (*evidence.glances, *(name for name, _ in evidence.results)))


def finding(search: Search) -> verdict.Finding | None:
    """Return what the folds that confirm show; None where they are too few."""
    evidence, chosen = search.evidence, search.chosen
    fixed = evidence.best_baseline(), evidence.over_real(), evidence.over_real(together=True)
    if chosen:
        gains = evidence.gains(chosen.candidate, chosen.amount, "confirm")
        if len(gains) < _LEAST_FOLDS:
            return None
        estimates = {name: evidence.estimate(gains[name]) for name in gains}
        return verdict.Finding(search.metric, chosen.candidate, chosen.amount, estimates, *fixed)
    tried = [name for name in search.settings.candidates if evidence.folds(name, "choose")]
    if any(gain.count < _LEAST_FOLDS for gain in fixed[1].values()):
        return None
    if not all(evidence.copies(name) for name in tried):
        return None
    if len(tried) + len(evidence.problems) < len(search.settings.candidates):
        return None
    reason = "Every candidate copies training rows" if tried else "No candidate could be fitted"
    return verdict.Finding(search.metric, "", 0.0, {}, *fixed, reason)


def _of_candidates(search: Search) -> str:
    """Say what was left out, which a verdict must not hide."""
    names = search.settings.candidates
    tried = [name for name in names if search.evidence.folds(name, "choose")]
    level = search.level.spoken(search.settings, search.dataset)
    if len(tried) == len(names):
        return f"; all candidates were tried {level}" if level else ""
    return f"; {len(tried)} of {len(names)} candidates were tried" + f" {level}" * bool(level)


def _open(search: Search) -> str:
    """Describe what is known before anything is confirmed."""
    evidence = search.evidence
    choices, glance = evidence.choices(), evidence.glance()
    if not choices and glance:
        rows = min(GLANCE, len(search.dataset) - len(search.dataset) // search.settings.folds)
        shown = verdict.glimpsed(glance.candidate, glance.amount, glance.gain, search.metric, glance.baseline, rows)
        return f"{shown}."
    if not choices:
        if evidence.tried and evidence.alone():
            return f"{verdict.copied(evidence.tried)}."
        return f"{verdict.nothing(search.elapsed(), search.waited, search.started, evidence.alone(), search.metric)}."
    best = choices[0]
    folds = len(search.evidence.folds(best.candidate, "choose"))
    shown = verdict.unconfirmed(best.candidate, best.amount, best.gain, search.metric, folds)
    return f"{shown}{_of_candidates(search)}."


def _job(search: Search, candidate: str | None) -> dict[str, Any] | None:
    """Return the configuration of the candidate's first trial, whose rows are in the store."""
    folds = search.evidence.folds(candidate, "choose") if candidate and candidate != BASELINES else []
    if not folds:
        return None
    trial = Trial(candidate, folds[0], tuple(search.evidence.amounts), search.level.classifiers)
    return jobs(trial, search.config, search.settings, search.evidence.baselines)[0]

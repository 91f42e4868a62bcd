"""One sentence on whether synthetic rows help, which claims no more than its intervals show."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from trisynth.report.jobs import best_baseline
from trisynth.report.jobs import scores as scores_of
from trisynth.report.names import name as name_of
from trisynth.statistics.estimate import Estimate
from trisynth.statistics.resampling import difference

# The scores to compare by; ROC AUC only where jobs have no macro-F1.
HEADLINES = {"f1_macro": "macro-F1", "r2": "R²"}
_OTHERWISE = {"roc_auc": "ROC AUC"}
# The first of these training sets that a sweep has is the one that the sentence is about.
ADDED = {"combined": "Combined rows", "balanced": "Balanced rows", "synthetic": "Synthetic rows"}


@dataclass(frozen=True)
class Case:
    """Gain of one generator on one data set.

    Parameters
    ----------
    dataset, method, arm : str
    score : str
        Name of the score, such as "macro-F1".
    over_real : Estimate
        Difference from real rows alone, paired by seed.
    baseline : str or None
        The best training set without synthetic rows.
    over_baseline : Estimate or None
    balanced : Case or None
        The same for rows that balance the classes, beside combined rows.
    """

    dataset: str
    method: str
    arm: str
    score: str
    over_real: Estimate
    baseline: str | None = None
    over_baseline: Estimate | None = None
    balanced: "Case | None" = None


def cases(jobs: pd.DataFrame, test_size: float) -> list[Case]:
    """List the gain of every generator on every data set, for the first arm of ``ADDED`` that there is.

    Parameters
    ----------
    jobs : DataFrame
        One row per job, with the column ``method``.
    test_size : float
        Fraction of the rows that each seed tests.
    """
    found = []
    for metric, score in headlines(jobs).items():
        scores = scores_of(jobs, metric)
        arm = next((arm for arm in ADDED if any(key[2] == arm for key in scores)), None)
        for dataset, method, own in scores:
            if own != arm or (dataset, "", "real") not in scores:
                continue
            case = _case(scores, (dataset, method, arm), score, test_size)
            if arm == "combined" and (dataset, method, "balanced") in scores:
                case = replace(case, balanced=_case(scores, (dataset, method, "balanced"), score, test_size))
            found.append(case)
    return found


def _case(scores: Mapping, key: tuple[str, str, str], score: str, test_size: float) -> Case:
    dataset = key[0]
    best = best_baseline(scores, dataset)
    over = difference(scores[key], scores[dataset, "", best], test_size) if best else None
    return Case(*key, score, difference(scores[key], scores[dataset, "", "real"], test_size), best, over)


def headlines(jobs: pd.DataFrame) -> dict[str, str]:
    """Return the scores to compare by, with their names, of those that the jobs have."""
    names = {column.partition("/")[2] for column in jobs}
    found = {metric: label for metric, label in HEADLINES.items() if metric in names}
    return found or {metric: label for metric, label in _OTHERWISE.items() if metric in names}


def sentence(found: list[Case]) -> str:
    """Put the gains into one sentence; an empty text where there are none."""
    if not found:
        return ""
    single = all(case.over_real.count < 2 for case in found)
    if len(found) == 1:
        return _of_one(found[0], single)
    return _of_many(found, single)


def signed(gain: Estimate, digits: int = 3) -> str:
    """Format a difference with its sign and, where there is one, half of its interval."""
    text = f"{gain.mean:+.{digits}f}"
    text = text if float(text) else f"{0:.{digits}f}"
    return text if gain.half != gain.half else f"{text} ± {gain.half:.{digits}f}"


def _of_one(case: Case, single: bool) -> str:
    rows, where = ADDED[case.arm], f"on {name_of(case.dataset)} with {case.method}"
    gain, score = case.over_real, case.score
    baseline = name_of(case.baseline) if case.baseline else None
    if single:
        against = f" and {signed(case.over_baseline)} against the best baseline ({baseline})" if baseline else ""
        if beside := case.balanced:
            second = f" and {signed(beside.over_baseline)}" if baseline else ""
            against += f", {ADDED['balanced'].lower()} {signed(beside.over_real)}{second},"
        return (
            f"{rows} score {signed(gain)} {score} against real rows{against} {where}; "
            "one seed has no interval, so this may be chance."
        )
    if gain.above_zero:
        first = f"{rows} gain {signed(gain)} {score} over real rows {where}"
    elif gain.count > 2 and gain.high < 0:
        first = f"{rows} lose {signed(gain)} {score} against real rows {where}"
    else:
        first = f"{rows} show no clear gain over real rows {where} ({signed(gain)} {score})"
    if not baseline:
        return f"{first}."
    over = case.over_baseline
    verb = "they also beat" if over.above_zero else "they do not beat"
    return f"{first}; {verb} the best baseline, {baseline} ({signed(over)})."


def _of_many(found: list[Case], single: bool) -> str:
    rows = ADDED[found[0].arm]
    shown = [case for case in found if case.over_real.above_zero]
    best = max(shown or found, key=lambda case: case.over_real.mean)
    datasets = list(dict.fromkeys(case.dataset for case in found))
    alone = len(datasets) == 1
    place = f" on {name_of(datasets[0])}" if alone else ""
    where = f"with {best.method}" if alone else f"on {name_of(best.dataset)} with {best.method}"
    unit = "generators" if alone else "pairs of data set and generator"
    most = f"{signed(best.over_real)} {best.score} {where}"
    if single:
        above = sum(case.over_real.mean > 0 for case in found)
        return (
            f"{rows} score above real rows with {above} of {len(found)} {unit}{place}, at most {most}; "
            "one seed has no interval, so this may be chance."
        )
    if shown:
        first = f"{rows} gain over real rows with {len(shown)} of {len(found)} {unit}{place}, at most {most}"
    else:
        first = f"{rows} show no clear gain over real rows with any of {len(found)} {unit}{place} (at most {most})"
    compared = [case for case in found if case.over_baseline is not None]
    if not compared:
        return f"{first}."
    beaten = sum(case.over_baseline.above_zero for case in compared)
    baseline = f"the best baseline ({name_of(compared[0].baseline)})" if alone else "the best baseline"
    if not beaten:
        return f"{first}; {'no generator beats' if alone else 'none beats'} {baseline}."
    return f"{first}; {beaten} of {len(compared)} {'beats' if beaten == 1 else 'beat'} {baseline}."

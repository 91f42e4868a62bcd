"""Sentences of a recommendation, which claim no more than the intervals show."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trisynth.evaluation.arms import BALANCE
from trisynth.recommend.trials import Amount
from trisynth.statistics.estimate import Estimate

METRICS = {
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "f1_macro": "macro-F1",
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "r2": "R²",
}
NOUNS = {
    "real": "the real rows alone",
    "duplicated": "duplicated rows",
    "oversampled": "oversampling",
    "class_weight": "class weights",
    "threshold": "a tuned threshold",
}
_DEEDS = {
    "duplicated": "duplicate the rows",
    "oversampled": "oversample the rare classes",
    "class_weight": "use class weights",
    "threshold": "tune the threshold",
}
_NUMBERS = {0.5: "one synthetic row per two real rows", 1.0: "one synthetic row per real row"}
# A gain that would matter: an interval that includes it does not show that synthetic rows are useless.
_MATTERS = 0.01
# Rows of a candidate are worse than independent columns if the ROC AUC of their C2ST is higher by more than chance.
_CHANCE = 0.02
# A recommendation of more rows than that is useless.
_MOST_ROWS = 10_000_000
# Minutes of a longer budget, at the least.
_LONGER = 10
# Shortest budget, in times that the program takes to start and read the table.
_STARTS = 10


@dataclass(frozen=True)
class Finding:
    """Results of the folds that confirm.

    Parameters
    ----------
    metric : str
    candidate : str
    amount : float or "balance"
    gains : mapping of str to Estimate
        Of the synthetic rows over each baseline.
    baseline : str
        The best baseline on the folds that choose.
    over_real : mapping of str to Estimate
        Gain of each other baseline over the real rows.
    corrected : mapping of str to Estimate
        The same gains, with intervals that hold for all baselines together.
    without : str
        Why there are no gains, as the beginning of a sentence.
    """

    metric: str
    candidate: str
    amount: Amount
    gains: dict[str, Estimate]
    baseline: str
    over_real: dict[str, Estimate]
    corrected: dict[str, Estimate]
    without: str = ""

    @property
    def strongest(self) -> str:
        """The baseline over which the synthetic rows gain least."""
        return min(self.gains, key=lambda name: self.gains[name].mean)

    @property
    def beats_all(self) -> bool:
        """True if every interval lies above zero, which needs no correction for their number (Berger 1982)."""
        return bool(self.gains) and all(gain.above_zero for gain in self.gains.values())

    @property
    def helps(self) -> bool:
        """True if synthetic rows are advised: they clearly beat the real rows, and no baseline beats them."""
        if not self.gains or not self.gains["real"].above_zero:
            return False
        better = self.gains[self.strongest].mean < 0 and self.confirmed
        return self.beats_all or not better

    @property
    def confirmed(self) -> bool:
        """True if the baseline that was chosen beforehand clearly beats the real rows."""
        return self.baseline != "real" and self.over_real[self.baseline].above_zero

    @property
    def likeliest(self) -> str | None:
        """The baseline whose interval has the highest lower end, if that is above zero."""
        clear = [name for name, gain in self.over_real.items() if gain.above_zero]
        return max(clear, key=lambda name: self.over_real[name].low, default=None)


def verdict(found: Finding) -> str:
    """Answer whether to use synthetic rows, and which."""
    name = METRICS.get(found.metric, found.metric)
    if found.helps:
        gain, least = found.gains["real"], found.gains[found.strongest]
        line = f"Use {found.candidate}, {amount(found.amount)}: {signed(gain.mean)} {name} ({interval(gain)})"
        if found.beats_all:
            others = [each for each in found.gains if each != "real"]
            if found.strongest == "real":
                return f"{line}, better than every baseline" if others else line
            return f"{line}, better than {NOUNS[found.strongest]} by {signed(least.mean)} ({interval(least)})"
        unsure = [each for each, value in found.gains.items() if not value.above_zero]
        return f"{line}, no better than {NOUNS[min(unsure, key=lambda each: found.gains[each].mean)]}"
    first = found.without or _without_help(found)
    if found.confirmed:
        gain = found.over_real[found.baseline]
        if found.gains and found.gains["real"].above_zero:
            against = found.baseline if found.gains[found.baseline].mean < 0 else found.strongest
            first = f"Synthetic rows gain less than {NOUNS[against]}"
        return f"{first}; {_DEEDS[found.baseline]}: {signed(gain.mean)} {name} ({interval(gain)})"
    if found.likeliest:
        return f"{first}; {_not_chosen(found, name)}"
    return f"{first}, and no baseline is clearly better than the real rows; train on these as they are{_at_best(found)}"


def _without_help(found: Finding) -> str:
    """Begin the verdict on synthetic rows that are not advised: useless, or not shown to be of use."""
    gain = found.gains.get("real")
    if gain is None or not gain.high > _MATTERS:
        return "Synthetic rows do not help here"
    return "Synthetic rows could not be shown to help"


def _not_chosen(found: Finding, name: str) -> str:
    """Advise a baseline that was not chosen beforehand, as far as the number of baselines allows."""
    best = found.likeliest
    gain, corrected = found.over_real[best], found.corrected[best]
    many = len(found.over_real)
    both = f"; corrected for {many} baselines {_plain(corrected.low)} to {_plain(corrected.high)}" if many > 1 else ""
    shown = f"{signed(gain.mean)} {name} ({interval(gain)}{both})"
    if corrected.above_zero:
        return f"{_DEEDS[best]}: {shown}"
    return f"{NOUNS[best]} may: {shown}"


def _at_best(found: Finding) -> str:
    if not found.gains:
        return ""
    gain = found.gains["real"]
    tried, name = f"{found.candidate}, {amount(found.amount)}", METRICS.get(found.metric, found.metric)
    return f" (the best generator was {tried}: {signed(gain.mean)} {name}, {interval(gain)})"


def surer(found: Finding, rows: int) -> str:
    """Estimate the rows that a more certain answer needs, from the width of the interval."""
    if not found.gains:
        return "For more certainty: use a longer budget, in which a candidate can be confirmed."
    gain = found.gains["real"] if found.beats_all or not found.helps else found.gains[found.strongest]
    against = "the real rows" if gain is found.gains["real"] else NOUNS[found.strongest]
    if not gain.half > 0:
        return "For more certainty: no number of rows can be estimated, as the folds do not differ."
    if gain.excludes_zero:
        needed = f"about {approximately(4 * rows)} rows like these would halve the interval of ±{gain.half:.3f}"
        return f"For more certainty: {needed}."
    wanted = rows * (gain.half / gain.mean) ** 2 if gain.mean > 0 else math.inf
    if wanted <= _MOST_ROWS:
        size = approximately(max(wanted, rows + 1))
        return (
            f"For more certainty: if the gain of {signed(gain.mean)} over {against} is real, "
            f"about {size} rows would show it."
        )
    return (
        f"For more certainty: about {approximately(4 * rows)} rows like these would halve the interval "
        f"of ±{gain.half:.3f}; a gain over {against} above {signed(gain.high)} is already unlikely."
    )


def promise(epsilon: float | None, fits: int) -> list[str]:
    """Describe in plain words what a search among private generators promises, and what not."""
    if epsilon is None or not fits:
        return []
    spent = f"fits spend more than epsilon {epsilon:g} together" if fits > 1 else f"fit spends epsilon {epsilon:g}"
    return [
        f"Promised: rows of one fit reveal about one row of the table at most what epsilon {epsilon:g} allows, "
        "whatever else somebody knows, except with probability delta. They do show what is true of many rows.",
        f"Not promised: anything about this search. Its {fits} {spent}, and "
        "its scores are computed on real rows; keep them and its report to yourself. To share a table, fit once by "
        f"trisynth synthesize with privacy.epsilon={epsilon:g}, and share the rows of that fit alone.",
    ]


def sharing(
    candidate: str | None,
    scores: dict[str, float],
    copying: Sequence[str],
    limit: float,
    epsilon: float | None = None,
) -> str:
    """Name the best table of synthetic rows to share."""
    without = f"; {' and '.join(copying)} copied training rows" if copying else ""
    if candidate is None:
        return f"No candidate made a table to share{without}."
    auc = scores.get("fidelity/c2st_boosting")
    line = f"To share a table, take {candidate}"
    floor, ceiling = (scores.get(f"fidelity/c2st_boosting_{end}", math.nan) for end in ("floor", "ceiling"))
    if not worth_sharing(scores):
        where = "at this number of rows" if epsilon is None else f"at epsilon {epsilon:g} and this number of rows"
        return (
            f"No table is worth sharing {where}: a classifier separates the rows of the best candidate, {candidate}, "
            f"from real ones with ROC AUC {auc:.2f}, those of independent columns with {floor:.2f}{without}."
        )
    if auc is not None and not math.isnan(auc):
        line += f": a classifier separates its rows from real ones with ROC AUC {auc:.2f}"
        if not math.isnan(floor) and not math.isnan(ceiling):
            chance = ", worse only by chance" if round(ceiling, 2) > max(round(auc, 2), 0.5) else ""
            line += f" (independent columns: {floor:.2f}, the real rows themselves: {ceiling:.2f}{chance})"
            # Within chance of the floor, as where columns hardly depend on each other.
            line += (
                ", so that by this measure independent columns are as good" if round(auc, 2) >= round(floor, 2) else ""
            )
    memorised = scores.get("copying/memorised", math.nan)
    shown = "" if math.isnan(memorised) else f" (memorised share {max(memorised, 0.0):.2f}, limit {limit:.2f})"
    passed = f"The rows of {candidate} pass the check for copies{shown}"
    if epsilon is not None:
        return f"{line}{without}. {passed}; the guarantee is the budget of a fit, epsilon {epsilon:g}."
    return f"{line}{without}. {passed}, which does not guarantee privacy."


def worth_sharing(scores: dict[str, float]) -> bool:
    """Check that rows are not easier to separate from real ones than independent columns are; True where unknown."""
    name = "fidelity/c2st_boosting"
    # Below 0.5, a classifier separates nothing, and differences are chance.
    return not scores.get(name, math.nan) > max(scores.get(f"{name}_floor", math.nan), 0.5) + _CHANCE


def unconfirmed(candidate: str, many: Amount, gain: float, metric: str, folds: int) -> str:
    """Describe the candidate that leads before anything is confirmed."""
    name = METRICS.get(metric, metric)
    where = f"on the {folds} folds used for the choice"
    if gain <= 0:
        return (
            f"Not confirmed yet: no synthetic rows gain {where}; nearest is {candidate}, {amount(many)}, "
            f"{signed(gain)} {name} against its strongest baseline"
        )
    return (
        f"Not confirmed yet: {candidate}, {amount(many)}, gains most {where}: {signed(gain)} {name} over its strongest "
        "baseline"
    )


def nothing(elapsed: float, waited: float, started: int, alone: Mapping[str, float], metric: str) -> str:
    """State that no candidate has been compared, and what the time was spent on.

    Parameters
    ----------
    elapsed, waited : float
        Seconds until now, and until the first trial was about to begin.
    started : int
        Trials that began.
    alone : mapping of str to float
        Scores of the baselines, if these have finished.
    metric : str
    """
    line = f"No verdict yet: after {elapsed:.0f} s no candidate has been compared with the real rows"
    known = {name: value for name, value in alone.items() if value == value}
    if known:
        best, name = max(known, key=known.get), METRICS.get(metric, metric)
        line += f". Of the training sets without synthetic rows, {NOUNS[best]} scored best on one fold ({name} "
        return f"{line}{known[best]:.3f}), and no trial with synthetic rows has finished"
    line += f": the program took {waited:.0f} s to start and read the table"
    if not started:
        return f"{line}, and no trial has begun"
    trials = "the only trial that began has not" if started == 1 else f"none of the {started} trials that began has"
    return f"{line}, and {trials} finished"


def copied(names: Sequence[str]) -> str:
    """State that the candidates that were tried so far are not advised, whatever they score."""
    return f"No verdict yet: {' and '.join(names)} copied training rows, and no other candidate has been compared"


def longer(budget: float, waited: float = 0.0) -> str:
    """Advise a longer budget than one of so many seconds, of which so many passed before the first trial."""
    minutes = max(_LONGER, math.ceil(max(4 * budget, _STARTS * waited) / 60))
    return f"For more certainty: use a longer budget, such as --budget {minutes}min; finished trials are kept."


def glimpsed(candidate: str, many: Amount, gain: float, metric: str, baseline: str, rows: int) -> str:
    """Describe the first impression, of one fold and one classifier on few rows."""
    name, against = METRICS.get(metric, metric), NOUNS[baseline]
    where = f"one fold, one classifier, {rows:,} training rows"
    return (
        f"First impression, preliminary and possibly chance ({where}): {candidate}, {amount(many)}, scores "
        f"{signed(gain)} {name} against {against}. Nothing is confirmed, and later trials can reverse this"
    )


def amount(many: Amount) -> str:
    """Put an amount of synthetic rows into words."""
    if many == BALANCE:
        return "synthetic rows until all classes are equally large"
    return _NUMBERS.get(float(many), f"{many:g} synthetic rows per real row")


def interval(value: Estimate) -> str:
    """Format an interval, as in ``95 % 0.009 to 0.032``."""
    return f"95 % {_plain(value.low)} to {_plain(value.high)}"


def signed(value: float) -> str:
    """Format a gain with its sign."""
    text = f"{value:+.3f}"
    return text if float(text) else "0.000"


def _plain(value: float) -> str:
    text = f"{value:.3f}"
    return text if float(text) else "0.000"


def approximately(rows: float) -> str:
    """Round a number of rows to two digits."""
    digits = 1 - math.floor(math.log10(rows))
    return f"{round(rows, digits):,.0f}"

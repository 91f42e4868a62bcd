"""Tables of searches for weights: hypervolumes, selected weights, and agreement of the objectives."""

import pandas as pd

from trisynth.report.jobs import DEFAULT, PART, REGRET, SAMPLER
from trisynth.report.markup import Column, Table
from trisynth.statistics.estimate import Estimate
from trisynth.statistics.fronts import front, hypervolume
from trisynth.statistics.resampling import difference, estimate
from trisynth.studies.searches import (
    BEFORE,
    Case,
    by_case,
    by_search,
    objectives,
    printed,
    regrets,
    searches,
    spearman,
    tested,
    weights,
)

_TEST_SIZE = 1 / 3
_FIRST = (Column("dataset", "Data set"), Column("generator", "Generator"))
_MEANS = "Means over seeds, ± half of the 95 % interval (Nadeau and Bengio's corrected resampled t)."


def hypervolume_table(jobs: pd.DataFrame) -> Table:
    """Tabulate the hypervolume of each sampler on validation rows, and of its front on test rows."""
    columns = [*_FIRST, Column("search", "Search"), Column("searches", "Seeds"), Column("front", "Front")]
    columns += [Column("validation", "Volume, validation"), Column("test", "Volume, test")]
    columns += [Column("kept", "Non-dominated on test")]
    rows, rules, later = [], set(), by_search(tested(jobs))
    for case, found in by_case(searches(jobs)).items():
        rules.add(len(rows))
        series: dict[str, pd.DataFrame] = {}
        for sampler, seeds in found.items():
            numbers = {}
            for seed, trials in seeds.items():
                # Evolution proposes the same weights repeatedly.
                once, here = trials.drop_duplicates("key"), later[*case, sampler, seed].drop_duplicates("key")
                numbers[seed] = {
                    "front": float(front(regrets(once)).sum()),
                    "validation": hypervolume(regrets(once)),
                    "test": hypervolume(regrets(here)),
                    "kept": float(front(regrets(here)).mean()),
                }
            series[sampler] = pd.DataFrame(numbers).T
            cells = [estimate(series[sampler][name], _TEST_SIZE) for name in series[sampler]]
            rows.append([*case, printed(sampler), len(seeds), *cells])
        own = jobs[(jobs[PART] == "test") & (jobs[SAMPLER] == DEFAULT)].set_index(["dataset", "generator"])
        if case in own.index:
            volumes = [hypervolume(regrets(plain)) for _, plain in own.loc[[case]].groupby("seed")]
            rows.append([*case, "default weights", len(volumes), None, None, estimate(volumes, _TEST_SIZE), None])
        if len(series) == 2:
            (one, left), (other, right) = series.items()
            cells = [difference(left[name], right[name], _TEST_SIZE) for name in left]
            rows.append([*case, f"{printed(one)} minus {printed(other)}", cells[0].count, *cells])
    note = (
        "Volume: fraction of the box between the worst and the best of all objectives that the trials of a search "
        "dominate. Test: the weights of the front, each run once on the test rows. Non-dominated: the fraction of "
        f"these weights that no others of the front dominate on the test rows. {_MEANS}"
    )
    caption = "Hypervolume of the searches on validation rows, and of their fronts on test rows."
    return Table("hypervolume", caption, note, columns, rows, rules=rules)


def chosen_table(jobs: pd.DataFrame) -> Table:
    """Tabulate the best weights by each objective: on validation rows, on test rows, and beside the default weights."""
    columns = [*_FIRST, Column("search", "Search"), Column("searches", "Seeds"), Column("objective", "Best by")]
    columns += [Column("validation", "Validation"), Column("test", "Test"), Column("default", "Default, test")]
    columns += [Column("gain", "Gain", signed=True)]
    plain = jobs[(jobs[PART] == "test") & (jobs[SAMPLER] == DEFAULT)].set_index(["dataset", "generator", "seed"])
    rows, rules, bold = [], set(), set()
    for case, found in by_case(by_search(tested(jobs))).items():
        for sampler, seeds in found.items():
            rules.add(len(rows))
            default = plain.loc[[(*case, seed) for seed in seeds]].set_axis(list(seeds))
            for name in objectives(jobs):
                regret = f"{REGRET}{name}"
                best = pd.DataFrame(
                    {seed: here.loc[here[f"{BEFORE}{regret}"].idxmin()] for seed, here in seeds.items()}
                ).T
                values = best[f"{BEFORE}{name}"], best[name], default[name], default[regret] - best[regret]
                cells = [estimate(value.astype(float), _TEST_SIZE) for value in values]
                if _is_clear(cells[-1]):
                    bold.add((len(rows), len(columns) - 1))
                rows.append([*case, printed(sampler), len(seeds), printed(name), *cells])
    note = (
        "Each row selects from a front the weights that are best by one objective on validation rows. It shows that "
        "metric on validation rows, on test rows, and on test rows with the default weights. Gain: regret of the "
        "default weights minus regret of the selected weights, on test rows; higher is better, bold if its interval "
        f"excludes 0. {_MEANS}"
    )
    return Table(
        "chosen", "Gain on test rows of weights selected on validation rows.", note, columns, rows, bold, rules
    )


def agreement_table(jobs: pd.DataFrame) -> Table:
    """Tabulate rank correlations between objectives, with the weights, and between validation and test rows."""
    columns = [*_FIRST, Column("searches", "Seeds"), Column("one", "Of"), Column("other", "And")]
    columns += [Column("correlation", "Rank correlation", signed=True)]
    names, rows, rules, bold = objectives(jobs), [], set(), set()
    pairs = [(one, other) for place, one in enumerate(names) for other in [*names[place + 1 :], *weights(jobs)]]

    def add(case: Case, one: str, other: str, values: list[float]) -> None:
        cell = estimate(values, _TEST_SIZE)
        if _is_clear(cell):
            bold.add((len(rows), len(columns) - 1))
        rows.append([*case, len(values), one, other, cell])

    later = tested(jobs)
    for case, found in by_case(searches(jobs)).items():
        trials = found.get("random", next(iter(found.values()))).values()
        rules.add(len(rows))
        for one, other in pairs:
            column = f"{REGRET}{other}" if other in names else other
            values = [spearman(of[f"{REGRET}{one}"], of[column]) for of in trials]
            add(case, printed(one), printed(other), values)
        rules.add(len(rows))
        own = later[(later["dataset"] == case[0]) & (later["generator"] == case[1])]
        fronts = [of.drop_duplicates("key") for _, of in own.groupby("seed")]
        for name in names:
            values = [spearman(of[f"{BEFORE}{REGRET}{name}"], of[f"{REGRET}{name}"]) for of in fronts]
            add(case, f"{printed(name)}, validation", "the same, test", values)
    note = (
        "Spearman's rank correlations. The first rows of each case: over the trials of random search, on validation "
        "rows. The last rows: one objective on validation rows against the same on test rows, over the weights of all "
        "fronts of a split. "
        "Objectives are regrets: if two objectives correlate positively, they agree; if an objective correlates "
        f"positively with a weight, a higher weight is worse. Bold: the interval excludes 0. {_MEANS}"
    )
    return Table(
        "agreement", "Agreement of the objectives, and effect of the weights.", note, columns, rows, bold, rules
    )


def _is_clear(cell: Estimate) -> bool:
    """Return whether the interval of at least three values excludes zero."""
    return cell.count > 2 and cell.excludes_zero

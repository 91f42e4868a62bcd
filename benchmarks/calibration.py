"""Levels and powers of the tests of the statistics room, by simulation.

Two learners are compared on one data set: linear discriminants of two disjoint sets of features, which are equally good
under the null hypothesis; a planted gain gives the first a stronger feature. Every data set is drawn anew and split at
random k times, a third for testing, as a run does. Over data sets, mean differences are drawn from a heavy-tailed
distribution with unequal variances. Each row of ``calibration.csv`` is one test: how often it finds a difference where
there is none (its nominal level is 0.05), and how often it finds the planted one.
"""

import sys
import time

import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp

from benchmarks import output
from trisynth.statistics.across_datasets import holm, p_value, wilcoxon_p
from trisynth.statistics.bayes import correlated_t
from trisynth.statistics.ranks import critical_difference, friedman, ranks
from trisynth.statistics.resampling import estimate
from trisynth.statistics.resampling import p_value as corrected_p

ROWS, FEATURES, TEST = 150, 5, 1 / 3
SPLITS = (3, 5, 10, 30)
LEVEL = 0.05


def accuracies(rng: np.random.Generator, splits: int, strength: float) -> np.ndarray:
    """Return the difference of the accuracies of two learners on each split of one simulated data set."""
    y = np.arange(ROWS) % 2
    X = rng.normal(size=(ROWS, 2 * FEATURES)) + 0.35 * y[:, None]
    X[:, 0] += strength * y
    found = []
    for _ in range(splits):
        order = rng.permutation(ROWS)
        test, train = order[: ROWS // 3], order[ROWS // 3 :]
        both = []
        for part in (slice(0, FEATURES), slice(FEATURES, None)):
            fit, labels = X[train, part], y[train]
            means = np.stack([fit[labels == label].mean(axis=0) for label in (0, 1)])
            axis = np.linalg.solve(np.cov((fit - means[labels]).T), means[1] - means[0])
            both.append(np.mean((X[test, part] @ axis > means.mean(axis=0) @ axis) == y[test]))
        found.append(both[0] - both[1])
    return np.array(found)


def on_one_table(repeats: int, rng: np.random.Generator) -> list[dict]:
    """Estimate levels and powers of the tests of one data set."""
    found = []
    for splits in SPLITS:
        hits: dict[tuple[str, str], list[bool]] = {}
        covered = []
        for kind, strength in (("level", 0.0), ("power", 0.8)):
            for _ in range(repeats):
                gaps = accuracies(rng, splits, strength)
                naive = ttest_1samp(gaps, 0.0).pvalue if np.ptp(gaps) > 1e-12 else float(gaps[0] == 0)
                posterior = correlated_t(gaps, TEST, rope=0.0)
                tests = {
                    "paired t test, not corrected": bool(naive < LEVEL),
                    "corrected resampled t test": corrected_p(gaps, TEST) < LEVEL,
                    "Bayesian correlated t test, P > 0.95": max(posterior.better, posterior.worse) > 0.95,
                }
                for name, hit in tests.items():
                    hits.setdefault((name, kind), []).append(hit)
                if kind == "level":
                    at = estimate(gaps, TEST)
                    covered.append(at.low <= 0 <= at.high)
        for name in dict.fromkeys(name for name, _ in hits):
            row = {"test": name, "sampling_unit": "splits", "units": splits, "repeats": repeats}
            row |= {kind: float(np.mean(hits[name, kind])) for kind in ("level", "power")}
            found.append(row | ({"coverage": float(np.mean(covered))} if name.startswith("corrected") else {}))
    return found


def over_tables(repeats: int, rng: np.random.Generator) -> list[dict]:
    """Estimate levels and powers of the tests over data sets, of one generator and of ten."""
    found = []
    for tables in (8, 15):
        hits: dict[tuple[str, str], list[bool]] = {}
        for kind, gain in (("level", 0.0), ("power", 0.02)):
            for _ in range(repeats):
                spread = 0.02 * rng.gamma(2, 0.5, size=(tables, 1))
                scores = 0.8 + 0.1 * rng.normal(size=(tables, 1)) + spread * rng.standard_t(5, size=(tables, 10))
                scores[:, 0] += gain
                wide = pd.DataFrame(scores, pd.Index(range(tables), name="dataset"), list("abcdefghij"))
                gaps = wide["a"] - wide["b"]
                every = [wide["a"] - wide[name] for name in wide.columns[1:]]
                adjusted = holm(pd.Series([wilcoxon_p(gap) for gap in every]))
                means = ranks(wide).mean()
                tests = {
                    "t test": p_value(gaps) < LEVEL,
                    "Wilcoxon": wilcoxon_p(gaps) < LEVEL,
                    "Wilcoxon and Holm, any of nine": bool((adjusted < LEVEL).any()),
                    "Friedman, ten generators": friedman(wide)[1] < LEVEL,
                    "Nemenyi, any pair of ten": bool(np.ptp(means) > critical_difference(10, tables)),
                }
                for name, hit in tests.items():
                    hits.setdefault((name, kind), []).append(hit)
        for name in dict.fromkeys(name for name, _ in hits):
            row = {"test": name, "sampling_unit": "data sets", "units": tables, "repeats": repeats}
            found.append(row | {kind: float(np.mean(hits[name, kind])) for kind in ("level", "power")})
    return found


def speed(rows: int = 100_000) -> float:
    """Return the CPU seconds of ranks and tests on so many result rows."""
    rng = np.random.default_rng(0)
    datasets, generators = 50, 20
    index = pd.MultiIndex.from_product(
        [range(datasets), range(generators), range(rows // datasets // generators)],
        names=["dataset", "generator", "seed"],
    )
    scores = pd.Series(rng.normal(size=len(index)), index, name="score")
    begun = time.process_time()
    wide = scores.groupby(level=["dataset", "generator"]).mean().reset_index()
    wide = wide.pivot_table(index="dataset", columns="generator", values="score")
    friedman(wide)
    for generator in range(1, generators):
        gaps = scores.xs(0, level="generator") - scores.xs(generator, level="generator")
        wilcoxon_p(gaps)
        for _, part in gaps.groupby(level="dataset"):
            correlated_t(part, TEST)
    return time.process_time() - begun


def main(arguments: list[str] | None = None) -> None:
    """Run the simulations, write the table and print it."""
    parser = output.parser("calibration", __doc__)
    parser.add_argument("--repeats", type=int, default=400, help="simulated comparisons of each kind (default: 400)")
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    table = pd.DataFrame(on_one_table(options.repeats, rng) + over_tables(options.repeats, rng))
    output.write(table, options.out / "calibration.csv")
    print(table.to_string(index=False))
    print(f"\n100,000 result rows: {speed():.1f} CPU s")


if __name__ == "__main__":
    main(sys.argv[1:])

"""The remaining time is right within a factor of two after the first tenth, on a recorded and on simulated sweeps."""

import heapq
import itertools

import numpy as np
import pytest

from trisynth.sweeps.plan import choices_of, fit_of, order
from trisynth.sweeps.remaining import Progress, remaining
from trisynth.sweeps.watch import spoken, weight

# Generator, classifier, seed, seconds, seconds of the shared part: a sweep on two busy cores.
RECORDED = [
    ("independent", "boosting", 0, 19.49, 6.29),
    ("independent", "boosting", 1, 18.83, 6.36),
    ("independent", "boosting", 2, 17.14, 7.55),
    ("independent", "logistic", 0, 1.48, 0.35),
    ("independent", "logistic", 1, 1.26, 0.25),
    ("independent", "logistic", 2, 1.47, 0.33),
    ("smote", "boosting", 0, 5.62, 2.04),
    ("smote", "boosting", 1, 9.93, 3.4),
    ("smote", "boosting", 2, 6.99, 2.99),
    ("smote", "logistic", 0, 0.81, 0.13),
    ("smote", "logistic", 1, 0.76, 0.22),
    ("smote", "logistic", 2, 0.77, 0.1),
    ("copula", "boosting", 0, 7.04, 2.05),
    ("copula", "boosting", 1, 7.38, 2.01),
    ("copula", "boosting", 2, 7.47, 1.94),
    ("copula", "logistic", 0, 0.53, 0.08),
    ("copula", "logistic", 1, 0.44, 0.06),
    ("copula", "logistic", 2, 0.54, 0.1),
    ("vae", "boosting", 0, 65.45, 59.14),
    ("vae", "boosting", 1, 66.37, 58.3),
    ("vae", "boosting", 2, 46.04, 41.67),
    ("vae", "logistic", 0, 0.53, 0.09),
    ("vae", "logistic", 1, 0.73, 0.16),
    ("vae", "logistic", 2, 0.78, 0.14),
    ("circuit", "boosting", 0, 10.96, 3.96),
    ("circuit", "boosting", 1, 9.6, 3.52),
    ("circuit", "boosting", 2, 8.43, 2.34),
    ("circuit", "logistic", 0, 0.65, 0.13),
    ("circuit", "logistic", 1, 1.38, 0.08),
    ("circuit", "logistic", 2, 1.05, 0.14),
]


def recorded():
    """Overrides, seconds and shared seconds of the recorded jobs."""
    return [
        ((f"generator={g}", f"classifier={c}", f"seed={s}"), seconds, shared) for g, c, s, seconds, shared in RECORDED
    ]


def simulated(datasets: int, generators: dict[str, float], classifiers: dict[str, float], seeds: int, noise: float):
    """Jobs of a grid whose durations are products of their choices' and of log-normal noise."""
    rng = np.random.default_rng(0)
    jobs, met = [], set()
    for d, g, c, s in itertools.product(range(datasets), generators, classifiers, range(seeds)):
        overrides = (f"dataset={d}", f"generator={g}", f"classifier={c}", f"seed={s}")
        scale = 2.0**d * float(rng.lognormal(0, noise))
        shared = scale * generators[g] if fit_of(overrides) not in met else 0.01
        met.add(fit_of(overrides))
        jobs.append((overrides, shared + scale * classifiers[c], shared))
    return jobs


def estimates(jobs, workers: int):
    """Estimated and true seconds left, at the end of each job from the first tenth to nine tenths of the jobs."""
    jobs = [jobs[i] for i in order([overrides for overrides, *_ in jobs], workers)]
    free, starts = [0.0] * workers, []
    for _, seconds, _ in jobs:
        starts.append(heapq.heappop(free))
        heapq.heappush(free, starts[-1] + seconds)
    ends = [start + seconds for start, (_, seconds, _) in zip(starts, jobs, strict=True)]
    for now in sorted(ends)[-(-len(jobs) // 10) - 1 : -len(jobs) // 10]:
        seen, met = [], set()
        for start, end, (overrides, seconds, shared) in zip(starts, ends, jobs, strict=True):
            elapsed = seconds if end <= now else now - start if start <= now else None
            first = fit_of(overrides) not in met
            met.add(fit_of(overrides))
            known = shared if end <= now else None
            seen.append(Progress(choices_of(overrides), first, elapsed, known, weight=weight(overrides)))
        yield remaining(seen, workers, now), max(ends) - now


FAMILIES = {"independent": 0.5, "smote": 0.7, "copula": 1.0, "vae": 15.0, "circuit": 2.0}


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize(
    "jobs",
    [
        pytest.param(recorded(), id="recorded"),
        pytest.param(simulated(1, {"mine": 60.0}, {"a": 0.5}, 12, 0.1), id="equal jobs"),
        pytest.param(simulated(1, {"smote": 35.0, "copula": 35.0}, {"a": 0.5, "b": 2.0}, 3, 0.1), id="cached second"),
        pytest.param(simulated(1, FAMILIES, {"logistic": 0.3, "boosting": 3.0}, 5, 0.2), id="one table"),
        pytest.param(simulated(3, FAMILIES, {"logistic": 0.3, "boosting": 3.0}, 5, 0.2), id="three tables"),
    ],
)
def test_the_estimate_is_right_within_a_factor_of_two(jobs, workers):
    found = list(estimates(jobs, workers))
    assert len(found) >= len(jobs) // 2
    wrong = [(round(guess, 1), round(true, 1)) for guess, true in found if not true / 2 <= guess <= 2 * true]
    assert len(wrong) <= max(len(found) // 10, 1), wrong


def ended(*choices, seconds, shared=0.0, first=True):
    return Progress(frozenset(choices), first, seconds, shared)


def test_no_estimate_before_a_job_has_ended():
    assert remaining([Progress(frozenset(), elapsed=70.0), Progress(frozenset())], 1) is None
    assert remaining([Progress(frozenset(), cached=True), Progress(frozenset())], 1) is None


def test_nothing_is_left_where_all_have_ended():
    assert remaining([ended(seconds=3.0)], 2) == 0.0


def test_waiting_jobs_are_dealt_to_the_workers():
    waiting = [Progress(frozenset()) for _ in range(4)]
    assert remaining([ended(seconds=10.0), *waiting], 1) == pytest.approx(40.0)
    assert remaining([ended(seconds=10.0), *waiting], 2) == pytest.approx(20.0)


def test_the_running_jobs_count_with_what_is_left_of_them():
    assert remaining([ended(seconds=10.0), Progress(frozenset(), elapsed=4.0)], 1) == pytest.approx(6.0)
    overdue = remaining([ended(seconds=10.0), Progress(frozenset(), elapsed=100.0)], 1)
    assert 10.0 < overdue < 200.0


def test_a_fit_is_paid_once():
    first = ended("classifier=a", seconds=60.0, shared=50.0)
    second = Progress(frozenset({"classifier=b"}), first=False)
    assert remaining([first, second], 1) == pytest.approx(10.0)


def test_time_between_jobs_counts():
    assert remaining([ended(seconds=1.0), Progress(frozenset())], 1, since_start=2.0) == pytest.approx(2.0)


def test_networks_are_expected_to_take_longer_before_one_is_seen():
    assert weight(["generator=smote", "seed=1"]) == weight(["generator=of_my_own"]) == weight(["seed=1"]) == 1.0
    assert weight(["generator=vae"]) > weight(["generator=arf"]) > 1.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "unknown"), (3.4, "3 s"), (42.0, "40 s"), (100.0, "2 min"), (5000.0, "83 min"), (9000.0, "2 h 30 min")],
)
def test_durations_are_rounded(seconds, text):
    assert spoken(seconds) == text

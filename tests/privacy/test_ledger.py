"""A ledger spends what was granted, charges every query, and refuses those that are not planned."""

import numpy as np
import pytest

from trisynth.errors import InputError
from trisynth.privacy import Budget, accountants
from trisynth.privacy.ledger import Ledger, Share
from trisynth.privacy.noise import Noise, SeededNoise

pytest.importorskip("dp_accounting", reason="needs the extra privacy")

PLAN = {"counts": Share(2.0, 30), "choices": Share(1.0, 12, choice=True), "tables": Share(3.0, 12)}


def spend(ledger: Ledger, noise: Noise) -> None:
    for name, share in ledger.plan.items():
        for _ in range(share.times):
            if share.choice:
                ledger.choose(name, np.zeros(3), noise)
            else:
                ledger.noisy(name, np.zeros(2), noise)


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 10.0])
def test_a_plan_spends_its_epsilon_and_no_more(epsilon):
    ledger = Ledger.open(Budget(epsilon, 1e-6), PLAN)
    assert ledger.spent() == 0
    spend(ledger, Noise())
    assert 0.99 * epsilon < ledger.spent() <= epsilon
    # The second accountant grants less, and so does the formula of concentrated differential privacy.
    assert ledger.spent_by_rdp() >= ledger.spent()
    assert ledger.sigma("counts") == pytest.approx(accountants.math.sqrt(30 / (2 * ledger.rho * 2 / 6)))


def test_queries_beyond_the_plan_are_refused():
    ledger = Ledger.open(Budget(1.0, 1e-6), {"counts": Share(1.0)})
    ledger.noisy("counts", np.zeros(2), Noise())
    for name in ("counts", "others"):
        with pytest.raises(RuntimeError, match=f"no query '{name}' left"):
            ledger.noisy(name, np.zeros(2), Noise())


def test_an_adaptive_part_answers_queries_of_any_noise_within_its_weight():
    ledger = Ledger.open(Budget(1.0, 1e-6), {"counts": Share(1.0), "rounds": Share(3.0, adaptive=True)})
    whole, noise = ledger.left("rounds"), Noise()
    assert whole == pytest.approx(0.75 * ledger.rho)
    ledger.noisy("rounds", np.zeros(2), noise, rho=0.1 * whole)
    ledger.choose("rounds", np.zeros(3), noise, rho=0.3 * whole)
    assert ledger.left("rounds") == pytest.approx(0.6 * whole)
    for rho in (0.61 * whole, 0.0, None):
        with pytest.raises(RuntimeError, match="not have so much left for 'rounds'"):
            ledger.noisy("rounds", np.zeros(2), noise, rho=rho)
    ledger.noisy("rounds", np.zeros(2), noise, rho=ledger.left("rounds"))
    ledger.noisy("counts", np.zeros(2), noise)
    assert 0.99 < ledger.spent() <= 1
    # How much of it was used may depend on the rows, so that all of it is stated.
    early = Ledger.open(Budget(1.0, 1e-6), {"rounds": Share(1.0, adaptive=True)})
    early.noisy("rounds", np.zeros(2), noise, rho=1e-9)
    assert 0.99 < early.spent() <= 1


def test_adaptive_noise_has_the_standard_deviation_that_it_pays_for():
    ledger = Ledger.open(Budget(1.0, 1e-6), {"rounds": Share(1.0, adaptive=True)})
    rho = ledger.left("rounds") / 2
    drawn = ledger.noisy("rounds", np.zeros(20_000), SeededNoise(np.random.default_rng(0)), rho=rho)
    assert drawn.std() == pytest.approx(1 / np.sqrt(2 * rho), rel=0.02)


def test_a_budget_too_small_for_the_table_names_the_least_that_works():
    with pytest.raises(InputError, match=r"privacy\.epsilon=\S+ is too small: .*give at least \d") as caught:
        Ledger.open(Budget(0.001, 1e-6, rows=200), PLAN)
    least = float(str(caught.value).rsplit(" ", 1)[1])
    Ledger.open(Budget(least, 1e-6, rows=200), PLAN)
    with pytest.raises(InputError, match="is too small"):
        Ledger.open(Budget(0.98 * least, 1e-6, rows=200), PLAN)


def test_a_budget_that_no_adaptive_noise_can_keep_is_refused_in_one_line():
    plan = {"one": Share(1.0, 3), "rounds": Share(1.0, adaptive=True)}
    with pytest.raises(InputError, match=r"^privacy\.epsilon=1e-06: is too small for any noise; give at least"):
        Ledger.open(Budget(1e-6, 1e-5), plan)
    assert Ledger.open(Budget(0.001, 1e-5), plan).spent() <= 1e-3


def test_noise_has_its_standard_deviation_and_hides_the_last_bits_of_a_count():
    noise = Noise().gaussian(7.0, 40_000)
    assert abs(noise.mean()) < 0.2 and noise.std() == pytest.approx(7.0, rel=0.03)
    for count in (1.0, 12_345.0):
        assert ((count + noise) - count == noise).all()
    a, b = (SeededNoise(np.random.default_rng(3)).gaussian(2.0, 5) for _ in range(2))
    assert (a == b).all() and not (Noise().gaussian(2.0, 5) == Noise().gaussian(2.0, 5)).any()


def test_the_largest_noise_hides_the_last_digits_of_a_count():
    noise = Noise().gaussian(2.0**40, 40)
    assert (noise % 2**10 != 0).any() and (noise == np.rint(noise)).all()


@pytest.mark.parametrize("sigma", [0.7, 6.0, 600.0])
def test_noise_hides_the_last_bits_of_sums_of_fractions(sigma):
    sums = np.random.default_rng(0).random((50, 4))
    noisy = Noise().added(sums, sigma, whole=False)
    # All results lie on one grid, whatever the sums are, and the grid is fine enough to keep the sensitivity.
    grid = 2.0 ** (np.floor(np.log2(sigma)) - 36)
    assert noisy.shape == sums.shape and not (noisy % grid).any() and (sums % grid).all() and grid < 1e-6
    assert (noisy - sums).std() == pytest.approx(sigma, rel=0.25)


def test_tails_of_noise_reach_more_places_than_one_word_of_random_bits(monkeypatch):
    words = [np.full(1000, 3), np.random.default_rng(0).integers(0, 2**53, 1000)]
    monkeypatch.setattr(
        "trisynth.privacy.noise.os.urandom", lambda size: (words.pop(0).astype(np.uint64) << np.uint64(11)).tobytes()
    )
    tail = Noise().gaussian(1.0, 1000)
    assert len(np.unique(tail)) > 990 and np.abs(tail).min() > 7.9 and np.abs(tail).max() < 8.3


@pytest.mark.parametrize("byte", [b"\x00", b"\xff"])
def test_noise_is_finite_for_all_random_bits(byte, monkeypatch):
    monkeypatch.setattr("trisynth.privacy.noise.os.urandom", lambda size: byte * size)
    assert np.isfinite(Noise().gaussian(3.0, 2)).all() and np.isfinite(Noise().gumbel(2)).all()


def test_choices_have_the_probabilities_of_the_exponential_mechanism():
    noise = SeededNoise(np.random.default_rng(0))
    for sensitivity, rows in ((1.0, 1), (3.0, 2)):
        person = {} if rows == 1 else {**PERSON, "rows_per_person": rows}
        ledger = Ledger.open(Budget(4.0, 1e-6, **person), {"rounds": Share(1.0, adaptive=True)})
        rho, epsilon = 1e-4 * ledger.left("rounds"), 0.02 * np.sqrt(2 * ledger.left("rounds"))
        # Scores of two candidates, between which a unit that changes both can shift the odds by epsilon.
        scores = np.array([0.0, 40 * 2 * sensitivity * rows])
        found = [ledger.choose("rounds", scores, noise, sensitivity, rho) for _ in range(4000)]
        assert np.mean(found) == pytest.approx(1 / (1 + np.exp(-40 * epsilon)), abs=0.03)


def test_a_person_of_several_rows_needs_as_much_more_noise():
    row, person = (Ledger.open(Budget(1.0, 1e-6, **extra), PLAN).sigma("counts") for extra in ({}, PERSON))
    assert person == pytest.approx(3 * row)


PERSON = {"unit": "person", "person": "id", "rows_per_person": 3}

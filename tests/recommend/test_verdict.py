"""The verdict agrees with the intervals of its own table."""

import pytest

from trisynth.recommend.answer import epsilon_of
from trisynth.recommend.verdict import Finding, longer, promise, sharing, verdict, worth_sharing
from trisynth.statistics.estimate import Estimate


def finding(gain=(0.055, 0.09), threshold=(0.048, 0.039), corrected=0.052, weights=(0.069, 0.08), **changes):
    """Build a finding with class weights chosen beforehand, from means and halves of intervals."""
    strongest = max(threshold[0], weights[0])
    over_real = {"class_weight": Estimate(*weights, 12), "threshold": Estimate(*threshold, 12)}
    fields = {
        "metric": "f1_macro",
        "candidate": "copula",
        "amount": 1.0,
        "gains": {"real": Estimate(*gain, 12), "class_weight": Estimate(gain[0] - strongest, 0.05, 12)},
        "baseline": "class_weight",
        "over_real": over_real,
        "corrected": over_real | {"threshold": Estimate(threshold[0], corrected, 12)},
    }
    return Finding(**(fields | changes))


def test_a_clear_baseline_that_was_not_chosen_is_named_with_its_corrected_interval():
    assert verdict(finding()) == (
        "Synthetic rows could not be shown to help; a tuned threshold may: +0.048 macro-F1 "
        "(95 % 0.009 to 0.087; corrected for 2 baselines -0.004 to 0.100)"
    )


def test_it_is_advised_if_the_corrected_interval_is_above_zero():
    assert "; tune the threshold: +0.048 macro-F1 (95 % 0.009 to 0.087;" in verdict(finding(corrected=0.045))


def test_the_baseline_chosen_beforehand_needs_no_correction():
    text = verdict(finding(weights=(0.069, 0.05)))
    assert text == "Synthetic rows could not be shown to help; use class weights: +0.069 macro-F1 (95 % 0.019 to 0.119)"


def test_clear_synthetic_rows_are_not_called_useless_where_a_baseline_gains_more():
    text = verdict(finding(gain=(0.05, 0.02), weights=(0.069, 0.05)))
    assert text.startswith("Synthetic rows gain less than class weights; use class weights: +0.069")


@pytest.mark.parametrize("baseline", ["real", "class_weight"])
def test_without_a_clear_baseline_the_best_generator_is_named_as_such(baseline):
    text = verdict(finding(threshold=(0.048, 0.06), baseline=baseline))
    assert "no baseline is clearly better than the real rows; train on these as they are" in text
    assert "(the best generator was copula, one synthetic row per real row: +0.055 macro-F1" in text


@pytest.mark.parametrize("half", [0.009, 0.2])
def test_rows_are_called_useless_only_if_no_gain_that_matters_is_left(half):
    text = verdict(finding(gain=(0.0, half)))
    assert text.startswith("Synthetic rows do not help" if half < 0.01 else "Synthetic rows could not be shown to help")


@pytest.mark.parametrize("epsilon", [None, 0.1])
def test_rows_worse_than_independent_columns_are_not_advised_for_sharing(epsilon):
    scores = {"fidelity/c2st_boosting": 0.91, "fidelity/c2st_boosting_floor": 0.60}
    text = sharing("label_triples", scores, ["smote"], 0.5, epsilon)
    assert text.startswith("No table is worth sharing at " + ("epsilon 0.1" if epsilon else "this number of rows"))
    assert "take label_triples" not in text and "0.91" in text and "0.60; smote copied training rows." in text
    better = sharing("mst", scores | {"fidelity/c2st_boosting": 0.55}, [], 0.5, epsilon)
    assert better.startswith("To share a table, take mst")


@pytest.mark.parametrize(("auc", "ceiling", "worse"), [(0.52, 0.56, True), (0.56, 0.52, False), (0.44, 0.48, False)])
def test_real_rows_that_score_worse_are_explained(auc, ceiling, worse):
    scores = {"fidelity/c2st_boosting": auc, "fidelity/c2st_boosting_floor": 0.9}
    text = sharing("copula", scores | {"fidelity/c2st_boosting_ceiling": ceiling}, [], 0.5)
    assert (f"{ceiling:.2f}, worse only by chance)" in text) is worse


def test_a_shared_table_is_said_to_pass_a_check_with_its_score_and_limit():
    text = sharing("copula", {"copying/memorised": 0.259}, [], 0.5)
    assert text.endswith(
        "The rows of copula pass the check for copies (memorised share 0.26, limit 0.50), "
        "which does not guarantee privacy."
    )
    assert "(" not in sharing("copula", {}, [], 0.5)


def test_what_a_budget_promises_and_what_not_is_in_plain_words():
    assert promise(None, 40) == []
    assert promise(1.0, 0) == []
    assert "Its 1 fit spends epsilon 1, and its scores" in promise(1.0, 1)[1]
    promised, not_promised = promise(1.0, 40)
    assert promised.startswith("Promised: rows of one fit") and "epsilon 1 " in promised
    assert "40 fits spend more than epsilon 1 together" in not_promised
    assert sharing("mst", {}, [], 0.5, 1.0).endswith("the guarantee is the budget of a fit, epsilon 1.")
    assert sharing("mst", {}, [], 0.5).endswith("which does not guarantee privacy.")


def test_noise_from_a_seed_is_no_budget():
    budget = {"epsilon": 1.0, "seeded": False}
    assert epsilon_of({"mst": {"privacy": budget}}) == 1.0
    assert epsilon_of({"mst": {"privacy": {**budget, "seeded": True}}}) is None
    assert epsilon_of({"mst": {"privacy": budget}, "circuit": {}}) is None


def test_rows_that_nothing_separates_are_worth_sharing():
    name = "fidelity/c2st_boosting"
    assert worth_sharing({name: 0.49, f"{name}_floor": 0.43})
    assert not worth_sharing({name: 0.56, f"{name}_floor": 0.43})
    assert not worth_sharing({name: 0.96, f"{name}_floor": 0.9})
    assert worth_sharing({name: 0.9}) and worth_sharing({})


def test_a_longer_budget_allows_for_a_slow_start():
    assert [longer(*seconds) for seconds in ((60,), (600, 9), (60, 90))] == [
        f"For more certainty: use a longer budget, such as --budget {minutes}min; finished trials are kept."
        for minutes in (10, 40, 15)
    ]

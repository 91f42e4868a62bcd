"""Sentences of scores, and scores that their references make void."""

import numpy as np
import pytest

from trisynth.report.html.meanings import MEANINGS, beyond, sentence, void
from trisynth.report.html.scores import chance


def score(metric, value, floor, ceiling, group="fidelity", base=None):
    known = MEANINGS.get(metric)
    return {
        "metric": metric,
        "group": group,
        "value": value,
        "floor": floor,
        "ceiling": ceiling,
        "base": base,
        "ideal": known.ideal if known else None,
    }


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (score("c2st_boosting", 0.6, 0.9, 0.5), None),
        (score("c2st_boosting", 1.0, 1.0, 1.0), "even copies of the training rows are separated"),
        (score("c2st_boosting", 0.7, 0.8, 0.79), "independent columns score as real rows do"),
        (score("correlation_gap", 0.1, 0.2, 0.02), None),
        (score("correlation_gap", 0.1, 0.05, 0.05), "independent columns score as real rows do"),
        (score("correlation_gap", 0.1, 0.02, 0.05), "independent columns score better"),
        (score("ks", 0.3, 0.05, 0.05), None),
        (score("coverage", 0.7, 0.4, 0.95), None),
        (score("coverage", 0.7, 0.9, 0.5), "independent columns score better"),
        (score("dcr_share", 0.55, 0.5, 0.76, "copying"), None),
        (score("dcr_ratio", 1.0, 1.0, 0.95, "copying"), "even copies of the training rows are not detected"),
        (score("identical_match_share", 0.0, 0.0, 0.0, "copying"), "even copies of the training rows are not detected"),
        (score("identical_match_share", 0.0, 0.0, 1.0, "copying"), None),
        (score("tv", 0.1, None, None), None),
    ],
)
def test_a_score_is_void_where_its_references_do_not_differ(given, reason):
    found = void(given)
    assert found is None if reason is None else found.startswith(reason)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (score("c2st_boosting", 0.52, 0.9, 0.56), True),
        (score("c2st_boosting", 0.56, 0.9, 0.52), False),
        (score("coverage", 0.97, 0.4, 0.95), True),
        (score("ks", 0.0501, 0.05, 0.05014), False),
        (score("tv", 0.1, None, None), False),
        (score("dcr_share", 0.5, 0.5, 0.76, "copying"), False),
    ],
)
def test_rows_that_score_better_than_real_ones_are_found(given, found):
    assert beyond(given) is found


def test_every_score_has_a_sentence():
    for metric in MEANINGS:
        text = sentence(score(metric, 0.25, 0.5, 0.1))
        assert text.endswith(".") and "{" not in text
    assert sentence(score("unheard_of", 0.25, None, None)) == "The score is 0.250."
    assert "0.0\N{NO-BREAK SPACE}%" in sentence(score("memorised", -0.4, None, None, "copying"))
    given = score("identical_match_share", 0.1, 0.0, 1.0, "copying", base=0.05)
    assert "; 5.0\N{NO-BREAK SPACE}% would without copying" in sentence(given)
    given = score("rare_reproduced", 0.1, 0.0, 1.0, "copying", base=0.05)
    assert "and 5.0\N{NO-BREAK SPACE}% of the held-out real rows do" in sentence(given)


def test_a_memorised_share_that_chance_allows_is_not_called_copying():
    given = score("memorised", 0.259, 0.1, 1.0, "copying")
    assert "exist only because of a training row" in sentence(given | {"noise": 0.2})
    assert "is not larger than chance allows" in sentence(given | {"noise": chance(415, 46, 415)})
    assert "is not larger than chance allows" in sentence(given | {"noise": 0.2, "floor": 0.3})


def test_chance_covers_the_scores_of_fresh_rows():
    found, rng = [], np.random.default_rng(0)
    for _ in range(200):
        real, fresh = rng.normal(size=(110, 3)), rng.normal(size=(100, 3))
        nearest = ((fresh[:, None] - real[None]) ** 2).sum(axis=2).argmin(axis=1)
        found.append(((nearest < 100).mean() - 10 / 11) * 11)
    inside = np.mean(np.abs(found) <= chance(100, 10, 100))
    assert 0.9 <= inside <= 1.0

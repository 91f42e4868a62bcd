"""Answer of a search as plain values: its sentences, training sets and candidates."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from trisynth.recommend.recommendation import Recommendation
from trisynth.report.html.columns import exact, rounded
from trisynth.report.html.meanings import MEANINGS
from trisynth.report.names import METRICS, name, printable

# Scores of a candidate that the page shows, of those that the search has.
_SHOWN = ("c2st_boosting", "correlation_gap", "dcr_share", "memorised", "identical_match_share")
_OF = ("fidelity", "copying")


def answer(found: Recommendation) -> dict[str, Any]:
    """Collect what the search found; every sentence is as the search has it."""
    candidates = _candidates(found.trials, found.tables)
    return {
        "verdict": printable(found.verdict, 600),
        "sharing": printable(found.sharing, 600),
        "surer": printable(found.surer, 600),
        "notes": [printable(note, 300) for note in found.notes],
        "finished": found.finished,
        "budget": rounded(found.budget, 1),
        "seconds": rounded(found.seconds, 1),
        "candidates": candidates,
        # Some candidates may lack a score, or have none.
        "labels": list(dict.fromkeys(label for each in candidates for label in each["scores"])),
        "limits": dict(found.config["recommend"]["copying"]),
        "arms": _arms(found),
        # The trials have seeds of their own, which follow from this one.
        "made": {
            "seeds": [found.seed],
            "jobs": len({key for keys in found.keys.values() for key in keys}),
            "seconds": rounded(found.seconds, 1),
        },
    }


def _arms(found: Recommendation) -> dict[str, Any] | None:
    """List the training sets on the folds that confirm, in the form of ``scores.arms``."""
    if not len(found.arms):
        return None
    rows = [
        {
            "arm": row["arm"],
            "name": "real" if row["arm"] == "real" else printable(name(row["arm"])),
            "method": "",
            "rows": None,
            "score": {"mean": exact(row["score"]), "low": None, "high": None},
            "over_real": None if row["arm"] == "real" else _gain(row),
            "over_baseline": None,
            "others": {},
        }
        for row in found.arms.to_dict("records")
    ]
    return {
        "score": METRICS.get(found.metric, found.metric),
        "baseline": None,
        "real": True,
        "others": {},
        "folds": int(found.arms["folds"].max()),
        "seeds": 1,
        "classifiers": [],
        "hidden": 0,
        "rows": rows,
    }


def _candidates(trials: pd.DataFrame, tables: pd.DataFrame) -> list[dict[str, Any]]:
    """List each candidate with its best trial on the folds used for the choice, and its scores as a table to share."""
    shared = {row["candidate"]: row for row in tables.to_dict("records")}
    found = []
    for candidate in dict.fromkeys([*trials["candidate"], *shared]):
        own = trials[trials["candidate"] == candidate]
        # The folds that confirm have one row for each baseline, and one candidate.
        own = own[own["stage"] != "confirm"]
        best = own.sort_values("gain", ascending=False, kind="stable").head(1).to_dict("records")
        row = shared.get(candidate, {})
        scores = {
            MEANINGS[short].name: exact(row[key])
            for short in _SHOWN
            for key in (short, *(f"{part}/{short}" for part in _OF))
            if row.get(key) is not None
        }
        found.append(
            {
                "name": printable(candidate),
                "copying": None if row.get("copying") is None else bool(row["copying"]),
                "trial": _trial(best[0]) if best else None,
                "scores": {label: value for label, value in scores.items() if value is not None},
            }
        )
    return found


def _trial(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "amount": printable(row["amount"]),
        "baseline": printable(name(row["baseline"])) if row["baseline"] else "",
        "stage": row["stage"],
        "gain": _gain(row),
        "problem": printable(row["problem"] or "", 120),
    }


def _gain(row: Mapping[str, Any]) -> dict[str, float | None]:
    return {"mean": exact(row["gain"]), "low": exact(row["lower"]), "high": exact(row["upper"])}

"""Tables whose columns determine each other."""

import numpy as np
import pandas as pd

from benchmarks.cases.made.base import ROWS, days, made, outcome


@made("rounded_sums")
def _sums(rng):
    parts = rng.gamma(2, 20, (ROWS, 3))
    frame = pd.DataFrame(parts.round(1), columns=["room", "board", "care"])
    return frame.assign(total=parts.sum(axis=1).round(1), y=outcome(rng))


@made("shares_of_100")
def _shares(rng):
    parts = rng.dirichlet([2, 3, 4], ROWS) * 100
    frame = pd.DataFrame(parts.round(1), columns=["fat_pct", "protein_pct", "carb_pct"])
    frame["carb_pct"] = (100 - frame["fat_pct"] - frame["protein_pct"]).round(1)
    return frame.assign(y=outcome(rng))


@made("hierarchy")
def _hierarchy(rng):
    cities = {"Austin": "TX", "Dallas": "TX", "Boston": "MA", "Salem": "MA", "Portland": "OR", "Eugene": "OR"}
    city = rng.choice(list(cities), ROWS)
    country = {"TX": "South", "MA": "East", "OR": "West"}
    return pd.DataFrame({"city": city, "state": [cities[c] for c in city]}).assign(
        region=lambda t: t["state"].map(country), y=outcome(rng)
    )


@made("bmi_imperial")
def _imperial(rng):
    inches, pounds = rng.normal(67, 4, ROWS).round(1), rng.normal(170, 30, ROWS).round(1)
    return pd.DataFrame({"height_in": inches, "weight_lb": pounds, "bmi": (703 * pounds / inches**2).round(1)}).assign(
        y=outcome(rng)
    )


@made("ratio")
def _ratio(rng):
    chol, hdl = rng.integers(120, 300, ROWS), rng.integers(25, 95, ROWS)
    return pd.DataFrame({"chol": chol, "hdl": hdl, "ratio": (chol / hdl).round(2), "y": outcome(rng)})


@made("unit_pairs")
def _units(rng):
    celsius = rng.normal(37.2, 0.7, ROWS).round(1)
    return pd.DataFrame({"temp_c": celsius, "temp_f": (celsius * 9 / 5 + 32).round(1), "y": outcome(rng)})


@made("bins_of_age")
def _bins(rng):
    age = rng.integers(18, 90, ROWS)
    group = pd.cut(age, [0, 29, 44, 64, 120], labels=["18-29", "30-44", "45-64", "65+"]).astype(str)
    return pd.DataFrame({"age": age, "age_group": group, "y": outcome(rng)})


@made("days_of_whole_weeks")
def _whole_weeks(rng):
    weeks = rng.integers(1, 40, ROWS)
    return pd.DataFrame(
        {"weeks": weeks, "days": 7 * weeks, "x": rng.normal(size=ROWS).round(2), "y": outcome(rng, weeks / 20 - 1)}
    )


@made("only_whole_weeks")
def _only_weeks(rng):
    first = days(rng)
    again = first + pd.to_timedelta(7 * rng.integers(1, 30, ROWS), unit="D")
    return pd.DataFrame(
        {
            "first": first.strftime("%Y-%m-%d"),
            "again": again.strftime("%Y-%m-%d"),
            "days": 7 * rng.integers(1, 30, ROWS),
        }
    ).assign(y=outcome(rng))


@made("vat")
def _vat(rng):
    net = rng.lognormal(4, 1, ROWS).round(2)
    return pd.DataFrame(
        {"net": net, "vat": (net * 0.19).round(2), "gross": (net + (net * 0.19).round(2)).round(2)}
    ).assign(y=outcome(rng))


@made("indicators")
def _indicators(rng):
    level = rng.integers(0, 3, ROWS)
    frame = pd.DataFrame({f"stage_{i}": (level == i).astype(int) for i in range(3)})
    items = rng.integers(0, 4, (ROWS, 9))
    frame = frame.assign(**{f"phq{i + 1}": items[:, i] for i in range(9)})
    return frame.assign(phq_total=items.sum(axis=1), y=outcome(rng, level - 1))


@made("births_and_deaths")
def _deaths(rng):
    born = days(rng, "1930-01-01", 20_000)
    seen = days(rng, "2015-01-01", 900)
    died = seen + pd.to_timedelta(rng.integers(0, 1_500, ROWS), unit="D")
    dead = rng.random(ROWS) < 0.3
    return pd.DataFrame(
        {
            "born": born.strftime("%Y-%m-%d"),
            "seen": seen.strftime("%Y-%m-%d"),
            "age": ((seen - born).days / 365.25).astype(int),
            "died": np.where(dead, died.strftime("%Y-%m-%d"), ""),
            "dead": np.where(dead, "yes", "no"),
        }
    )

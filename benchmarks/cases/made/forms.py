"""Tables of cells that are neither plain numbers nor plain words."""

import json

import numpy as np
import pandas as pd

from benchmarks.cases.made.base import ROWS, gaps, made, outcome, texts


@made("intervals")
def _intervals(rng):
    low = rng.choice([0, 10, 20, 30, 40], ROWS)
    return pd.DataFrame(
        {
            "age_band": [f"{v}-{v + 9}" for v in low],
            "dose": [f"[{v},{v + 10})" for v in rng.choice([0, 10, 20], ROWS)],
            "tumor size": texts(rng.choice([0, 5, 10, 15], ROWS), "{0}–{0}9"),
            "staff": rng.choice(["1-9", "10-49", "50-249", "250+"], ROWS),
            "y": outcome(rng, low / 20 - 1),
        }
    )


@made("bounds_of_detection")
def _detection(rng):
    lead, days_ = rng.lognormal(-2, 1.2, ROWS), rng.integers(0, 9, ROWS)
    return pd.DataFrame(
        {
            "lead": ["<0.05" if v < 0.05 else f"{v:.2f}" for v in lead],
            "titre": rng.choice(["<1:20", "1:20", "1:40", "1:80", ">=1:160"], ROWS),
            "children": ["5+" if v > 4 else str(v) for v in days_],
            "age": [">90" if v > 90 else str(v) for v in rng.integers(40, 100, ROWS)],
            "y": outcome(rng, lead),
        }
    )


@made("ratings")
def _ratings(rng):
    stars = rng.integers(1, 6, ROWS)
    return pd.DataFrame(
        {
            "rating": texts(stars, "{}/5"),
            "pain": texts(rng.integers(0, 11, ROWS), "{}/10"),
            "stars": ["★" * s for s in stars],
        }
    ).assign(score=texts(rng.integers(20, 81, ROWS), "{}/80"), again=outcome(rng, stars - 3))


@made("blood_pressure")
def _pressure(rng):
    upper = rng.integers(95, 190, ROWS)
    lower = (upper * 0.6 + rng.normal(0, 6, ROWS)).astype(int)
    return pd.DataFrame(
        {"BP": [f"{a}/{b}" for a, b in zip(upper, lower, strict=True)], "pulse": rng.integers(45, 130, ROWS)}
    ).assign(stroke=outcome(rng, upper / 30 - 5))


@made("coordinates")
def _coordinates(rng):
    lat, lon = rng.uniform(47.3, 54.9, ROWS), rng.uniform(6.0, 14.9, ROWS)
    dms = [f"{int(v)}°{int(v % 1 * 60):02d}'{int(v * 60 % 1 * 60):02d}\"N" for v in lat]
    return pd.DataFrame(
        {
            "lat": lat.round(6),
            "lon": lon.round(6),
            "place": [f"{a:.4f}, {b:.4f}" for a, b in zip(lat, lon, strict=True)],
        }
    ).assign(dms=dms, wkt=[f"POINT ({b:.5f} {a:.5f})" for a, b in zip(lat, lon, strict=True)], y=outcome(rng))


@made("json_cells")
def _json(rng):
    tags = ["a", "b", "c"]
    cells = [json.dumps({"n": int(rng.integers(9)), "tags": list(rng.choice(tags, 2))}) for _ in range(ROWS)]
    lists = [str(list(map(str, rng.choice(tags, rng.integers(1, 3), replace=False)))) for _ in range(ROWS)]
    return pd.DataFrame({"payload": cells, "labels": lists, "n": rng.poisson(4, ROWS), "y": outcome(rng)})


@made("many_labels", sep=";")
def _many(rng):
    parts = np.array([f"ICD{i}" for i in range(12)])
    cells = [", ".join(parts[rng.random(12) < 0.3]) for _ in range(ROWS)]
    pipes = ["|".join(rng.choice(["red", "blue", "green"], 2, replace=False)) for _ in range(ROWS)]
    return pd.DataFrame({"diagnoses": cells, "colours": pipes, "n": rng.poisson(4, ROWS), "y": outcome(rng)})


@made("shares_in_many_scales")
def _scales(rng):
    share = rng.beta(2, 5, ROWS)
    return pd.DataFrame(
        {
            "fraction": share.round(4),
            "percent": texts(share * 100, "{:.1f} %"),
            "change": texts(rng.normal(0, 12, ROWS), "{:+.2f}%"),
            "promille": texts(share * 10, "{:.2f}‰"),
            "points": texts(rng.normal(0, 30, ROWS), "{:+.0f} bp"),
            "y": outcome(rng, share * 4 - 1),
        }
    )


@made("truth_in_many_forms")
def _truth(rng):
    pairs = {
        "raucher": ["ja", "nein"],
        "checked": ["x", ""],
        "tick": ["✓", "✗"],
        "on": ["on", "off"],
        "german": ["WAHR", "FALSCH"],
        "vrai": ["vrai", "faux"],
        "plus": ["+", "-"],
        "minus_one": ["-1", "0"],
        "python": ["True", "False"],
        "two": ["1", "2"],
    }
    return pd.DataFrame(
        {name: rng.choice(pair, ROWS) for name, pair in pairs.items()} | {"y": outcome(rng, names=("False", "True"))}
    )


@made("sex_codes")
def _sex(rng):
    return pd.DataFrame(
        {
            "SEX": rng.choice([1, 2, 9], ROWS, p=[0.49, 0.49, 0.02]),
            "MARITAL": rng.choice([1, 2, 3, 4, 8, 9], ROWS, p=[0.4, 0.3, 0.2, 0.06, 0.02, 0.02]),
            "EDUC": rng.choice([0, 10, 12, 13, 16, 98, 99], ROWS),
            "AGE": rng.choice([*range(18, 90), 999], ROWS, p=[0.97 / 72] * 72 + [0.03]),
            "y": outcome(rng, names=("1", "2")),
        }
    )


@made("formulas")
def _formulas(rng):
    return pd.DataFrame(
        {
            "entry": rng.choice(["=1+1", "=SUM(A1:A9)", "@ref", "+plus", "-minus", "plain"], ROWS),
            "delta": texts(rng.normal(0, 3, ROWS), "{:+.1f}"),
            "=cmd|' /C calc'!A0": rng.integers(0, 9, ROWS),
            "y": outcome(rng),
        }
    )


@made("emoji_and_rtl")
def _emoji(rng):
    return pd.DataFrame(
        {
            "🙂 mood": rng.choice(["👍🏽", "👎", "👩‍⚕️", "🤷"], ROWS),
            "العمر": rng.integers(18, 90, ROWS),
            "שם מחלקה": rng.choice(["פנימית", "כירורגיה"], ROWS),
            "ชื่อ": rng.choice(["กรุงเทพ", "เชียงใหม่"], ROWS),
            "النتيجة": outcome(rng, names=("لا", "نعم")),
        }
    )


@made("control_characters")
def _control(rng):
    return pd.DataFrame(
        {
            "site": rng.choice(["Ba\x0bsel", "Be\x1frn", "Zü\u200brich", "Ge\u00adnf"], ROWS),
            "unit\u00a0name": rng.choice(["a\tb", "c\u2028d", " e "], ROWS),
            "x": rng.normal(size=ROWS).round(2),
            "y": outcome(rng),
        }
    )


@made("hex_and_versions")
def _hex(rng):
    return pd.DataFrame(
        {
            "mask": [f"0x{v:02X}" for v in rng.choice([1, 31, 255, 128], ROWS)],
            "firmware": rng.choice(["1.10.2", "1.9.0", "2.0.0-rc1"], ROWS),
            "part": rng.choice(["1e5", "2e7", "3e1"], ROWS),
            "isotope": rng.choice(["1E4", "A12", "3E8", "B77"], ROWS),
            "y": outcome(rng),
        }
    )


@made("fractions")
def _fractions(rng):
    return pd.DataFrame(
        {"dose": rng.choice(["1/2", "1", "1 1/2", "2"], ROWS), "cup": rng.choice(["½", "1", "1½"], ROWS)}
    ).assign(vision=rng.choice(["20/20", "20/40", "20/200"], ROWS), y=outcome(rng))


@made("suffixed_thousands")
def _thousands(rng):
    value = rng.lognormal(9, 2, ROWS)
    cells = [f"{v / 1e6:.1f}M" if v >= 1e6 else f"{v / 1e3:.1f}K" if v >= 1e3 else f"{v:.0f}" for v in value]
    return pd.DataFrame({"followers": cells, "sales": texts(rng.gamma(3, 2, ROWS), "${:.1f}m"), "y": outcome(rng)})


@made("gaps_in_many_words")
def _words(rng):
    words = ["", "NA", "n/a", "-", "?", "unknown", "keine Angabe"]
    height = [rng.choice(words) if rng.random() < 0.15 else f"{v:.0f} cm" for v in rng.normal(171, 9, ROWS)]
    ward = [rng.choice(words) if rng.random() < 0.2 else rng.choice(["A", "B"]) for _ in range(ROWS)]
    return pd.DataFrame(
        {"height": height, "ward": ward, "n": gaps(rng, rng.poisson(3, ROWS), text="."), "y": outcome(rng)}
    )

"""Tables of persons: contacts, households, repeated visits, texts and long cells."""

import base64
import hashlib

import numpy as np
import pandas as pd

from benchmarks.cases.made.base import ROWS, days, gaps, made, outcome, texts

_WORDS = {
    "en": "the nurse was kind but we had to wait for three hours and nobody knew the reason",
    "de": "die Pflege war freundlich aber wir mussten drei Stunden warten ohne zu wissen warum",
}


@made("phones")
def _phones(rng):
    digits = lambda n: "".join(map(str, rng.integers(0, 10, n)))  # noqa: E731
    forms = ["(0{0}) {1}", "+49 {0} {1}", "0{0}/{1}", "0049{0}{1}", "0{0}-{1}"]
    return pd.DataFrame(
        {
            "Telefon": [rng.choice(forms).format(digits(3), digits(7)) for _ in range(ROWS)],
            "mobile": gaps(rng, [f"01{digits(9)}" for _ in range(ROWS)]),
            "contact": [f"p{digits(5)}@{rng.choice(['web.de', 'gmx.net'])}" for _ in range(ROWS)],
            "iban": [f"CH{digits(19)}" for _ in range(ROWS)],
            "AHV": [f"756.{digits(4)}.{digits(4)}.{digits(2)}" for _ in range(ROWS)],
            "y": outcome(rng),
        }
    )


@made("addresses")
def _addresses(rng):
    streets, towns = ["Hauptstr.", "Bahnhofstraße", "Am Markt"], ["80331 München", "10115 Berlin", "50667 Köln"]
    return pd.DataFrame(
        {
            "address": [f"{rng.choice(streets)} {rng.integers(1, 200)}, {rng.choice(towns)}" for _ in range(ROWS)],
            "zip": [f"{v:05d}-{w:04d}" for v, w in rng.integers(1, 9999, (ROWS, 2))],
            "homepage": [f"https://example.org/u/{rng.bytes(4).hex()}" for _ in range(ROWS)],
            "rent": rng.integers(400, 2_000, ROWS),
            "y": outcome(rng),
        }
    )


@made("hashes")
def _hashes(rng):
    raw = [rng.bytes(16) for _ in range(ROWS)]
    return pd.DataFrame(
        {
            "md5": [hashlib.md5(r).hexdigest() for r in raw],
            "sha": [hashlib.sha256(r).hexdigest() for r in raw],
            "token": [base64.b64encode(r).decode() for r in raw],
            "object": [f"oid:{r.hex()[:8].upper()}" for r in raw],
            "x": rng.normal(size=ROWS).round(2),
            "y": outcome(rng),
        }
    )


@made("household")
def _household(rng):
    home = np.sort(rng.integers(1, 90, ROWS))
    size = pd.Series(home).map(pd.Series(home).value_counts())
    return pd.DataFrame(
        {
            "hh_id": texts(home, "HH{:04d}"),
            "person": pd.Series(home).groupby(home).cumcount() + 1,
            "hh_size": size,
            "income": pd.Series(home).map(pd.Series(rng.lognormal(10, 0.6, 100).round(0))).astype(int),
            "age": rng.integers(0, 95, ROWS),
            "employed": outcome(rng),
        }
    )


@made("repeated_visits")
def _visits(rng):
    person = np.repeat(np.arange(60), 4)
    first = days(rng)[:60].repeat(4)
    seen = first + pd.to_timedelta(np.tile([0, 90, 180, 270], 60) + rng.integers(-5, 6, ROWS), unit="D")
    return pd.DataFrame(
        {
            "patient_id": texts(person, "P-{:05d}"),
            "visit": np.tile([1, 2, 3, 4], 60),
            "date": seen.strftime("%Y-%m-%d"),
            "sex": np.where(person % 2, "f", "m"),
            "hba1c": (rng.normal(7, 1, 60).repeat(4) + rng.normal(0, 0.3, ROWS)).round(1),
            "event": outcome(rng),
        }
    )


@made("panel")
def _panel(rng):
    firm, year = np.repeat(np.arange(40), 6), np.tile(np.arange(2015, 2021), 40)
    sales = (rng.lognormal(5, 1, 40).repeat(6) * rng.lognormal(0, 0.2, ROWS)).round(1)
    before = np.where(year == 2015, np.nan, np.roll(sales, 1))
    return pd.DataFrame(
        {"gvkey": firm + 1001, "fyear": year, "sales": sales, "sales_lag": before, "y": outcome(rng, sales / 500)}
    )


@made("short_texts")
def _short(rng):
    ends = ["", " 😀", " 👍👍", " #waiting", " :("]
    words = {key: value.split() for key, value in _WORDS.items()}
    cells = [" ".join(rng.choice(words["en"], rng.integers(2, 9))) + rng.choice(ends) for _ in range(ROWS)]
    titles = [" ".join(rng.choice(words["de"], 2)).title() for _ in range(ROWS)]
    return pd.DataFrame({"answer": cells, "Titel": titles, "stars": rng.integers(1, 6, ROWS), "y": outcome(rng)})


@made("very_long_cells")
def _long(rng):
    cells = [" ".join(rng.choice(_WORDS["de"].split(), 6_000)) for _ in range(30)]
    return pd.DataFrame({"letter": cells, "pages": rng.poisson(4, 30), "y": np.where(np.arange(30) % 3, "a", "b")})


@made("usernames")
def _users(rng):
    names = [f"{rng.choice(['max', 'eva', 'kai'])}{rng.choice(['_', '.', ''])}{rng.integers(999)}" for _ in range(ROWS)]
    return pd.DataFrame(
        {
            "who": names,
            "agent": rng.choice(["Mozilla/5.0 (X11; Linux)", "curl/8.5.0"], ROWS),
            "country": rng.choice(["DE", "NO", "CH", "NA"], ROWS),
            "y": outcome(rng),
        }
    )

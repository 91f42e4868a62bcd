"""Tables as hospitals, surveys, banks, databases and spreadsheets export them."""

import csv

import numpy as np
import pandas as pd

from benchmarks.cases.made.base import ROWS, days, gaps, made, marks, outcome, texts


@made("hospital_export", sep=";", encoding="cp1252", quoting=csv.QUOTE_ALL)
def _hospital(rng):
    admitted, stay = days(rng), rng.integers(1, 20, ROWS)
    crp = rng.lognormal(2, 1.2, ROWS)
    age = rng.integers(18, 96, ROWS)
    words = ["Patient", "stabil;", "keine Beschwerden", "Sturz\nim Bad", 'sog. "Raucherhusten"', "Verlauf unauffällig"]
    return pd.DataFrame(
        {
            "Fall-Nr.": rng.permutation(np.arange(4_100_000, 4_100_000 + 9 * ROWS, 9)),
            "Aufnahme": admitted.strftime("%d.%m.%Y"),
            "Entlassung": (admitted + pd.to_timedelta(stay, unit="D")).strftime("%d.%m.%Y"),
            "Verweildauer": stay,
            "Geschlecht": rng.choice(["m", "w", "d"], ROWS, p=[0.48, 0.47, 0.05]),
            "Alter bei Aufnahme": age,
            "CRP (mg/l)": ["<0,6" if v < 0.6 else f"{v:.1f}".replace(".", ",") for v in crp],
            "Hauptdiagnose": rng.choice(["I50.01", "J18.9", "S72.01", "N39.0"], ROWS),
            "Befund": [" ".join(rng.choice(words, 6)) for _ in range(ROWS)],
            "verstorben": outcome(rng, age / 20 - 5, ("nein", "ja")),
        }
    )


@made("survey_questions")
def _questions(rng):
    names = ["StartDate", "Progress", "Q1", "Q2_1", "Q3"]
    asked = ["Start Date", "Progress", "How satisfied are you?", "I trust my doctor", "Would you come again?"]
    lines = [",".join(names), ",".join(asked), ",".join(f'"{{""ImportId"":""QID{i}""}}"' for i in range(5))]
    scale = ["Very dissatisfied", "Dissatisfied", "Satisfied", "Very satisfied"]
    for day in days(rng):
        cells = f"{day:%Y-%m-%d} 10:{rng.integers(60):02d}:{rng.integers(60):02d}", str(rng.choice([33, 67, 100]))
        lines.append(",".join([*cells, rng.choice(scale), str(rng.integers(1, 6)), rng.choice(["Yes", "No"])]))
    return "\n".join(lines) + "\n"


@made("survey_labels")
def _labels(rng):
    scale = ["1 - Very bad", "2 - Bad", "3 - Fair", "4 - Good", "5 - Very good"]
    often = ["Never", "Once a month or less", "2-3 times a month", "Weekly", "Prefer not to say"]
    frame = {f"Q{i}. How was it?": rng.choice(scale, ROWS, p=[0.05, 0.1, 0.25, 0.35, 0.25]) for i in (1, 2)}
    money = ["Under £10,000", "£10,000 - £19,999", "£20,000 - £39,999", "£40,000 or more"]
    return pd.DataFrame(
        {**frame, "How often?": rng.choice(often, ROWS), "Income": rng.choice(money, ROWS), "again": outcome(rng)}
    )


@made("bank_statement", sep=";", encoding="cp1252", top='"Kontoauszug";""\n"Zeitraum:";"01.01.2024 - 31.12.2024"\n\n')
def _bank(rng):
    booked = pd.DatetimeIndex(np.sort(days(rng, "2024-01-01", 360).to_numpy()))
    amount = rng.normal(-30, 400, ROWS).round(2)
    form = lambda values: marks(texts(values, "{:,.2f}"), ",.", ".,")  # noqa: E731
    digits = lambda n: "".join(map(str, rng.integers(0, 10, n)))  # noqa: E731
    shops = ["REWE SAGT DANKE", "Miete Januar", "Lohn/Gehalt", "PAYPAL *SPOTIFY", "Stadtwerke"]
    return pd.DataFrame(
        {
            "Buchungstag": booked.strftime("%d.%m.%y"),
            "Wertstellung": (booked + pd.to_timedelta(rng.integers(0, 3, ROWS), unit="D")).strftime("%d.%m.%y"),
            "Verwendungszweck": [f"{rng.choice(shops)} {digits(8)}" for _ in range(ROWS)],
            "IBAN": [f"DE{digits(20)}" for _ in range(ROWS)],
            "Betrag": form(amount),
            "Saldo nach Buchung": form((4000 + amount.cumsum()).round(2)),
            "Währung": "EUR",
            "Kategorie": rng.choice(["Wohnen", "Essen", "Freizeit"], ROWS),
        }
    )


@made("trailing_minus", sep="\t")
def _sap(rng):
    value = rng.normal(200, 900, ROWS).round(2)
    cells = [f"{abs(v):,.2f}{'-' if v < 0 else ''}" for v in value]
    return pd.DataFrame(
        {"Werk": rng.choice(["0100", "0200"], ROWS), "Betrag Hauswährung": marks(cells, ",.", ".,")}
    ).assign(Menge=texts(rng.gamma(2, 20, ROWS), "{:.3f}"), y=outcome(rng))


@made("sql_dump", sep="\t", ending=".tsv")
def _dump(rng):
    stamp = days(rng) + pd.to_timedelta(rng.integers(0, 86_400, ROWS), unit="s")
    return pd.DataFrame(
        {
            "id": np.arange(1, ROWS + 1),
            "created_at": stamp.strftime("%Y-%m-%d %H:%M:%S"),
            "weight": gaps(rng, texts(rng.normal(70, 10, ROWS), "{:.1f}"), text="\\N"),
            "ward": gaps(rng, rng.choice(["A", "B", "C"], ROWS), text="\\N"),
            "deleted_at": gaps(rng, stamp.strftime("%Y-%m-%d %H:%M:%S"), 0.8, "\\N"),
            "active": rng.choice(["t", "f"], ROWS),
            "churn": rng.integers(0, 2, ROWS),
        }
    )


@made("sql_null")
def _null(rng):
    return pd.DataFrame(
        {
            "amount": gaps(rng, texts(rng.gamma(2, 50, ROWS), "{:.4f}"), text="NULL"),
            "kind": gaps(rng, rng.choice(["cash", "card"], ROWS), text="NULL"),
            "paid": gaps(rng, days(rng).strftime("%Y-%m-%d"), text="NULL"),
            "ref": [rng.bytes(8).hex() for _ in range(ROWS)],
            "y": outcome(rng),
        }
    )


@made("excel_merged", top=",Blutdruck,,Labor,,\n")
def _excel(rng):
    values = rng.integers(100, 180, ROWS), rng.integers(55, 100, ROWS), rng.normal(140, 4, ROWS).round(0)
    names = ["Patient", "sys", "dia", "Na", "K", "Outcome"]
    cells = [[f"P{i:03d}" for i in range(ROWS)], *values, rng.normal(4.2, 0.4, ROWS).round(1), outcome(rng)]
    return pd.DataFrame(dict(zip(names, cells, strict=True)))


@made("excel_errors")
def _errors(rng):
    ratio = rng.gamma(4, 0.2, ROWS).round(3)
    cells = [rng.choice(["#DIV/0!", "#N/A", "#VALUE!"]) if rng.random() < 0.06 else str(v) for v in ratio]
    return pd.DataFrame({"ratio": cells, "sheet": rng.choice(["Jan", "Feb"], ROWS), "y": outcome(rng)})


@made("totals_row", sep=";")
def _totals(rng):
    frame = pd.DataFrame({"region": rng.choice(["Nord", "Süd"], ROWS), "units": rng.poisson(30, ROWS)})
    frame = frame.assign(price=rng.gamma(5, 3, ROWS).round(2), late=outcome(rng))
    return frame.to_csv(index=False, sep=";") + f"Total;{frame['units'].sum()};;\n"


@made("pandas_index")
def _index(rng):
    frame = pd.DataFrame({"age": rng.integers(18, 90, ROWS), "bmi": rng.normal(27, 5, ROWS), "y": outcome(rng)})
    return frame.to_csv(index=True)


@made("r_export", sep=" ", ending=".txt", quoting=csv.QUOTE_NONNUMERIC, na_rep="NA")
def _r(rng):
    return pd.DataFrame(
        {"Sepal.Length": rng.normal(5.8, 0.8, ROWS).round(1), "income": rng.lognormal(10, 1, ROWS).round(0)}
    ).assign(**{"in school": rng.choice(["TRUE", "FALSE"], ROWS), "species": rng.choice(["setosa", "virginica"], ROWS)})

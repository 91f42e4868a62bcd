"""Tables of numbers in the forms of many countries and programs."""

import numpy as np
import pandas as pd

from benchmarks.cases.made.base import ROWS, gaps, made, marks, outcome, texts


@made("near_unique_integers")
def _near_unique(rng):
    salary = rng.integers(18_000, 250_000, ROWS)
    return pd.DataFrame(
        {"salary": salary, "steps": rng.integers(500, 25_000, ROWS), "y": outcome(rng, salary / 1e5 - 1)}
    )


@made("several_currencies")
def _currencies(rng):
    codes = rng.choice(["EUR", "USD", "CHF"], ROWS)
    cells = [f"{code} {value:,.2f}" for code, value in zip(codes, rng.lognormal(5, 1, ROWS), strict=True)]
    return pd.DataFrame({"amount": cells, "items": rng.poisson(3, ROWS), "y": outcome(rng)})


@made("percent_above_100")
def _percent(rng):
    growth = rng.normal(60, 70, ROWS)
    return pd.DataFrame(
        {"growth": texts(growth, "{:.1f}%"), "target_met": texts(rng.gamma(8, 14, ROWS), "{:.0f} %")}
    ).assign(y=outcome(rng, growth / 60 - 1))


@made("ranges_as_text")
def _ranges(rng):
    bands = ["<18", "18-24", "25-34", "35-49", "50+"]
    return pd.DataFrame(
        {"band": rng.choice(bands, ROWS), "income": rng.choice(["0-10k", "10k-20k", ">20k"], ROWS), "y": outcome(rng)}
    )


@made("censored")
def _censored(rng):
    value = rng.lognormal(1, 1, ROWS)
    cells = ["<0.5" if v < 0.5 else ">20" if v > 20 else f"{v:.1f}" for v in value]
    return pd.DataFrame({"crp": cells, "age": rng.integers(18, 90, ROWS), "y": outcome(rng, value / 5 - 1)})


@made("scores_as_text")
def _scores(rng):
    return pd.DataFrame(
        {"apgar": texts(rng.integers(4, 11, ROWS), "{}/10"), "bp": texts(rng.integers(90, 180, ROWS), "{}/80")}
    ).assign(y=outcome(rng))


@made("no_break_units")
def _no_break(rng):
    spaced = texts(rng.lognormal(8, 1, ROWS), "{:,.2f}\u00a0€")
    return pd.DataFrame({"cost": [t.translate(str.maketrans(",.", "\u202f,")) for t in spaced]}).assign(
        dose=texts(rng.gamma(4, 20, ROWS), "{:.1f}\u00a0mg"), y=outcome(rng)
    )


@made("decimals_differ")
def _decimals(rng):
    step = rng.integers(0, 40, ROWS) * 0.25
    return pd.DataFrame({"dose": [f"{v:g}" for v in step], "ph": rng.normal(7.4, 0.05, ROWS).round(2)}).assign(
        big=rng.integers(10**6, 10**9, ROWS) * 1000, tiny=rng.lognormal(-12, 1, ROWS), y=outcome(rng)
    )


@made("swiss", sep=";")
def _swiss(rng):
    price = rng.lognormal(7, 1, ROWS)
    return pd.DataFrame(
        {
            "Betrag": marks(texts(price, "{:,.2f}"), ",", "'"),
            "Preis": texts(rng.integers(5, 400, ROWS), "CHF {}.–"),
            "Miete": [f"Fr. {v:,}".replace(",", "’") for v in rng.integers(900, 3200, ROWS)],
            "PLZ": rng.choice([8001, 3011, 4051], ROWS),
            "y": outcome(rng, names=("nein", "ja")),
        }
    )


@made("french", sep=";", encoding="utf-8-sig")
def _french(rng):
    money = [f"{v:,.2f}".replace(",", "\u202f").replace(".", ",") + "\u00a0€" for v in rng.lognormal(8, 1, ROWS)]
    return pd.DataFrame(
        {
            "Coût total": money,
            "Taux": marks(texts(rng.beta(2, 5, ROWS) * 100, "{:.1f} %"), ".", ","),
            "Population": [f"{v:,}".replace(",", " ") for v in rng.integers(800, 900_000, ROWS)],
            "Décédé": outcome(rng, names=("non", "oui")),
        }
    )


@made("indian")
def _indian(rng):
    def lakh(value):
        whole, after = f"{value:.2f}".split(".")
        head, tail = whole[:-3], whole[-3:]
        parts = [head[max(0, i - 2) : i] for i in range(len(head), 0, -2)][::-1]
        return ",".join([*parts, tail]) + "." + after

    value = rng.lognormal(12, 1, ROWS)
    return pd.DataFrame(
        {"salary": [lakh(v) for v in value], "fee": [f"₹ {lakh(v / 9)}" for v in value], "y": outcome(rng)}
    )


@made("accounting")
def _accounting(rng):
    value = rng.normal(100, 900, ROWS).round(2)
    cells = [f"({abs(v):,.2f})" if v < 0 else f"{v:,.2f}" for v in value]
    dollars = [f"$({abs(v):,.0f})" if v < 0 else f"${v:,.0f}" for v in value]
    dash = [" - " if rng.random() < 0.1 else f" {v:,.0f} " for v in rng.lognormal(7, 1, ROWS)]
    return pd.DataFrame({"net": cells, "gross": dollars, "other": dash, "y": outcome(rng, value / 900)})


@made("scientific")
def _scientific(rng):
    value = rng.lognormal(-12, 2, ROWS)
    return pd.DataFrame(
        {
            "p": texts(value, "{:.1e}"),
            "count": texts(rng.lognormal(9, 2, ROWS), "{:.2E}"),
            "expression": [np.format_float_scientific(v, precision=3, exp_digits=2) for v in value],
            "excel": [f"{v:.2E}".replace("E-0", "E-").replace("E+0", "E+") for v in value],
            "y": outcome(rng),
        }
    )


@made("floats_as_python_writes_them")
def _repr(rng):
    value = rng.lognormal(-9, 3, ROWS)
    return pd.DataFrame(
        {
            "p_value": [repr(float(v)) for v in value],
            "rounded": [repr(float(f"{v:.3g}")) for v in value],
            "round": [repr(float(v)) for v in rng.integers(-3, 4, ROWS) / 1e6],
            "whole": [repr(float(v)) for v in rng.integers(0, 9, ROWS)],
            "y": outcome(rng),
        }
    )


@made("zero_without_decimals")
def _zero(rng):
    value = rng.gamma(1, 20, ROWS).round(2)
    some = rng.random(ROWS) < 0.4
    return pd.DataFrame(
        {
            "precipitation": ["0" if s else f"{v:.1f}" for v, s in zip(value, some, strict=True)],
            "paid": ["0" if s else f"{v:.2f}" for v, s in zip(value, some, strict=True)],
            "bonus": ["0" if s else f"{v:,.2f} €" for v, s in zip(value * 90, some, strict=True)],
            "share": ["0%" if s else f"{v:.1f}%" for v, s in zip(value, some, strict=True)],
            "grade": [f"{v:g}" if v in (0, 10) else f"{v:.1f}" for v in rng.integers(0, 21, ROWS) / 2],
            "y": outcome(rng),
        }
    )


@made("signs")
def _signs(rng):
    return pd.DataFrame(
        {
            "change": texts(rng.normal(0, 2, ROWS), "{:+.2f}"),
            "sphere": [f"{v:+.2f}" for v in rng.integers(-12, 9, ROWS) / 4],
            "minus": [f"{v:.1f}".replace("-", "\u2212") for v in rng.normal(0, 5, ROWS)],
            "balance": [f"{abs(v):.2f} {'CR' if v < 0 else 'DR'}" for v in rng.normal(0, 99, ROWS)],
            "y": outcome(rng),
        }
    )


@made("huge_and_tiny")
def _huge(rng):
    cells = [f"{v:g}" for v in rng.lognormal(0, 90, ROWS)]
    return pd.DataFrame(
        {"any": cells, "limits": gaps(rng, texts(rng.normal(size=ROWS), "{:.3f}"), 0.05, "inf"), "y": outcome(rng)}
    )


@made("survey_weights")
def _weights(rng):
    weight = rng.lognormal(0, 0.4, ROWS)
    return pd.DataFrame(
        {
            "wt_final": [f"{v:.15f}" for v in weight / weight.mean()],
            "stratum": rng.integers(1, 12, ROWS),
            "psu": rng.integers(1, 3, ROWS),
            "weight": gaps(rng, texts(rng.normal(170, 30, ROWS), "{:.0f} lb"), text=""),
            "y": outcome(rng),
        }
    )

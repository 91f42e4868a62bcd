"""Small tables as people have them, made up: a kind of difficulty each, to be given to ``benchmarks.cases``.

    python -m benchmarks.cases.made FOLDER

writes them, each with its target as last column. The cells follow from one seed.
"""

import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 240
Maker = Callable[[np.random.Generator], pd.DataFrame]
MADE: dict[str, tuple[Maker, dict]] = {}


def made(name: str, **written) -> Callable[[Maker], Maker]:
    """Register a maker of a table, and how the file is written."""

    def register(maker: Maker) -> Maker:
        MADE[name] = maker, written
        return maker

    return register


def _days(rng: np.random.Generator, first: str = "2019-01-01", span: int = 1200) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.Timestamp(first) + pd.to_timedelta(rng.integers(0, span, ROWS), unit="D"))


def _texts(values, form: str) -> list[str]:
    return [form.format(value) for value in values]


def _outcome(rng: np.random.Generator, score=0.0, names=("no", "yes")) -> np.ndarray:
    return np.where(rng.random(ROWS) < 1 / (1 + np.exp(-np.asarray(score))), names[1], names[0])


@made("likert")
def _likert(rng):
    scale = ["Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree"]
    frame = {f"Q{i}": rng.choice(scale, ROWS, p=[0.1, 0.2, 0.3, 0.25, 0.15]) for i in range(1, 5)}
    return pd.DataFrame(
        {**frame, "Q5 (1-5)": rng.choice([1, 2, 3, 4, 5, 99], ROWS, p=[0.2] * 4 + [0.15, 0.05])}
    ).assign(left=_outcome(rng))


@made("answers_99")
def _answers(rng):
    return pd.DataFrame(
        {"smoker": rng.choice([0, 1, 99], ROWS, p=[0.6, 0.3, 0.1]), "age": rng.integers(18, 90, ROWS)}
    ).assign(y=_outcome(rng))


@made("several_choices")
def _several(rng):
    parts = np.array(["fever", "cough", "rash", "pain"])
    cells = [";".join(parts[rng.random(4) < 0.4]) for _ in range(ROWS)]
    return pd.DataFrame({"symptoms": cells, "temp_c": rng.normal(37.5, 0.8, ROWS).round(1), "y": _outcome(rng)})


@made("semicolon_latin1", sep=";", decimal=",", encoding="cp1252")
def _semicolon(rng):
    return pd.DataFrame(
        {
            "Größe (cm)": rng.normal(172, 9, ROWS).round(1),
            "Straße": rng.choice(["Hauptstraße", "Königsallee", "Am Büchel"], ROWS),
            "Entlassung": _days(rng).strftime("%d.%m.%Y"),
            "Kosten": _texts(rng.lognormal(7, 1, ROWS), "{:,.2f}"),
            "Verstorben": _outcome(rng, names=("nein", "ja")),
        }
    ).assign(Kosten=lambda t: t["Kosten"].str.translate(str.maketrans(",.", ".,")) + " €")


@made("semicolon_bom", sep=";", encoding="utf-8-sig")
def _bom(rng):
    return pd.DataFrame(
        {"Âge": rng.integers(18, 95, ROWS), "Sexe": rng.choice(["H", "F"], ROWS), "Décès": _outcome(rng)}
    )


@made("tabs_utf16", sep="\t", encoding="utf-16")
def _utf16(rng):
    return pd.DataFrame(
        {"Вес": rng.normal(75, 12, ROWS).round(1), "Город": rng.choice(["Москва", "Тверь"], ROWS)}
    ).assign(Исход=_outcome(rng, names=("нет", "да")))


@made("merged_header", top="Visit,Visit,Lab,Lab,\n")
def _merged(rng):
    names = ["age", "ward", "sodium", "potassium", "died"]
    values = rng.integers(18, 90, ROWS), rng.choice(["A", "B"], ROWS), rng.integers(125, 150, ROWS)
    return pd.DataFrame(dict(zip(names, (*values, rng.normal(4.2, 0.5, ROWS).round(1), _outcome(rng)), strict=True)))


@made("mixed_dates")
def _mixed_dates(rng):
    days = _days(rng)
    forms = rng.choice(["%Y-%m-%d", "%d/%m/%Y"], ROWS, p=[0.7, 0.3])
    return pd.DataFrame(
        {"seen": [d.strftime(f) for d, f in zip(days, forms, strict=True)], "n": rng.poisson(3, ROWS)}
    ).assign(y=_outcome(rng))


@made("month_first")
def _month_first(rng):
    start = _days(rng)
    end = start + pd.to_timedelta(rng.integers(1, 15, ROWS), unit="D")
    return pd.DataFrame({"start": start.strftime("%m/%d/%Y"), "end": end.strftime("%m/%d/%Y"), "y": _outcome(rng)})


@made("weeks_between")
def _weeks(rng):
    first, weeks = _days(rng), rng.integers(20, 43, ROWS)
    birth = first + pd.to_timedelta(weeks * 7, unit="D")
    frame = {"lmp": first.strftime("%Y-%m-%d"), "birth": birth.strftime("%Y-%m-%d"), "gestation_weeks": weeks}
    return pd.DataFrame(frame).assign(preterm=np.where(weeks < 37, "yes", "no"))


@made("negative_durations")
def _negative(rng):
    minutes = rng.integers(-40, 120, ROWS)
    delay = [f"{'-' * int(m < 0)}{abs(m) // 60:02d}:{abs(m) % 60:02d}" for m in minutes]
    return pd.DataFrame({"delay": delay, "km": rng.gamma(3, 10, ROWS).round(1), "y": _outcome(rng, minutes / 60)})


@made("over_midnight")
def _midnight(rng):
    begin, length = rng.integers(18 * 60, 24 * 60, ROWS), rng.integers(240, 600, ROWS)
    end = (begin + length) % 1440
    clock = "{0[0]:02d}:{0[1]:02d}".format
    return pd.DataFrame(
        {"bed": [clock(divmod(m, 60)) for m in begin], "up": [clock(divmod(m, 60)) for m in end], "slept_min": length}
    ).assign(tired=_outcome(rng, (400 - length) / 80))


@made("zone_unknown")
def _zone(rng):
    stamps = _days(rng) + pd.to_timedelta(rng.integers(0, 86400, ROWS), unit="s")
    frame = {"seen": stamps.strftime("%Y-%m-%d %H:%M:%S IST"), "sent": stamps.strftime("%d/%m/%Y %H:%M GMT+2")}
    return pd.DataFrame({**frame, "x": rng.normal(size=ROWS).round(3), "y": _outcome(rng)})


@made("zone_bracket")
def _bracket(rng):
    stamps = _days(rng) + pd.to_timedelta(rng.integers(0, 86400, ROWS), unit="s")
    local = stamps.tz_localize("UTC").tz_convert("Europe/Berlin")
    cells = [
        f"{t.strftime('%Y-%m-%dT%H:%M:%S')}{t.strftime('%z')[:3]}:{t.strftime('%z')[3:]}[Europe/Berlin]" for t in local
    ]
    return pd.DataFrame({"seen": cells, "x": rng.normal(size=ROWS).round(3), "y": _outcome(rng)})


@made("contacts")
def _contacts(rng):
    digits = lambda n: "".join(map(str, rng.integers(0, 10, n)))  # noqa: E731
    return pd.DataFrame(
        {
            "iban": [f"DE{digits(2)} {digits(4)} {digits(4)} {digits(4)} {digits(4)} {digits(2)}" for _ in range(ROWS)],
            "ssn": [f"{digits(3)}-{digits(2)}-{digits(4)}" for _ in range(ROWS)],
            "phone": [f"+49 {digits(3)} {digits(7)}" for _ in range(ROWS)],
            "mail": [f"p{i}.{digits(3)}@example.org" for i in range(ROWS)],
            "uuid": [str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(ROWS)],
            "card": [int(f"4{digits(15)}") for _ in range(ROWS)],
            "mrn": rng.permutation(np.arange(700_000, 700_000 + 7 * ROWS))[:ROWS],
            "age": rng.integers(18, 90, ROWS),
            "y": _outcome(rng),
        }
    )


@made("names_and_ips")
def _people(rng):
    first, last = (
        ["Ana", "Ben", "Cem", "Dora", "Eva", "Finn"],
        ["Abel", "Bauer", "Cruz", "Diaz", "Engel", "Fuchs", "Gil"],
    )
    people = [f"{rng.choice(last)}, {rng.choice(first)} {chr(65 + i % 26)}." for i in range(ROWS)]
    ips = [".".join(map(str, rng.integers(1, 255, 4))) for _ in range(ROWS)]
    return pd.DataFrame({"patient name": people, "ip": ips, "visits": rng.poisson(2, ROWS), "y": _outcome(rng)})


@made("near_unique_integers")
def _near_unique(rng):
    salary = rng.integers(18_000, 250_000, ROWS)
    return pd.DataFrame(
        {"salary": salary, "steps": rng.integers(500, 25_000, ROWS), "y": _outcome(rng, salary / 1e5 - 1)}
    )


@made("codes")
def _codes(rng):
    return pd.DataFrame(
        {
            "icd": rng.choice(["E11.9", "I10", "J44.1", "N18.3", "C50.911"], ROWS),
            "atc": rng.choice(["C09AA02", "A10BA02", "N02BE01"], ROWS),
            "ops": rng.choice(["5-470.11", "8-930", "1-632.0"], ROWS),
            "loinc": rng.choice(["2345-7", "718-7", "2160-0"], ROWS),
            "ward": rng.choice(["007", "012", "101"], ROWS),
            "y": _outcome(rng),
        }
    )


@made("long_texts")
def _long(rng):
    words = {
        "en": "patient was seen today and reports mild pain in the left knee after a fall",
        "de": "der Patient klagt über Schmerzen im linken Knie nach einem Sturz zu Hause",
        "zh": "患者 今日 就诊 左膝 疼痛 跌倒 后 服药",
    }
    cells = [" ".join(rng.choice(words[k].split(), 14)) for k in rng.choice(list(words), ROWS)]
    return pd.DataFrame({"remark": cells, "age": rng.integers(18, 90, ROWS), "y": _outcome(rng)})


@made("empty_and_constant")
def _empty(rng):
    return pd.DataFrame(
        {"empty": [""] * ROWS, "site": ["Basel"] * ROWS, "zero": [0] * ROWS, "x": rng.normal(size=ROWS)}
    ).assign(y=_outcome(rng))


@made("duplicates_with_ids")
def _duplicates(rng):
    frame = pd.DataFrame({"id": [f"R-{i:05d}" for i in range(ROWS)], "ward": rng.choice(["A", "B"], ROWS)})
    return frame.assign(answer=rng.choice([1, 2, 3], ROWS), y=_outcome(rng))


@made("wide")
def _wide(rng):
    rows = 60
    frame = pd.DataFrame(rng.normal(size=(rows, 300)).round(3)).add_prefix("gene_")
    return frame.assign(y=np.where(frame["gene_0"] > 0, "case", "control"))


@made("rare_class")
def _rare(rng):
    x = rng.normal(size=ROWS).round(3)
    return pd.DataFrame(
        {"x": x, "z": rng.normal(size=ROWS).round(3), "y": np.where(np.argsort(np.argsort(x)) < 4, "rare", "usual")}
    )


@made("several_currencies")
def _currencies(rng):
    codes = rng.choice(["EUR", "USD", "CHF"], ROWS)
    cells = [f"{code} {value:,.2f}" for code, value in zip(codes, rng.lognormal(5, 1, ROWS), strict=True)]
    return pd.DataFrame({"amount": cells, "items": rng.poisson(3, ROWS), "y": _outcome(rng)})


@made("percent_above_100")
def _percent(rng):
    growth = rng.normal(60, 70, ROWS)
    return pd.DataFrame(
        {"growth": _texts(growth, "{:.1f}%"), "target_met": _texts(rng.gamma(8, 14, ROWS), "{:.0f} %")}
    ).assign(y=_outcome(rng, growth / 60 - 1))


@made("rounded_sums")
def _sums(rng):
    parts = rng.gamma(2, 20, (ROWS, 3))
    frame = pd.DataFrame(parts.round(1), columns=["room", "board", "care"])
    return frame.assign(total=parts.sum(axis=1).round(1), y=_outcome(rng))


@made("shares_of_100")
def _shares(rng):
    parts = rng.dirichlet([2, 3, 4], ROWS) * 100
    frame = pd.DataFrame(parts.round(1), columns=["fat_pct", "protein_pct", "carb_pct"])
    frame["carb_pct"] = (100 - frame["fat_pct"] - frame["protein_pct"]).round(1)
    return frame.assign(y=_outcome(rng))


@made("hierarchy")
def _hierarchy(rng):
    cities = {"Austin": "TX", "Dallas": "TX", "Boston": "MA", "Salem": "MA", "Portland": "OR", "Eugene": "OR"}
    city = rng.choice(list(cities), ROWS)
    country = {"TX": "South", "MA": "East", "OR": "West"}
    return pd.DataFrame({"city": city, "state": [cities[c] for c in city]}).assign(
        region=lambda t: t["state"].map(country), y=_outcome(rng)
    )


@made("bmi_imperial")
def _imperial(rng):
    inches, pounds = rng.normal(67, 4, ROWS).round(1), rng.normal(170, 30, ROWS).round(1)
    return pd.DataFrame({"height_in": inches, "weight_lb": pounds, "bmi": (703 * pounds / inches**2).round(1)}).assign(
        y=_outcome(rng)
    )


@made("ratio")
def _ratio(rng):
    chol, hdl = rng.integers(120, 300, ROWS), rng.integers(25, 95, ROWS)
    return pd.DataFrame({"chol": chol, "hdl": hdl, "ratio": (chol / hdl).round(2), "y": _outcome(rng)})


@made("unit_pairs")
def _units(rng):
    celsius = rng.normal(37.2, 0.7, ROWS).round(1)
    return pd.DataFrame({"temp_c": celsius, "temp_f": (celsius * 9 / 5 + 32).round(1), "y": _outcome(rng)})


@made("bins_of_age")
def _bins(rng):
    age = rng.integers(18, 90, ROWS)
    group = pd.cut(age, [0, 29, 44, 64, 120], labels=["18-29", "30-44", "45-64", "65+"]).astype(str)
    return pd.DataFrame({"age": age, "age_group": group, "y": _outcome(rng)})


@made("ranges_as_text")
def _ranges(rng):
    bands = ["<18", "18-24", "25-34", "35-49", "50+"]
    return pd.DataFrame(
        {"band": rng.choice(bands, ROWS), "income": rng.choice(["0-10k", "10k-20k", ">20k"], ROWS), "y": _outcome(rng)}
    )


@made("censored")
def _censored(rng):
    value = rng.lognormal(1, 1, ROWS)
    cells = ["<0.5" if v < 0.5 else ">20" if v > 20 else f"{v:.1f}" for v in value]
    return pd.DataFrame({"crp": cells, "age": rng.integers(18, 90, ROWS), "y": _outcome(rng, value / 5 - 1)})


@made("scores_as_text")
def _scores(rng):
    return pd.DataFrame(
        {"apgar": _texts(rng.integers(4, 11, ROWS), "{}/10"), "bp": _texts(rng.integers(90, 180, ROWS), "{}/80")}
    ).assign(y=_outcome(rng))


@made("truth_values")
def _truth(rng):
    pairs = {"a": ["TRUE", "FALSE"], "b": ["Y", "N"], "c": ["x", ""], "d": ["1", "0"], "e": ["ja", "nein"]}
    return pd.DataFrame(
        {name: rng.choice(pair, ROWS) for name, pair in pairs.items()} | {"y": _outcome(rng, names=("0", "1"))}
    )


@made("no_break_units")
def _no_break(rng):
    spaced = _texts(rng.lognormal(8, 1, ROWS), "{:,.2f}\u00a0€")
    return pd.DataFrame({"cost": [t.translate(str.maketrans(",.", "\u202f,")) for t in spaced]}).assign(
        dose=_texts(rng.gamma(4, 20, ROWS), "{:.1f}\u00a0mg"), y=_outcome(rng)
    )


@made("quarters")
def _quarters(rng):
    days = _days(rng)
    return pd.DataFrame(
        {"quarter": [f"{d.year}-Q{d.quarter}" for d in days], "month": days.strftime("%b %Y"), "year": days.year}
    ).assign(y=_outcome(rng))


@made("decimals_differ")
def _decimals(rng):
    step = rng.integers(0, 40, ROWS) * 0.25
    return pd.DataFrame({"dose": [f"{v:g}" for v in step], "ph": rng.normal(7.4, 0.05, ROWS).round(2)}).assign(
        big=rng.integers(10**6, 10**9, ROWS) * 1000, tiny=rng.lognormal(-12, 1, ROWS), y=_outcome(rng)
    )


@made("visits")
def _visits(rng):
    return pd.DataFrame({"x": rng.normal(size=ROWS).round(2), "ward": rng.choice(["A", "B"], ROWS), "y": _outcome(rng)})


def write(folder: Path) -> None:
    """Write all tables into a folder."""
    for number, (name, (maker, written)) in enumerate(MADE.items()):
        written = dict(written)
        top = written.pop("top", "")
        encoding = written.pop("encoding", "utf-8")
        path = folder / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = top + maker(np.random.default_rng([14, number])).to_csv(index=False, **written)
        path.write_bytes(text.encode(encoding, errors="replace"))


if __name__ == "__main__":
    write(Path(sys.argv[1]))

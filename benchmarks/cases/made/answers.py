"""Tables of answers, codes, persons and texts."""

import uuid

import numpy as np
import pandas as pd

from benchmarks.cases.made.base import ROWS, made, outcome


@made("likert")
def _likert(rng):
    scale = ["Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree"]
    frame = {f"Q{i}": rng.choice(scale, ROWS, p=[0.1, 0.2, 0.3, 0.25, 0.15]) for i in range(1, 5)}
    return pd.DataFrame(
        {**frame, "Q5 (1-5)": rng.choice([1, 2, 3, 4, 5, 99], ROWS, p=[0.2] * 4 + [0.15, 0.05])}
    ).assign(left=outcome(rng))


@made("answers_99")
def _answers(rng):
    return pd.DataFrame(
        {"smoker": rng.choice([0, 1, 99], ROWS, p=[0.6, 0.3, 0.1]), "age": rng.integers(18, 90, ROWS)}
    ).assign(y=outcome(rng))


@made("several_choices")
def _several(rng):
    parts = np.array(["fever", "cough", "rash", "pain"])
    cells = [";".join(parts[rng.random(4) < 0.4]) for _ in range(ROWS)]
    return pd.DataFrame({"symptoms": cells, "temp_c": rng.normal(37.5, 0.8, ROWS).round(1), "y": outcome(rng)})


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
            "y": outcome(rng),
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
    return pd.DataFrame({"patient name": people, "ip": ips, "visits": rng.poisson(2, ROWS), "y": outcome(rng)})


@made("codes")
def _codes(rng):
    return pd.DataFrame(
        {
            "icd": rng.choice(["E11.9", "I10", "J44.1", "N18.3", "C50.911"], ROWS),
            "atc": rng.choice(["C09AA02", "A10BA02", "N02BE01"], ROWS),
            "ops": rng.choice(["5-470.11", "8-930", "1-632.0"], ROWS),
            "loinc": rng.choice(["2345-7", "718-7", "2160-0"], ROWS),
            "ward": rng.choice(["007", "012", "101"], ROWS),
            "y": outcome(rng),
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
    return pd.DataFrame({"remark": cells, "age": rng.integers(18, 90, ROWS), "y": outcome(rng)})


@made("empty_and_constant")
def _empty(rng):
    return pd.DataFrame(
        {"empty": [""] * ROWS, "site": ["Basel"] * ROWS, "zero": [0] * ROWS, "x": rng.normal(size=ROWS)}
    ).assign(y=outcome(rng))


@made("duplicates_with_ids")
def _duplicates(rng):
    frame = pd.DataFrame({"id": [f"R-{i:05d}" for i in range(ROWS)], "ward": rng.choice(["A", "B"], ROWS)})
    return frame.assign(answer=rng.choice([1, 2, 3], ROWS), y=outcome(rng))


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


@made("truth_values")
def _truth(rng):
    pairs = {"a": ["TRUE", "FALSE"], "b": ["Y", "N"], "c": ["x", ""], "d": ["1", "0"], "e": ["ja", "nein"]}
    return pd.DataFrame(
        {name: rng.choice(pair, ROWS) for name, pair in pairs.items()} | {"y": outcome(rng, names=("0", "1"))}
    )


@made("visits")
def _visits(rng):
    return pd.DataFrame({"x": rng.normal(size=ROWS).round(2), "ward": rng.choice(["A", "B"], ROWS), "y": outcome(rng)})

"""Tables in files with odd encodings, headers, separators and quotes."""

import pandas as pd

from benchmarks.cases.made.base import ROWS, days, made, marks, outcome, texts


@made("semicolon_latin1", sep=";", decimal=",", encoding="cp1252")
def _semicolon(rng):
    return pd.DataFrame(
        {
            "Größe (cm)": rng.normal(172, 9, ROWS).round(1),
            "Straße": rng.choice(["Hauptstraße", "Königsallee", "Am Büchel"], ROWS),
            "Entlassung": days(rng).strftime("%d.%m.%Y"),
            "Kosten": texts(rng.lognormal(7, 1, ROWS), "{:,.2f}"),
            "Verstorben": outcome(rng, names=("nein", "ja")),
        }
    ).assign(Kosten=lambda t: t["Kosten"].str.translate(str.maketrans(",.", ".,")) + " €")


@made("semicolon_bom", sep=";", encoding="utf-8-sig")
def _bom(rng):
    return pd.DataFrame(
        {"Âge": rng.integers(18, 95, ROWS), "Sexe": rng.choice(["H", "F"], ROWS), "Décès": outcome(rng)}
    )


@made("tabs_utf16", sep="\t", encoding="utf-16")
def _utf16(rng):
    return pd.DataFrame(
        {"Вес": rng.normal(75, 12, ROWS).round(1), "Город": rng.choice(["Москва", "Тверь"], ROWS)}
    ).assign(Исход=outcome(rng, names=("нет", "да")))


@made("merged_header", top="Visit,Visit,Lab,Lab,\n")
def _merged(rng):
    names = ["age", "ward", "sodium", "potassium", "died"]
    values = rng.integers(18, 90, ROWS), rng.choice(["A", "B"], ROWS), rng.integers(125, 150, ROWS)
    return pd.DataFrame(dict(zip(names, (*values, rng.normal(4.2, 0.5, ROWS).round(1), outcome(rng)), strict=True)))


@made("trailing_separator", sep=";")
def _trailing(rng):
    frame = pd.DataFrame({"a": rng.integers(0, 9, ROWS), "b": rng.choice(["u", "v"], ROWS), "y": outcome(rng)})
    return "\n".join(line + ";" for line in frame.to_csv(index=False, sep=";").splitlines()) + "\n"


@made("repeated_names")
def _repeated(rng):
    frame = pd.DataFrame({"value": rng.integers(0, 9, ROWS), "v2": rng.normal(size=ROWS).round(1), "y": outcome(rng)})
    return frame.to_csv(index=False).replace("value,v2,", "value,value,", 1)


@made("blank_names")
def _blank(rng):
    frame = pd.DataFrame({"n": range(ROWS), "age": rng.integers(18, 90, ROWS), "b": rng.integers(0, 5, ROWS)})
    return frame.assign(y=outcome(rng)).to_csv(index=False).replace("n,age,b,", ",age,,", 1)


@made("odd_names", encoding="utf-8")
def _names(rng):
    names = [
        'a "quoted" one',
        "two\nlines",
        "a,b",
        " outer ",
        "dot.ted",
        "percent %",
        "{brace}",
        "#hash",
        "target",
        "index",
        "y",
    ]
    frame = pd.DataFrame(rng.integers(0, 30, (ROWS, len(names) - 1)), columns=names[:-1])
    return frame.assign(y=outcome(rng))


@made("utf16_semicolon", sep=";", encoding="utf-16")
def _utf16_semicolon(rng):
    return pd.DataFrame(
        {"Größe": marks(texts(rng.normal(171, 9, ROWS), "{:.1f}"), ".", ","), "Ort": rng.choice(["Köln", "Aue"], ROWS)}
    ).assign(y=outcome(rng))


@made("line_ends_of_a_mac", lineterminator="\r")
def _mac(rng):
    return pd.DataFrame({"a": rng.integers(0, 9, ROWS), "b": rng.choice(["u", "v"], ROWS), "y": outcome(rng)})


@made("line_ends_of_windows", lineterminator="\r\n")
def _windows(rng):
    return pd.DataFrame({"a": rng.normal(size=ROWS).round(3), "b": rng.choice(["u v", "w"], ROWS), "y": outcome(rng)})


@made("pipes", sep="|", ending=".txt")
def _pipes(rng):
    return pd.DataFrame({"a": rng.integers(0, 9, ROWS), "b": rng.choice(["u,v", "w;x"], ROWS), "y": outcome(rng)})


@made("single_quotes", quotechar="'", quoting=1)
def _single(rng):
    return pd.DataFrame({"a": rng.integers(0, 9, ROWS), "b": rng.choice(["u,v", "w"], ROWS), "y": outcome(rng)})


@made("blank_lines")
def _lines(rng):
    frame = pd.DataFrame({"a": rng.integers(0, 9, ROWS), "b": rng.choice(["u", "v"], ROWS), "y": outcome(rng)})
    lines = frame.to_csv(index=False).splitlines()
    return "\n".join([*lines[:5], "", *lines[5:], "", ",,", ""]) + "\n"


@made("padded", sep=";")
def _padded(rng):
    return pd.DataFrame(
        {"a": [f"{v:>8.2f}" for v in rng.normal(50, 30, ROWS)], "b": [f"{v:<6}" for v in rng.choice(["u", "vw"], ROWS)]}
    ).assign(y=outcome(rng))


@made("sep_line", sep=";", top="sep=;\n")
def _sep(rng):
    return pd.DataFrame({"a": rng.integers(0, 9, ROWS), "b": rng.choice(["u", "v"], ROWS), "y": outcome(rng)})

"""Page of a finished job: self-contained, accessible, the same as its JSON, and without anybody's cells."""

import itertools
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from trisynth.commandline import composed
from trisynth.experiment.run import run_job
from trisynth.report.html import content, page
from trisynth.report.html.columns import bin_edges
from trisynth.report.html.job import write_job
from trisynth.report.html.made import command

HOSTILE = "<script>alert(1)</script>"
LONG = "x" * 261
NAMES = [HOSTILE, LONG, "年龄", "الوزن", "वजन", 'O\'Neil "q" & co', "tab\tand\x07bell"]


class Page(HTMLParser):
    """Elements of a page, the texts of some, and the addresses that it names."""

    def __init__(self, text: str):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def of(self, *tags: str) -> list[dict]:
        return [attributes for tag, attributes in self.elements if tag in tags]


def table(rows: int = 240) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(50, 9, (rows, len(NAMES))).round(1), columns=NAMES)
    frame["city"] = rng.choice(["Ulm", "Köln"], rows)
    frame.loc[:2, "city"] = "Rarehausen"
    frame["income"] = np.where(rng.random(rows) < 0.3, 123456.789, 7)
    frame.loc[5, "income"] = 987654.321
    frame["odd label"] = np.where(frame["年龄"] + rng.normal(0, 9, rows) > 50, LONG, f"{HOSTILE}=<=50K")
    return frame


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Configuration, folder, page and JSON of a run on a table with hostile names."""
    folder = tmp_path_factory.mktemp("sub") / "secretfolder"
    folder.mkdir()
    path = folder / "mine.csv"
    table().to_csv(path, index=False)
    arguments = ["dataset=csv", f"dataset.path={path}", "dataset.target='odd label'", "generator=independent"]
    arguments += ["classifier=logistic", "tracking=none", "report=html"]
    arguments += [f"paths.{name}={folder / name}" for name in ("raw", "cache", "runs", "sweeps")]
    config = composed(arguments)
    result, _ = run_job(config)
    file = write_job(config, result, ["trisynth run", *arguments])
    return {"config": config, "result": result, "html": file.read_text(), "json": file.with_suffix(".json").read_text()}


def test_the_page_is_one_file_without_scripts_or_addresses(made):
    html = made["html"]
    assert len(html.encode()) < 1_000_000
    found = Page(html)
    assert not found.of("script", "link", "iframe", "img", "object", "form")
    for _, attributes in found.elements:
        assert not {"src", "href", "action", "onclick", "onload"} & set(attributes)
    assert "http:" not in html and "https:" not in html and "@import" not in html
    assert not re.search(r"url\((?!#)", html)


def test_headings_are_in_order_and_drawings_have_texts(made):
    levels = [int(tag[1]) for tag, _ in Page(made["html"]).elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    drawings = Page(made["html"]).of("svg")
    assert len(drawings) > 10
    for each in drawings:
        assert each.get("aria-hidden") == "true" or (each["role"] == "img" and len(each["aria-label"]) > 10)
    for each in Page(made["html"]).of("th"):
        assert each["scope"] in ("col", "row")
    assert all(each.get("lang") == "en" for each in Page(made["html"]).of("html"))


def test_every_identifier_is_unique(made):
    named = [attributes["id"] for _, attributes in Page(made["html"]).elements if "id" in attributes]
    assert len(named) == len(set(named))
    assert set(re.findall(r'aria-labelledby="(.*?)"', made["html"])) <= set(named)


def test_odd_names_are_escaped_shortened_and_shown(made):
    assert HOSTILE not in made["html"]
    assert "&lt;script&gt;" in made["html"]
    assert LONG not in made["html"] and "x…x" in made["html"]
    for name in ("年龄", "الوزن", "वजन"):
        assert name in made["html"] and name in made["json"]
    assert "\x07" not in made["html"]


def test_no_rare_value_path_host_or_single_number_shows(made):
    for text in (made["html"], made["json"]):
        assert "Rarehausen" not in text
        assert "987654" not in text and "123456.789" not in text
        assert "secretfolder" not in text and "/tmp" not in text


def test_the_page_shows_the_numbers_of_the_json(made):
    data = json.loads(made["json"])
    assert page.render(data) == made["html"]
    row = next(row for row in data["arms"]["rows"] if row["arm"] == "combined")
    assert row["score"]["mean"] == pytest.approx(made["result"].metrics["combined/f1_macro"], abs=1e-4)
    assert f"{row['score']['mean']:.3f}" in made["html"]
    for each in data["metrics"]:
        assert each["value"] == pytest.approx(made["result"].metrics[f"{each['group']}/{each['metric']}"], abs=1e-4)
    assert data["verdict"]["sentence"].split(";")[0].split(" on ")[0] in made["html"].replace("&#39;", "'")


def test_content_is_the_same_but_for_its_time(made, tmp_path):
    again = write_job(made["config"], made["result"], ["trisynth run"])
    first, second = json.loads(made["json"]), json.loads(again.with_suffix(".json").read_text())
    for each in (first, second):
        each["made"].pop("time")
        each["made"].pop("command")
    assert first == second


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (["trisynth run", "dataset.path=/home/jo/x y/mine.csv"], "trisynth run dataset.path=mine.csv"),
        (["trisynth run", "dataset.path='/home/jo, x/mine.csv'"], "trisynth run dataset.path='mine.csv'"),
        (["trisynth run", r"dataset.path=C:\Users\jo\mine.csv", "seed=1"], "trisynth run dataset.path=mine.csv seed=1"),
        (["trisynth run", "tracking.uri=http://host:5000", "paths.runs=/data/jo"], "trisynth run"),
        (["trisynth run", "--config-dir", "/home/jo/conf", "seed=1"], "trisynth run seed=1"),
        (["trisynth run", "dataset.path='/a/b.csv','/c/d.csv'"], "trisynth run dataset.path='b.csv','d.csv'"),
        (
            ["trisynth run", "test_size=0.25", "dataset.target='a b'"],
            "trisynth run test_size=0.25 dataset.target='a b'",
        ),
    ],
)
def test_the_command_names_files_without_their_folders(given, shown):
    assert command(given) == shown


def test_findings_keep_common_cells_and_hide_rare_ones():
    found = content._without_rare("set to missing: '156 lb' (2), \"o'Neil\" (1), 'unknown' (89), 'x' and 19 more")
    assert found == "set to missing: 'unknown' (89) and texts of few cells"


@pytest.mark.parametrize(
    ("remedy", "shown"),
    [("missing: ['unknown']", True), ("values: {'156 lb': 71}", False), ("format: '%d.%m.%Y'", True), ("", True)],
)
def test_remedies_with_rare_cells_are_left_out(remedy, shown):
    row = {"problem": "not a number", "treatment": "missing: '156 lb' (2), 'unknown' (89)", "remedy": remedy}
    assert content._remedy(row) == (remedy if shown else "")


def test_many_columns_are_listed_and_the_worst_are_drawn(made):
    data = json.loads(made["json"])
    plain = {key: value for key, value in data["columns"][0].items() if key != "figure"}
    wide = page.render(data | {"columns": [*data["columns"], *[plain] * 500], "drawn": len(data["columns"])})
    assert f"The {len(data['columns'])} of {len(data['columns']) + 500} columns" in wide
    assert len(wide.encode()) < 1_000_000


def test_the_largest_numbers_have_finite_edges():
    cells = np.array([-1.7e308, 0.0, 1.0, 1e308] * 20)
    edges, _ = bin_edges(cells)
    assert np.isfinite(edges).all()
    assert (np.diff(edges) > 0).all()

"""Site of docs/: it builds without warnings, and its glossary defines every metric that is logged."""

import csv
import logging
import re
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from notes import notes
from omegaconf import OmegaConf

from trisynth.commandline import composed
from trisynth.experiment.run import run_job

ROOT = Path(__file__).resolve().parents[1]
GLOSSARY = (ROOT / "docs/glossary.md").read_text()
FIELDS = ("Formula", "Better", "Range", "Reference")
ENTRIES = dict(re.findall(r"^### `(.+?)`\n(.*?)(?=^#|\Z)", GLOSSARY, flags=re.DOTALL | re.MULTILINE))
# Parts of a name that the glossary explains once, before and after the metric's own name.
PARTS = {"fidelity", "copying", "privacy", "gain", *composed([])["arms"]}
REFERENCES = re.compile("_(floor|ceiling)$")


def metric(name: str) -> str:
    """Name of the glossary entry for a logged name."""
    part, _, rest = name.partition("/")
    return REFERENCES.sub("", rest if part in PARTS else name)


def pattern(entry: str) -> re.Pattern:
    """Names that an entry such as ``f1/<class>`` defines."""
    return re.compile(re.sub("<.*?>", ".+", entry))


def undefined(names: set[str]) -> set[str]:
    """Logged names without an entry."""
    patterns = [pattern(entry) for entry in ENTRIES]
    return {name for name in names if not any(known.fullmatch(metric(name)) for known in patterns)}


def logged() -> set[str]:
    """Metrics of all committed results: every study, generator and metrics group is among them."""
    names = set()
    for path in (ROOT / "experiments").glob("*/results.csv"):
        with path.open() as file:
            names |= {name for name in next(csv.reader(file)) if "/" in name}
    return names


def every_metric() -> dict[str, dict]:
    """All metrics of the shipped groups, each once, with the options of all groups."""
    found: dict[str, dict] = {}
    for path in sorted((ROOT / "conf/metrics").glob("*.yaml")):
        for part, metrics in OmegaConf.to_container(OmegaConf.load(path)).items():
            for metric in metrics.values():
                name = metric["_target_"].rpartition(".")[2]
                found.setdefault(part, {})[name] = found.get(part, {}).get(name, {}) | metric
    return found


@pytest.fixture(scope="module")
def produced(tmp_path_factory) -> set[str]:
    """Metrics of small jobs: every shipped metric, with classes and with a numeric target, arrays and texts."""
    folder = tmp_path_factory.mktemp("jobs")
    base = ["dataset=paper_cohort", "dataset.read.n=240", "generator=copula", "classifier=logistic", "arms=minimal"]
    base += [f"paths.{name}={folder / name}" for name in ("raw", "runs", "cache", "sweeps")]
    names = set()
    # Images and series beside numbers.
    mixed = ["dataset=multimodal_cohort", "generator=class_gaussian", *base[1:2], *base[3:]]
    mixed += [f"metrics.fidelity.{name}.steps=2" for name in ("discriminative", "predictive", "frechet")]
    notes(60).to_csv(folder / "notes.csv", index=False)
    texts = ["dataset=csv", f"dataset.path={folder}/notes.csv", "dataset.target=state", "generator=ngram", *base[3:]]
    texts += ["+dataset.columns.note.kind=text", "+dataset.columns.note.generate=true"]
    unequal = ["dataset=episodes", "dataset.read.n=90", "generator=block_bootstrap", *base[3:]]
    unequal += ["metrics.fidelity.discriminative.steps=2"]
    regression = ["dataset.target=age", "dataset.task=regression"]
    network = [*base[:2], *base[3:], "metrics=minimal", "generator=gan", "generator.epochs=1", "generator.min_steps=1"]
    forest = [*base[:2], *base[3:], "metrics=minimal", "generator=sequential_forest"]
    images = ["dataset=digits", "imbalance=9", "train_rows=60", "generator=stylegan", "generator.channels=2", *base[3:]]
    images += ["metrics=minimal", "loss=native", "generator.epochs=1", "generator.min_steps=1"]
    topics = [*texts, "metrics=minimal", "generator=joint"]
    topics += ["generator.network={_target_:trisynth.generators.independent.Independent}"]
    metrics = every_metric()
    # Few rows have small populations, and some metrics are off by default.
    metrics["fidelity"]["ShiftRobustness"]["min_rows"] = 20
    metrics["privacy"]["Membership"]["shadows"] = 4
    jobs = [composed(base) | {"metrics": metrics}]
    jobs += map(composed, ([*base, *regression], mixed, network, forest, texts, topics, unequal, images))
    for job in jobs:
        result, _ = run_job(job)
        names |= {*result.metrics, *(f"seconds/{part}" for part in result.seconds(folder / "runs"))}
    return names


def test_glossary_defines_what_the_studies_logged() -> None:
    assert undefined(logged()) == set()


def test_glossary_defines_what_the_shipped_metrics_produce(produced) -> None:
    assert {"real/r2", "fidelity/coverage", "fidelity/spread_ratio"} <= produced
    assert undefined(produced) == set()


def test_every_entry_is_logged_by_something(produced) -> None:
    # A private fit logs these; it needs the extra privacy.
    private = {f"generator/{name}" for name in ("epsilon", "epsilon_rdp", "delta", "not_private")}
    names = {metric(name) for name in logged() | produced | private}
    assert {entry for entry in ENTRIES if not any(pattern(entry).fullmatch(name) for name in names)} == set()


def test_glossary_misses_a_planted_name() -> None:
    assert undefined({"real/roc_auc", "fidelity/novelty"}) == {"fidelity/novelty"}


@pytest.mark.parametrize("entry", ENTRIES)
def test_entry_has_every_field(entry: str) -> None:
    assert [field for field in FIELDS if not re.search(rf"^- \*\*{field}:\*\* \S", ENTRIES[entry], flags=re.M)] == []


class Collector(logging.Handler):
    """Collector of what mkdocs warns about."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record.getMessage())


@pytest.mark.filterwarnings("default")
def test_site_builds_without_warnings(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    seen = Collector()
    logging.getLogger("mkdocs").addHandler(seen)
    try:
        build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path / "site")))
    finally:
        logging.getLogger("mkdocs").removeHandler(seen)
    assert seen.found == []
    assert (tmp_path / "site/index.html").exists()
    pages = [path.read_text() for path in (tmp_path / "site").rglob("*.html")]
    loaded = {
        url for page in pages for url in re.findall(r'<(?:script|img|link)[^>]+(?:src|href)="(https?:[^"]+)"', page)
    }
    assert loaded == set()

"""Layout of a user's file: rows that leave it look like rows that came."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from trisynth import sampling
from trisynth.data import layout
from trisynth.errors import InputError
from trisynth.generators.circuit import Circuit

ROWS = 200


def patients() -> pd.DataFrame:
    """Texts as a German spreadsheet writes them, the target in the middle, and a canary of each kind."""
    rng = np.random.default_rng(0)
    births = pd.Timestamp("1930-01-01") + pd.to_timedelta(rng.choice(25_000, ROWS, replace=False), unit="D")
    weight = rng.normal(80, 12, ROWS)
    table = pd.DataFrame(
        {
            "Kennung": [f"P{i:05d}" for i in rng.choice(90_000, ROWS, replace=False)],
            "Geburtsdatum": births.strftime("%d.%m.%Y"),
            "Rückfall": rng.choice(["ja", "nein"], ROWS),
            "Größe": [f"{value:.1f}".replace(".", ",") for value in rng.normal(170, 9, ROWS)],
            "Gewicht": [f"{value:.1f} kg".replace(".", ",") for value in weight],
            "PLZ": rng.choice(["01067", "53111", "89073"], ROWS),
            "Anteil": [f"{value:.1f}%".replace(".", ",") for value in rng.uniform(0, 100, ROWS)],
            "Notiz": [f"wohnt im {i}. Stock; hat eine Katze" for i in range(ROWS)],
            "Ort": rng.choice(["Bonn", "Ulm"], ROWS),
        }
    )
    table.loc[::9, "Größe"] = "NA"
    table.loc[:2, "Ort"] = "Atlantis"
    return table


@pytest.fixture
def drawn(tmp_path):
    """Run the command on a file and return the path of its rows."""

    def run(path, target, out, *more):
        kind = "parquet" if path.suffix == ".parquet" else "csv"
        paths = [f"paths.{name}={tmp_path / name}" for name in ("cache", "raw")]
        given = [f"dataset={kind}", f"dataset.path={path}", f"dataset.target={target}", "tracking=none", *paths]
        sampling.main([*given, "generator=independent", f"out={tmp_path / out}", *more])
        return tmp_path / out

    return run


def test_a_text_file_keeps_its_marks_and_gives_away_nobody(drawn, tmp_path, capsys):
    real = patients()
    source = tmp_path / "patienten.csv"
    source.write_bytes(real.to_csv(sep=";", index=False, lineterminator="\r\n").encode("cp1252"))
    out = drawn(source, "Rückfall", "neu.csv", "n=500")
    content = out.read_bytes()
    text = content.decode("cp1252")
    assert text.startswith(";".join(real) + "\r\n") and text.count("\r\n") == 501
    made = pd.read_csv(out, sep=";", dtype=str, keep_default_na=False, encoding="cp1252")
    forms = {
        "Kennung": r"P\d{5}",
        "Geburtsdatum": r"\d\d\.\d\d\.\d{4}",
        "Größe": r"\d+,\d|NA",
        "Gewicht": r"\d+,\d kg",
        "PLZ": "01067|53111|89073",
        "Anteil": r"\d+,\d%",
        "Notiz": "",
        "Ort": "Bonn|Ulm",
    }
    for name, form in forms.items():
        assert made[name].str.fullmatch(form).all(), (name, made[name].tolist()[:9])
    assert made["Kennung"].is_unique and not set(made["Kennung"]) & set(real["Kennung"])
    assert not set(made["Geburtsdatum"]) & set(real["Geburtsdatum"])
    said = capsys.readouterr().out
    assert "Kennung: identifiers" in said and "Notiz: free text" in said and "Ort: 1 rare category" in said


def test_identifiers_stay_unique_from_chunk_to_chunk(drawn, tmp_path, monkeypatch):
    source = tmp_path / "patienten.csv"
    patients().to_csv(source, index=False)
    whole = pd.read_csv(drawn(source, "Rückfall", "whole.csv", "n=90"), dtype=str)
    monkeypatch.setattr(sampling, "CHUNK", 40)
    parts = pd.read_csv(drawn(source, "Rückfall", "parts.csv", "n=90"), dtype=str)
    assert parts["Kennung"].is_unique and parts["Kennung"].equals(whole["Kennung"])


def typed() -> pa.Table:
    """One column of every Arrow type that tables have."""
    rng = np.random.default_rng(1)
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(int(i)) for i in rng.integers(0, 300, ROWS)]
    stamps = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 10**6, ROWS), unit="min")
    columns = {
        "day": pa.array(days, pa.date32()),
        "seen": pa.array(stamps.tz_localize("Europe/Berlin"), pa.timestamp("us", "Europe/Berlin")),
        "bool": pa.array(rng.random(ROWS) < 0.4),
        "y": pa.array(rng.random(ROWS) < 0.5),
        "small": pa.array(rng.integers(0, 9, ROWS), pa.int8()),
        "gaps": pa.array([None if i % 7 == 0 else i % 5 for i in range(ROWS)], pa.int64()),
        "single": pa.array(rng.normal(size=ROWS).astype("float32")),
        "price": pa.array([Decimal(f"{value:.2f}") for value in rng.gamma(2, 30, ROWS)], pa.decimal128(10, 2)),
        "text": pa.array(rng.choice(["a", "b"], ROWS), pa.large_string()),
        "level": pa.array(rng.choice(["low", "high"], ROWS)).dictionary_encode(),
    }
    return pa.table(columns).replace_schema_metadata({"made by": "a test"})


def test_a_typed_file_keeps_its_arrow_schema(drawn, tmp_path):
    source, real = tmp_path / "typed.parquet", typed()
    pq.write_table(real, source)
    made = pq.read_table(drawn(source, "y", "new.parquet", "n=70"))
    assert made.schema.equals(pq.read_schema(source), check_metadata=True)
    assert pa.concat_tables([real, made]).num_rows == ROWS + 70
    together = pd.concat([real.to_pandas(), made.to_pandas()], ignore_index=True)
    assert together.dtypes.drop("level").equals(real.to_pandas().dtypes.drop("level"))


def test_a_text_file_becomes_a_typed_one(drawn, tmp_path):
    source = tmp_path / "patienten.csv"
    source.write_bytes(patients().to_csv(sep=";", index=False).encode())
    schema = pq.read_schema(drawn(source, "Rückfall", "new.parquet", "n=20"))
    assert schema.field("Gewicht").type == pa.float64()
    assert pa.types.is_timestamp(schema.field("Geburtsdatum").type)
    assert schema.field("Ort").type == pa.string() and schema.field("Notiz").type == pa.string()


@pytest.mark.filterwarnings("ignore:The single table diagnostic:FutureWarning")
def test_sdmetrics_finds_structure_and_validity_perfect(drawn, tmp_path):
    reports = pytest.importorskip("sdmetrics.reports.single_table")
    real = patients().assign(**{"Größe": np.round(np.random.default_rng(2).normal(170, 9, ROWS), 1)})
    real = real[["Kennung", "Rückfall", "Größe", "PLZ", "Ort"]]
    real.to_csv(tmp_path / "mine.csv", index=False)
    made = pd.read_csv(drawn(tmp_path / "mine.csv", "Rückfall", "new.csv", "n=300"), dtype={"PLZ": str})
    kinds = {
        "Kennung": "id",
        "Rückfall": "categorical",
        "Größe": "numerical",
        "PLZ": "categorical",
        "Ort": "categorical",
    }
    metadata = {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}, "primary_key": "Kennung"}
    report = reports.DiagnosticReport()
    report.generate(real, made, metadata, verbose=False)
    assert report.get_score() == 1.0


@pytest.fixture
def clinic() -> pd.DataFrame:
    """Typed table of the shape of a clinic's: dates, identifiers, booleans and ordered categories."""
    rng = np.random.default_rng(3)
    start = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 400, ROWS), unit="D")
    pain = rng.integers(0, 3, ROWS)
    age = rng.integers(20, 90, ROWS).astype("int16")
    return pd.DataFrame(
        {
            "patient_id": [f"P{i:06d}" for i in rng.choice(900_000, ROWS, replace=False)],
            "admitted": start,
            "readmitted": rng.random(ROWS) < 1 / (1 + np.exp((60 - age) / 4)),
            "age": age,
            "pain": pd.Categorical.from_codes(pain, ["none", "some", "severe"], ordered=True),
            "smoker": rng.random(ROWS) < 0.3,
            "weight": rng.normal(80, 12, ROWS).round(1).astype("float32"),
            "ward": rng.choice(["A", "B", "C"], ROWS),
        }
    )


def test_a_classifier_trained_on_the_file_scores_the_source(drawn, clinic, tmp_path):
    clinic.to_parquet(tmp_path / "clinic.parquet", index=False)
    made = pd.read_parquet(drawn(tmp_path / "clinic.parquet", "readmitted", "made.parquet", "n=400", "generator=smote"))
    features = ["age", "pain", "smoker", "weight", "ward"]
    prepared = ColumnTransformer(
        [("categories", OneHotEncoder(handle_unknown="error"), ["pain", "ward"])], remainder="passthrough"
    )
    model = make_pipeline(prepared, GaussianNB()).fit(made[features], made["readmitted"])
    assert model.classes_.dtype == clinic["readmitted"].to_numpy().dtype
    assert model.score(clinic[features], clinic["readmitted"]) > 0.75
    together = pd.concat([clinic, made], ignore_index=True)
    assert together.dtypes.equals(clinic.dtypes)


def test_polars_concatenates_source_and_rows(drawn, clinic, tmp_path):
    polars = pytest.importorskip("polars")
    clinic.to_parquet(tmp_path / "clinic.parquet", index=False)
    clinic.astype({"pain": str}).to_csv(tmp_path / "clinic.csv", index=False)
    for name, read in (("clinic.parquet", polars.read_parquet), ("clinic.csv", polars.read_csv)):
        source = tmp_path / name
        made = drawn(source, "readmitted", f"made{source.suffix}", "n=70")
        together = polars.concat([read(source), read(made)])
        assert together.shape == (ROWS + 70, clinic.shape[1])
        assert together.schema == read(source).schema


@pytest.mark.filterwarnings("ignore:The single table diagnostic:FutureWarning")
def test_sdmetrics_accepts_the_rows_of_a_clinic(drawn, clinic, tmp_path):
    reports = pytest.importorskip("sdmetrics.reports.single_table")
    clinic.to_parquet(tmp_path / "clinic.parquet", index=False)
    made = pd.read_parquet(drawn(tmp_path / "clinic.parquet", "readmitted", "made.parquet", "n=400"))
    kinds = {
        "patient_id": "id",
        "admitted": "datetime",
        "readmitted": "boolean",
        "age": "numerical",
        "pain": "categorical",
        "smoker": "boolean",
        "weight": "numerical",
        "ward": "categorical",
    }
    columns = {name: {"sdtype": kind} for name, kind in kinds.items()}
    report = reports.DiagnosticReport()
    report.generate(clinic, made, {"primary_key": "patient_id", "columns": columns}, verbose=False)
    assert report.get_properties()["Score"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("dated", [True, False])
def test_python_returns_the_dtypes_of_a_typed_file(dated, clinic):
    table = clinic.assign(
        score=clinic["age"].astype("int8"),
        count=clinic["age"].astype("Int64").mask(clinic["smoker"]),
        kept=clinic["smoker"].astype("boolean"),
        code=clinic["ward"].astype("string"),
        seen=clinic["admitted"].dt.tz_localize("Europe/Berlin"),
        stay=pd.to_timedelta(clinic["age"], unit="h"),
    )
    table = table if dated else table.drop(columns=["admitted", "seen", "stay"])
    drawn = Circuit(n_states=2, max_iter=2, refinement_steps=0).fit(table).sample(60)
    assert drawn.dtypes.equals(table.dtypes)
    assert pd.concat([table, drawn]).dtypes.equals(table.dtypes)
    assert not set(drawn["patient_id"]) & set(table["patient_id"])


@pytest.mark.parametrize(("field", "value"), [(pa.int8(), 300), (pa.uint16(), -1), (pa.float32(), 1e39)])
def test_a_cell_that_the_file_cannot_hold_is_refused(field, value):
    with pytest.raises(InputError, match=f"does not fit into {field}, the type in the file"):
        layout._cast(pd.Series([1, None, value], name="size"), field)
    assert layout._cast(pd.Series([1, None, 5], name="size"), field).to_pylist() == [1, None, 5]

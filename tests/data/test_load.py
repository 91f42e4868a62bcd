"""Every shipped data set loads with the facts stated here, and keys follow content."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trisynth.data import data_key, load, prepare, reader, split, tensors
from trisynth.data.collect import collect
from trisynth.data.dataset import Dataset
from trisynth.errors import InputError

FOLDER = Path(__file__).parents[2] / "conf" / "dataset"

# rows, features, missing cells, class sizes (largest first)
EXPECTED = {
    "abalone19": (4174, 8, 2, [4142, 32]),
    "adult": (48842, 14, 6465, [37155, 11687]),
    "airfoil": (1503, 5, 0, None),
    "cleveland": (297, 13, 0, [160, 54, 35, 35, 13]),
    "contraceptive": (1425, 9, 0, [614, 495, 316]),
    "digits": (1797, 1, 0, [183, 182, 182, 181, 181, 180, 179, 178, 177, 174]),
    "dermatology": (358, 34, 0, [111, 71, 60, 48, 48, 20]),
    "ecg_beats": (497, 1, 0, None),
    "election_tweets": (6434, 1, 0, [3224, 3210]),
    "episodes": (1500, 1, 0, [531, 500, 469]),
    "fars": (92788, 27, 62635, [41231, 15641, 14229, 12942, 8104, 399, 233, 9]),
    "fashion_mnist": (10000, 1, 0, [1027, 1022, 1021, 1019, 1016, 1000, 990, 989, 974, 942]),
    "framingham": (4215, 14, 641, [2958, 524, 380, 353]),
    "graduation": (5970, 11, 0, [5554, 416]),
    "hypothyroid": (3086, 25, 5198, [2945, 141]),
    "insurance": (1337, 6, 0, None),
    "loan_applications": (1989, 32, 49, [1745, 244]),
    "magic": (18905, 10, 0, [12332, 6573]),
    "maternal_health": (452, 6, 1, [234, 112, 106]),
    "mnist": (5000, 1, 0, [500] * 10),
    "multimodal_cohort": (3000, 6, 0, None),
    "multimodal_notes": (3000, 7, 0, None),
    "nursery": (12960, 8, 0, [4320, 4266, 4044, 328, 2]),
    "page_blocks": (5406, 10, 0, [4889, 313, 114, 62, 28]),
    "paper_cohort": (5000, 5, 0, [2730, 1018, 757, 495]),
    "pima": (768, 8, 652, [500, 268]),
    "reuters_r8": (5427, 1, 0, [2835, 1591, 245, 239, 195, 176, 105, 41]),
    "saheart": (462, 9, 0, [302, 160]),
    "sine_classes": (1500, 1, 0, [529, 501, 470]),
    "sines": (10000, 1, 0, None),
    "stroke": (4981, 10, 1500, [4733, 248]),
    "support2": (9105, 29, 37951, [3515, 1387, 967, 908, 712, 596, 512, 508]),
    "wine_quality": (1359, 11, 0, None),
}
YOURS = {"csv", "parquet", "openml"}
KEYS = ["name", "source", "read", "target", "task", "missing", "duplicates", "columns", "relations", "licence", "note"]


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem not in YOURS))
def test_a_shipped_data_set_agrees_with_this_table(name, shipped, raw_folder):
    rows, features, missing, classes = EXPECTED[name]
    cfg = shipped(name)
    if (cfg["source"] or {}).get("package", "").startswith("debian:"):
        try:
            collect(cfg, raw_folder)
        except InputError as error:
            # Not every machine has apt-get, lists of packages and a mirror.
            if "apt-get could not download it" not in str(error):
                raise
            pytest.skip(str(error))
    assert [key for key in cfg if key != "rows"] == KEYS
    dataset, report = prepare(cfg, raw_folder)
    assert dataset.X.shape == (rows, features)
    assert int(dataset.X.isna().sum().sum()) == missing
    flat = [dtype for dtype in dataset.X.dtypes if not tensors.is_cell(dtype)]
    assert set(map(str, flat)) <= {"float64", "int64", "Int64", "category"}
    if classes is not None:
        assert dataset.y.value_counts().tolist() == classes
    repeated = tensors.hashable(dataset.frame).duplicated().any()
    assert repeated == (cfg["duplicates"] == "keep")
    problems = set(report["problem"])
    assert not problems & {
        "not a declared category",
        "not a number",
        "not a whole number",
        "texts among numbers",
    }
    test = split(dataset, 0)[1]
    assert abs(len(test) / rows - 1 / 3) < 0.02


def test_what_gives_the_target_away_is_left_out(shipped, raw_folder):
    for name, outcomes in {
        "framingham": ["ANYCHD", "TIMECHD", "DEATH"],
        "support2": ["dzclass", "ca"],
    }.items():
        assert not set(load(shipped(name), raw_folder).X) & set(outcomes)
    cfg = shipped("fars")
    leaks = {name for name, facts in cfg["columns"].items() if facts["kind"] == "ignore"}
    assert leaks == {"race", "hispanic_origin"}
    # The reason, seen in the file itself: both are filled in for the dead only.
    raw = reader(cfg)(path=collect(cfg, raw_folder))
    assert not raw.loc[raw["race"].str.startswith("Not_a_Fatality"), "injury"].eq("fatal").any()


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"age": rng.integers(20, 80, 60), "group": ["x", "y", "NA"] * 20, "outcome": ["no", "yes"] * 30}
    )
    frame.to_csv(tmp_path / "mine.csv", index=False)
    frame.to_parquet(tmp_path / "mine.parquet")
    return tmp_path


def test_your_own_csv_loads_with_overrides(table, shipped):
    cfg = shipped("csv", path=str(table / "mine.csv"), target="outcome", **{"columns.age.kind": "category"})
    dataset = load(cfg)
    assert isinstance(dataset, Dataset)
    assert dataset.spec.task == "classification"
    assert str(dataset.X["age"].dtype) == "category"
    assert list(dataset.X["group"].cat.categories) == ["x", "y"]


def test_your_own_parquet_loads(table, shipped):
    dataset = load(shipped("parquet", path=str(table / "mine.parquet"), target="outcome"))
    assert dict(dataset.X.dtypes.astype(str)) == {"age": "int64", "group": "category"}


def test_openml_receives_the_given_number(shipped, monkeypatch):
    asked = []

    def fetch_openml(data_id, **_):
        asked.append(data_id)
        frame = pd.DataFrame({"a": [1.5, 2.5, 3.5], "class": pd.Categorical(["u", "v", "u"])})
        return type("Bunch", (), {"frame": frame})

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch_openml)
    assert len(load(shipped("openml", data_id=31, target="class"))) == 3
    assert asked == [31]


def test_the_key_follows_content_and_facts_and_not_the_place(table, shipped):
    def key(path, **overrides):
        return data_key(shipped("csv", path=str(path), target="outcome", **overrides))

    first = key(table / "mine.csv")
    moved = (table / "mine.csv").rename(table / "moved.csv")
    assert key(moved) == first
    assert key(moved, task="classification") != first
    moved.write_text(moved.read_text().replace("no", "No", 1))
    assert key(moved) != first
    with pytest.raises(InputError, match=r"dataset\.path="):
        key(table / "absent.csv")


def test_a_table_of_very_many_columns_is_refused_before_it_is_cleaned(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["trisynth.data.load"], "_MOST_COLUMNS", 3)
    for count, names in enumerate(("a,b,y", "a,b,c,y")):
        (tmp_path / f"{count}.csv").write_text(
            f"{names}\n" + "".join(",".join("xyxz"[: len(names.split(","))]) + "\n" for _ in range(9))
        )
    cfg = {"name": "x", "target": "y", "read": {"_target_": "trisynth.data.readers.delimited"}}
    with pytest.raises(InputError, match=r"^dataset\.path=.*has 4 columns, and at most 3 are read; keep those"):
        prepare({**cfg, "path": str(tmp_path / "1.csv")})
    with pytest.raises(InputError, match="one value"):
        prepare({**cfg, "path": str(tmp_path / "0.csv"), "columns": {name: {"kind": "category"} for name in "ab"}})

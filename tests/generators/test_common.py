"""Common contract of all generators of ``conf/generator``; a new yaml file is tested without further changes."""

import importlib.util
import inspect
import io
import json
import os
import random
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from declared import facts_of
from filelock import FileLock
from omegaconf import OmegaConf
from sklearn.base import clone
from tables import apart

from trisynth.config import instantiate, locate
from trisynth.data.kinds import Category, Number
from trisynth.errors import InputError
from trisynth.generators.base import Generator
from trisynth.generators.private.base import PrivateGenerator
from trisynth.objective.auxiliary import Auxiliary
from trisynth.privacy import accountants

CONF = Path(__file__).parents[2] / "conf"
ALL = sorted(path.stem for path in (CONF / "generator").glob("*.yaml"))
# Noise that the checks can repeat, and so little of it that small tables are recognised.
SEEDED = {"_target_": "trisynth.privacy.budget.Budget", "epsilon": 400.0, "delta": 1e-6, "seeded": True}
# What the checks look at does not depend on how long a network trains.
BRIEF = {
    "epochs": 2,
    "max_cells": 1500,
    "min_steps": 2,
    "sampling_steps": 6,
    "steps": 3,
    "rate": 0.9,
    "rounds": 2,
    "teachers": 5,
    "candidates": {
        "independent": {"_target_": "trisynth.generators.independent.Independent"},
        "smote": {"_target_": "trisynth.generators.smote.SMOTE"},
    },
    "classifiers": {
        "nearest": {
            "classification": {"_target_": "sklearn.neighbors.KNeighborsClassifier"},
            "regression": {"_target_": "sklearn.neighbors.KNeighborsRegressor"},
        }
    },
    "folds": 4,
    "repeats": 1,
    "network": {"_target_": "trisynth.generators.neural.vae.VAE", "epochs": 2, "min_steps": 2},
}


@cache
def config(name: str) -> dict:
    stem, _, device = name.partition("@")
    groups = {"generator": stem, "loss": "default", "preprocessing": "standard"}
    root = {group: OmegaConf.load(CONF / group / f"{file}.yaml") for group, file in groups.items()}
    root = OmegaConf.create({**root, "privacy": SEEDED})
    return OmegaConf.to_container(root, resolve=True)["generator"] | ({"device": device} if device else {})


# Generators of series alone are tested by test_tensors.
NAMES = [name for name in ALL if Number in locate(config(name)["_target_"]).kinds]
# Where there is a GPU, whatever can run on it passes every check there, too.
ON_GPU = [f"{name}@cuda" for name in NAMES if "device" in config(name)] if torch.cuda.is_available() else []


def make(name: str) -> Generator:
    brief = {key: value for key, value in BRIEF.items() if key in config(name)}
    return instantiate({**config(name), **brief})


def saved(generator: Generator, folder: Path) -> bytes:
    generator.save(folder / "state")
    return (folder / "state").read_bytes()


@pytest.fixture(scope="module", autouse=True)
def brief_model() -> Iterator[None]:
    """As little training for L_model, which otherwise takes longer than the generator."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Auxiliary, "steps", 2)
        yield


def by_few_orders(plan: tuple, delta: float) -> float:
    """Bound epsilon as ``rdp_epsilon`` does, a little higher, at a fraction of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accountants, "_ORDERS", accountants._ORDERS[::8])
        return accountants._rdp_epsilon.__wrapped__(plan, delta)


@pytest.fixture(scope="module", autouse=True)
def declared_facts() -> Iterator[None]:
    """Declare the facts of all tables for private generators, which accept no others."""
    fit = PrivateGenerator.fit

    def with_facts(generator, X, y=None, *, target=None, facts=None, **given):
        if facts is None and isinstance(X, pd.DataFrame) and len(X) and X.columns.is_unique:
            y_known = isinstance(y, pd.Series) and len(y) == len(X)
            facts = facts_of(X, y.set_axis(X.index) if y_known else None, 0 if given.get("rare") == 0 else 5)
        return fit(generator, X, y, target=target, facts=facts, **given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PrivateGenerator, "fit", with_facts)
        # Calibrates in no time, by few orders; the accountants have tests of their own.
        known = cache(by_few_orders)
        for accountant in ("pld_epsilon", "rdp_epsilon"):
            patch.setattr(f"trisynth.privacy.ledger.{accountant}", lambda plan, delta: known(tuple(plan), delta))
        yield


def needs_accountant(name: str) -> None:
    """Skip a private generator where the extra ``privacy`` is not installed."""
    if issubclass(locate(config(name)["_target_"]), PrivateGenerator):
        pytest.importorskip("dp_accounting", reason="needs the extra privacy")


@pytest.fixture(scope="module", params=[*NAMES, *ON_GPU])
def name(request) -> str:
    needs_accountant(request.param)
    return request.param


@pytest.fixture(scope="module")
def fit(mixed):
    return cache(lambda name: make(name).fit(*mixed()))


@pytest.fixture(scope="module")
def fitted(name, fit) -> Generator:
    return fit(name)


# The contract with scikit-learn and with the yaml


def test_yaml_has_the_defaults_of_the_constructor(name):
    file = CONF / "generator" / f"{name.partition('@')[0]}.yaml"
    raw = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    signature = inspect.signature(locate(raw.pop("_target_"))).parameters
    defaults = {key: parameter.default for key, parameter in signature.items()}
    assert list(raw) == list(defaults)
    for key, value in raw.items():
        default = list(defaults[key]) if isinstance(defaults[key], tuple) else defaults[key]
        if isinstance(value, str) and value.startswith("${"):
            assert default is None, f"{key}: an interpolated argument defaults to None"
        else:
            assert value == default and type(value) is type(default), key


def test_constructor_only_stores(name):
    generator = make(name)
    parameters = generator.get_params(deep=False)
    assert vars(generator) == parameters
    sentinels = {key: object() for key in parameters}
    stored = vars(type(generator)(**sentinels))
    assert set(stored) == set(sentinels) and all(stored[key] is sentinels[key] for key in sentinels)


def test_clone_keeps_parameters_and_forgets_the_fit(fitted):
    copy = clone(fitted)
    assert repr(copy.get_params()) == repr(fitted.get_params())
    assert not [key for key in vars(copy) if key.endswith("_")]


def test_parameters_are_set_by_name_and_shown(name):
    generator = make(name)
    assert repr(generator).startswith(type(generator).__name__ + "(")
    for key, value in generator.get_params(deep=False).items():
        assert generator.set_params(**{key: value}) is generator
        other = clone(generator).set_params(**{key: "another"})
        assert other.get_params(deep=False)[key] == "another" and repr(other)


def test_unknown_arguments_are_refused_in_one_line(name):
    kind = type(make(name))
    for call in (kind, make(name).set_params):
        with pytest.raises(InputError, match=r"^nothing=1: \w+ has no such argument; "):
            call(nothing=1)
        for former, present in getattr(kind, "renamed", {}).items():
            if present in inspect.signature(kind).parameters:
                with pytest.raises(InputError, match=f"^{former}=1: is now called {present}$"):
                    call(**{former: 1})


def test_nested_arguments_are_refused_in_one_line():
    with pytest.raises(InputError, match=r"^loss__alpha=1: has no arguments that can be set; set loss as a whole$"):
        make("circuit").set_params(loss__alpha=1)


def test_every_argument_is_checked_before_the_fit(name):
    for key in make(name).get_params(deep=False):
        if key not in (
            "encoder",
            "candidates",
            "classifiers",
            "amounts",
            "metric",
            "folds",
            "repeats",
            "confidence",
            "budget",
        ):
            with pytest.raises(InputError, match=key):
                make(name).set_params(**{key: "another"}).check()


def test_docstring_documents_every_parameter(name):
    # What generators share is described by their base classes.
    described = "".join(inspect.cleandoc(kind.__doc__ or "") for kind in type(make(name)).__mro__)
    for key in inspect.signature(type(make(name))).parameters:
        assert f"\n{key} : " in described, key


# Rows on request


def test_number_of_rows_is_exact(fitted, mixed, owes):
    batch = fitted.get_params().get("batch_size", 64)
    for n in (0, 1, batch - 1, batch, batch + 1):
        rows = fitted.sample(n, seed=n)
        assert len(rows) == n
        owes(mixed(), apart(rows), n)


def test_class_proportions_are_those_of_training(fitted, mixed):
    shares = apart(fitted.sample(1200))[1].value_counts() / 10
    rows = 3.0 if isinstance(fitted, PrivateGenerator) else 0.1
    assert (shares - mixed()[1].value_counts()).abs().max() <= rows


def test_label_counts_are_exact(fitted, mixed, owes):
    for wanted in ({"ill": 1}, {"ill": 70, "well": 0, "unsure": 3}, {"unsure": 65}, {"ill": 0}, {}):
        X, y = apart(fitted.sample(wanted, seed=2))
        owes(mixed(), (X, y), sum(wanted.values()))
        assert {label: count for label, count in y.value_counts().items() if count} == {
            label: count for label, count in wanted.items() if count
        }


def test_numpy_counts_and_text_labels_are_understood(name, mixed):
    X, y = mixed()
    generator = make(name).fit(X[["price", "region"]], (y == "ill").astype(int))
    assert apart(generator.sample({"1": np.int64(5), 0: 2}))[1].value_counts().to_dict() == {1: 5, 0: 2}


def test_numeric_target(name, mixed, owes):
    X = mixed()[0][["size", "dose", "children", "region"]]
    y = (3 * X["size"] + 0.25).round(3).rename("cost")
    generator = make(name).fit(X, y)
    drawn = apart(generator.sample(90))
    owes((X, y), drawn, 90)
    assert drawn[1].nunique() > 10
    with pytest.raises(InputError, match="n="):
        generator.sample({1.0: 3})


def test_a_table_without_a_target(name, mixed, owes, tmp_path):
    X = mixed()[0][["price", "dose", "day", "smoker", "region"]]
    generator = make(name).fit(X)
    drawn = generator.sample(30, seed=1)
    owes((X.iloc[:, :-1], X.iloc[:, -1]), apart(drawn), 30)
    generator.save(tmp_path / "state")
    assert Generator.load(tmp_path / "state").sample(30, seed=1).equals(drawn)


def test_kinds_that_a_generator_does_not_take_are_refused(name, mixed, monkeypatch):
    monkeypatch.setattr(type(make(name)), "kinds", (Number, Category))
    with pytest.raises(InputError, match=r"^X='day': .* does not take columns of kind date; it takes number, category"):
        make(name).fit(*mixed())


# What must not leave

CANARY = {"id": "P00777", "birth": "1901-03-17", "note": "afraid of the green parrot", "place": "Atlantis"}


def clinic(rows: int = 240) -> pd.DataFrame:
    """Patients with planted canaries: an identifier, a date of birth, a note, and a category of three rows."""
    rng = np.random.default_rng(3)
    births = pd.Timestamp("1930-01-01") + pd.to_timedelta(rng.choice(25_000, rows, replace=False), unit="D")
    table = pd.DataFrame(
        {
            "id": [f"P{i:05d}" for i in rng.choice(90_000, rows, replace=False)],
            "birth": births,
            "sick": rng.choice(["yes", "no"], rows),
            "weight": np.round(rng.normal(80, 12, rows), 1),
            "note": [f"lives on floor {i} with a cat" for i in range(rows)],
            "place": rng.choice(["Bonn", "Ulm"], rows),
        }
    )
    table.loc[:2, "place"] = CANARY["place"]
    table.loc[1, ["id", "note"]] = CANARY["id"], CANARY["note"]
    table.loc[1, "birth"] = pd.Timestamp(CANARY["birth"])
    return table


def test_no_canary_leaves(name, tmp_path):
    real, generator = clinic(), make(name)
    if isinstance(generator, PrivateGenerator):
        # A large epsilon permits that a row is recognised.
        generator.set_params(privacy=replace(generator.privacy, epsilon=1.0))
    generator.fit(real, target="sick")
    rows = generator.sample(600, seed=1)
    assert list(rows) == list(real) and list(rows.dtypes) == list(real.dtypes)
    assert rows["id"].is_unique and not set(rows["id"]) & set(real["id"])
    private = isinstance(generator, PrivateGenerator)
    assert private or rows["id"].str.fullmatch(r"P\d{5}").all()
    assert rows["note"].isna().all()
    assert set(rows["place"]) == {"Bonn", "Ulm"}
    # A private generator knows no date, and may meet some by chance.
    repeated = set(rows["birth"]) & set(real["birth"])
    assert set(rows["birth"]) == repeated if generator.copies else len(repeated) <= 20 * private
    with zipfile.ZipFile(io.BytesIO(saved(generator, tmp_path))) as archive:
        state = archive.read("state.json").decode()
    assert not [text for text in (*real["id"], *real["note"], CANARY["place"]) if text in state]


# Seeds


def test_same_seed_same_rows_and_other_seed_other_rows(fitted):
    assert fitted.sample(50, seed=3).equals(fitted.sample(50, seed=3))
    assert not fitted.sample(50, seed=3).equals(fitted.sample(50, seed=4))


def random_states() -> tuple:
    return random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()  # noqa: NPY002


@pytest.fixture(scope="module")
def again(name, mixed) -> SimpleNamespace:
    """Another fit with the same seed, and the global random states and the input before and after it."""
    X, y = mixed()
    states = random_states()
    generator = make(name).fit(X, y)
    drawn = generator.sample(20)
    return SimpleNamespace(generator=generator, drawn=drawn, X=X, y=y, states=(states, random_states()))


def test_same_seed_same_state(again, fitted, tmp_path):
    assert saved(again.generator, tmp_path) == saved(fitted, tmp_path)


def test_refit_equals_fresh_fit(name, fitted, mixed, tmp_path):
    X, _ = mixed(60, seed=5)
    if isinstance(fitted, PrivateGenerator):
        with pytest.raises(InputError, match=r"^privacy=400\S+ was spent"):
            make(name).fit(*mixed()).fit(*mixed())
        return
    again = make(name).fit(X[["size", "region"]], pd.Series(np.arange(60.0))).fit(*mixed())
    assert saved(again, tmp_path) == saved(fitted, tmp_path)


def test_global_random_state_is_untouched(again):
    before, after = again.states
    assert before == after


# Nothing moves that should not


def test_inputs_are_not_mutated(name, again, mixed):
    X, y = mixed()
    pd.testing.assert_frame_equal(again.X, X)
    pd.testing.assert_series_equal(again.y, y)
    wanted = {"ill": 3}
    again.generator.sample(wanted)
    assert wanted == {"ill": 3}
    again.X.iloc[:, 0] = 0.0
    try:
        assert again.generator.sample(20).equals(again.drawn), "the generator shares memory with its input"
    finally:
        again.X.iloc[:, 0] = X.iloc[:, 0]


def test_sample_leaves_the_generator_unchanged(fitted, tmp_path):
    before = saved(fitted, tmp_path)
    drawn = fitted.sample(40)
    drawn.iloc[:, 0], drawn.iloc[:, -1] = 0.0, drawn.iloc[0, -1]
    assert saved(fitted, tmp_path) == before


# Persistence

READ = """
import json, sys
from trisynth.generators.base import Generator
for path in sys.argv[1:]:
    table = Generator.load(path).sample(70, seed=8)
    print(json.dumps([table.to_csv(), str(table.dtypes)]))
"""


@pytest.fixture(scope="module")
def reread(fit, warm, tmp_path_factory) -> dict:
    """Rows that one new process draws from each saved generator."""
    base = tmp_path_factory.getbasetemp()
    # The workers of one test run share their base folder's parent.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "saved"
    folder.mkdir(exist_ok=True)
    record = folder / "record.json"
    with FileLock(folder / ".lock"):
        if not record.exists():
            names = [n for n in NAMES if importlib.util.find_spec("dp_accounting") or "privacy" not in config(n)]
            for name in names:
                fit(name).save(folder / name)
            paths = [str(folder / name) for name in names]
            done = subprocess.run([*warm, "-c", READ, *paths], capture_output=True, text=True, check=False)
            drawn = dict(zip(names, map(json.loads, done.stdout.splitlines()), strict=False))
            record.write_text(json.dumps(drawn | {"stderr": done.stderr}))
    return json.loads(record.read_text())


def test_new_process_draws_the_same_rows(name, fitted, reread):
    assert name in reread, reread["stderr"]
    table = fitted.sample(70, seed=8)
    assert reread[name] == [table.to_csv(), str(table.dtypes)]


def test_saved_file_holds_no_pickle(fitted, tmp_path):
    with zipfile.ZipFile(io.BytesIO(saved(fitted, tmp_path))) as archive:
        for member in archive.namelist():
            if member == "state.json":
                json.loads(archive.read(member))
            else:
                assert not np.load(io.BytesIO(archive.read(member)), allow_pickle=False).dtype.hasobject


# Hard tables and bad input


def declarable(X: pd.DataFrame) -> bool:
    """Tell whether facts describe the cells: categories by texts, and whole numbers by floats."""
    mixed = any(pd.api.types.infer_dtype(X[column], skipna=True).startswith("mixed") for column in X)
    empty = any(X[column].isna().all() and not pd.api.types.is_numeric_dtype(X[column].dtype) for column in X)
    large = any((X[c].dropna().abs() > 2**53).any() for c in X.select_dtypes("int64"))
    return not (mixed or empty or large)


def test_hard_table(name, hard, owes):
    X, y = hard
    if "privacy" in config(name) and not declarable(X):
        pytest.skip("declared facts are texts and floats; they do not describe these cells")
    generator = make(name).fit(X, y, rare=0)
    owes(hard, apart(generator.sample(45, seed=1)), 45)
    if not generator.numeric_target_:
        rarest = y.value_counts().loc[lambda counts: counts > 0].index[-1]
        drawn = apart(generator.sample({rarest: 9}))
        owes(hard, drawn, 9)
        assert (drawn[1] == rarest).all()


@pytest.mark.parametrize(
    ("parameter", "wanted"),
    [
        ("n", -1),
        ("n", 10**15),
        ("n", {"ill": 2**70}),
        ("n", 2.5),
        ("n", True),
        ("n", "9"),
        ("n", {"ill": -1}),
        ("n", {"ill": 1.5}),
        ("n", {"dead": 1}),
    ],
)
def test_impossible_request(fitted, parameter, wanted):
    with pytest.raises(InputError, match=f"^{parameter}="):
        fitted.sample(wanted)


def test_unfitted(name):
    with pytest.raises(InputError, match="not fitted"):
        make(name).sample(1)


def test_impossible_tables(name, mixed):
    X, y = mixed()
    twice = pd.concat([X, X[["size"]]], axis=1)
    gaps = pd.Series(np.where(np.arange(len(X)) == 3, None, y.astype(object)))
    tables = [(X.iloc[:0], y.iloc[:0]), (X[[]], y), (X.to_numpy(), y), (twice, y), (X, y.iloc[1:]), (X, gaps)]
    tables.append((X, pd.Series(np.inf, index=X.index)))
    if "privacy" in config(name):
        # Whether a cell is missing must not decide whether there is a result.
        tables = tables[:5]
    for wrong, parameter in zip(tables, "XXXXyyy"[: len(tables)], strict=True):
        with pytest.raises(InputError, match=f"^{parameter}="):
            make(name).fit(*wrong)

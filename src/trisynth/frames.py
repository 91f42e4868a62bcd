"""Functions from DataFrames to DataFrames: synthesize, evaluate, load_runs."""

import logging
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from pandas.api import types
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from trisynth import renamed, seeds
from trisynth.config import CONF, instantiate
from trisynth.data import sequences, tensors, texts
from trisynth.data.dataset import Column, Dataset, Spec
from trisynth.data.disclosure.withheld import WITHHELD
from trisynth.data.inference import task_of
from trisynth.data.kinds import learn
from trisynth.data.kinds.text import check_texts
from trisynth.data.reading.arrow import to_frame
from trisynth.data.spec import nearest
from trisynth.data.stream import open_folder
from trisynth.encoders.table import TableEncoder
from trisynth.errors import InputError, require_whole
from trisynth.evaluation.arms import Combined, Real, Synthetic
from trisynth.evaluation.classifiers import Classifier, fit_predict
from trisynth.evaluation.metrics.base import Metric
from trisynth.evaluation.metrics.context import Context
from trisynth.evaluation.references import references
from trisynth.evaluation.scores import gains, row_scores, utility_scores
from trisynth.experiment.results import RESULT, DamagedError, Result, table
from trisynth.generators.base import Generator
from trisynth.generators.inputs import Training, training
from trisynth.places import subclass

_LOG = logging.getLogger(__name__)
_ARMS = {"real": Real(), "synthetic": Synthetic(), "combined": Combined()}


def synthesize(
    df: pd.DataFrame,
    target: object = None,
    n: int | Mapping | None = None,
    generator: str | Generator = "circuit",
    seed: int = 0,
    facts: Mapping[str, Column] | None = None,
    rare: int = 5,
) -> pd.DataFrame:
    """Fit a generator to a table and draw synthetic rows.

    Parameters
    ----------
    df : DataFrame, shape (rows, d)
        Numbers, categories, texts, booleans or dates; missing cells allowed.
    target : optional
        Name of the column to predict. None treats all columns alike.
    n : int, mapping of label to int, or None
        Rows, or rows of each class; None gives as many rows as ``df`` has.
    generator : str or Generator, default="circuit"
        A name of ``conf/generator``, with its default arguments, or an unfitted generator.
    seed : int, default=0
        Seed of the fit and of the rows.
    facts : mapping of str to Column, optional
        Declared facts of columns; see :class:`trisynth.data.dataset.Column`.
    rare : int, default=5
        Categories of fewer rows are pooled and never drawn, unless they are declared; numbers and dates of fewer rows
        are not reproduced. 0 switches this off.

    Returns
    -------
    DataFrame, shape (n, d)
        Columns, order and dtypes of ``df``. Identifiers are fresh, and columns of free text are empty.

    Raises
    ------
    InputError
        If an argument cannot be used.
    """
    made = _generator(generator).fit(df, target=target, facts=facts, rare=rare, seed=seed)
    return made.sample(len(df) if n is None else n, seed)


def evaluate(
    real_train: pd.DataFrame | str | Path,
    real_test: pd.DataFrame | str | Path,
    synthetic: pd.DataFrame | str | Path,
    target: object | None,
    classifier: str = "forest",
    seed: int = 0,
    rows: int = 20_000,
    facts: Mapping[str, Column] | None = None,
) -> pd.DataFrame:
    """Score the utility, the fidelity and the copying of synthetic rows.

    Parameters
    ----------
    real_train : DataFrame or path
        Rows that the generator was fitted on. From a folder of Parquet files a random sample is read, a warning states
        its size, and standard errors such as ``c2st_boosting_se`` are among the scores.
    real_test : DataFrame or path
        Held-out rows; no generator has seen them. Samples of the same folder have no row in common.
    synthetic : DataFrame or path
        Synthetic rows. All three tables have the same columns.
    target : object or None
        Name of the column to predict; it counts as a number if ``real_train`` has more than 20 distinct numbers. None
        scores fidelity and copying alone.
    classifier : str, default="forest"
        A name of ``conf/classifier``. It is trained on real, synthetic and combined rows and predicts ``real_test``.
    seed : int, default=0
    rows : int, default=20000
        Maximum number of rows that are read from a folder.
    facts : mapping of str to Column, optional
        Declared facts of columns, as the generator had them: texts to be modelled, or the shape of an image.

    Returns
    -------
    DataFrame
        One row per score. ``group`` is ``real``, ``synthetic`` or ``combined`` (the training set), ``gain`` (combined
        minus real), ``fidelity`` or ``copying``; ``metric`` is the name in the glossary and ``value`` the score.
        ``floor`` and ``ceiling`` are the scores of independent columns and of copied training rows, for fidelity and
        copying.

    Raises
    ------
    InputError
        If the tables do not fit each other, or an argument cannot be used.
    """
    given = {"real_train": real_train, "real_test": real_test, "synthetic": synthetic}
    folders = {name: Path(table) for name, table in given.items() if isinstance(table, str | Path)}
    train, test, made = _datasets(target, facts, **{**given, **_samples(folders, rows, seed)})
    metrics = instantiate(_config("metrics", "default"), "metrics", kind=subclass(Metric))
    estimators = _config("classifier", classifier)
    estimator = Classifier(estimators.pop("name"), **instantiate(estimators, "classifier"))
    compared = {group: metrics[group] for group in ("fidelity", "copying")}
    if folders:
        compared = {group: {n: _with_errors(m) for n, m in each.items()} for group, each in compared.items()}
    # Synthetic rows, their floor and their ceiling have all scores.
    steps = len(_ARMS) * (target is not None) + 3 * sum(map(len, compared.values()))
    with threadpool_limits(limits=1), _progress(steps) as progress:
        encoder = TableEncoder().fit(train.X, train.facts)
        scores: dict[str, float] = {}
        for name, arm in _ARMS.items() if target is not None else ():
            progress(f"{name} rows")
            composed = arm.compose(train, made, seed)
            prediction = fit_predict(estimator, arm, composed, encoder, test.X, train.classes, seed)
            found = utility_scores(prediction, test, metrics["utility"], train.classes)
            scores |= {f"{name}/{metric}": value for metric, value in found.items()}

        def compare(drawn: Dataset) -> dict[str, float]:
            return row_scores(Context(train, test, drawn, encoder, seed), compared, progress)

        scores |= (gains(scores) if scores else {}) | compare(made)
        frame = references(train, seed, compare)
    lines = [
        (*name.split("/", 1), value, frame.get(f"{name}_floor"), frame.get(f"{name}_ceiling"))
        for name, value in scores.items()
    ]
    numbers = ["value", "floor", "ceiling"]
    return pd.DataFrame(lines, columns=["group", "metric", *numbers]).astype(dict.fromkeys(numbers, float))


def load_runs(path: str | Path = "runs") -> pd.DataFrame:
    """Load finished jobs as one tidy table.

    Parameters
    ----------
    path : path, default="runs"
        A folder of single results, as ``paths.runs`` names it, the folder of a sweep, or its ``results.csv``.

    Returns
    -------
    DataFrame
        One row per job: ``key``, ``dataset``, ``generator``, ``classifier``, ``seed``, the loss weights
        ``loss.alpha``, ``loss.beta`` and ``loss.gamma``, settings that were varied, and the metrics.

    Raises
    ------
    InputError
        If there is no finished job.
    """
    try:
        path = Path(path)
    except TypeError:
        raise InputError("path", path, "must be the path of a folder or of a results.csv") from None
    listed = path / "results.csv" if path.is_dir() else path
    if listed.is_file():
        try:
            # A data set may be called NA; only an empty cell is missing.
            jobs = pd.read_csv(listed, dtype={"key": str}, keep_default_na=False, na_values=[""])
            if "key" not in jobs:
                raise ValueError("it has no column key")
            return jobs
        except (OSError, ValueError) as error:
            raise InputError("path", str(listed), f"is not the results.csv of a sweep ({error})") from None
    try:
        found = [Result.read(path, file.parent.name) for file in sorted(path.glob(f"*/{RESULT}"))]
    except DamagedError as error:
        raise InputError("path", error.value, error.remedy) from None
    results = [result for result in found if result is not None]
    if not results:
        raise InputError("path", str(path), "holds no finished job; give paths.runs of a run, or a sweep's folder")
    return table(results)


def _samples(folders: Mapping[str, Path], rows: int, seed: int) -> dict[str, pd.DataFrame]:
    """Read samples of folders; those of one folder are disjoint parts of one sample."""
    require_whole("rows", rows, 2)
    found: dict[str, pd.DataFrame] = {}
    for path in dict.fromkeys(folders.values()):
        names = [name for name, other in folders.items() if other == path]
        folder = open_folder(path, names[0])
        frame = to_frame(folder.sample(rows * len(names), seeds.integer(seed, "evaluate.sample", *names)))
        order = seeds.stream(seed, "evaluate.part", *names).permutation(len(frame))
        for name, part in zip(names, np.array_split(order, len(names)), strict=True):
            found[name] = frame.iloc[np.sort(part)].reset_index(drop=True)
            if len(part) < folder.rows:
                _LOG.warning("%s: a sample of %s of %s rows", name, f"{len(part):,}", f"{folder.rows:,}")
    return found


@contextmanager
def _progress(steps: int) -> Iterator[Callable[[str], None]]:
    """Show each of some steps on stderr while it lasts, on a terminal only; yields a function that begins one."""
    # Imported here, as it takes longer than most of the package.
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task, ended = bar.add_task("", total=steps), count()
        yield lambda step: bar.update(task, description=step.replace("_", " "), completed=next(ended))


def _with_errors(metric: Metric) -> Metric:
    return replace(metric, standard_errors=True) if hasattr(metric, "standard_errors") else metric


def _generator(generator: str | Generator) -> Generator:
    if isinstance(generator, Generator):
        return clone(generator)
    if isinstance(generator, type):
        raise InputError("generator", generator.__name__, f"is a class; give {generator.__name__}()")
    config = _config("generator", generator)
    for key, value in config.items():
        # An interpolated value, such as the loss, has a default in the constructor.
        if isinstance(value, str) and value.startswith("${"):
            config[key] = None
    return instantiate(config, "generator", kind=subclass(Generator))


def _config(group: str, name: object) -> dict[str, Any]:
    """Content of one file of ``conf``."""
    known = sorted(file.stem for file in (CONF / group).glob("*.yaml"))
    if name not in known:
        present = renamed.CHOICES.get(group, {}).get(str(name))
        remedy = f"is now called {present}" if present else f"no such choice; {nearest(name, known)}"
        raise InputError(group, name, remedy)
    return yaml.safe_load((CONF / group / f"{name}.yaml").read_text(encoding="utf-8"))


def _datasets(target: object, declared: Mapping | None, **frames: pd.DataFrame) -> list[Dataset]:
    """Check tables of the same columns, the training rows first, and give them one spec."""
    parts, known = {}, None
    for name, frame in frames.items():
        try:
            # All tables are read as the training rows are.
            held = getattr(frame, "columns", ())
            facts = declared if known is None else {column: fact for column, fact in known.items() if column in held}
            parts[name] = training(frame, target=target, facts=facts)
        except InputError as error:
            raise InputError(name if error.parameter == "X" else error.parameter, error.value, error.remedy) from None
        known = {**(declared or {}), **_read_as(parts[name])} if known is None else known
    first, train = next(iter(parts.items()))
    # Identifiers and free text have nothing to compare.
    apart = [name for name, fact in train.facts.items() if fact.kind in WITHHELD and not fact.generate]
    parts = {name: replace(part, X=part.X.drop(columns=apart, errors="ignore")) for name, part in parts.items()}
    place = train.place - sum(name in apart for name in train.X.columns[: train.place])
    train = parts[first]
    for name, part in parts.items():
        _check_alike(name, part.X, first, train.X)
        if target is not None:
            _check_alike(name, part.y.to_frame(), first, train.y.to_frame())
    stated = {name: train.facts[name] for name in train.X if name in (declared or {})}
    modelled = [name for name, fact in stated.items() if fact.generate]
    for name, part in parts.items():
        for column in modelled:
            check_texts(part.X[column], f"{name}.{column}.kind")
            part.X[column] = texts.column(texts.values(part.X[column]), column, part.X.index)
    if target is None:
        return [
            Dataset(part.X[list(train.X)].reset_index(drop=True), None, Spec("table", None, None, columns=stated))
            for part in parts.values()
        ]
    task = task_of(train.y)
    labels = {name: part.y.astype(str) for name, part in parts.items()}
    quantity = learn(train.y) if task == "regression" else None
    classes = sorted(set().union(*labels.values()))
    spec = Spec("table", target, task, columns=stated)
    made = []
    for name, part in parts.items():
        y = pd.Series(pd.Categorical(labels[name], classes)) if task == "classification" else quantity.canonical(part.y)
        made.append(Dataset(part.X[list(train.X)], y.rename(target), spec, place))
    return made


def _read_as(train: Training) -> dict[Hashable, Column]:
    """Return how the texts of training rows were read; those that stayed texts are categories."""
    written = [name for name in train.X if types.infer_dtype(train.X[name], skipna=True) == "string"]
    stayed = {name: train.facts.get(name, Column("category")) for name in written}
    return {**stayed, **{column.name: column.facts for column in train.written.columns}}


def _held(dtype: object) -> str:
    """Describe the arrays of a column; an empty text stands for single values."""
    if tensors.is_tensor(dtype):
        return f"arrays of {dtype.pyarrow_dtype.list_size} elements"
    return f"series of {sequences.channels_of(dtype)} channels" if tensors.is_sequence(dtype) else ""


def _check_alike(name: str, X: pd.DataFrame, first: str, train: pd.DataFrame) -> None:
    differing = [str(column) for column in train.columns.symmetric_difference(X.columns, sort=False)]
    if differing:
        raise InputError(
            name, differing, f"{name} and {first} must have the same columns; these are in only one of the two"
        )
    for column in train:
        held = [_held(part[column].dtype) for part in (train, X)]
        if len(set(held)) > 1:
            here = f"holds {held[1]}" if held[1] else tensors.remedy_for(X[column], "convert it")
            here = here or f"holds {X[column].dtype}"
            raise InputError(name, column, f"must hold {held[0] or train[column].dtype}, as in {first}, but {here}")
        if types.is_numeric_dtype(train[column].dtype) and not types.is_numeric_dtype(X[column].dtype):
            raise InputError(name, column, f"holds numbers in {first} and {X[column].dtype} here; convert it")
        fractions = types.is_float_dtype(X[column].dtype) and X[column].notna().any()
        if fractions and types.infer_dtype(train[column], skipna=True) == "string":
            raise InputError(name, column, f"holds texts in {first} and {X[column].dtype} here; convert it")

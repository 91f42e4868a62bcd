"""``trisynth synthesize``: synthetic rows in a file, for use elsewhere.

The generator is fitted on every row of the data set. Rows are drawn and written in chunks, so that memory does not
grow with their number; the file appears complete or not at all. With ``given=partial.csv`` the rows of that file are
completed, each ``n`` times.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from rich.progress import Progress

from trisynth import commandline, data, places, seeds
from trisynth.cache import Store, unwritable
from trisynth.config import code_digest, digest, locate, target_name, targets
from trisynth.data import tensors
from trisynth.data.cleaning import findings
from trisynth.data.dataset import Dataset
from trisynth.data.layout import Layout
from trisynth.errors import InputError, printable
from trisynth.generators import completion
from trisynth.generators.base import Generator, fit
from trisynth.temporary import temporary_folder

CHUNK = 100_000
OWN = ("n", "out", "given")
# Most rows: a trillion of one digit fill a disk of two terabytes.
_MOST = 10**12


def parse(argv: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Split a command line into this command's own arguments and overrides of the configuration."""
    own: dict[str, Any] = {}
    rest = []
    for argument in argv:
        name, _, value = argument.partition("=")
        if name in OWN:
            own[name] = rows(value) if name == "n" else value
        else:
            rest.append(argument)
    if not own.get("out"):
        raise InputError("out", own.get("out"), "must name the file to write, such as out=rows.parquet or out=rows.csv")
    if Path(own["out"]).suffix not in (".parquet", ".csv"):
        raise InputError("out", own["out"], "must end in .parquet or .csv")
    n = own.get("n", 1)
    if "given" not in own and not (sum(n.values()) if isinstance(n, dict) else n):
        raise InputError("n", n, "would write a file without rows; give a larger number")
    return own, rest


def rows(text: str) -> int | dict[str, int]:
    """Parse a number of rows, or rows per class as in ``{sepsis: 500}``; labels stay text, even yes and no."""

    def count(given: str) -> int:
        if not 0 <= int(given) <= _MOST:
            raise ValueError
        return int(given)

    try:
        n = yaml.load(text, yaml.BaseLoader)
        return {label: count(part) for label, part in n.items()} or 0 if isinstance(n, dict) else count(n)
    except (yaml.YAMLError, TypeError, ValueError):
        remedy = "must be a number of rows, or rows per class such as '{sepsis: 500, healthy: 20}'"
        raise InputError("n", text, remedy) from None


def fitted(config: Mapping[str, Any], dataset: Dataset) -> Generator:
    """Fit the generator of a config on all rows, or read it from the store if it was fitted before."""
    key = digest(
        data.data_key(config["dataset"]),
        config["generator"],
        config["seed"],
        code_digest("trisynth.generators.base", *targets(config["generator"])),
    )

    allow = config.get("allow", ())

    def make(folder: Path) -> None:
        fit(config["generator"], dataset, config["seed"], allow).save(folder / "generator.zip")

    store = Store(config["paths"]["cache"])
    return store.get_or_make("generator", key, make, lambda folder: Generator.load(folder / "generator.zip", allow))


def chunks(n: int | Mapping) -> Iterator[int | dict]:
    """Split ``n`` into parts of at most ``CHUNK`` rows; a mapping label by label."""
    if isinstance(n, Mapping):
        for label, count in n.items():
            yield from ({label: part} for part in chunks(count))
    elif isinstance(n, int) and n > CHUNK:
        yield from [CHUNK] * (n // CHUNK)
        if n % CHUNK:
            yield n % CHUNK
    else:
        yield n


def write(tables: Iterator[pd.DataFrame], path: Path, layout: Layout | None = None, seed: int = 0) -> None:
    """Write tables of equal columns one after the other; ``path`` appears when all are written.

    Parameters
    ----------
    tables : iterator of DataFrame
    path : Path
        A ``.parquet`` or ``.csv`` file.
    layout : Layout, optional
        That of the file that was read, whose columns, types and spellings are written.
    seed : int, default=0
        Seed of fresh identifiers.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = layout.writer(seed) if layout else None
    dialect = layout.dialect if layout else None
    with temporary_folder(f".{path.name}.", path.parent) as folder:
        temporary = folder / path.name
        if path.suffix == ".csv":
            with temporary.open("wb") as file:
                for i, table in enumerate(tables):
                    if dialect:
                        file.write(dialect.texts(writer.texts(table), header=i == 0))
                    else:
                        typed = writer.typed(table).to_pandas() if writer else table
                        file.write(typed.to_csv(index=False, header=i == 0).encode())
        else:
            target = None
            for table in tables:
                arrow = writer.typed(table) if writer else _arrow(table)
                target = target or pq.ParquetWriter(temporary, arrow.schema)
                target.write_table(arrow.cast(target.schema))
            target.close()
        temporary.replace(path)


def _arrow(table: pd.DataFrame) -> pa.Table:
    """Convert to Arrow, categories to texts."""
    categories = table.select_dtypes("category").columns
    return pa.Table.from_pandas(table.astype(dict.fromkeys(categories, object)), preserve_index=False)


def synthesize(config: Mapping[str, Any], n: int | Mapping | None, out: str, given: str | None = None) -> int:
    """Fit the configured generator, write ``n`` synthetic rows to ``out``, and return how many were written.

    Parameters
    ----------
    config : mapping
        Resolved root configuration.
    n : int, mapping of label to int, or None
        None gives as many rows as the data set has, or completes each given row once.
    out : str
        A ``.parquet`` or ``.csv`` file.
    given : str, optional
        A file of partial rows, see ``completion.read``; each is completed ``n`` times.
    """
    for source in filter(None, (config["dataset"].get("path"), given)):
        if Path(source).resolve() == Path(out).resolve():
            raise InputError("out", out, "is the input file, which would be overwritten; name another file")
    read = data.reader(config["dataset"], config.get("allow", ()))
    dataset = data.load(config["dataset"], config["paths"]["raw"], read)
    # What becomes of identifiers and texts is printed with the rows.
    withheld = dataset.layout.withheld.names if dataset.layout else ()
    for line in findings.of_own_table(dataset, without=withheld):
        print(printable(line), file=sys.stderr)
    # Read before the fit, which may take minutes, so that a misspelt column is reported at once.
    if Path(out).suffix == ".csv":
        tensors.refuse_csv(dataset.X, "out", out)
    partial = None if given is None else completion.read(given, dataset)
    if partial is not None:
        _check(config["generator"], n, config.get("allow", ()))
        for line in completion.beyond(*partial, dataset):
            print(f"given={given}: {line} in the training rows; their completions are extrapolated", file=sys.stderr)
    generator = fitted(config, dataset)
    # The number of rows and the spellings of a file are facts that its rows tell; a private fit has neither.
    private = generator.private
    layout = None if private else dataset.layout
    if partial is None:
        rows = round(generator.counts_.sum()) if private else len(dataset)
        n = rows if n is None else n
        total = sum(n.values()) if isinstance(n, Mapping) else n
        draws = (
            generator.sample(part, seeds.integer(config["seed"], "synthesize", i)) for i, part in enumerate(chunks(n))
        )
    else:
        n = 1 if n is None else n
        total = n * len(partial[1])
        draws = completion.completed(generator, *partial, n, config["seed"])
    written = 0

    def tables() -> Iterator[pd.DataFrame]:
        nonlocal written
        for table in draws:
            written += len(table)
            bar.update(task, completed=written)
            yield table

    with Progress(transient=True) as bar:
        task = bar.add_task("sampling", total=total if isinstance(total, int) else None)
        made = next((folder for folder in [*Path(out).parents][::-1] if not folder.exists()), None)
        try:
            write(tables(), Path(out), layout, config["seed"])
        except OSError as error:
            raise unwritable(Path(out), error, "out") from error
    if made:
        print(f"made the folder {printable(str(Path(out).parent))}")
    summary = generator.summary()
    notes = (note for note in generator.notes if note not in summary)
    for line in [*(layout.lines if layout else ()), *_left_out(dataset, private), *notes]:
        print(printable(line))
    if summary:
        print(summary)
    return written


def _left_out(dataset: Dataset, private: bool) -> Iterator[str]:
    """Yield a line about what a private fit leaves out, as it would be read from rows."""
    if private and dataset.layout:
        missing = [name for name in dataset.layout.names if name not in dataset.X and name != dataset.spec.target]
        if missing:
            yield f"columns left out, as identifiers and texts are not modelled: {', '.join(missing)}"
        yield "numbers and dates are written in a standard form, as the spellings of the file are read from its rows"


def _check(generator: Mapping[str, Any], n: int | Mapping | None, allow: Iterable[str]) -> None:
    """Refuse a generator that cannot complete rows, and an invalid number of completions."""
    made = locate(generator["_target_"], "generator._target_", allow, places.subclass(Generator))
    if not hasattr(made, "conditional"):
        raise InputError("generator", target_name(generator), "cannot complete given rows; use generator=circuit")
    if isinstance(n, Mapping) or n == 0:
        remedy = "must be the number of completions of each given row; to fix a class, fill the target column"
        raise InputError("n", n, remedy)


def main(arguments: list[str]) -> None:
    """Run the command line."""
    own, overrides = parse(arguments)
    config = commandline.composed(overrides)
    commandline.require_budget_read(config, overrides)
    written = synthesize(config, own.get("n"), own["out"], own.get("given"))
    print(f"{written:,} rows of {config['dataset']['name']} by {target_name(config['generator'])}: {own['out']}")


if __name__ == "__main__":
    commandline.enter("synthesize", sys.argv[1:])

"""``trisynth synthesize``: synthetic rows in a file, for use elsewhere.

The generator is fitted on every row of the data set. Rows are drawn and written in chunks, so that memory does not
grow with their number; the file appears complete or not at all. With ``given=partial.csv`` the rows of that file are
completed, each ``n`` times. With ``part=i/k`` the rows are one part of a larger table, whose parts are files of one
folder.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from rich.progress import Progress

from trisynth import commandline, data, places, seeds
from trisynth.cache import Store, sha256, unwritable
from trisynth.config import code_digest, digest, locate, target_name, targets, versions
from trisynth.data import tensors
from trisynth.data.cleaning import findings
from trisynth.data.dataset import Dataset
from trisynth.data.stream import Stream, whole
from trisynth.errors import InputError, printable
from trisynth.generators import completion
from trisynth.generators.base import Generator, fit
from trisynth.output import parts
from trisynth.output.files import counted, schema, write
from trisynth.output.parts import Launcher, Selection, total

CHUNK = 100_000
OWN = ("n", "out", "given", "part", "launcher")
# Most rows: a trillion of one digit fill a disk of two terabytes.
_MOST = 10**12


def parse(argv: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Split a command line into this command's own arguments and overrides of the configuration."""
    own: dict[str, Any] = {}
    rest, settings = [], {}
    for argument in argv:
        name, _, value = argument.partition("=")
        if name.startswith("launcher."):
            settings[name.removeprefix("launcher.")] = value
        elif name in OWN:
            own[name] = {"n": rows, "part": Selection.parse}.get(name, str)(value)
        else:
            rest.append(argument)
    if not own.get("out"):
        raise InputError("out", own.get("out"), "must name the file to write, such as out=rows.parquet or out=rows.csv")
    suffix = Path(own["out"]).suffix
    if "part" in own:
        if suffix in (".parquet", ".csv"):
            raise InputError("out", own["out"], "must name a folder, in which parts are .parquet files")
        if "given" in own:
            raise InputError("given", own["given"], "cannot be combined with part; leave one of the two out")
    elif suffix not in (".parquet", ".csv"):
        raise InputError("out", own["out"], "must end in .parquet or .csv")
    n = own.get("n", 1)
    if "given" not in own and not total(n):
        raise InputError("n", n, "would write a file without rows; give a larger number")
    if settings and "launcher" not in own:
        raise InputError(f"launcher.{next(iter(settings))}", next(iter(settings.values())), "needs launcher=ray")
    if "launcher" in own:
        if "part" not in own:
            raise InputError("launcher", own["launcher"], "makes parts of a table; add part=all/100")
        # Needed by few commands.
        from trisynth.output import clusters

        own["launcher"] = clusters.launcher(own["launcher"], settings)
    return own, rest


def rows(text: str) -> int | dict[str, int]:
    """Parse a number of rows such as 1000 or 1e9, or rows per class as in ``{sepsis: 500}``; labels stay text."""

    def count(given: str) -> int:
        # Two digits of the exponent: Python would compute a longer one.
        number = Decimal(given) if re.fullmatch(r"\d{1,3}(\.\d{1,9})?e\+?\d{1,2}", given) else int(given)
        # Digits of other scripts would pass as numbers, too.
        if number < 0 or number != int(number) or not given.isascii():
            raise ValueError
        if number > _MOST:
            raise InputError("n", text, f"must be at most {_MOST:,} rows; make several tables")
        return int(number)

    try:
        n = yaml.load(text, yaml.BaseLoader)
        return {label: count(part) for label, part in n.items()} or 0 if isinstance(n, dict) else count(n)
    except InputError:
        raise
    except (yaml.YAMLError, TypeError, ValueError):
        remedy = "must be a number of rows, or rows per class such as '{sepsis: 500, healthy: 20}'"
        raise InputError("n", text, remedy) from None


def fitted(config: Mapping[str, Any], dataset: Dataset | Stream) -> Generator:
    """Fit the generator of a config on all rows, or read it from the store if it was fitted before."""
    return stored(config, dataset)[0]


def stored(config: Mapping[str, Any], dataset: Dataset | Stream) -> tuple[Generator, str]:
    """Return what :func:`fitted` does, and the sha256 of the file that it was saved to."""
    key = digest(
        data.data_key(config["dataset"]),
        config["generator"],
        config["seed"],
        code_digest("trisynth.generators.base", *targets(config["generator"])),
    )

    allow = config.get("allow", ())

    def make(folder: Path) -> None:
        fit(config["generator"], dataset, config["seed"], allow).save(folder / "generator.zip")

    def read(folder: Path) -> tuple[Generator, str]:
        return Generator.load(folder / "generator.zip", allow), sha256(folder / "generator.zip")

    return Store(config["paths"]["cache"]).get_or_make("generator", key, make, read)


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


def synthesize(
    config: Mapping[str, Any],
    n: int | Mapping | None,
    out: str,
    given: str | None = None,
    part: Selection | None = None,
    launcher: Launcher | None = None,
) -> int:
    """Fit the configured generator, write ``n`` synthetic rows to ``out``, and return how many were written.

    Parameters
    ----------
    config : mapping
        Resolved root configuration.
    n : int, mapping of label to int, or None
        None gives as many rows as the data set has, or completes each given row once.
    out : str
        A ``.parquet`` or ``.csv`` file; with ``part`` a folder.
    given : str, optional
        A file of partial rows, see ``completion.read``; each is completed ``n`` times.
    part : Selection, optional
        Parts to make of a table of ``n`` rows, each of which is a file of the folder ``out``.
    launcher : callable, optional
        Makes the parts elsewhere, see ``parts.make``.
    """
    for source in filter(None, (config["dataset"].get("path"), given)):
        if Path(source).resolve() == Path(out).resolve():
            raise InputError("out", out, "is the input file, which would be overwritten; name another file")
        if Path(source).resolve() in Path(out).resolve().parents:
            raise InputError("out", out, "lies in the input folder, whose rows it would join; name another folder")
    read = data.reader(config["dataset"], config.get("allow", ()))
    dataset = data.load(config["dataset"], config["paths"]["raw"], read)
    rows = whole(config["dataset"], dataset)
    # What becomes of identifiers and texts is printed with the rows.
    withheld = dataset.layout.withheld.names if dataset.layout else ()
    for line in findings.of_own_table(dataset, without=withheld):
        print(printable(line), file=sys.stderr)
    # Read before the fit, which may take minutes, so that a misspelt column is reported at once.
    if Path(out).suffix == ".csv":
        tensors.refuse_csv(dataset.X, "out", out)
    known = None
    if given is not None:
        _check(config["generator"], dataset, n, config.get("allow", ()))
        known = completion.read(given, dataset)
        for line in completion.beyond(*known, dataset):
            print(f"given={given}: {line} in the training rows; their completions are extrapolated", file=sys.stderr)
    generator, sha = stored(config, rows)
    # The number of rows and the spellings of a file are facts that its rows tell; a private fit has neither.
    private = generator.private
    layout = None if private else dataset.layout
    if n is None:
        n = 1 if known is not None else round(generator.counts_.sum())
    if isinstance(n, Mapping):
        _check_classes(generator, n)
    seed = config["seed"]
    made = next((folder for folder in [*Path(out).parents][::-1] if not folder.exists()), None)
    if part is not None:
        identity = {"generator": sha, "seed": seed, "n": n, "parts": part.count, "libraries": versions()}
        table = parts.Table(parts.Folder(Path(out), identity), generator, layout, schema(dataset.frame, layout))
        written = parts.make(table, part, launcher)
    else:
        if known is None:
            expected = total(n)
            draws = (generator.sample(part, seeds.integer(seed, "synthesize", i)) for i, part in enumerate(chunks(n)))
        else:
            expected = n * len(known[1])
            draws = completion.completed(generator, *known, n, seed)
        try:
            with Progress(transient=True, disable=not sys.stdout.isatty()) as bar:
                task = bar.add_task("sampling", total=expected)
                written = write(counted(draws, partial(bar.advance, task)), Path(out), layout, seed)
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


def _check_classes(generator: Generator, n: Mapping[str, int]) -> None:
    """Refuse rows of a class that does not exist, by the numbers that were given and not those of one part."""
    try:
        generator.sample(dict.fromkeys(n, 0))
    except InputError as error:
        raise InputError(error.parameter, dict(n), error.remedy) from None


def _check(generator: Mapping[str, Any], dataset: Dataset, n: int | Mapping | None, allow: Iterable[str]) -> None:
    """Refuse a table or generator that cannot complete rows, and an invalid number of completions."""
    for name, dtype in dataset.X.dtypes.items():
        if tensors.is_cell(dtype):
            remedy = "holds texts or arrays, and no generator completes rows of such tables; ignore the column"
            raise InputError("given", name, remedy)
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
    written = synthesize(config, own.get("n"), own["out"], own.get("given"), own.get("part"), own.get("launcher"))
    print(f"{written:,} rows of {config['dataset']['name']} by {target_name(config['generator'])}: {own['out']}")


if __name__ == "__main__":
    commandline.enter("synthesize", sys.argv[1:])

"""Table of the subcommands of ``trisynth``: their modules, and what their help shows."""

from dataclasses import dataclass

_DATA = ("dataset",)
_FIT = ("dataset", "generator", "loss", "privacy")
_JOB = (
    "dataset",
    "generator",
    "loss",
    "privacy",
    "classifier",
    "preprocessing",
    "arms",
    "metrics",
    "tracking",
    "report",
    "experiment",
)


@dataclass(frozen=True)
class Door:
    """One subcommand.

    Parameters
    ----------
    module : str
        Its ``main`` takes the arguments after the subcommand.
    summary : str
        One line for the overview.
    usage : str
        Arguments in short.
    text : str
        What it reads, does and writes, in a few sentences.
    examples : mapping of str to str
        Arguments of a call, and what it does.
    groups : tuple of str
        Configuration groups that matter here.
    settings : mapping of str to str
        Single settings, and their meaning.
    words : tuple of str
        Other words that the command line takes.
    parses : bool
        Whether the module prints its own help.
    """

    module: str
    summary: str
    usage: str = "[GROUP=CHOICE ...] [SETTING=VALUE ...]"
    text: str = ""
    examples: tuple[tuple[str, str], ...] = ()
    groups: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    parses: bool = False


_SEED = ("seed", "seed of the random numbers; default 0")
_ALLOW = ("allow", "packages whose classes a yaml file may name, as in allow=[lightgbm]")
_OWN = ("dataset.path", "file of your own table, with dataset=csv or dataset=parquet; FILE sets both")
_TARGET = ("dataset.target", "column to predict in your own table, null for none; same as --target")

DOORS = {
    "run": Door(
        "trisynth.run",
        "Run one experiment, or with -m every combination of choices.",
        "[-m] [FILE --target COLUMN] [NAME=VALUE ...]",
        "Splits a table and fits a generator to the training rows. Trains the classifier on real, synthetic and "
        "combined rows, and scores each on the same real test rows. Prints a table and writes runs/KEY/result.json. "
        "With -m, values separated by commas make a sweep: one job for each combination, several at a time. A finished "
        "job is never run again, so that the same command continues a sweep that was stopped.",
        (
            ("dataset=pima generator=vae classifier=logistic", "one job"),
            ("mine.csv --target outcome", "your own table"),
            ("dataset=pima report=html", "one job, and its report as a web page"),
            ("-m generator=smote,circuit seed='range(5)'", "a sweep of ten jobs"),
        ),
        _JOB,
        (
            _SEED,
            ("test_size", "fraction of test rows; default 1/3"),
            ("loss.alpha", "weight of the reconstruction term; also loss.beta, loss.gamma"),
            _OWN,
            _TARGET,
            ("hydra.launcher.n_jobs", "jobs at a time in a sweep; default: one for each core"),
            _ALLOW,
        ),
        ("-m", "--cfg job"),
    ),
    "synthesize": Door(
        "trisynth.sampling",
        "Write synthetic rows to a file.",
        "[FILE --target COLUMN] [NAME=VALUE ...] out=FILE",
        "Fits a generator on all rows of a table and writes new rows to a CSV or Parquet file, with the columns of the "
        "table.",
        (
            ("dataset=stroke n=10000 out=rows.parquet", "ten thousand rows"),
            ("dataset=pima n='{positive: 500}' out=rows.csv", "500 rows of one class"),
            ("dataset=stroke given=partial.csv n=5 out=rows.csv", "impute blank cells five times"),
            ("dataset=stroke n=1e9 part=3/1000 out=rows", "the third of a thousand parts"),
        ),
        _FIT,
        (
            ("out", "file to write, ending in .csv or .parquet"),
            ("n", "number of rows, or rows per class; default: as many as the table has"),
            ("given", "file of rows to complete, with generator=circuit or sequential_forest"),
            ("part", "3/100, 1-10/100 or all/100: parts of a large table, in the folder out"),
            ("launcher", "ray: make parts on a cluster; launcher.address names it"),
            _SEED,
            _OWN,
            _TARGET,
            _ALLOW,
        ),
    ),
    "serve": Door(
        "trisynth.serve.__main__",
        "Serve synthetic rows over HTTP.",
        "generator=FILE.zip | FILE --target COLUMN [NAME=VALUE ...]",
        "Serves rows of a saved generator, or of one that is fitted to a table first: by number, class or condition, "
        "as JSON, CSV or Arrow. The page / has a form to try it. Listens only on this machine unless host is given; "
        "clients then need the token in the environment variable TRISYNTH_TOKEN, or the one that is printed.",
        (
            ("generator=model.zip", "a saved generator, at http://127.0.0.1:8000"),
            ("mine.csv --target outcome generator=copula port=9000", "your own table"),
        ),
        _FIT[:-1],
        (
            ("host", "address to listen on; default 127.0.0.1"),
            ("port", "port to listen on; default 8000, 0 takes a free one"),
            ("max_rows", "largest number of rows in one request; default 10,000,000"),
            ("max_body", "largest body of a request in bytes; default 100,000"),
            ("max_seconds", "longest time of one request in seconds; default 60"),
            ("max_requests", "largest number of requests at the same time; default 8"),
            _SEED,
            _OWN,
            _TARGET,
            _ALLOW,
        ),
    ),
    "audit": Door(
        "trisynth.audit",
        "Attack a generator's claimed epsilon.",
        "[FILE --target COLUMN] [NAME=VALUE ...]",
        "Fits a generator many times on two tables that differ by one planted row, and tries to recognise the fits "
        "that had it. Prints a lower bound on epsilon, the claimed epsilon, and the largest bound that so many fits "
        "can show. Ends with status 1 if the bound exceeds the claim. A table of membership attacks follows.",
        (
            ("dataset=framingham generator=mst privacy.epsilon=1", "200 fits with and without the row"),
            ("dataset=pima generator=circuit fits=50", "a generator that claims no epsilon"),
        ),
        ("dataset", "generator", "privacy"),
        (
            ("fits", "number of fits with the planted row, and of fits without it; default 200"),
            ("rows", "rows of the table that are used; default 500"),
            (
                "drawn",
                "rows drawn from each fit for the attack; default 10,000; with 0 the attack sees only noisy tables",
            ),
            ("shadows", "number of shadow models for a further membership attack; default 0: no such attack"),
            _SEED,
            _OWN,
            _TARGET,
            _ALLOW,
        ),
    ),
    "collect": Door(
        "trisynth.stages",
        "Download the file of a public data set.",
        text="Fetches the raw file of a data set into data/raw and compares it with its known checksum. The other "
        "commands do this when they need the file.",
        examples=(("dataset=stroke", "download and check one table"),),
        groups=_DATA,
    ),
    "prepare": Door(
        "trisynth.stages",
        "Clean a table, and report its columns and corrections.",
        "[FILE --target COLUMN] [NAME=VALUE ...]",
        text="Reads a table and infers the kind and the format of each column. Prints what it changed and what is "
        "doubtful, and writes the clean table and a report to data/prepared/NAME. For your own table mine.csv it also "
        "writes mine.yaml beside it, with one line for each fact. Every later command reads this file; correct what is "
        "wrong there. An existing mine.yaml is kept.",
        examples=(
            ("mine.csv --target outcome", "your own table"),
            ("dataset=stroke", "one of the shipped data sets"),
        ),
        groups=_DATA,
        settings=(
            _OWN,
            _TARGET,
            ("dataset.task", "classification or regression; default: inferred"),
            ("out", "yaml file for the facts of your own table; default: beside the table"),
        ),
    ),
    "generate": Door(
        "trisynth.stages",
        "Write real, synthetic and balanced rows, for figures.",
        text="Fits a generator on the training rows of a split. Writes these rows, as many synthetic rows, and the "
        "rows that balance the classes to data/synthetic/NAME, where trisynth report figures finds them. To write "
        "synthetic rows for other uses, see trisynth synthesize.",
        examples=(("dataset=framingham generator=circuit", "rows for the figures of one table"),),
        groups=_FIT,
        settings=(_SEED, _OWN, _TARGET),
    ),
    "search": Door(
        "trisynth.search",
        "Search for loss weights, and score the best on test rows.",
        "experiment=EXPERIMENT [SETTING=VALUE ...]",
        "Runs every search that an experiment declares. A search chooses loss weights by their scores on validation "
        "rows; the best are then scored once on the test rows. Writes one table to sweeps/NAME. A search that was "
        "stopped continues when the command is repeated.",
        (("experiment=pareto", "all searches of the experiment pareto"),),
        ("experiment",),
    ),
    "recommend": Door(
        "trisynth.recommend.__main__",
        "Test whether synthetic rows help on your table, and which ones.",
        "FILE --target COLUMN [--budget TIME] [NAME=VALUE ...]",
        "Tries several generators and numbers of synthetic rows on some folds of a table. Compares the best on the "
        "other folds with the real rows, duplicated rows, oversampling, class weights and a tuned threshold. Ends "
        "within the budget of wall time with three sentences: the verdict, the best synthetic table to share, and the "
        "number of rows that a more certain answer would need. The same command continues a search that was stopped "
        "or ran out of time. Writes sweeps/recommend-NAME.",
        (
            ("mine.csv --target outcome --budget 10min", "ten minutes for your own table"),
            ("dataset=pima recommend.budget=600", "a public table"),
            ("mine.csv --target outcome generator=circuit", "one generator alone"),
        ),
        ("dataset", "generator", "classifier", "preprocessing", "metrics", "tracking"),
        (
            ("--target", "column to predict; same as dataset.target"),
            ("--budget", "wall time such as 90s, 10min, 1h; same as recommend.budget"),
            ("--metric", "score to improve, f1_macro or roc_auc; same as recommend.metric"),
            ("--epsilon", "try only private generators, each fitted with this budget"),
            ("recommend.amounts", "synthetic rows for each real one, such as [1,balance]"),
            ("recommend.folds", "folds that the rows are divided into; default 10"),
            ("recommend.n_jobs", "trials at a time; default: one for each core"),
            _SEED,
            _ALLOW,
        ),
    ),
    "report": Door("trisynth.report.__main__", "Make tables and figures from results.", parses=True),
    "mirror": Door("trisynth.tracking", "Copy finished results into MLflow.", parses=True),
}

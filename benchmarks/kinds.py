"""Generators of images, series, texts and mixed rows: utility, fidelity and cost, beside their controls.

Each case is a job on one data set and split, with a random forest on flattened arrays as classifier; the
controls are ``block_bootstrap`` and ``class_gaussian``. Writes ``kinds.csv`` after each case, one row per case and one
for the floor and the ceiling of each data set. Run it with ``OMP_NUM_THREADS=1``: waiting threads count as processor
time. A case that ``kinds.csv`` has is not repeated. Of texts it has the cost of a fit, the speed of draws and
the mean numbers of words, as studies of their own have the scores.
"""

import sys
import tempfile
import time

import numpy as np
import pandas as pd

from benchmarks import output
from trisynth.cache import Store
from trisynth.commandline import composed
from trisynth.data import texts
from trisynth.experiment.build import build
from trisynth.experiment.job import Job
from trisynth.experiment.steps import Experiment

CONTROLS = ("block_bootstrap", "class_gaussian")
CONV = ("vae generator.backbone=conv", "cgan generator.backbone=conv")
DIFFUSION = ("diffusion loss=native", "conv_diffusion loss=native")
CASES = {
    "episodes": ("block_bootstrap", "autoregressive"),
    "sine_classes": (*CONTROLS, "autoregressive", "rcgan loss=native", "rcgan", "timevae", *CONV, "vae", *DIFFUSION),
    "digits": (*CONTROLS, "stylegan loss=native", *CONV, "vae", *DIFFUSION),
    "fashion_mnist": (CONTROLS[1], "stylegan loss=native generator.epochs=30", CONV[0], DIFFUSION[1]),
    "multimodal_cohort": (*CONTROLS, "composed", *CONV, "vae", DIFFUSION[1]),
    "multimodal_notes": ("independent", "composed", "joint"),
    "sines": (*CONTROLS, "autoregressive", "timevae", CONV[0], *DIFFUSION),
    "reuters_r8": ("ngram", "ngram +dataset.rare=5", "text_gru"),
}
TEXTS = {"reuters_r8": "Text"}
FILES = (*TEXTS, "fashion_mnist")
# The published scores of ``sines`` are means of ten networks, too, of more steps.
PUBLISHED = (
    "metrics=kinds",
    "metrics.fidelity.discriminative.repeats=10",
    "metrics.fidelity.discriminative.steps=500",
    "metrics.fidelity.discriminative.max_rows=5000",
    "+metrics.fidelity.predictive={_target_:trisynth.evaluation.metrics.kinds.series.PredictiveScore,repeats:10}",
)
SETTINGS = ("classifier=forest", "arms=minimal", "tracking=none")
SCORES = (
    "discriminative_score",
    "predictive_score",
    "array_mmd",
    "length_distance",
    "autocorrelation_error",
    "cross_correlation_error",
    "frechet_distance",
    "kernel_distance",
    "feature_precision",
    "feature_recall",
    "cross_kind_gap",
    "cross_kind_auc",
    "c2st_boosting",
)
DRAWN = 1_000


def job(dataset: str, case: str, seed: int, place: str) -> Experiment:
    """Return the steps of a case."""
    generator, *settings = case.split()
    overrides = [f"dataset={dataset}", f"generator={generator}", *settings]
    overrides += [*SETTINGS, *(PUBLISHED if dataset == "sines" else ())]
    overrides += [f"paths.{name}={place}/{name}" for name in ("cache", "runs", "sweeps")]
    overrides += [f"paths.raw={output.ROOT / 'data/raw' if dataset in FILES else place + '/raw'}"]
    found = Job.from_config(composed([*overrides, f"seed={seed}"]))
    return Experiment(found, build(found), Store(f"{place}/cache"))


def measured(dataset: str, case: str, seed: int, place: str) -> list[dict]:
    """Run a case; return its row, and those of floor and ceiling."""
    steps = job(dataset, case, seed, place)
    _ = steps.parts
    begun = time.process_time()
    generator = steps.generator()
    fitted = time.process_time()
    rows = generator.sample(DRAWN)
    drawn = time.process_time()
    about = {"dataset": dataset, "seed": seed}
    row = {
        **about,
        "generator": case,
        "fit_cpu_seconds": fitted - begun,
        "rows_per_cpu_second": DRAWN / (drawn - fitted),
    }
    if dataset in TEXTS:
        real = steps.parts[0].X
        for name, table in {"real_words": real, "words": rows}.items():
            row[name] = np.mean([len(text.split()) for text in texts.values(table[TEXTS[dataset]])])
        return [row]
    metrics = steps.run().metrics
    for arm in ("real", "synthetic", "combined"):
        row |= {f"{arm}_{name}": metrics.get(f"{arm}/{name}") for name in ("accuracy", "f1_macro")}
    row |= {name: metrics.get(f"fidelity/{name}") for name in SCORES} | {"dcr_share": metrics["copying/dcr_share"]}
    ends = [
        {**about, "generator": end, **{name: metrics.get(f"fidelity/{name}_{end}") for name in SCORES}}
        for end in ("floor", "ceiling")
    ]
    return [row, *ends]


def main(arguments: list[str]) -> None:
    """Measure all cases, or those of the named data sets."""
    parser = output.parser("kinds", __doc__)
    parser.add_argument("--datasets", nargs="+", default=list(CASES), choices=list(CASES))
    names = list(dict.fromkeys(case for cases in CASES.values() for case in cases))
    parser.add_argument("--generators", nargs="+", default=names, choices=names)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    options = parser.parse_args(arguments)
    path = options.out / "kinds.csv"
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    with tempfile.TemporaryDirectory(prefix="trisynth-") as place:
        for dataset in options.datasets:
            for seed in options.seeds:
                for case in (case for case in CASES[dataset] if case in options.generators):
                    known = {(row["dataset"], row["seed"], row["generator"]) for row in rows}
                    if (dataset, seed, case) in known:
                        continue
                    for row in measured(dataset, case, seed, place):
                        if (row["dataset"], row["seed"], row["generator"]) not in known:
                            rows.append(row)
                    output.write(pd.DataFrame(rows), path)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Risks of the same synthetic rows by this repository's attacks and by anonymeter, their published implementation.

Anonymeter cannot share this environment. Make one for it, and give its interpreter:

    python -m venv /tmp/anonymeter && /tmp/anonymeter/bin/pip install anonymeter
    python -m benchmarks.risks_elsewhere --python /tmp/anonymeter/bin/python

Each row of ``risks_elsewhere.csv`` is one attack on rows of one generator, fitted on framingham: risk with its 95 %
interval, and success rates on training and on held-out rows, by both. ``copy`` is the ceiling of every risk.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import pandas as pd

from benchmarks import output
from trisynth import commandline, data
from trisynth.auditing.risks import risks
from trisynth.config import instantiate

GENERATORS = ("copy", "circuit", "label_triples")
ATTACKS = 500
# The attacks of anonymeter, in its own environment: prints JSON.
_CODE = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import numpy as np, pandas as pd
from anonymeter.evaluators import LinkabilityEvaluator, SinglingOutEvaluator
np.random.seed(0)
folder, n = sys.argv[1], int(sys.argv[2])
train, test, drawn = (pd.read_csv(f"{folder}/{name}.csv") for name in ("train", "test", "drawn"))
columns = list(train)
found = {}
for mode, name in (("univariate", "singling_out_univariate"), ("multivariate", "singling_out_multivariate")):
    more = {"n_cols": 3} if mode == "multivariate" else {}
    attack = SinglingOutEvaluator(ori=train, syn=drawn, control=test, n_attacks=n, **more)
    attack.evaluate(mode=mode)
    found[name] = attack
attack = LinkabilityEvaluator(ori=train, syn=drawn, control=test, n_attacks=min(n, len(test)),
                             aux_cols=(columns[0::2], columns[1::2]), n_neighbors=1)
attack.evaluate(n_jobs=1)
found["linkability"] = attack
shown = {}
for name, attack in found.items():
    risk, results = attack.risk(), attack.results()
    shown[name] = [float(risk.value), *map(float, risk.ci), float(results.attack_rate.value),
                   float(results.control_rate.value)]
print("RISKS" + json.dumps(shown))
"""


def ours(train, test, drawn) -> dict[str, list[float]]:
    """Attack as ``trisynth audit`` does."""
    found = risks(train, test, drawn, 0)
    return {name: [*risk.interval, risk.rate, risk.control] for name, risk in found.items() if "attribute" not in name}


def theirs(python: str, train, test, drawn) -> dict[str, list[float]]:
    """Attack by anonymeter, on as many training as held-out rows."""
    with tempfile.TemporaryDirectory() as folder:
        half = train.frame.sample(min(len(train), len(test)), random_state=0)
        for name, frame in (("train", half), ("test", test.frame), ("drawn", drawn.frame)):
            frame.to_csv(Path(folder) / f"{name}.csv", index=False)
        command = [python, "-c", _CODE, folder, str(ATTACKS)]
        lines = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout.splitlines()
    return json.loads(next(line for line in lines if line.startswith("RISKS"))[5:])


def main(argv: list[str] | None = None) -> None:
    """Attack the rows of each generator by both."""
    parser = output.parser("risks_elsewhere", __doc__)
    parser.add_argument("--python", required=True, help="interpreter of the environment of anonymeter")
    parser.add_argument("--table", default="framingham", help="data set (default: framingham)")
    given = parser.parse_args(argv)
    rows = []
    for name in GENERATORS:
        config = commandline.composed([f"dataset={given.table}", f"generator={name}"])
        dataset = data.load(config["dataset"], config["paths"]["raw"], data.reader(config["dataset"], ()))
        train, test = data.split(dataset, config["seed"], config["test_size"])
        made = instantiate(config["generator"], "generator").fit(train, seed=0)
        drawn = train.drawn(made.sample(len(train), 0))
        sides = {"trisynth": ours(train, test, drawn), "anonymeter": theirs(given.python, train, test, drawn)}
        for by, found in sides.items():
            for attack, values in found.items():
                names = ("risk", "low", "high", "training", "held_out")
                rows.append({"generator": name, "attack": attack, "by": by, **dict(zip(names, values, strict=True))})
    table = pd.DataFrame(rows).sort_values(["generator", "attack", "by"], kind="stable")
    output.write(table, given.out / "risks_elsewhere.csv", "%.3f")
    print(table.to_string(index=False, float_format="%.3f"))


if __name__ == "__main__":
    main()

"""``trisynth audit``: a lower bound on the epsilon of a generator, beside the one that it claims.

``trisynth audit dataset=framingham generator=mst privacy.epsilon=1 fits=200 rows=500`` fits the generator on
neighbouring tables of ``rows`` rows that differ by one planted row, ``fits`` times each, and attacks every fit. From
each fit ``drawn`` rows are drawn; with ``drawn=0`` the attack sees the noisy tables at the planted row alone, and
thousands of fits take a minute. A table of membership attacks on one fit of the training rows follows, by ``shadows``
shadow models too where it is above 0, and one of attribute inference, singling out and linkability.

What the attack sees of each fit is kept in ``paths.cache``. An audit that was interrupted, or that is repeated with
more fits, makes only those that are missing.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.progress import Progress
from sklearn.base import clone

from trisynth import commandline, data, seeds
from trisynth.auditing.canary import DRAWN, Audit, Seen, audit
from trisynth.auditing.membership import Attack, attacks, shadow_attack
from trisynth.auditing.rates import Risk
from trisynth.auditing.risks import risks
from trisynth.cache import Store
from trisynth.config import code_digest, digest, instantiate, target_name, targets
from trisynth.data.dataset import Dataset
from trisynth.errors import InputError, require_whole
from trisynth.generators.base import Generator
from trisynth.places import subclass

OWN = {"fits": 200, "rows": 500, "drawn": DRAWN, "shadows": 0}


def parse(argv: list[str]) -> tuple[dict[str, int], list[str]]:
    """Split a command line into this command's own arguments and overrides of the configuration."""
    own, rest = dict(OWN), []
    for argument in argv:
        name, _, value = argument.partition("=")
        if name not in own:
            rest.append(argument)
            continue
        if not value.isdigit():
            raise InputError(name, value, "must be a whole number")
        own[name] = int(value)
    return own, rest


def audited(config: dict[str, Any], fits: int, rows: int, drawn: int = DRAWN) -> Audit:
    """Audit the configured generator on at most ``rows`` rows of the configured data set.

    Raises
    ------
    InputError
        If an argument cannot be used.
    """
    require_whole("rows", rows, 2)
    allow = config.get("allow", ())
    dataset = data.load(config["dataset"], config["paths"]["raw"], data.reader(config["dataset"], allow))
    if len(dataset) > rows:
        chosen = seeds.stream(config["seed"], "audit.rows").choice(len(dataset), rows, replace=False)
        dataset = dataset.take(sorted(chosen))
    generator = instantiate(config["generator"], "generator", kind=subclass(Generator), allow=allow)
    with Progress(transient=True, disable=not sys.stdout.isatty()) as bar:
        task = bar.add_task("fits", total=2 * fits)
        return audit(
            generator,
            dataset,
            fits=fits,
            seed=config["seed"],
            drawn=drawn,
            progress=lambda n: bar.update(task, completed=n),
            # What the attack sees of such a fit takes longer to keep than to make.
            **({"keep": kept(config, dataset, drawn)} if drawn else {}),
        )


def kept(config: dict[str, Any], dataset: Dataset, drawn: int) -> Callable[[int, Callable[[], Seen]], Seen]:
    """Return the function that reads what an attack saw of a fit of an earlier start, or makes the fit and keeps it."""
    modules = "trisynth.auditing.canary", "trisynth.generators.base", *targets(config["generator"])
    common = config["generator"], dataset.digest, config["seed"], drawn, code_digest(*modules)
    store = Store(config["paths"]["cache"])

    def keep(i: int, see: Callable[[], Seen]) -> Seen:
        def make(folder: Path) -> None:
            (folder / "seen.json").write_text(json.dumps(see(), default=float))

        def read(folder: Path) -> Seen:
            spent, numbers = json.loads((folder / "seen.json").read_text())
            return spent, numbers

        return store.get_or_make("audit", digest(*common, i), make, read)

    return keep


def attacked(config: dict[str, Any], shadows: int) -> tuple[dict[str, Attack], dict[str, Risk]]:
    """Attack one fit of the configured generator on the training rows of the configured split.

    Parameters
    ----------
    config : dict
    shadows : int
        Shadow models besides; 0 leaves that attack out.

    Returns
    -------
    dict of str to Attack
        Membership attacks.
    dict of str to Risk
        Other attacks; of attribute inference the column with the largest risk.
    """
    allow = config.get("allow", ())
    dataset = data.load(config["dataset"], config["paths"]["raw"], data.reader(config["dataset"], allow))
    train, test = data.split(dataset, config["seed"], config["test_size"])
    generator = instantiate(config["generator"], "generator", kind=subclass(Generator), allow=allow)
    made = clone(generator).fit(train, seed=config["seed"])
    rows = train.drawn(made.sample(len(train), config["seed"]))
    found = attacks(train, test, rows, config["seed"], made)
    if shadows:
        found["shadows"] = shadow_attack(generator, dataset, config["seed"], shadows)
    return found, risks(train, test, rows, config["seed"])


def table(found: dict[str, Attack]) -> str:
    """Return one line for each membership attack."""
    lines = [f"{'attack':<12}{'AUC':<26}{'TPR at 1 % FPR':<26}{'TPR at 0.1 % FPR':<26}used"]
    for name, attack in found.items():
        cells = [(attack.auc, attack.low, attack.high), *attack.tpr.values()]
        texts = [f"{value:.3f} [{low:.3f}, {high:.3f}]" for value, low, high in cells]
        lines.append(f"{name:<12}{texts[0]:<26}{texts[1]:<26}{texts[2]:<26}{attack.used:.2f}")
    return "\n".join(lines)


def risk_table(found: dict[str, Risk]) -> str:
    """Return one line for each attack on cells and rows."""
    lines = [f"{'attack':<36}{'risk':<26}training  held-out  guessing  used"]
    for name, risk in found.items():
        value, low, high = risk.interval
        rates = "".join(f"{rate:<10.3f}" for rate in (risk.rate, risk.control, risk.naive))
        rates += f"{risk.used:.2f}"
        lines.append(f"{name[:35]:<36}{f'{value:.3f} [{low:.3f}, {high:.3f}]':<26}{rates}".rstrip())
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Run the command line; the exit status is 1 where a claim does not hold."""
    own, overrides = parse(arguments)
    config = commandline.composed(overrides)
    shadows = own.pop("shadows")
    found = audited(config, **own)
    print(f"{config['dataset']['name']}, {target_name(config['generator'])}: {found.sentence}")
    members, others = attacked(config, shadows)
    print(table(members))
    print(risk_table(others))
    if not found.holds:
        sys.exit(1)


if __name__ == "__main__":
    commandline.enter("audit", sys.argv[1:])

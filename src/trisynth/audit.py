"""``trisynth audit``: a lower bound on the epsilon of a generator, beside the one that it claims.

``trisynth audit dataset=framingham generator=mst privacy.epsilon=1 fits=200 rows=500`` fits the generator on
neighbouring tables of ``rows`` rows that differ by one planted row, ``fits`` times each, and attacks every fit.
"""

import sys
from typing import Any

from rich.progress import Progress

from trisynth import commandline, data, seeds
from trisynth.auditing.canary import Audit, audit
from trisynth.config import instantiate, target_name
from trisynth.errors import InputError, require_whole
from trisynth.generators.base import Generator
from trisynth.places import subclass

OWN = {"fits": 200, "rows": 500}


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


def audited(config: dict[str, Any], fits: int, rows: int) -> Audit:
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
    with Progress(transient=True) as bar:
        task = bar.add_task("fits", total=2 * fits)
        return audit(
            generator, dataset, fits=fits, seed=config["seed"], progress=lambda n: bar.update(task, completed=n)
        )


def main(arguments: list[str]) -> None:
    """Run the command line; the exit status is 1 where a claim does not hold."""
    own, overrides = parse(arguments)
    config = commandline.composed(overrides)
    found = audited(config, **own)
    print(f"{config['dataset']['name']}, {target_name(config['generator'])}: {found.sentence}")
    if not found.holds:
        sys.exit(1)


if __name__ == "__main__":
    commandline.enter("audit", sys.argv[1:])

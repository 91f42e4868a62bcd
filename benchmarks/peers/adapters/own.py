"""Our own generators, by the configuration that a run would use."""

from trisynth.config import instantiate

CONDITIONAL = True


def prepare(about):
    about["generator"] = instantiate(about["config"])


def fit(table, about):
    generator = about["generator"].fit(table, target=about["target"], seed=about["seed"])
    return lambda n: generator.sample(n, about["seed"])

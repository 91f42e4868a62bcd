"""Our own generators, by the configuration that a run would use."""

from trisynth.config import instantiate

CONDITIONAL = True


def prepare(about):
    about["generator"] = instantiate(about["config"])


def fit(table, about):
    target = about["target"]
    generator = about["generator"].fit(table.drop(columns=target), table[target], about["seed"])

    def draw(n):
        X, y = generator.sample(n, about["seed"])
        return X.assign(**{target: y})

    return draw

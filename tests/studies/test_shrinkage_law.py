"""The shrinkage law from a sweep's table: one that holds, one that does not, and the command that shows it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from trisynth.config import CONF
from trisynth.encoders.table import Block, TableEncoder
from trisynth.errors import InputError
from trisynth.generators.neural.cgan import CGAN
from trisynth.objective import Loss, Objective
from trisynth.report.__main__ import main
from trisynth.studies import shrinkage_law as law

STUDIED = yaml.safe_load((CONF / "experiment/shrinkage_law_full.yaml").read_text())["hydra"]["sweeper"]["params"]
RESULTS = Path(__file__).parents[2] / "experiments/shrinkage_law_full/results.csv"


def fits(weights=(0.0, 1.0, 3.0), generators=("cgan", "vae"), error=0.0):
    """Jobs that follow the shrinkage law up to an error, on a data set of numbers."""
    rows = []
    for generator in generators:
        for beta in weights:
            rho, a, b = 0.6 + 0.01 * beta, 2.0, 0.5 * beta
            ratio = (a * rho + b) / (a + b) if generator == "cgan" else 1.0
            rows.append(
                {"key": "k", "dataset": "pima", "generator": generator, "classifier": "logistic", "seed": 0}
                | {"loss.alpha": 100.0, "loss.beta": beta, "loss.gamma": 0.0, "synthetic/roc_auc": 0.8}
                | {"fidelity/spread_ratio": ratio + error, "fidelity/pair_correlation": rho}
                | {"final/rec": 0.4, "final/rec_weighted": 0.8}
                | {"final/dist": 0.1 if beta else np.nan, "final/dist_weighted": 0.1 * b if beta else np.nan}
            )
    return pd.DataFrame(rows)


def test_the_error_is_zero_exactly_where_the_shrinkage_law_holds():
    jobs = fits()
    found = law.law(jobs)
    np.testing.assert_allclose(found["predicted"], found["observed"])
    cgan = found[found["generator"] == "cgan"]
    assert cgan["share"].tolist() == pytest.approx([0, 0.2, 3 / 7])
    assert law.r_squared(cgan["observed"], cgan["predicted"]) == pytest.approx(1)
    wrong = law.law(fits(error=-0.3))
    assert law.r_squared(wrong["observed"], wrong["predicted"]) < 0.1
    table = law.law_table(jobs)
    assert [row[0] for row in table.rows] == ["cgan", "vae"]
    assert table.rows[0][7].mean == pytest.approx(1) and np.isnan(table.rows[1][7].mean)


def test_the_command_draws_and_tabulates_the_shrinkage_law(tmp_path):
    fits().to_csv(tmp_path / "results.csv", index=False)
    assert main(["study", "shrinkage_law", str(tmp_path / "results.csv"), str(tmp_path / "out")]) == 0
    assert {"law.png", "law.pdf", "shrinkage_law.csv"} <= {path.name for path in (tmp_path / "out").iterdir()}


def declared(name, rows=60):
    """Random rows with the declared columns of a data set."""
    spec = yaml.safe_load((CONF / "dataset" / f"{name}.yaml").read_text())
    rng = np.random.default_rng(0)
    cells = {
        column: np.resize(facts["categories"], rows) if facts["kind"] == "category" else rng.normal(size=rows)
        for column, facts in spec["columns"].items()
        if column != spec["target"]
    }
    return pd.DataFrame(cells).astype({name: "category" for name, c in cells.items() if c.dtype != float})


@pytest.mark.parametrize("name", STUDIED["dataset"].split(","))
def test_declared_sizes_are_those_of_the_fitted_encoder(name):
    encoder = TableEncoder().fit(declared(name))
    assert law.declared_sizes(name) == (len(encoder.blocks_), encoder.width_)


def test_networks_count_what_the_terms_are_averaged_over():
    table = declared("cleveland").assign(y=["u", "v"] * 30)
    table.loc[:3, "age"] = np.nan
    found = CGAN(epochs=1, min_steps=1, hidden_layer_sizes=(4,)).fit(table, target="y", relations=False).diagnostics()
    assert found == {"blocks": 14.0, "encoded_columns": 26.0}
    # The counts that a job has are used and not the declared ones.
    jobs = fits().assign(dataset="cleveland")
    counted = jobs.assign(**{f"generator/{name}": count for name, count in found.items()})
    one, other = (law.law(each).query("generator == 'cgan'")["share"] for each in (jobs, counted))
    np.testing.assert_allclose(other / (1 - other), one / (1 - one) * 14 / 26 * 25 / 13)


def test_a_data_set_without_declared_columns_is_refused():
    with pytest.raises(InputError, match="has no declared columns"):
        law.law(fits().assign(dataset="mine"))


def test_a_number_beside_a_category_meets_the_prediction():
    """Minimise L_total over the scale of one number with fixed pairs, beside a category of six values."""
    generator = torch.Generator().manual_seed(0)
    x, noise = torch.randn((2, 4000), generator=generator, dtype=torch.double)
    x, noise = ((each - each.mean()) / each.std(correction=0) for each in (x, noise))
    noise = noise - (noise * x).mean() * x
    partner = 0.5 * x + 0.75**0.5 * noise / noise.std(correction=0)
    labels = torch.zeros(len(x), dtype=torch.long)
    category = torch.nn.functional.one_hot(torch.arange(len(x)) % 6, 6).double()
    blocks = [Block("x", "number", 0, 1), Block("kind", "category", 1, 7)]
    real = torch.cat([x[:, None], category], dim=1)
    total = Objective(Loss(1.0, 2.0, 0.0), real, labels, blocks, generator)
    scale = torch.tensor(1.5, dtype=torch.double, requires_grad=True)
    optimizer = torch.optim.LBFGS([scale], max_iter=50, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        generated = torch.cat([scale * partner[:, None], category], dim=1)
        squares = ((real - generated) / total.scale).square().sum(dim=1)
        value = total(squares.mean() / total.blocks, real, labels, generated)
        value.backward()
        return value

    optimizer.step(closure)
    fitted, rho = scale.item(), (x * partner).mean().item()
    weights = {f"final/{name}": [value] for name, value in total.terms.items()}
    job = {"dataset": ["t"], "generator": ["gan"], "seed": [0], "loss.alpha": [1.0], "loss.beta": [2.0]}
    counts = {"loss.gamma": [0.0], "generator/blocks": [2.0], "generator/encoded_columns": [7.0]}
    scores = {"fidelity/spread_ratio": [fitted], "fidelity/pair_correlation": [rho]}
    found = law.law(pd.DataFrame({**job, **counts, **scores, **weights}))
    assert found["predicted"][0] == pytest.approx(fitted, abs=1e-3)


def test_the_committed_fits_meet_the_registered_bounds():
    found = law.law(pd.read_csv(RESULTS)).query("generator in ('gan', 'cgan')")
    error = found["observed"] - found["predicted"]
    assert law.r_squared(found["observed"], found["predicted"]) == pytest.approx(0.507, abs=1e-3)
    assert error.abs().mean() == pytest.approx(0.0428, abs=1e-4) and error.mean() == pytest.approx(0.0189, abs=1e-4)

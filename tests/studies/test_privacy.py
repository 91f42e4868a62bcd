"""The pages of privacy budgets at effects that were planted, on jobs as a sweep's CSV file has them."""

import numpy as np
import pandas as pd
import pytest

from trisynth.errors import InputError
from trisynth.studies.privacy import budget_table, budgets, losses_table, privacy_figure, recall_table, with_budget

LOST = {"0.1": 0.3, "1": 0.1, "": 0.05}


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    rows = []
    for at, dataset in enumerate(("pima", "saheart", "stroke")):
        for generator, budgets_of in (("mst", LOST), ("circuit", {"": 0.01})):
            for epsilon, lost in budgets_of.items():
                scores = {"real/roc_auc": 0.9, "synthetic/roc_auc": 0.9 - lost + 0.001 * at, "gain/roc_auc": -lost / 10}
                scores |= {"fidelity/c2st_boosting": 0.6 + lost, "privacy/membership_distance": 0.5}
                scores |= {"privacy/membership_likelihood": 0.7 if generator == "circuit" else np.nan}
                scores |= {"real/recall/yes": 0.6, "synthetic/recall/yes": 0.6 - lost, "combined/recall/yes": 0.6}
                scores |= {"real/recall/no": 0.9, "synthetic/recall/no": 0.95, "privacy/linkability": 0.0}
                scores["generator/epsilon"] = epsilon or np.nan
                names = {"dataset": dataset, "generator": generator, "classifier": "logistic", "seed": 0}
                rows.append({**names, "generator.privacy.epsilon": epsilon, **scores})
    path = tmp_path_factory.mktemp("study") / "results.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return pd.read_csv(path)


def test_budgets_are_in_order_and_what_has_none_stands_apart(jobs):
    found = with_budget(jobs)
    assert budgets(found) == ["0.1", "1", "no noise", "not private"]
    assert set(found.loc[found["budget"] == "not private", "generator"]) == {"circuit"}
    assert found.loc[found["generator"] == "circuit", "membership"].eq(0.7).all()


def test_planted_losses_are_in_the_table(jobs):
    rows = {(row[0], row[1]): row[2:] for row in budget_table(jobs).rows}
    assert rows["mst", "0.1"][0].mean == pytest.approx(0.299) and rows["mst", "0.1"][1].mean == pytest.approx(-0.03)
    assert rows["mst", "no noise"][2].mean == pytest.approx(0.65)
    assert rows["circuit", "not private"][3].mean == pytest.approx(0.7)


def test_losses_of_each_data_set_are_in_a_table_without_attacks(jobs):
    scored = jobs.assign(**{"real/average_precision": 0.8, "synthetic/average_precision": 0.5})
    table = losses_table(scored[[name for name in scored if not name.startswith("privacy/")]])
    rows = {tuple(row[:3]): [each.mean for each in row[3:]] for row in table.rows}
    assert rows["stroke", "mst", "1"] == pytest.approx([0.9, 0.802, 0.098, 0.3])
    assert len(rows) == 3 * 4


def test_recall_is_that_of_the_named_classes(jobs):
    table = recall_table(jobs, {"stroke": "yes"}, {"stroke": "no"})
    rows = {row[1:3] if isinstance(row, tuple) else tuple(row[1:3]): row[3:] for row in table.rows}
    assert rows["real", ""][0].mean == 0.6 and rows["mst", "0.1"][0].mean == pytest.approx(0.3)
    assert {row[0] for row in table.rows} == {"stroke"}


def test_every_panel_has_a_curve_for_each_private_generator(jobs):
    picture = privacy_figure(jobs)
    panels = [axes for axes in picture.figure.axes if axes.lines]
    assert len(panels) == 9 and all(len(axes.lines) >= 3 for axes in panels)


def test_other_sweeps_are_refused(jobs):
    with pytest.raises(InputError, match="no budgets or no attacks"):
        budget_table(jobs.drop(columns="generator.privacy.epsilon"))

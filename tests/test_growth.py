"""Growth curves and joint distributions: measured once, plotted from the measurements."""

import numpy as np
import pandas as pd
import pytest
from benchmarks import growth, joint_distributions

from trisynth.report.figures import style


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Sizes that were measured, in order, by a stub that costs nothing."""
    calls = []

    def cost(generator, rows, *_):
        calls.append((generator, rows))
        return {"rows": min(rows, 50_000), "cpu_seconds": rows / 1e5, "added_megabytes": 10.0}

    monkeypatch.setattr(growth, "fit", cost)
    monkeypatch.setattr(growth, "sample", cost)
    monkeypatch.setattr(growth, "HERE", tmp_path)
    return calls


def test_what_was_measured_is_measured_again_only_for_other_code(measured, monkeypatch, tmp_path):
    first = growth.measured(["independent", "copy"], "raw", tmp_path, again=False)
    assert len(measured) == len(first) == 2 * (len(growth.FIT_ROWS) + 2 * len(growth.SAMPLE_ROWS))
    second = growth.measured(["independent", "copy"], "raw", tmp_path, again=False)
    assert len(measured) == len(second)
    monkeypatch.setattr(growth, "code_digest", lambda *modules: str("copy" in modules[-1]))
    third = growth.measured(["independent", "copy"], "raw", tmp_path, again=False)
    assert len(third) == len(first), "a new measurement takes the place of the old one"
    assert len(measured) == 2 * len(first)


def test_growth_draws_every_generator_in_every_panel(measured, tmp_path):
    figure = growth.growth(growth.measured(["independent", "copy"], "raw", tmp_path, again=False))
    assert [len(axes.get_lines()) for axes in figure.axes] == [2, 2, 2, 2]
    assert len(style.png(figure)) > 10_000


def test_joint_distributions_share_the_hexagons_of_the_real_rows():
    rng = np.random.default_rng(0)
    names = {name for pair in joint_distributions.PAIRS for name in pair}
    real = pd.DataFrame({name: rng.normal(size=400) for name in names})
    figure = joint_distributions.joints(joint_distributions.counts({"real": real, "shifted": real + 1.0}))
    drawn = [axes for axes in figure.axes if axes.collections]
    assert len(drawn) == 2 * len(joint_distributions.PAIRS)
    for first, second in zip(drawn[::2], drawn[1::2], strict=True):
        assert first.get_xlim() == second.get_xlim()
        assert (
            first.collections[0].norm.vmax == second.collections[0].norm.vmax == first.collections[0].get_array().max()
        )


def test_hexagons_are_drawn_with_the_counts_of_the_rows():
    rng = np.random.default_rng(0)
    names = {name for pair in joint_distributions.PAIRS for name in pair}
    real = pd.DataFrame({name: rng.lognormal(size=2000) for name in names})
    found = joint_distributions.counts({"real": real})
    drawn = [axes.collections[0].get_array() for axes in joint_distributions.joints(found).axes if axes.collections]
    for pair, shown in zip(found["pairs"], drawn, strict=True):
        assert sorted(shown) == sorted(rows for _, _, rows in pair["tables"]["real"])

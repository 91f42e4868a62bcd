"""The table of StyleGAN's versions, on jobs as a sweep's CSV file has them."""

import io

import pandas as pd
import pytest

from trisynth.errors import InputError
from trisynth.studies.ablations import parts
from trisynth.studies.stylegan import ORDER, order_table, with_version

VERSIONS = {"a_plain": 0, "b_bilinear": 1, "c_styles": 2, "d_constant": 3, "e_noise": 4, "none": 5}


def jobs() -> pd.DataFrame:
    """Two seeds of each version, written to a CSV file and read again."""
    rows = []
    for name, number in VERSIONS.items():
        off = parts("stylegan").get(name, ("", {}))[1]
        for seed in range(2):
            whole = {key: 0.9 if isinstance(value, float) else True for key, (_, value) in ORDER.items()}
            settings = {key: off.get(key, value) for key, value in whole.items()}
            score = 10.0 - number + 2 * seed
            path = {"generator/path_length_w": 1.0} if number > 1 else {}
            rows.append({"seed": seed, **settings, "fidelity/frechet_distance": score, **path})
    return pd.read_csv(io.StringIO(pd.DataFrame(rows).to_csv(index=False)))


def test_versions_are_those_of_the_ablation_files():
    found = with_version(jobs())
    assert "".join(found["version"]) == "AABBCCDDEEFF"


def test_the_table_has_a_row_for_each_version_with_mean_and_range_over_seeds():
    table = order_table(jobs())
    assert [row[0] for row in table.rows] == list("ABCDEF")
    assert [(row[3].mean, row[3].half) for row in table.rows] == [(11.0 - i, 1.0) for i in range(6)]
    assert table.rows[0][4] is None and table.rows[5][4].mean == 1.0
    assert table.bold == {(5, 3)}


def test_results_of_other_sweeps_are_refused():
    with pytest.raises(InputError, match="sweep experiment=stylegan_ablation"):
        order_table(jobs().drop(columns="generator.noise"))
    odd = jobs().assign(**{"generator.bilinear": False, "generator.mixing": 0.9, "generator.styles": True})
    with pytest.raises(InputError, match="no version of the paper's order"):
        order_table(odd)

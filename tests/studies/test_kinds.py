"""Tables of images, series, texts and mixed rows, on jobs as a sweep's CSV file has them."""

import pandas as pd
import pytest

from trisynth.errors import InputError
from trisynth.studies.kinds import scores_table, training_sets_table


def jobs() -> pd.DataFrame:
    rows = []
    for seed in range(3):
        for generator, score in {"vae": 0.8, "copula": 0.6}.items():
            found = {"dataset": "digits", "generator": generator, "classifier": "cnn", "seed": seed}
            found |= {f"{arm}/accuracy": score + seed / 100 for arm in ("synthetic", "combined")}
            found |= {"real/accuracy": 0.9, "fidelity/frechet_distance": 10 * score}
            found |= {"fidelity/frechet_distance_floor": 400.0, "fidelity/frechet_distance_ceiling": 2.0}
            rows.append(found | {"copying/copied_run": 3.0, "copying/copied_run_base": 5.0, "fidelity/ngram_js": None})
    return pd.DataFrame(rows)


def test_every_training_set_has_its_scores():
    table = training_sets_table(jobs())
    assert [row[:2] for row in table.rows] == [
        ["real", ""],
        *([arm, generator] for generator in ("copula", "vae") for arm in ("synthetic", "combined")),
    ]
    assert table.rows[1][3].mean == pytest.approx(0.61) and table.rows[1][3].half > 0


def test_scores_stand_between_floor_and_ceiling_beside_held_out_rows():
    table = scores_table(jobs())
    assert [column.key for column in table.columns] == ["generator", "seeds", "frechet_distance", "copied_run"]
    found = {row[0]: [cell and round(cell.mean, 6) for cell in row[2:]] for row in table.rows}
    assert found["floor"] == [400, None] and found["ceiling"] == [2, None]
    assert found["vae"] == [8, 3] and found["held-out rows"] == [None, 5]


def test_results_of_several_data_sets_are_refused():
    both = pd.concat([jobs(), jobs().assign(dataset="mnist")])
    with pytest.raises(InputError, match="must be of one data set"):
        scores_table(both)

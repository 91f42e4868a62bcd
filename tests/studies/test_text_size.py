"""Table and figure of the number of real texts: a planted gain, and results of another sweep."""

import pandas as pd
import pytest

from trisynth.errors import InputError
from trisynth.studies.text_size import sizes_picture, sizes_table


def jobs(gain: float = 0.1) -> pd.DataFrame:
    rows = []
    for seed in range(3):
        for texts in (40, 400):
            for label_filter in (False, True):
                real = 0.6 + texts / 4000 + seed / 100
                scores = {"real": real, "duplicated": real, "synthetic": real - 0.05 * (seed - 1)}
                scores["combined"] = real + gain * label_filter + seed / 1000
                rows.append(
                    {"dataset": "tweets", "generator": "ngram", "classifier": "logistic", "seed": seed}
                    | {"fold.rows": texts, "generator.label_filter": label_filter, "copying/identical_texts": 0.25}
                    | {f"{arm}/f1_macro": score for arm, score in scores.items()}
                )
    return pd.DataFrame(rows)


def test_a_planted_gain_is_found_and_no_other():
    table = sizes_table(jobs())
    assert [row[:3] for row in table.rows][:2] == [["40", "n-gram model", 3], ["40", "n-gram model, filtered", 3]]
    keys = [column.key for column in table.columns]
    gains = [row[keys.index("combined_gain")].mean for row in table.rows]
    assert gains == pytest.approx([0.001, 0.101, 0.001, 0.101])
    assert table.bold == {(1, keys.index("combined_gain")), (3, keys.index("combined_gain"))}
    assert table.rows[0][keys.index("identical_texts")].mean == 0.25
    assert len(sizes_picture(jobs()).figure.axes) == 2


def test_results_of_another_sweep_are_refused():
    with pytest.raises(InputError, match=r"no fold\.rows or no generator\.label_filter"):
        sizes_table(jobs().drop(columns="fold.rows"))

"""Values that are no budget are refused in one line."""

import pytest

from trisynth.errors import InputError
from trisynth.privacy import Budget


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"epsilon": 0}, "privacy.epsilon=0: must be a number above 0"),
        ({"epsilon": -1.0}, "privacy.epsilon=-1.0: must be a number above 0"),
        ({"epsilon": float("nan")}, "privacy.epsilon=nan: must be"),
        ({"epsilon": "1"}, "privacy.epsilon='1': must be"),
        ({"epsilon": 1e9}, "privacy.epsilon=1000000000.0: must be at most 10,000, which already promises nothing"),
        ({"epsilon": 1.0, "delta": 0}, "privacy.delta=0: must lie above 0"),
        ({"epsilon": 1.0, "delta": 0.5}, "privacy.delta=0.5: must lie above 0 and below 1 / rows"),
        ({"epsilon": 1.0, "delta": 1e-3, "rows": 5000}, "privacy.delta=0.001: must be at most 1 / 5000 rows"),
        ({"epsilon": 1.0, "unit": "table"}, "privacy.unit='table': must be one of row, person"),
        ({"epsilon": 1.0, "unit": "person"}, "privacy.unit='person': needs the column that identifies a person"),
        ({"epsilon": 1.0, "person": "id"}, "privacy.person='id': has no effect with unit: row"),
        ({"epsilon": 1.0, "rows_per_person": 0}, "privacy.rows_per_person=0: must be a whole number"),
        ({"epsilon": 1.0, "seeded": "yes"}, "privacy.seeded='yes': must be true or false"),
    ],
)
def test_bad_budgets(values, line):
    with pytest.raises(InputError) as caught:
        Budget(**values).settled(5000)
    assert str(caught.value).startswith(line)


def test_delta_follows_from_declared_rows():
    assert Budget(1.0).settled(10_000).delta == pytest.approx(1e-6)
    assert Budget(1.0, rows=100).settled(10_000).delta == pytest.approx(1e-3)
    assert Budget(1.0, 1e-7).settled(None).delta == 1e-7
    with pytest.raises(InputError, match=r"^privacy\.delta=None: is needed where no number of rows is declared"):
        Budget(1.0).settled(None)

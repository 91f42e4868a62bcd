"""Columns of every kind that users bring."""

import pandas as pd
import pytest
from columns import COLUMNS


@pytest.fixture(params=COLUMNS)
def column(request) -> pd.Series:
    return COLUMNS[request.param]


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(COLUMNS)

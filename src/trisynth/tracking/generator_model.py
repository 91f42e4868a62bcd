"""Code of the MLflow model of a fitted generator; MLflow runs it alone, with only the saved generator beside it."""

from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from trisynth.data.formats.dates import DurationFormat
from trisynth.data.kinds.number import contents, is_decimal
from trisynth.data.kinds.times import Duration
from trisynth.errors import InputError
from trisynth.generators.base import Generator

# Most rows of one prediction.
MOST = 10_000_000


class GeneratorModel(PythonModel):
    """Fitted generator; its predictions are synthetic rows."""

    def load_context(self, context: Any) -> None:
        """Load the saved generator."""
        self.generator = Generator.load(context.artifacts["generator"], context.model_config.get("allow", ()))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Sample as many rows as the column ``rows`` of the input sums up to; durations and decimals are texts."""
        n = int(model_input["rows"].sum())
        if n > MOST:
            raise InputError("rows", n, f"must be at most {MOST:,}, as memory holds all of them; predict several times")
        rows = self.generator.sample(n, int((params or {}).get("seed", 0)))
        # MLflow writes predictions as JSON, for which it has no form of durations and decimals.
        for name in rows:
            if is_decimal(rows[name].dtype) or contents(rows[name]) == "decimal":
                rows[name] = rows[name].astype(object).map(str, na_action="ignore")
            if Duration.takes(rows[name]):
                rows[name] = DurationFormat().print(rows[name].astype("timedelta64[ns]"))
        return rows


set_model(GeneratorModel())

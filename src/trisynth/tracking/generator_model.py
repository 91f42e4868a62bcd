"""Code of the MLflow model of a fitted generator; MLflow runs it alone, with only the saved generator beside it."""

from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from trisynth.data.formats.dates import DurationFormat
from trisynth.data.kinds.times import Duration
from trisynth.generators.base import Generator


class GeneratorModel(PythonModel):
    """Fitted generator; its predictions are synthetic rows."""

    def load_context(self, context: Any) -> None:
        """Load the saved generator."""
        self.generator = Generator.load(context.artifacts["generator"], context.model_config.get("allow", ()))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Sample as many rows as the column ``rows`` of the input sums up to; durations are texts."""
        rows = self.generator.sample(int(model_input["rows"].sum()), int((params or {}).get("seed", 0)))
        # MLflow writes predictions as JSON, for which it has no form of durations.
        for name in rows:
            if Duration.takes(rows[name]):
                rows[name] = DurationFormat().print(rows[name].astype("timedelta64[ns]"))
        return rows


set_model(GeneratorModel())

"""Code of the MLflow model of a fitted generator; MLflow runs it alone, with only the saved generator beside it."""

from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from trisynth.generators.base import Generator


class GeneratorModel(PythonModel):
    """Fitted generator; its predictions are synthetic rows."""

    def load_context(self, context: Any) -> None:
        """Load the saved generator."""
        self.generator = Generator.load(context.artifacts["generator"], context.model_config.get("allow", ()))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Sample as many rows as the column ``rows`` of the input sums up to."""
        return self.generator.sample(int(model_input["rows"].sum()), int((params or {}).get("seed", 0)))


set_model(GeneratorModel())

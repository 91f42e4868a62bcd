"""Mirror of results in MLflow; the only room that imports MLflow."""

import os

# MLflow reads it when it is imported: without it, it may report its use to its makers.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from trisynth.tracking.mirror import Mirror
from trisynth.tracking.replay import main, replay

__all__ = ["Mirror", "main", "replay"]

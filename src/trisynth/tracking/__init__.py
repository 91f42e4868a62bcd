"""Mirror of results in MLflow; the only room that imports MLflow."""

from trisynth.tracking.mirror import Mirror
from trisynth.tracking.replay import main, replay

__all__ = ["Mirror", "main", "replay"]

"""Fitted generator as an MLflow model: arrays and JSON with the code that reads them, no pickle."""

import warnings
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from trisynth.report.artefacts import MODEL
from trisynth.temporary import temporary_folder

__all__ = ["MODEL", "log", "save"]

# MLflow copies this script into the model and runs it when the model is loaded.
_SCRIPT = Path(__file__).parent / "generator_model.py"


def log(client: Any, run: str, file: Path, allow: Iterable[str] = ()) -> None:
    """Log the generator that was saved to ``file`` as the model ``model`` of a run."""
    with temporary_folder("trisynth-") as folder:
        save(file, folder / "model", allow)
        client.log_artifacts(run, str(folder / "model"), "model")


def save(file: Path, folder: Path, allow: Iterable[str] = ()) -> None:
    """Save the generator in ``file`` as an MLflow model in ``folder``.

    ``predict`` of the loaded model takes a table with the column ``rows`` and returns as many synthetic rows; the
    parameter ``seed`` seeds them. ``allow`` names further packages whose objects the generator holds.
    """
    with warnings.catch_warnings():
        # MLflow advises on type hints, of its own classes as well, that a table has no use for.
        warnings.simplefilter("ignore")
        import mlflow.pyfunc
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

        takes = Schema([ColSpec(DataType.long, "rows")])
        signature = ModelSignature(takes, params=ParamSchema([ParamSpec("seed", DataType.long, 0)]))
        mlflow.pyfunc.save_model(
            folder,
            python_model=str(_SCRIPT),
            artifacts={"generator": str(file)},
            signature=signature,
            pip_requirements=[_requirement()],
            model_config={"allow": list(allow)},
        )


def _requirement() -> str:
    try:
        return f"trisynth=={version('trisynth')}"
    except PackageNotFoundError:
        return "trisynth"

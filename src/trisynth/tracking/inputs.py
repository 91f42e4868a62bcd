"""Data sets as MLflow records them: name, source, schema, profile and the digest of the training rows."""

import json
from functools import lru_cache
from typing import Any

from trisynth import data
from trisynth.errors import InputError
from trisynth.tracking.database import quiet
from trisynth.tracking.names import shown

# MLflow's limits for a data set.
_LONGEST_SOURCE, _LONGEST_SCHEMA = 65_535, 1_048_575


def dataset_entity(config: str, raw: str, allow: tuple[str, ...], name_of_content: str) -> Any:
    """Make MLflow's record of a data set: its name, source, schema, profile and the digest of its training rows."""
    from mlflow.entities import Dataset

    known = _described(config, raw, allow)
    # A table of very many columns has a schema that MLflow refuses.
    schema = known.schema if len(known.schema or "") <= _LONGEST_SCHEMA else None
    source = known.source if len(known.source or "") <= _LONGEST_SOURCE else "{}"
    return Dataset(shown(known.name), name_of_content, known.source_type, source, schema, known.profile)


@lru_cache(maxsize=64)
def _described(config: str, raw: str, allow: tuple[str, ...]) -> Any:
    """Make MLflow's record of a data set, which all its splits share; without a schema where its table is gone."""
    import mlflow.data
    from mlflow.entities import Dataset

    given = json.loads(config)
    origin = given.get("source") or {}
    source = f"{origin['package']}:{origin['file']}" if origin else given.get("path") or given["name"]
    try:
        dataset = data.load(given, raw, data.reader(given, allow))
    except InputError:
        return Dataset(given["name"], "", "local", json.dumps({"uri": str(source)}))
    with quiet():
        made = mlflow.data.from_pandas(
            dataset.frame, source=str(source), targets=dataset.spec.target, name=dataset.spec.name
        )
        return made._to_mlflow_entity()

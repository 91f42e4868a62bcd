"""End of a run: its metrics, parameters and status, and the tag by which it counts as complete."""

import math
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trisynth.tracking.content import chunks
from trisynth.tracking.database import absolute, file_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

# MLflow accepts 1,000 items in a call, 100 parameters among them.
PARAMS_PER_CALL, METRICS_PER_CALL = 100, 800
# In place of an infinite value, which databases do not have; MLflow takes the same.
_LARGEST = 1.7976931348623157e308
# Name, value, time in milliseconds since 1970, and step.
Measured = tuple[str, float, int, int]


class Ending:
    """Writer of the end of runs.

    A file of SQLite receives it in one transaction, in the tables of MLflow: MLflow's own calls take six and look for
    rows of a run that has none yet, which is two thirds of the time of a job. A server receives MLflow's calls.

    Parameters
    ----------
    client : MlflowClient
    uri : str
        Address of its database.
    """

    def __init__(self, client: Any, uri: str):
        self.client, self.uri = client, uri

    def write(
        self, run: str, end: int, metrics: Iterable[Measured], params: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        """End a run that has neither metrics nor parameters yet; its last transaction includes the tags."""
        write = self._by_calls if file_of(self.uri) is None else self._by_rows
        write(run, end, list(metrics), params, tags)

    def _by_calls(
        self, run: str, end: int, metrics: list[Measured], params: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        from mlflow.entities import Metric, Param, RunTag

        *first, last = list(chunks([Metric(*values) for values in metrics], METRICS_PER_CALL)) or [[]]
        for chunk in first:
            self.client.log_batch(run, metrics=chunk)
        self.client.set_terminated(run, "FINISHED", end)
        given = {"params": [Param(*item) for item in params.items()], "tags": [RunTag(*item) for item in tags.items()]}
        self.client.log_batch(run, metrics=last, **given)

    def _by_rows(
        self, run: str, end: int, metrics: list[Measured], params: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag
        from sqlalchemy import insert, update

        rows = [_row(run, *values) for values in metrics]
        # The latest of a name is that of the last step.
        latest = {row["key"]: row for row in sorted(rows, key=lambda row: (row["step"], row["timestamp"]))}
        names = {SqlParam: params, SqlTag: tags}
        content = {SqlMetric: rows, SqlLatestMetric: list(latest.values())}
        content |= {
            kind: [{"run_uuid": run, "key": key, "value": value} for key, value in given.items()]
            for kind, given in names.items()
        }
        with self._engine.begin() as connection:
            for kind, written in content.items():
                if written:
                    connection.execute(insert(kind.__table__), written)
            ended = update(SqlRun.__table__).where(SqlRun.__table__.c.run_uuid == run)
            connection.execute(ended.values(status="FINISHED", end_time=end))

    @cached_property
    def _engine(self) -> "Engine":
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        # No connection is left open.
        return create_engine(absolute(self.uri), poolclass=NullPool)


def _row(run: str, key: str, value: float, timestamp: int, step: int) -> dict[str, Any]:
    """Return a metric as MLflow writes it to its tables."""
    is_nan = math.isnan(value)
    value = 0.0 if is_nan else min(max(value, -_LARGEST), _LARGEST)
    return {"run_uuid": run, "key": key, "value": value, "timestamp": timestamp, "step": step, "is_nan": is_nan}

"""One-way mirror of results in an MLflow experiment.

The files of ``runs`` are the truth; the mirror can be replayed at any time. A run counts only once its tag
``trisynth.complete`` is set, so that a run that was interrupted is made again. One parent run stands for each sweep;
its name is the sweep's folder.
"""

import json
import logging
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trisynth import data
from trisynth.config import canonical
from trisynth.errors import InputError
from trisynth.experiment.results import DamagedError, Result
from trisynth.report.console import job_summary
from trisynth.tracking import content, model, parent
from trisynth.tracking.content import KEY, chunks, history, mlflow_name

if TYPE_CHECKING:
    import pandas as pd

COMPLETE, SWEEP, PARENT = "trisynth.complete", "trisynth.sweep", "mlflow.parentRunId"
# MLflow accepts 1,000 items in a call, 100 parameters among them.
_PARAMS_PER_CALL, _METRICS_PER_CALL = 100, 800
_SQLITE = "sqlite:///"


class Mirror:
    """Mirror in one MLflow experiment; a database that fails is reported once and never stops a job.

    Parameters
    ----------
    tracking : mapping
        ``uri`` and ``experiment``.
    paths : mapping
        Folders ``runs``, ``raw`` and ``sweeps``.
    sweep : str or None
        Name of the sweep whose parent run the jobs belong to.
    allow : iterable of str, default=()
        Packages, besides this one, that readers of data sets and generators come from.

    Attributes
    ----------
    problem : str or None
        The first error of the database; nothing is written after it.
    left_out : list of str
        Results that could not be mirrored, one line each.
    """

    def __init__(
        self,
        tracking: Mapping[str, Any],
        paths: Mapping[str, str],
        sweep: str | None = None,
        allow: Iterable[str] = (),
    ):
        self.tracking, self.paths, self.sweep, self.allow = tracking, paths, sweep, tuple(allow)
        self.client = None
        self.problem: str | None = None
        self.left_out: list[str] = []

    def job(self, result: Result) -> None:
        """Mirror one result, unless it is there."""
        if self.problem or not self._connect(result):
            return
        try:
            if result.key not in self.known:
                self._write(result)
                self.known.add(result.key)
        except Exception as error:
            self._report(error)

    def job_of(self, key: str) -> None:
        """Mirror the finished job of that key; a damaged result is reported and left out."""
        try:
            result = Result.read(self.paths["runs"], key)
        except DamagedError as error:
            self._leave_out(error)
            return
        if result is not None:
            self.job(result)

    def close(self, failed: bool = False) -> str | None:
        """End the sweep's parent run with its parameters, metrics and files; return the first error or omission."""
        if self.client is not None and self.problem is None and self.parent:
            try:
                self._finish(Path(self.paths["sweeps"]) / self.sweep, "FAILED" if failed else "FINISHED")
            except Exception as error:
                self._report(error)
        return self.problem or next(iter(self.left_out), None)

    def _finish(self, folder: Path, status: str) -> None:
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.utils.time import get_current_time_millis

        jobs = parent.read(folder)
        now = get_current_time_millis()
        if jobs is not None:
            for path in parent.artifacts(folder):
                self.client.log_artifact(self.parent, str(path))
            means = [Metric(mlflow_name(k), v, now, 0) for k, v in parent.metrics(jobs).items()]
            for chunk in chunks(means, _METRICS_PER_CALL):
                self.client.log_batch(self.parent, metrics=chunk)
            # A parameter of MLflow never changes, even where the sweep has grown since.
            known = self.client.get_run(self.parent).data.params
            params = [Param(k, v) for k, v in parent.params(jobs).items() if k not in known]
            for chunk in chunks(params, _PARAMS_PER_CALL):
                self.client.log_batch(self.parent, params=chunk)
            self._log_varied(jobs)
        times = [content.times(result, self.paths["runs"]) for result in self._results(jobs)]
        end = max((end for _, end in times), default=now)
        tags = content.source_tags(end) | {"mlflow.source.name": "trisynth.run --multirun"}
        if (folder / parent.SUMMARY).is_file():
            tags |= content.note((folder / parent.SUMMARY).read_text(encoding="utf-8"))
        self.client.log_batch(self.parent, tags=[RunTag(name, value) for name, value in tags.items()])
        self.client.set_terminated(self.parent, status, end)

    def _log_varied(self, jobs: "pd.DataFrame") -> None:
        """Add the settings in which the jobs of the sweep differ to their parameters; only its end knows them."""
        from mlflow.entities import Param

        names = parent.varied(jobs)
        if not names:
            return
        rows = {row["key"]: row for row in jobs[["key", *names]].to_dict("records")}
        for run in self._search(f"tags.`{PARENT}` = '{self.parent}'"):
            row = rows.get(run.data.tags.get(KEY), {})
            new = [Param(k, str(row[k])) for k in names if k in row and row[k] == row[k] and k not in run.data.params]
            for chunk in chunks(new, _PARAMS_PER_CALL):
                self.client.log_batch(run.info.run_id, params=chunk)

    def _results(self, jobs: "pd.DataFrame | None") -> list[Result]:
        found = []
        for key in [] if jobs is None else jobs["key"]:
            # A damaged one has been reported when its turn came.
            with suppress(DamagedError):
                found.append(Result.read(self.paths["runs"], str(key)))
        return [result for result in found if result is not None]

    def _connect(self, result: Result) -> bool:
        if self.client is not None:
            return True
        # By default MLflow retries for minutes where a server is down.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        try:
            from mlflow import MlflowClient

            with _quiet():
                self.client = MlflowClient(absolute(self.tracking["uri"]))
                self.experiment = self._experiment()
                self.parent = self._parent(result) if self.sweep else None
                self.known = self._known()
            return True
        except Exception as error:
            self.client = None
            self._report(error)
            return False

    def _experiment(self) -> str:
        name = self.tracking["experiment"]
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return found.experiment_id
        # Beside the database, not in the folder where the command was started.
        uri = self.tracking["uri"]
        beside = Path(absolute(uri).removeprefix(_SQLITE)).parent / "mlartifacts" if uri.startswith(_SQLITE) else None
        return self.client.create_experiment(name, artifact_location=beside.as_uri() if beside else None)

    def _parent(self, result: Result) -> str:
        for run in self._search(f"tags.`{SWEEP}` = '{self.sweep}'"):
            return run.info.run_id
        # MLflow takes a start at the creation alone: that of the first job, as far as jobs are known.
        known = [result, *self._results(parent.read(Path(self.paths["sweeps"]) / self.sweep))]
        begin = min(content.times(each, self.paths["runs"])[0] for each in known)
        return self.client.create_run(self.experiment, begin, {SWEEP: self.sweep}, self.sweep).info.run_id

    def _known(self) -> set[str]:
        where = f"tags.`{PARENT}` = '{self.parent}'" if self.parent else f"tags.`{KEY}` != ''"
        known = set()
        for run in self._search(where):
            tags = run.data.tags
            if not self.parent and PARENT in tags:
                continue
            if tags.get(COMPLETE):
                known.add(tags.get(KEY))
            else:
                self.client.delete_run(run.info.run_id)
        return known

    def _search(self, where: str) -> Iterator[Any]:
        token = None
        while True:
            page = self.client.search_runs([self.experiment], where, max_results=1000, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _write(self, result: Result) -> None:
        from mlflow.entities import DatasetInput, InputTag, Metric, Param, RunTag

        runs = self.paths["runs"]
        folder = Path(runs) / result.key
        params = content.params(result)
        begin, end = content.times(result, runs)
        tags = {KEY: result.key, **{name: params[name] for name in ("dataset", "generator", "classifier")}}
        tags |= (
            content.source_tags(end)
            | content.note(job_summary(result))
            | ({PARENT: self.parent} if self.parent else {})
        )
        run = self.client.create_run(self.experiment, begin, tags, result.name).info.run_id
        self.client.log_artifacts(run, str(folder))
        if (folder / model.MODEL).is_file():
            model.log(self.client, run, folder / model.MODEL, self.allow)
        described = canonical(result.config["dataset"]), self.paths["raw"], self.allow
        entity = dataset_entity(*described, result.digests["real_train"])
        self.client.log_inputs(run, [DatasetInput(entity, [InputTag("mlflow.data.context", "training")])])
        seconds = {f"seconds/{part}": value for part, value in result.seconds(runs).items()}
        values = {**content.headline(result.metrics), **result.metrics, **seconds}
        metrics = [Metric(mlflow_name(k), v, end, 0) for k, v in values.items()]
        metrics += [Metric(mlflow_name(k), v, end, epoch) for k, epoch, v in history(folder)]
        # A call is a transaction, so few of them; the last one, whole or not at all, also records that all is there.
        *metrics, last = chunks(metrics, _METRICS_PER_CALL)
        for chunk in metrics:
            self.client.log_batch(run, metrics=chunk)
        self.client.set_terminated(run, "FINISHED", end)
        params = [Param(name, value) for name, value in params.items()]
        self.client.log_batch(run, metrics=last, params=params, tags=[RunTag(COMPLETE, "1")])

    def _leave_out(self, error: InputError) -> None:
        """Report a record that cannot be mirrored; the next ones are not affected."""
        if str(error) not in self.left_out:
            self.left_out.append(str(error))
            print(f"error: {error}; it is not in the mirror", file=sys.stderr)

    def _report(self, error: Exception) -> None:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        self.problem = reason
        print(
            f"error: tracking.uri={self.tracking['uri']!r}: cannot be written ({reason}); the results are safe in "
            f"{self.paths['runs']}; repair the database and run `trisynth mirror`, or disable it by tracking=none",
            file=sys.stderr,
        )


def dataset_entity(config: str, raw: str, allow: tuple[str, ...], name_of_content: str) -> Any:
    """Make MLflow's record of a data set: its name, source, schema, profile and the digest of its training rows."""
    from mlflow.entities import Dataset

    known = _described(config, raw, allow)
    return Dataset(known.name, name_of_content, known.source_type, known.source, known.schema, known.profile)


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
    with _quiet():
        made = mlflow.data.from_pandas(
            dataset.frame, source=str(source), targets=dataset.spec.target, name=dataset.spec.name
        )
        return made._to_mlflow_entity()


def absolute(uri: str) -> str:
    """Make the path of a sqlite address absolute: a relative one depends on where a process was started."""
    return _SQLITE + str(Path(uri.removeprefix(_SQLITE)).absolute()) if uri.startswith(_SQLITE) else uri


class _quiet(warnings.catch_warnings):
    """Context without MLflow's notes on its first start and on integer columns."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.simplefilter("ignore")
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)

"""One-way mirror of results in an MLflow experiment.

The files of ``runs`` are the truth; the mirror can be replayed at any time. A run counts only once its tag
``trisynth.complete`` is set. One that was interrupted is made again: its tag ``trisynth.writer`` names the process that
wrote it, and only a run whose process has ended is deleted. One parent run stands for each sweep; its name is the
sweep's folder.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trisynth.config import canonical
from trisynth.errors import InputError
from trisynth.experiment.results import DamagedError, Result
from trisynth.report.console import job_description
from trisynth.tracking import content, model, parent
from trisynth.tracking.content import KEY, chunks, history
from trisynth.tracking.database import (
    absolute,
    addressed,
    changes,
    connect,
    file_of,
    is_alive,
    own_writer,
    quiet,
    remedy,
    writer_lock,
)
from trisynth.tracking.ending import METRICS_PER_CALL, PARAMS_PER_CALL, Ending
from trisynth.tracking.inputs import dataset_entity
from trisynth.tracking.names import full_names, mlflow_name, shown

if TYPE_CHECKING:
    import pandas as pd

COMPLETE, SWEEP, PARENT, WRITER = "trisynth.complete", "trisynth.sweep", "mlflow.parentRunId", "trisynth.writer"


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
    replay : bool, default=False
        Add what is absent: leave out single jobs that are mirrored as part of a sweep, and leave the end of a sweep
        that is running to its own process.

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
        replay: bool = False,
    ):
        self.replay = replay
        self.tracking, self.paths, self.sweep, self.allow = addressed(tracking), paths, sweep, tuple(allow)
        self.client = None
        self.problem: str | None = None
        self.left_out: list[str] = []

    def job(self, result: Result) -> None:
        """Mirror one result, unless it is there."""
        if self.problem or not self._connect(result):
            return
        try:
            with self.lock:
                if result.key not in self.known and (self._is_unchanged() or not self._is_there(result.key)):
                    self._write(result)
                self.seen = changes(self.tracking["uri"])
            self.known.add(result.key)
        except Exception as error:
            if isinstance(error, InputError):
                self._leave_out(error)
            elif self._is_of_record(error):
                self._leave_out(InputError("result", result.name, f"is refused by MLflow ({_line(error)})"))
            else:
                self._report(error)

    def job_of(self, key: str) -> bool:
        """Mirror the finished job of that key; False if it has no result or, which is reported, a damaged one."""
        try:
            result = Result.read(self.paths["runs"], key)
        except DamagedError as error:
            self._leave_out(error)
            return False
        if result is not None:
            self.job(result)
        return result is not None

    def report(self, key: str) -> None:
        """Add the report of a mirrored job, which may be newer than its run."""
        if self.client is None or self.problem:
            return
        try:
            for run in self._search(f"tags.`{KEY}` = '{mlflow_name(key)}'"):
                for path in sorted((Path(self.paths["runs"]) / key).glob("report.*")):
                    if path.is_symlink():
                        continue
                    self.client.log_artifact(run.info.run_id, str(path))
        except Exception as error:
            self._report(error)

    def close(self, failed: bool = False) -> str | None:
        """End the sweep's parent run with its parameters, metrics and files; return the first error or omission."""
        if self.client is not None and self.problem is None and self.parent:
            try:
                with self.lock:
                    writer = self.client.get_run(self.parent).data.tags.get(WRITER)
                    if not self.replay or writer == own_writer() or not is_alive(writer):
                        self._finish(Path(self.paths["sweeps"]) / self.sweep, "FAILED" if failed else "FINISHED")
            except InputError as error:
                self._leave_out(error)
            except Exception as error:
                self._report(error)
        return self.problem or next(iter(self.left_out), None)

    def _finish(self, folder: Path, status: str) -> None:
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.utils.time import get_current_time_millis

        jobs = parent.read(folder)
        results = self._results(jobs)
        now = get_current_time_millis()
        if jobs is None and self.replay:
            status = "KILLED"
        if jobs is not None:
            parent.check(folder, jobs, results)
            for path in parent.artifacts(folder):
                self.client.log_artifact(self.parent, str(path))
            values = parent.metrics(jobs)
            means = [Metric(mlflow_name(k), v, now, 0) for k, v in values.items()]
            for chunk in chunks(means, METRICS_PER_CALL):
                self.client.log_batch(self.parent, metrics=chunk)
            # A parameter of MLflow never changes, even where the sweep has grown since.
            known = self.client.get_run(self.parent).data.params
            params = {mlflow_name(name): shown(value) for name, value in parent.params(jobs).items()}
            params = [Param(name, value) for name, value in params.items() if name not in known]
            for chunk in chunks(params, PARAMS_PER_CALL):
                self.client.log_batch(self.parent, params=chunk)
            self._log_varied(jobs)
        times = [content.times(result, self.paths["runs"]) for result in results]
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
            new = {mlflow_name(k): shown(row[k]) for k in names if k in row and row[k] == row[k]}
            new = [Param(name, value) for name, value in new.items() if name not in run.data.params]
            for chunk in chunks(new, PARAMS_PER_CALL):
                self.client.log_batch(run.info.run_id, params=chunk)

    def _results(self, jobs: "pd.DataFrame | None") -> list[Result]:
        found = []
        for key in [] if jobs is None else jobs["key"]:
            # A damaged one has already been reported.
            with suppress(DamagedError):
                found.append(Result.read(self.paths["runs"], str(key)))
        return [result for result in found if result is not None]

    def _connect(self, result: Result) -> bool:
        if self.client is not None:
            return True
        # By default MLflow retries for minutes where a server is down.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        try:
            self.lock = writer_lock(self.tracking["uri"])
            with self.lock, quiet():
                self.client = connect(self.tracking["uri"])
                self.ending = Ending(self.client, self.tracking["uri"])
                self.experiment = self._experiment()
                self.parent = self._parent(result) if self.sweep else None
                self.known = self._known()
                self.seen = changes(self.tracking["uri"])
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
        file = file_of(self.tracking["uri"])
        place = (file.parent / "mlartifacts").as_uri() if file else None
        try:
            return self.client.create_experiment(name, artifact_location=place)
        except Exception:
            # Another machine may have made it since.
            found = self.client.get_experiment_by_name(name)
            if found is None:
                raise
            return found.experiment_id

    def _parent(self, result: Result) -> str:
        name = mlflow_name(self.sweep)
        for run in self._search(f"tags.`{SWEEP}` = '{name}'"):
            if not self.replay:
                self.client.set_tag(run.info.run_id, WRITER, own_writer())
            return run.info.run_id
        # MLflow takes a start at the creation alone: that of the first job, as far as jobs are known.
        known = [result, *self._results(parent.read(Path(self.paths["sweeps"]) / self.sweep))]
        begin = min(content.times(each, self.paths["runs"])[0] for each in known)
        tags = {SWEEP: name, WRITER: own_writer()}
        return self.client.create_run(self.experiment, begin, tags, shown(self.sweep, 250)).info.run_id

    def _known(self) -> set[str]:
        """Return the keys of the runs that are there, and delete those whose process was killed.

        Of single jobs only the runs without an end are read: a run has a hundred metrics, and there may be thousands.
        """
        if self.parent:
            where = f"tags.`{PARENT}` = '{self.parent}'"
        else:
            where = f"tags.`{KEY}` != ''" + ("" if self.replay else " and attributes.status = 'RUNNING'")
        known = set()
        for run in self._search(where):
            tags = run.data.tags
            if not self.parent and PARENT in tags and not self.replay:
                continue
            if tags.get(COMPLETE):
                known.add(tags.get(KEY))
            elif not is_alive(tags.get(WRITER)):
                self.client.delete_run(run.info.run_id)
        return known

    def _is_unchanged(self) -> bool:
        """Return whether all runs are known, and no other process has written since; the lock must be held."""
        complete = self.parent or self.replay
        return bool(complete) and self.seen is not None and self.seen == changes(self.tracking["uri"])

    def _is_there(self, key: str) -> bool:
        """Look for a complete run of a job, and delete incomplete ones of killed processes; the lock must be held."""
        within = f" and tags.`{PARENT}` = '{self.parent}'" if self.parent else ""
        there = False
        for run in self._search(f"tags.`{KEY}` = '{mlflow_name(key)}'{within}"):
            tags = run.data.tags
            if not self.parent and not self.replay and PARENT in tags:
                continue
            if tags.get(COMPLETE):
                there = True
            elif not is_alive(tags.get(WRITER)):
                self.client.delete_run(run.info.run_id)
        return there

    def _search(self, where: str) -> Iterator[Any]:
        token = None
        while True:
            page = self.client.search_runs([self.experiment], where, max_results=1000, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _write(self, result: Result) -> None:
        from mlflow.entities import DatasetInput, InputTag
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        runs = self.paths["runs"]
        folder = Path(runs) / result.key
        if link := next((path for path in folder.rglob("*") if path.is_symlink()), None):
            # A server must not receive what it leads to.
            raise InputError("result", str(link), "is a link, not a file of the result")
        params = content.params(result)
        begin, end = content.times(result, runs)
        tags = {KEY: mlflow_name(result.key), WRITER: own_writer()}
        tags |= {name: params[name] for name in ("dataset", "generator", "classifier")}
        tags |= (
            content.source_tags(end)
            | content.note(job_description(result))
            | ({PARENT: self.parent} if self.parent else {})
        )
        seconds = {f"seconds/{part}": value for part, value in result.seconds(runs).items()}
        values = {**content.headline(result.metrics), **result.metrics, **seconds}
        tags |= full_names(values)
        made = self.client.create_run(self.experiment, begin, tags, shown(result.name, 250)).info
        run = made.run_id
        # The client would first read the run again, to learn where its files are.
        get_artifact_repository(made.artifact_uri, tracking_uri=absolute(self.tracking["uri"])).log_artifacts(folder)
        if (folder / model.MODEL).is_file():
            model.log(self.client, run, folder / model.MODEL, self.allow)
        described = canonical(result.config["dataset"]), self.paths["raw"], self.allow
        entity = dataset_entity(*described, result.digests["real_train"][:36])
        self.client.log_inputs(run, [DatasetInput(entity, [InputTag("mlflow.data.context", "training")])])
        metrics = [(mlflow_name(k), v, end, 0) for k, v in values.items()]
        metrics += [(mlflow_name(k), v, end, epoch) for k, epoch, v in history(folder)]
        params = {mlflow_name(name): shown(value) for name, value in params.items()}
        self.ending.write(run, end, metrics, params, {COMPLETE: "1"})

    @staticmethod
    def _is_of_record(error: Exception) -> bool:
        """Return whether a record, not the database, is the cause of an error."""
        code = getattr(error, "error_code", None)
        return code == "INVALID_PARAMETER_VALUE" if code else isinstance(error, LookupError | TypeError | ValueError)

    def _leave_out(self, error: InputError) -> None:
        """Report a record that cannot be mirrored; the next ones are not affected."""
        if str(error) not in self.left_out:
            self.left_out.append(str(error))
            print(f"error: {error}; it is not in the mirror", file=sys.stderr)

    def _report(self, error: Exception) -> None:
        self.problem = reason = _line(error)
        uri = self.tracking["uri"]
        print(
            f"error: tracking.uri={uri!r}: cannot be written ({reason}); the results are safe in {self.paths['runs']}; "
            f"{remedy(uri, reason)}, or disable it by tracking=none",
            file=sys.stderr,
        )


def _line(error: Exception) -> str:
    """Return the first line of an error."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]

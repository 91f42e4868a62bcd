"""Results mirrored into MLflow; the only module that knows MLflow.

The mirror is one-way and can be replayed: ``python -m trisynth.tracking`` brings every result of ``runs`` that the
database lacks. A run counts only once its tag ``trisynth.complete`` is set, so that a mirror killed in the middle
is done again. One parent run stands for each sweep; its name is the sweep's folder.
"""

import argparse
import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from trisynth import data
from trisynth.config import canonical, digest
from trisynth.experiment.results import Result, flat, identity

KEY, COMPLETE, SWEEP, PARENT = "trisynth.key", "trisynth.complete", "trisynth.sweep", "mlflow.parentRunId"
# MLflow takes 1,000 items in a call, 100 parameters among them.
_PARAMS_PER_CALL, _METRICS_PER_CALL, _LONGEST_VALUE = 100, 899, 6000
_SQLITE = "sqlite:///"


class Mirror:
    """Writes results into one MLflow experiment; a database that fails is reported once and never stops a job.

    Parameters
    ----------
    tracking : mapping
        ``uri`` and ``experiment``.
    paths : mapping
        Folders ``runs``, ``raw`` and ``sweeps``.
    sweep : str or None
        Name of the sweep whose parent run the jobs belong to.
    """

    def __init__(self, tracking: Mapping[str, Any], paths: Mapping[str, str], sweep: str | None = None):
        self.tracking, self.paths, self.sweep = tracking, paths, sweep
        self.client = None
        self.problem: str | None = None

    def job(self, result: Result) -> None:
        """Mirror one result, unless it is there."""
        if self.problem or not self._connect():
            return
        try:
            if result.key not in self.known:
                self._write(result)
                self.known.add(result.key)
        except Exception as error:
            self._report(error)

    def job_of(self, key: str) -> None:
        """Mirror the finished job of that key."""
        result = Result.read(self.paths["runs"], key)
        if result is not None:
            self.job(result)

    def close(self, failed: bool = False) -> str | None:
        """End the sweep's parent run with its table; returns what went wrong with the mirror, if anything did."""
        if self.client is not None and self.problem is None and self.parent:
            try:
                folder = Path(self.paths["sweeps"]) / self.sweep
                if (folder / "results.csv").exists():
                    self.client.log_artifact(self.parent, str(folder / "results.csv"))
                self.client.set_terminated(self.parent, "FAILED" if failed else "FINISHED")
            except Exception as error:
                self._report(error)
        return self.problem

    def _connect(self) -> bool:
        if self.client is not None:
            return True
        # By itself MLflow knocks at a server that is down for minutes.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        try:
            from mlflow import MlflowClient

            with _quiet():
                self.client = MlflowClient(absolute(self.tracking["uri"]))
                self.experiment = self._experiment()
                self.parent = self._parent() if self.sweep else None
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
        # Beside the database, not where the command happens to be started.
        uri = self.tracking["uri"]
        beside = Path(absolute(uri).removeprefix(_SQLITE)).parent / "mlartifacts" if uri.startswith(_SQLITE) else None
        return self.client.create_experiment(name, artifact_location=beside.as_uri() if beside else None)

    def _parent(self) -> str:
        existing = self._search(f"tags.`{SWEEP}` = '{self.sweep}'")
        for run in existing:
            return run.info.run_id
        tags = {SWEEP: self.sweep}
        return self.client.create_run(self.experiment, run_name=self.sweep, tags=tags).info.run_id

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
        from mlflow.utils.time import get_current_time_millis

        folder = Path(self.paths["runs"]) / result.key
        known = identity(result)
        tags = {KEY: result.key, **{name: known[name] for name in ("dataset", "generator", "classifier")}}
        if self.parent:
            tags[PARENT] = self.parent
        run = self.client.create_run(self.experiment, run_name=result.name, tags=tags).info.run_id
        self.client.log_artifacts(run, str(folder))
        entity = dataset_entity(canonical(result.config["dataset"]), self.paths["raw"], result.digests["real_train"])
        self.client.log_inputs(run, [DatasetInput(entity, [InputTag("mlflow.data.context", "training")])])
        now = get_current_time_millis()
        seconds = {f"seconds/{part}": value for part, value in result.seconds(self.paths["runs"]).items()}
        metrics = [Metric(mlflow_name(k), v, now, 0) for k, v in {**result.metrics, **seconds}.items()]
        metrics += [Metric(mlflow_name(k), v, now, epoch) for k, epoch, v in history(folder)]
        params = [Param(k, str(v)[:_LONGEST_VALUE]) for k, v in flat(result.config)]
        # A call is a transaction, so few of them; the last one, whole or not at all, also says that all is there.
        *metrics, last = chunks(metrics, _METRICS_PER_CALL)
        *params, rest = chunks(params, _PARAMS_PER_CALL)
        for chunk in metrics:
            self.client.log_batch(run, metrics=chunk)
        for chunk in params:
            self.client.log_batch(run, params=chunk)
        self.client.set_terminated(run)
        self.client.log_batch(run, metrics=last, params=rest, tags=[RunTag(COMPLETE, "1")])

    def _report(self, error: Exception) -> None:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        self.problem = reason
        print(
            f"error: tracking.uri={self.tracking['uri']!r}: cannot be written ({reason}); the results are safe in "
            f"{self.paths['runs']}; mend it and run `python -m trisynth.tracking`, or turn it off by tracking=none",
            file=sys.stderr,
        )


def dataset_entity(config: str, raw: str, name_of_content: str) -> Any:
    """MLflow's record of a data set: its name, source, schema, profile and the digest of its training rows."""
    from mlflow.entities import Dataset

    known = _described(config, raw)
    return Dataset(known.name, name_of_content, known.source_type, known.source, known.schema, known.profile)


@lru_cache(maxsize=64)
def _described(config: str, raw: str) -> Any:
    """MLflow's record of a data set, whatever the rows it is split into."""
    import mlflow.data

    dataset = data.load(json.loads(config), raw)
    origin = json.loads(config).get("source") or {}
    source = f"{origin['package']}:{origin['file']}" if origin else json.loads(config).get("path") or dataset.spec.name
    with _quiet():
        made = mlflow.data.from_pandas(
            dataset.frame, source=str(source), targets=dataset.spec.target, name=dataset.spec.name
        )
        return made._to_mlflow_entity()


def absolute(uri: str) -> str:
    """A sqlite address with its path made absolute: relative ones depend on where a process was started."""
    return _SQLITE + str(Path(uri.removeprefix(_SQLITE)).absolute()) if uri.startswith(_SQLITE) else uri


def mlflow_name(metric: str) -> str:
    """A metric's name in the letters that MLflow admits; the digest keeps two odd class names apart."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "_-. /") else "_" for c in metric)
    return plain if plain == metric else f"{plain}-{digest(metric)[:4]}"


def history(folder: Path) -> Iterator[tuple[str, int, float]]:
    """Training curves beside a result: name, epoch, value."""
    try:
        curves = json.loads((folder / "history.json").read_text())
    except (OSError, ValueError):
        return
    for name, values in curves.items():
        yield from ((f"train/{name}", epoch, value) for epoch, value in enumerate(values))


def chunks(items: list, size: int) -> Iterator[list]:
    """Consecutive parts of at most ``size`` items."""
    return (items[start : start + size] for start in range(0, len(items), size))


class _quiet(warnings.catch_warnings):
    """MLflow's notes on its first start and on integer columns are not the user's concern."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.simplefilter("ignore")
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)


def replay(tracking: Mapping[str, Any], paths: Mapping[str, str], sweeps: list[str]) -> int:
    """Mirror every result that the database lacks, sweeps under their parents; returns the exit status."""
    import pandas as pd

    within: set[str] = set()
    for path in sorted(path for root in sweeps for path in Path(root).glob("*/results.csv")):
        mirror = Mirror(tracking, {**paths, "sweeps": str(path.parents[1])}, path.parent.name)
        for key in pd.read_csv(path, usecols=["key"])["key"]:
            mirror.job_of(key)
            within.add(key)
        if mirror.close():
            return 1
    mirror = Mirror(tracking, paths)
    for path in sorted(Path(paths["runs"]).glob("*/result.json")):
        if path.parent.name not in within:
            mirror.job_of(path.parent.name)
    return 1 if mirror.close() else 0


def main(arguments: list[str] | None = None) -> int:
    """Command line of the replay."""
    parser = argparse.ArgumentParser(prog="python -m trisynth.tracking", description=replay.__doc__)
    parser.add_argument("--uri", default="sqlite:///mlflow.db", help="MLflow database or server")
    parser.add_argument("--experiment", default="trisynth")
    parser.add_argument("--runs", default="runs")
    parser.add_argument("--sweeps", nargs="+", default=["sweeps", "experiments"], help="folders of sweeps")
    parser.add_argument("--raw", default="data/raw")
    options = parser.parse_args(arguments)
    paths = {"runs": options.runs, "raw": options.raw}
    return replay({"uri": options.uri, "experiment": options.experiment}, paths, options.sweeps)


if __name__ == "__main__":
    sys.exit(main())

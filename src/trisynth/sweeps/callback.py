"""Hydra callback of a sweep: progress while it runs, its mirror in MLflow, a table and the failures at the end.

Only the process that started the sweep writes to MLflow. It reads finished results from disk, so that jobs need no
database, parallel first starts cannot race, and what is missing is added at the end or on the next start.
"""

import atexit
import io
import math
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from trisynth import commandline
from trisynth.cache import write_atomic
from trisynth.commandline import compose
from trisynth.errors import InputError
from trisynth.experiment.results import Result
from trisynth.experiment.run import notes_of
from trisynth.sweeps import folder as sweeps
from trisynth.sweeps.watch import Watch, spoken

# Sweepers that run every combination of the given values.
_GRIDS = ("basic_sweeper.BasicSweeper", "trisynth_sweeps.Sweeper")
# Sweepers that run a given number of trials.
_SEARCHES = ("trisynth_sweeps.Search",)


def _heard(hook: Callable[..., None]) -> Callable[..., None]:
    """End the program on an error in a hook: Hydra would turn it into a warning and report success."""

    @wraps(hook)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        with commandline.one_line_errors():
            try:
                hook(*args, **kwargs)
            except (InputError, OmegaConfBaseException):
                raise
            except Exception:
                traceback.print_exc()
                raise SystemExit(1) from None

    return wrapper


class Sweep(Callback):
    """Hydra callback of every multirun."""

    def __getstate__(self) -> dict:
        """Return nothing to pickle."""
        # Launchers pickle callbacks for their workers; only the process that started the sweep observes it.
        return {}

    @_heard
    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Start the observation of a sweep, or end the program where all its jobs are finished."""
        paths, tracking = config.paths, config.tracking
        self.sweep = sweeps.Sweep(Path(config.hydra.sweep.dir), Path(paths.runs))
        self.fingerprint = sweeps.fingerprint(deciding(config), files_of(config))
        self._end_if_complete(config)
        waits = f"waiting: another sweep runs in {self.sweep.folder}; this one starts after its end"
        made = self.sweep.absent()
        self.lock = self.sweep.claim(lambda: print(waits, file=sys.stderr, flush=True))
        # Hydra calls no hook where a launcher or a sweeper refuses to start.
        atexit.register(self.sweep.withdraw, made)
        # The other one may have been the same.
        self._end_if_complete(config)
        self.sweep.clear()
        # joblib replaces a worker whose memory has grown; a user can do nothing about it.
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
        self.mirror = None
        if tracking.uri:
            from trisynth.tracking import Mirror

            self.mirror = Mirror(dict(tracking), dict(paths), self.sweep.folder.name, config.get("allow") or ())
        total = count_jobs(config)
        self.watch = Watch(self.sweep, total)
        # When the remaining time is estimated next.
        self.due = 0.0
        console = Console(stderr=True)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(),
            TextColumn("left: {task.fields[left]}"),
            console=console,
            # Drawn even where nobody sees it, ten times a second, it takes a hundredth of a core.
            auto_refresh=console.is_terminal,
            refresh_per_second=2,
        )
        self.bar = self.progress.add_task(self.sweep.folder.name, total=total, detail="", left=spoken(None))
        self.progress.start()
        # A launcher that fails skips on_multirun_end; the terminal must get its cursor back all the same.
        if self.progress.console.is_terminal:
            atexit.register(self.progress.stop)
        self.stop = threading.Event()
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        self.watcher.start()

    def _end_if_complete(self, config: DictConfig) -> None:
        """Show the results and end the program where an earlier start has finished all jobs."""
        if self.sweep.is_complete(self.fingerprint) and exists(config.tracking.uri):
            self._show(config)
            count = len(pd.read_csv(self.sweep.folder / sweeps.RESULTS, usecols=["key"]))
            print(f"nothing to run: all {count} jobs were finished before")
            raise SystemExit(0)

    def _watch(self) -> None:
        spent = 0.0
        while not self.stop.wait(pause(spent)):
            spent = self._look()

    def _look(self) -> float:
        """Show and mirror what has ended; return the processor time of the look at the folder alone."""
        now, begun = time.monotonic(), time.thread_time()
        new = self.watch.look(now)
        spent = time.thread_time() - begun
        if now >= self.due:
            begun = time.thread_time()
            self.left = spoken(self.watch.remaining(now))
            # The estimate takes longer than the look.
            self.due = now + pause(time.thread_time() - begun)
        self.progress.update(self.bar, completed=len(self.watch.ended), detail=self.watch.summary, left=self.left)
        for state in new.values():
            if self.mirror and state["key"]:
                self.mirror.job_of(state["key"])
        return spent

    @_heard
    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Write and show the sweep's table and figure, end the mirror, and report failed and lost jobs."""
        self.stop.set()
        self.watcher.join()
        # The last line states what is left now, however recent the estimate before is.
        self.due = 0.0
        self._look()
        atexit.unregister(self.progress.stop)
        self.progress.stop()
        results, failures = self.sweep.finish()
        if results:
            (self.sweep.folder / sweeps.SUMMARY).unlink(missing_ok=True)
            self._show(config)
            show_notes(config.paths.runs, results)
            if OmegaConf.select(config, "report.html"):
                self._report(config, results)
        problem = self.mirror.close(failed=bool(failures)) if self.mirror else None
        for failure in failures:
            # The last line of a traceback names the error; all of it is in the job's status file.
            print(f"failed: {failure['overrides']}: {failure['error'].strip().splitlines()[-1]}", file=sys.stderr)
        total = int(self.progress.tasks[0].total or len(self.watch.ended))
        lost = lost_jobs(self.watch.ended, total, {result.key for result in results})
        if failures:
            remedy = f"rerun to repeat only these; details are in {self.sweep.folder / 'jobs'}"
            print(f"error: {len(failures)} of {total} jobs failed; {remedy}", file=sys.stderr)
        if lost:
            print(f"error: {lost} of {total} jobs exited without reporting a status; rerun to resume", file=sys.stderr)
        if failures or lost or problem:
            raise SystemExit(1)
        self.sweep.complete(self.fingerprint)
        self.lock.release()

    def _show(self, config: DictConfig) -> None:
        """Print the summary, made once: the next start of a finished sweep needs none of the libraries behind it."""
        path = self.sweep.folder / sweeps.SUMMARY
        if not path.is_file():
            from trisynth.report.console import sweep_summary

            frame = pd.read_csv(self.sweep.folder / sweeps.RESULTS, keep_default_na=False, na_values=[""])
            test_size = float(OmegaConf.select(config, "test_size", default=1 / 3))
            # The summary comes last: a start that was stopped before it makes both again.
            if OmegaConf.select(config, "tracking.figure"):
                draw(frame, self.sweep.folder / sweeps.FIGURE, test_size)
            write_atomic(path, sweep_summary(frame, test_size, is_search(config)))
        print(path.read_text(encoding="utf-8"))
        print(f"results: {self.sweep.folder / sweeps.RESULTS}")
        if (self.sweep.folder / sweeps.FIGURE).is_file():
            print(f"figure: {self.sweep.folder / sweeps.FIGURE}")
        if is_search(config) and (self.sweep.folder / sweeps.FOUND).is_file():
            print(best_trial(self.sweep.folder / sweeps.FOUND, config.objective))

    def _report(self, config: DictConfig, results: list[Result]) -> None:
        """Write the report of each data set; MLflow keeps it among the files of the sweep."""
        from trisynth.report.html.job import write_sweep

        plain = {name: OmegaConf.to_container(config[name], resolve=True) for name in ("paths", "allow")}
        arguments = ["trisynth run -m", *config.hydra.overrides.task]
        for path in write_sweep(results, plain, self.sweep.folder, arguments):
            print(f"report: {path}")


def lost_jobs(ended: Mapping[str, Mapping], total: int, results: Collection[str]) -> int:
    """Count the jobs of a sweep without a status, and those whose result was deleted since.

    Parameters
    ----------
    ended : mapping of str to mapping
        Statuses by the number of the job. Those beyond ``total`` are of another sweep, as tasks of a cluster may write
        after the sweep that started them was killed.
    total : int
    results : collection of str
        Keys of the results that are there.
    """
    of_sweep = [ended.get(str(number)) for number in range(total)]
    keys = {state["key"] for state in of_sweep if state and state["key"]}
    return of_sweep.count(None) + len(keys.difference(results))


def show_notes(runs: str, results: list[Result]) -> None:
    """Print once for each data set what was changed in a table of the user's: the notes of its first job."""
    first = {}
    for result in results:
        first.setdefault(result.config["dataset"]["name"], result)
    for name, result in first.items():
        for line in notes_of(runs, result):
            print(f"{name}: {line}" if len(first) > 1 else line, file=sys.stderr)


def draw(frame: pd.DataFrame, path: Path, test_size: float) -> None:
    """Draw the gains of a sweep over the real rows; a sweep whose jobs have none has no figure."""
    from trisynth.report.console import methods
    from trisynth.report.figures.gains import gains

    path.unlink(missing_ok=True)
    try:
        figure = gains(methods(frame), test_size)
    except InputError:
        return
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=150, bbox_inches="tight")
    write_atomic(path, content.getvalue())


def deciding(config: DictConfig) -> list[str]:
    """List what decides a sweep's jobs: overrides of the configuration, and those of the sweeper, as more trials."""
    given = config.hydra.overrides
    return [*given.task, *(o for o in given.hydra if o.lstrip("+").startswith(("hydra.sweeper", "hydra/sweeper")))]


def files_of(config: DictConfig) -> list[str]:
    """List the user's files that a sweep reads, by the command line or by the configuration."""
    given = [
        value for name, _, value in (o.partition("=") for o in config.hydra.overrides.task) if name == "dataset.path"
    ]
    declared = OmegaConf.select(config, "dataset.path", throw_on_missing=False)
    paths = [path for value in [*given, *([declared] if declared else [])] for path in str(value).split(",")]
    return [*paths, *compose.sources(config, paths)]


def exists(uri: str | None) -> bool:
    """Check that the database of a mirror still exists; a server is assumed to."""
    return not str(uri).startswith("sqlite:///") or Path(str(uri).removeprefix("sqlite:///")).exists()


def pause(spent: float) -> float:
    """Return the seconds until the next look at a sweep's folder, of which looks take one thousandth.

    Parameters
    ----------
    spent : float
        Processor time of the last look, which grows with the number of jobs.
    """
    return min(max(0.5, 1000 * spent), 10.0)


def is_search(config: DictConfig) -> bool:
    """Tell whether Optuna suggests the jobs of a sweep."""
    return config.hydra.sweeper._target_.endswith(_SEARCHES)


def best_trial(path: Path, objective: Any) -> str:
    """Describe what a search found, and the file that has it."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "solutions" in found:
        return f"Pareto front: {len(found['solutions'])} of the trials, in {path}"
    settings = " ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in found["best_params"].items()
    )
    score = objective if isinstance(objective, str) else "objective"
    return f"best trial: {settings} with {score} {found['best_value']:.4g}\nexact values: {path}"


def count_jobs(config: DictConfig) -> int | None:
    """Count the jobs that a grid or a search will start; None where the sweeper does not know in advance."""
    sweeper = config.hydra.sweeper
    if is_search(config) and not sweeper.sampler._target_.endswith("GridSampler"):
        return sweeper.n_trials
    if not sweeper._target_.endswith(_GRIDS):
        return None
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    given = parser.parse_overrides(list(config.hydra.overrides.task))
    names = {override.key_or_group for override in given}
    declared = [f"{k}={v}" for k, v in (config.hydra.sweeper.params or {}).items() if k not in names]
    swept = [o for o in [*given, *parser.parse_overrides(declared)] if o.is_sweep_override()]
    return math.prod(len(list(o.sweep_string_iterator())) for o in swept)

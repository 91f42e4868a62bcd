"""What happens around a sweep: progress while it runs, one mirror into MLflow, a table and the failures at the end.

Only the process that started the sweep talks to MLflow. It reads finished results from disk, so jobs need no
database, parallel first starts cannot race, and whatever was missed is caught up at the end or on the next start.
"""

import atexit
import math
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from trisynth import commandline
from trisynth.errors import InputError
from trisynth.sweeps import folder as sweeps

# Sweepers that run every combination of what they are given.
_GRIDS = ("basic_sweeper.BasicSweeper", "trisynth_sweeps.Sweeper")
# Those that run as many as they are told to.
_SEARCHES = ("optuna_sweeper.OptunaSweeper", "trisynth_sweeps.Search")


def _heard(hook: Callable[..., None]) -> Callable[..., None]:
    """Make what goes wrong in a hook end the program: Hydra would make a warning of it and report success."""

    @wraps(hook)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        with commandline.one_line_errors():
            try:
                hook(*args, **kwargs)
            except InputError:
                raise
            except Exception:
                traceback.print_exc()
                raise SystemExit(1) from None

    return wrapper


class Sweep(Callback):
    """Hydra callback of every multirun."""

    def __getstate__(self) -> dict:
        # Launchers send callbacks to their workers; the watching stays in the process that started it.
        return {}

    @_heard
    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        paths, tracking = config.paths, config.tracking
        self.sweep = sweeps.Sweep(Path(config.hydra.sweep.dir), Path(paths.runs))
        self.fingerprint = sweeps.fingerprint(list(config.hydra.overrides.task), files_of(config))
        if self.sweep.is_complete(self.fingerprint) and is_there(tracking.uri):
            frame = pd.read_csv(self.sweep.folder / sweeps.RESULTS)
            self._show(frame)
            print(f"nothing to run: all {len(frame)} jobs were finished before")
            raise SystemExit(0)
        self.sweep.clear()
        # joblib renews a worker whose memory has grown, which is its business and not the user's.
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
        self.mirror = None
        if tracking.uri:
            from trisynth.tracking import Mirror

            self.mirror = Mirror(dict(tracking), dict(paths), self.sweep.folder.name)
        self.seen: set[str] = set()
        self.counts = dict.fromkeys(("done", "cached", "failed"), 0)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self.bar = self.progress.add_task(self.sweep.folder.name, total=count_jobs(config), detail="")
        self.progress.start()
        # A launcher that fails skips on_multirun_end; the terminal must get its cursor back all the same.
        if self.progress.console.is_terminal:
            atexit.register(self.progress.stop)
        self.stop = threading.Event()
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        self.watcher.start()

    def _watch(self) -> None:
        while not self.stop.wait(0.5):
            self._look()

    def _look(self) -> None:
        for name, state in self.sweep.states(known=self.seen).items():
            self.seen.add(name)
            self.counts[state["state"]] += 1
            detail = ", ".join(f"{count} {state}" for state, count in self.counts.items() if count)
            self.progress.update(self.bar, completed=len(self.seen), detail=detail)
            if self.mirror and state["key"]:
                self.mirror.job_of(state["key"])

    @_heard
    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        self.stop.set()
        self.watcher.join()
        self._look()
        atexit.unregister(self.progress.stop)
        self.progress.stop()
        results, failures = self.sweep.finish()
        if results:
            self._show(sweeps.table(results))
        problem = self.mirror.close(failed=bool(failures)) if self.mirror else None
        for failure in failures:
            # A traceback's last line says what happened; all of it lies in the job's state.
            print(f"failed: {failure['overrides']}: {failure['error'].strip().splitlines()[-1]}", file=sys.stderr)
        total = self.progress.tasks[0].total or len(self.seen)
        lost = total - len(self.seen)
        if failures:
            remedy = f"run again to retry only them; details: {self.sweep.folder / 'jobs'}"
            print(f"error: {len(failures)} of {total} jobs failed; {remedy}", file=sys.stderr)
        if lost:
            print(f"error: {lost} of {total} jobs left no word, as if killed; run again to go on", file=sys.stderr)
        if failures or lost or problem:
            raise SystemExit(1)
        self.sweep.complete(self.fingerprint)

    def _show(self, frame: pd.DataFrame) -> None:
        from trisynth.report import console

        console.show_sweep(frame)
        print(f"\nresults: {self.sweep.folder / sweeps.RESULTS}")


def files_of(config: DictConfig) -> list[str]:
    """Users' files that a sweep reads, by the command line or by the configuration."""
    given = [
        value for name, _, value in (o.partition("=") for o in config.hydra.overrides.task) if name == "dataset.path"
    ]
    declared = OmegaConf.select(config, "dataset.path", throw_on_missing=False)
    return [path for value in [*given, *([declared] if declared else [])] for path in str(value).split(",")]


def is_there(uri: str | None) -> bool:
    """Whether a mirror can be trusted to hold what it was given: a deleted database cannot."""
    return not str(uri).startswith("sqlite:///") or Path(str(uri).removeprefix("sqlite:///")).exists()


def count_jobs(config: DictConfig) -> int | None:
    """Number of jobs that a grid or a search will start; None where the sweeper decides as it goes."""
    sweeper = config.hydra.sweeper
    if sweeper._target_.endswith(_SEARCHES) and not sweeper.sampler._target_.endswith("GridSampler"):
        return sweeper.n_trials
    if not sweeper._target_.endswith(_GRIDS):
        return None
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    given = parser.parse_overrides(list(config.hydra.overrides.task))
    names = {override.key_or_group for override in given}
    declared = [f"{k}={v}" for k, v in (config.hydra.sweeper.params or {}).items() if k not in names]
    swept = [o for o in [*given, *parser.parse_overrides(declared)] if o.is_sweep_override()]
    return math.prod(len(list(o.sweep_string_iterator())) for o in swept)

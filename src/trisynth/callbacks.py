"""What happens around a sweep: progress while it runs, one mirror into MLflow, a table and the failures at the end.

Only the process that started the sweep talks to MLflow. It reads finished results from disk, so jobs need no
database, parallel first starts cannot race, and whatever was missed is caught up at the end or on the next start.
"""

import math
import sys
import threading
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from trisynth import sweeps


class Sweep(Callback):
    """Hydra callback of every multirun."""

    def __getstate__(self) -> dict:
        # Launchers send callbacks to their workers; the watching stays in the process that started it.
        return {}

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        paths, tracking = config.paths, config.tracking
        self.sweep = sweeps.Sweep(Path(config.hydra.sweep.dir), Path(paths.runs))
        self.sweep.clear()
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
        self.stop = threading.Event()
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        self.watcher.start()

    def _watch(self) -> None:
        while not self.stop.wait(0.3):
            self._look()

    def _look(self) -> None:
        for name, state in self.sweep.states().items():
            if name in self.seen:
                continue
            self.seen.add(name)
            self.counts[state["state"]] += 1
            detail = ", ".join(f"{count} {state}" for state, count in self.counts.items() if count)
            self.progress.update(self.bar, completed=len(self.seen), detail=detail)
            if self.mirror and state["key"]:
                self.mirror.job_of(state["key"])

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        from trisynth import tables

        self.stop.set()
        self.watcher.join()
        self._look()
        self.progress.stop()
        results, failures = self.sweep.finish()
        if results:
            tables.show_sweep(sweeps.table(results))
            print(f"\nresults: {self.sweep.folder / 'results.csv'}")
        problem = self.mirror.close(failed=bool(failures)) if self.mirror else None
        for failure in failures:
            print(f"failed: {failure['overrides']}\n  {failure['error'].strip()}", file=sys.stderr)
        if failures:
            total = len(failures) + self.counts["done"] + self.counts["cached"]
            print(f"error: {len(failures)} of {total} jobs failed; run again to retry only them", file=sys.stderr)
        if failures or problem:
            raise SystemExit(1)


def count_jobs(config: DictConfig) -> int | None:
    """Number of jobs that the basic sweeper will start; None where the sweeper decides as it goes."""
    if not config.hydra.sweeper._target_.endswith("BasicSweeper"):
        return None
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    given = parser.parse_overrides(list(config.hydra.overrides.task))
    names = {override.key_or_group for override in given}
    declared = [f"{k}={v}" for k, v in (config.hydra.sweeper.params or {}).items() if k not in names]
    swept = [o for o in [*given, *parser.parse_overrides(declared)] if o.is_sweep_override()]
    return math.prod(len(list(o.sweep_string_iterator())) for o in swept)

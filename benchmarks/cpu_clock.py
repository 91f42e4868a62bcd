"""Clock of a job's steps in processor time, which other programs on the machine do not change.

``python -m benchmarks.overhead`` lets each worker import this module last, whose import has that effect. At its end the
worker writes the processor time of its start, imports included, and of its whole life.
"""

import atexit
import json
import os
import time
from pathlib import Path
from types import SimpleNamespace

from trisynth.experiment import steps

CLOCK = "clock-*.json"


def _write(started: float, path: Path) -> None:
    path.write_text(json.dumps({"start": started, "whole": time.process_time()}))


steps.time = SimpleNamespace(perf_counter=time.process_time)
atexit.register(_write, time.process_time(), Path(CLOCK.replace("*", str(os.getpid()))).absolute())

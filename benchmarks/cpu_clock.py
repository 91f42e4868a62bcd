"""Clock of a job's steps in processor time, which other programs on the machine do not change.

``python -m benchmarks.overhead`` lets each worker import this module, whose import has that effect.
"""

import time
from types import SimpleNamespace

from trisynth.experiment import steps

steps.time = SimpleNamespace(perf_counter=time.process_time)

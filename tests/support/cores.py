"""One thread in each process of the test suite, set by the import of this module, before libraries read it.

The workers of the suite already take all cores. Threads of OpenMP that wait for a core spin meanwhile: beside other
work, boosted trees on two threads take forty times the processor time that they take on one.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

"""Before anything imports torch: one thread. Matrices this small gain nothing from a second, and where all cores are busy threads wait for each other."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

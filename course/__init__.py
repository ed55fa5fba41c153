"""Synthetic Data in Practice: the small package the labs import."""

import os

# One thread, for kernels that were not started by the course's own kernel file (an editor's, say). It
# has to be set before a numerical library is loaded. See course.environment.THREADS.
os.environ.setdefault("OMP_NUM_THREADS", "1")

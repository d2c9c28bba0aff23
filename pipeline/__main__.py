"""The entry: ``recpipe`` and ``python -m pipeline``."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import suppress

from pipeline.cli.app import app
from pipeline.cli.boundary import signals
from pipeline.errors import ExitCode

FEW_COLLECTIONS = 100_000
"""Imports and packets make many values and hardly a cycle: looking for cycles would only take time."""
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""NumPy's linear algebra, which nothing here calls, else starts a thread a core that spins while we begin."""
ARENA_MAX, TRIM_THRESHOLD, MMAP_THRESHOLD = -8, -1, -3
"""Parameters of mallopt (glibc, malloc.h)."""
TRIMMED, MAPPED = 32 << 20, 5 << 20
STOPPED = (ExitCode.INTERRUPTED, ExitCode.TERMINATED)


def main() -> None:
    """Run the command that was typed, and exit with its code."""
    gc.set_threshold(FEW_COLLECTIONS)
    _one_heap()
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
    try:
        with signals():
            app()
    except SystemExit as ended:
        if ended.code in STOPPED:
            # All is tidied up; a thread that still waits for a store is not waited for.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(int(ended.code))
        raise
    finally:
        gc.freeze()  # the process ends, and its memory with it: no cycle has to be found first


def _one_heap() -> None:
    """Keep what threads free in one heap, from which all take, and give the largest blocks back at once.

    Slices are fetched by many threads and used by another: with a heap for every few threads (the default of
    glibc) a merge out of a store holds 45 MB more. Blocks are large that are larger than a batch of media.
    """
    with suppress(OSError, AttributeError):  # another C library has no such knob
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(ARENA_MAX, 1)
        mallopt(TRIM_THRESHOLD, TRIMMED)
        mallopt(MMAP_THRESHOLD, MAPPED)


if __name__ == "__main__":
    main()

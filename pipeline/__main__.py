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
ARENA_MAX = -8
"""A parameter of mallopt (glibc, malloc.h)."""
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
    """Keep what threads free in one heap, from which all take.

    Slices are fetched by many threads and used by another: with a heap for every few threads (the default of
    glibc) a merge out of a store holds 45 MB more.
    """
    with suppress(OSError, AttributeError):  # another C library has no such knob
        ctypes.CDLL(None).mallopt(ARENA_MAX, 1)


if __name__ == "__main__":
    main()

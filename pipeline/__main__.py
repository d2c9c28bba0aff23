"""The entry: ``recpipe`` and ``python -m pipeline``."""

from __future__ import annotations

import gc

from pipeline.cli.app import app
from pipeline.cli.boundary import signals

FEW_COLLECTIONS = 100_000
"""Imports and packets make many values and hardly a cycle: looking for cycles would only take time."""


def main() -> None:
    """Run the command that was typed, and exit with its code."""
    gc.set_threshold(FEW_COLLECTIONS)
    with signals():
        app()


if __name__ == "__main__":
    main()

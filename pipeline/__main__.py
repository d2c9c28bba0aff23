"""The entry: ``recpipe`` and ``python -m pipeline``."""

from __future__ import annotations

from pipeline.cli.app import app
from pipeline.cli.boundary import signals


def main() -> None:
    """Run the command that was typed, and exit with its code."""
    with signals():
        app()


if __name__ == "__main__":
    main()

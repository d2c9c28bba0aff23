"""The Python interface: what the commands call, with the same meaning."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.job import Done, Limits, merge_all
from pipeline.model.options import Options
from pipeline.steps.find import Folder


def merge(
    source: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    options: Options | None = None,
    *,
    jobs: int | None = None,
) -> tuple[Done, ...]:
    """X"""
    return merge_all(
        Folder(Path(source)),
        Path(dest),
        options or Options(),
        Limits(jobs or 2),
        begin=lambda _: None,
        progress=lambda _: None,
    )

"""The one place that chooses: what a SOURCE means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.sources.folder import Folder
from pipeline.storage.place import place_of

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from pipeline.sources.protocol import Source
    from pipeline.vendors.volcengine import Task


def open_source(
    place: str | os.PathLike[str], task: Task | None, config: str | None, environ: Mapping[str, str]
) -> Source:
    """The source of a place as `pipeline.storage.place` reads it, with what is known of a Volcengine task."""
    where = place_of(place, config, environ)
    if isinstance(where, Path):
        return Folder(where, task)
    from pipeline.sources.bucket import Bucket

    return Bucket(str(place), where, task)

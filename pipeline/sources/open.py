"""The one place that chooses: what a SOURCE means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.sources.folder import Folder

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from pipeline.sources.protocol import Source
    from pipeline.vendors.volcengine import Task


def open_source(
    place: str | os.PathLike[str], task: Task | None, config: str | None, environ: Mapping[str, str]
) -> Source:
    """The source; a store is not asked for anything yet.

    Args:
        place: a path, or a text as `pipeline.storage.address` reads it.
        task: what is known of the Volcengine task that wrote it.
        config: the file of named stores; None for where `read_settings` looks.
        environ: the environment, in which keys and regions are.

    Raises:
        CommandError: the text is no address, or names no store that the settings have.
    """
    if not isinstance(place, str) or ":" not in place:
        return Folder(Path(place), task)
    # Stores need much that a folder does not: these imports take longer than finding a recording.
    from pipeline.storage import address
    from pipeline.storage.settings import read_settings

    where = address.parse_address(place)
    if isinstance(where, address.Folder):
        return Folder(where.path, task)
    settings = read_settings(config, environ).store_of(where, environ)
    from pipeline.sources.bucket import Bucket
    from pipeline.storage.open import open_store

    return Bucket(place, open_store(settings, environ), task)

"""What a SOURCE or DEST means: a path, or an opened part of a store.

Folders are told by the text alone: what stores need takes longer to import than a recording to find.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from pipeline.storage.below import Below
    from pipeline.storage.retrying import Patience


def place_of(
    place: str | os.PathLike[str],
    config: str | None,
    environ: Mapping[str, str],
    patience: Patience | None = None,
) -> Path | Below:
    """The place; a store is not asked for anything yet.

    Args:
        place: a path, or a text as `pipeline.storage.address` reads it.
        config: the file of named stores; None for where `read_settings` looks.
        environ: the environment, in which keys and regions are.
        patience: of a store, for each call; None for the usual one.

    Raises:
        CommandError: the text is no address, or names no store that the settings have.
    """
    if not isinstance(place, str) or ":" not in place:
        return Path(place)
    from pipeline.storage import address

    where = address.parse_address(place)
    if isinstance(where, address.Folder):
        return where.path
    from pipeline.storage.open import open_store
    from pipeline.storage.settings import read_settings

    return open_store(read_settings(config, environ).store_of(where, environ), environ, patience)

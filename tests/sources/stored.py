"""A folder's files put into a store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.storage.protocol import Writes


def put_all(place: Path, store: Writes) -> None:
    """Every file below a folder, under its relative path."""
    files = [path for path in place.rglob("*") if path.is_file()]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda p: store.put(p.relative_to(place).as_posix(), p.read_bytes()), files))

"""Where the job of a rule may read and write: named stores, and folders below one root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.storage.address import MOST_KEY_BYTES, Folder, parse_address

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def check_place(address: str, stores: Collection[str], root: Path | None) -> None:
    """Refuse an address that a job may not name.

    Args:
        address: as a job's source or place.
        stores: names that it may use.
        root: below which folders may lie, links followed; None for nowhere.

    Raises:
        CommandError: it is none, or not allowed.
    """
    place = parse_address(address, exists=lambda _: False)
    if not isinstance(place, Folder):
        if place.store not in stores:
            raise CommandError(f"{address}: jobs of callbacks name stores of recpipe.toml, and no others")
        parts = place.prefix.split("/")[:-1]
        if any(part in {"", ".", ".."} for part in parts):
            raise CommandError(f"{address}: a part of it is empty, or leads elsewhere")
        if len(place.prefix.encode("utf-8", "surrogatepass")) > MOST_KEY_BYTES // 2:
            raise CommandError(f"{address[:40]}…: it is too long")
        return
    if root is None:
        raise CommandError(f"{address}: jobs of callbacks name no folder unless serve.root is set")
    if not place.path.is_absolute() or not place.path.resolve().is_relative_to(root.resolve()):
        raise CommandError(f"{address}: expected an absolute path below {root}")

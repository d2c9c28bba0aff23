"""A folder's files put into a store, and what a store holds compared with a folder."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pipeline.model.manifest import FILE

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.storage.protocol import Store, Writes

THREADS = 8


def put_all(place: Path, store: Writes) -> None:
    """Every file below a folder, under its relative path."""
    files = [path for path in place.rglob("*") if path.is_file()]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda p: store.put(p.relative_to(place).as_posix(), p.read_bytes()), files))


def objects(store: Store) -> dict[str, bytes]:
    """All that a store holds."""
    keys = [stat.key for stat in store.list("")]
    with ThreadPoolExecutor(THREADS) as pool:
        return dict(zip(keys, pool.map(lambda key: store.get(key).data, keys), strict=True))


def told(manifest: bytes) -> object:
    """A manifest without what differs between a store and a folder: how a file's bytes are vouched for."""
    document = json.loads(manifest)
    for output in document["outputs"]:
        assert not output["verdict"]["problems"]
        for name in ("etag", "sha256", "parts", "verdict"):
            del output[name]
    return document


def same(stored: dict[str, bytes], local: dict[str, bytes]) -> bool:
    """The same files, and manifests that tell the same of them."""
    said = {key: told for key in local if key.endswith(FILE)}
    return stored.keys() == local.keys() and all(
        said.get(key, bytes)(stored[key]) == said.get(key, bytes)(local[key]) for key in local
    )

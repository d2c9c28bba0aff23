"""Vod: hand finished files to VOD services, each once, however often the job is stopped and run again."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.journal.notes import MEDIA, texts
from pipeline.model.manifest import Published
from pipeline.publish.protocol import Film, Medium

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.model.manifest import Manifest, Output
    from pipeline.publish.protocol import Vod
    from pipeline.steps.place import Shelf

BEAT_SECONDS = 1.0
Known = dict[tuple[str, str, str], Medium]
"""Media by service, name and SHA-256 of the file."""


def media_of(manifest: Manifest | None) -> Known:
    """The media that a manifest tells."""
    outputs = manifest.outputs if manifest else ()
    return {(m.service, o.file, o.sha256): Medium(m.id, m.url) for o in outputs for m in o.published}


def hand_over(
    manifest: Manifest, services: Mapping[str, Vod], shelf: Shelf, title: str, known: Known
) -> Manifest:
    """Publish every good file of a manifest; the manifest with the ids of the media.

    Args:
        manifest: of files that lie on the shelf.
        services: by their names in the settings.
        shelf: where the files and the notes are.
        title: of the recording, for people.
        known: what earlier runs have published.

    Raises:
        StorageError: a service refuses, or does not answer in time.
    """

    def told(output: Output) -> Output:
        if not output.verdict.good:
            return output
        media = (
            (name, known.get((name, output.file, output.sha256)) or _medium(output, name, vod, shelf, title))
            for name, vod in services.items()
        )
        return replace(output, published=tuple(Published(name, m.id, m.url) for name, m in media))

    return replace(manifest, outputs=tuple(map(told, manifest.outputs)))


def _medium(output: Output, name: str, vod: Vod, shelf: Shelf, title: str) -> Medium:
    """What a service made of a file, in this run or in one before."""
    note = MEDIA + hashlib.sha256(f"{name}\0{output.file}".encode()).hexdigest()[:16]
    found = shelf.notes.read(note)
    # Notes of other bytes under the same name are of an earlier revision: that is another medium.
    found = found if found.get("sha256") == output.sha256 else {}
    begun, done = texts(found.get("begun")), texts(found.get("medium"))
    if done.get("id"):
        return Medium(done["id"], done.get("url", ""))

    def keep(state: Mapping[str, str]) -> None:
        shelf.check()
        shelf.notes.write(note, {"sha256": output.sha256, "begun": dict(state)})

    path = shelf.film(output.file)
    film = Film(output.file, title, output.size, output.sha256, lambda: path.open("rb"))
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(vod.publish, film, begun, keep)
        while wait([future], BEAT_SECONDS).not_done:
            shelf.beat()
        medium = future.result()
    shelf.notes.write(note, {"sha256": output.sha256, "medium": {"id": medium.id, "url": medium.url}})
    return medium

"""What a job notes before its acts, each note a small document of its own, so that processes don't meet.

``claim`` names the files that the job may have written, ``upload-…`` an upload that may be open, ``vod-…``
what publishing a file needs. All are gone when the job has ended.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pipeline.errors import ObjectMissingError
from pipeline.storage.protocol import Extras

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.storage.protocol import Store

CLAIM = "claim"
UPLOAD = "upload-"
MEDIA = "vod-"
"""Begins the names of notes that outlive a run which failed: what they speak of cannot be taken back."""
_SUFFIX = ".json"
_JSON = Extras("application/json")


@dataclass(frozen=True, slots=True)
class Claim:
    """The files that a job may have written.

    Attributes:
        files: all of them.
        foreign: of these, what was there before and is replaced because it was asked for.
    """

    files: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Begun:
    """An upload that is about to begin, or has.

    Attributes:
        file: its key.
        others: ids of uploads of that key that were open before; they are not ours.
        id: "" until the store has told it.
    """

    file: str
    others: tuple[str, ...]
    id: str = ""

    @property
    def name(self) -> str:
        """Of its note."""
        return UPLOAD + hashlib.sha256(self.file.encode()).hexdigest()[:16]


class Notes:
    """The notes of a job.

    Args:
        store: where.
        root: before their keys, with a slash at its end.
        check: called before a note is written or taken away; raises where the job is another's by now.
    """

    def __init__(self, store: Store, root: str, check: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._root = root
        self._check = check

    def names(self) -> tuple[str, ...]:
        """Of all notes that are there."""
        keys = (stat.key[len(self._root) :] for stat in self._store.list(self._root))
        return tuple(key.removesuffix(_SUFFIX) for key in keys if key.endswith(_SUFFIX) and "/" not in key)

    def read(self, name: str) -> dict[str, object]:
        """A note; empty where there is none, or none that can be read."""
        try:
            found = json.loads(self._store.get(self._key(name)).data)
        except (ObjectMissingError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, name: str, note: Mapping[str, object]) -> None:
        """Keep a note; returns when it is kept."""
        self._check()
        self._store.put(self._key(name), json.dumps(note, sort_keys=True).encode(), _JSON)

    def forget(self, name: str) -> None:
        """Take a note away; one that is not there is no error."""
        self._check()
        self._store.delete(self._key(name))

    def _key(self, name: str) -> str:
        return f"{self._root}{name}{_SUFFIX}"

    def claimed(self) -> Claim:
        """What the job may have written so far."""
        found = self.read(CLAIM)
        return Claim(frozenset(_texts(found.get("files"))), frozenset(_texts(found.get("foreign"))))

    def claim(self, files: Claim) -> None:
        """Note what the job will write, before the first of it."""
        self.write(CLAIM, {"files": sorted(files.files), "foreign": sorted(files.foreign)})

    def begin(self, upload: Begun) -> None:
        """Note an upload."""
        self.write(upload.name, asdict(upload))

    def begun(self, name: str) -> Begun | None:
        """The upload of a note."""
        found = self.read(name)
        file, known = found.get("file"), found.get("id")
        if not isinstance(file, str) or not isinstance(known, str):
            return None
        return Begun(file, _texts(found.get("others")), known)


def texts(found: object) -> dict[str, str]:
    """A table of texts in a note; without what is none."""
    pairs = found.items() if isinstance(found, dict) else ()
    return {key: text for key, text in pairs if isinstance(key, str) and isinstance(text, str)}


def _texts(found: object) -> tuple[str, ...]:
    return tuple(text for text in found if isinstance(text, str)) if isinstance(found, list | tuple) else ()

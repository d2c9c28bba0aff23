"""An upload that is another one: what decorators of stores change a part of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.storage.protocol import Stat, Upload


class Passing:
    """Hands everything on."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload

    @property
    def id(self) -> str:
        """As `Upload.id`."""
        return self._upload.id

    @property
    def md5(self) -> bool:
        """As `Upload.md5`."""
        return self._upload.md5

    def part(self, number: int, data: bytes) -> str:
        """As `Upload.part`."""
        return self._upload.part(number, data)

    def complete(self) -> Stat:
        """As `Upload.complete`."""
        return self._upload.complete()

    def abort(self) -> None:
        """As `Upload.abort`."""
        self._upload.abort()

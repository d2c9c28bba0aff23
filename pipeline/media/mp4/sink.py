"""Where the writer of an MP4 puts what it writes: media first, and last of all what stands before it."""

from __future__ import annotations

from typing import BinaryIO, Protocol, runtime_checkable

_COPY_BYTES = 4 << 20


@runtime_checkable
class Sink(Protocol):
    """Takes a file whose beginning is known last; it is neither read nor sought."""

    def media(self, data: bytes) -> None:
        """The next bytes of the media."""

    def head(self, data: bytes) -> None:
        """All that stands before the media; called once, when the media is complete."""


class InFile:
    """A file in which room is left before the media.

    Args:
        file: at its beginning; it can seek and, should the head need more than the room, be read.
        room: bytes; a head has as many or more.
    """

    def __init__(self, file: BinaryIO, room: int) -> None:
        self._file = file
        self._room = room
        self._media = 0
        file.seek(room)

    def media(self, data: bytes) -> None:
        """As `Sink.media`."""
        self._file.write(data)
        self._media += len(data)

    def head(self, data: bytes) -> None:
        """As `Sink.head`; the file is left at its end."""
        if len(data) > self._room:
            self._move(len(data))
        self._file.seek(0)
        self._file.write(data)
        self._file.seek(len(data) + self._media)

    def _move(self, start: int) -> None:
        """Move the media towards the end, last block first, with a block in memory."""
        left = self._media
        while left:
            size = min(left, _COPY_BYTES)
            left -= size
            self._file.seek(self._room + left)
            block = self._file.read(size)
            if len(block) != size:
                raise OSError(f"read {len(block)} of {size} bytes back from the MP4 that is being written")
            self._file.seek(start + left)
            self._file.write(block)

"""A file of AAC in ADTS and nothing else: it has no time stamps, so its frames are placed by their count.

The first frame is at the moment that the file's stamp tells. Source: ISO/IEC 13818-7 6.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pipeline.media.aac import FRAME_SAMPLES, split_adts
from pipeline.media.packet import Packet
from pipeline.media.unreadable import NOTHING_OF_IT, Unreadable
from pipeline.model import ticks
from pipeline.model.slices import NO_PTS, Container, Ends, Format, Medium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.media.aac import AdtsConfig
    from pipeline.model.slices import Slice

AT_ONCE = 1 << 18
"""Bytes that are read at a time."""
FRAMES = 8
"""Frames in a packet."""
_TWO_FRAMES = 2 * 8191


def is_adts(head: bytes) -> bool:
    """Whether a file that begins so is ADTS: a header, and where its frame ends another one, or the end.

    Args:
        head: its first 16 KiB, or all of it.
    """
    if head[:1] != b"\xff":
        return False
    split = split_adts(head)
    whole = len(head) < _TWO_FRAMES or len(split.frames) > 1
    return bool(split.frames) and not split.skipped and whole


def look(file: BinaryIO, medium: Medium) -> Ends | Unreadable:
    """What a file says of one medium; it is read whole, for nothing else tells how long it is."""
    if medium is Medium.VIDEO:
        return Unreadable(NOTHING_OF_IT)
    config: AdtsConfig | None = None
    count = 0
    reader = _Frames(file)
    for frames, found in reader:
        config = config or found
        count += len(frames)
    if config is None:
        return Unreadable("it holds no whole AAC frame")
    step = ticks.ticks_of(FRAME_SAMPLES, config.sample_rate)
    parameters = config.audio_specific_config.hex()
    return Ends(
        first=0,
        span=ticks.ticks_of(FRAME_SAMPLES * count, config.sample_rate),
        step=step,
        key=True,
        form=Format("aac", rate=config.sample_rate, channels=config.channels, parameters=parameters),
        cut=NO_PTS if reader.rest else None,
        container=Container.ADTS,
    )


class _Frames:
    """The whole frames of a file, some at a time, and their configuration; ``rest`` is what has no end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.rest = b""
        self.skipped = 0

    def __iter__(self) -> Iterator[tuple[list[bytes], AdtsConfig]]:
        while data := self._file.read(AT_ONCE):
            split = split_adts(self.rest + data)
            self.rest = split.rest
            self.skipped += split.skipped
            if split.frames and split.config is not None:
                yield split.frames, split.config


class AdtsRun:
    """The packets of a run of such files; implements `pipeline.media.packet.Packets`.

    Args:
        open_slice: opens a key for reading.
        pieces: the run's files.
    """

    def __init__(self, open_slice: Callable[[str], BinaryIO], pieces: Sequence[Slice]) -> None:
        self._open = open_slice
        self._pieces = pieces
        self._file: BinaryIO | None = None
        self.breaks: dict[int, int] = {}
        self.skipped: dict[int, int] = {}
        self.lost = 0
        self.position = 0

    def __iter__(self) -> Iterator[Packet]:
        for index, piece in enumerate(self._pieces):
            self.close()
            self._file = self._open(piece.key)
            begun = self.position
            try:
                yield from self._slice(index, piece, self._file)
            except OSError as error:
                error.filename = error.filename or piece.key
                raise
            self.position = begun + piece.size

    def _slice(self, index: int, piece: Slice, file: BinaryIO) -> Iterator[Packet]:
        count = 0
        reader = _Frames(file)
        for frames, config in reader:
            for first in range(0, len(frames), FRAMES):
                some = frames[first : first + FRAMES]
                stamp = ticks.ticks_of(FRAME_SAMPLES * count, config.sample_rate)
                begin = piece.ends.first if piece.ends else 0
                data = b"".join(config.header(len(frame)) + frame for frame in some)
                yield Packet((begin + stamp) % ticks.WRAP, (begin + stamp) % ticks.WRAP, index, data)
                count += len(some)
                self.position += len(data)
        if reader.skipped:
            self.breaks[index] = 1
        if reader.rest:
            self.lost += 1

    def close(self) -> None:
        """Close the file that is open."""
        if self._file is not None:
            self._file.close()
            self._file = None

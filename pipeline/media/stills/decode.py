"""Single pictures out of a decoder: which ones is told while it is fed, and they come out upright, as RGB."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import av
import av.error
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from pipeline.model import ticks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame

RECENT = 3
"""Pictures that are kept when they have come out: a moment may ask for one that came with the last."""
_HALF, _QUARTER = 180, 90


class Still(NamedTuple):
    """An upright picture: lines of RGB, 3 bytes a pixel, without padding."""

    width: int
    height: int
    pixels: bytes


class Taken(NamedTuple):
    """What is shown at a moment: its number, the UTC tick from which it is shown, and the picture.

    There is no picture where none can be decoded.
    """

    number: int
    since: int
    still: Still | None


class Unit(NamedTuple):
    """A picture before it is decoded.

    ``at`` and ``due`` are UTC ticks of presentation and decoding; of a picture that is not ``shown`` others
    are made. ``clockwise`` degrees turn it upright.
    """

    at: int
    due: int
    key: bool
    shown: bool
    data: bytes
    clockwise: int


class StillDecoder:
    """Decodes groups of pictures from their key frames on, and hands out those that are wanted.

    Args:
        codec: as in `Format`.
        width: of the pictures; None for the size in which they were sent.
    """

    def __init__(self, codec: str, width: int | None) -> None:
        self._codec = codec
        self._context = _context(codec)
        self._lone: VideoCodecContext | None = None
        self._width = width
        self._scaler = VideoReformatter()
        self._inside: dict[int, Unit] = {}
        self._fed = 0
        self._wanted: deque[tuple[int, int]] = deque()
        self._recent: deque[tuple[Unit, VideoFrame]] = deque(maxlen=RECENT)
        self._last: tuple[int, Still] | None = None

    @property
    def busy(self) -> bool:
        """A picture is wanted that has not come out."""
        return bool(self._wanted)

    def begin(self) -> None:
        """A key frame comes next, and what comes behind it refers to nothing before."""
        if self._fed:
            self._context.flush_buffers()
        self._inside.clear()
        self._recent.clear()
        self._fed = 0

    def want(self, number: int, at: int) -> Iterator[Taken]:
        """Ask for the picture shown from UTC tick ``at`` on; what is asked for rises."""
        if self._recent and self._recent[-1][0].at >= at:
            yield from self._shown(number, at)
        else:
            self._wanted.append((number, at))

    def feed(self, unit: Unit) -> Iterator[Taken]:
        """Decode a picture; gives those that were wanted and came out."""
        # What nothing refers to is not decoded before the picture that is wanted.
        needless = bool(self._wanted) and unit.at < self._wanted[0][1]
        self._context.skip_frame = "NONREF" if needless else "DEFAULT"
        self._fed += 1
        self._inside[self._fed] = unit
        yield from self._came(_decoded(self._context, _packet(unit.data, self._fed)))

    def drain(self) -> Iterator[Taken]:
        """What is wanted and still inside; instead of one that cannot be decoded the one before it."""
        if self._fed:
            yield from self._came(_decoded(self._context, None))
            self._context.flush_buffers()
        while self._wanted:
            yield from self._shown(*self._wanted.popleft())
        self.begin()

    def alone(self, number: int, unit: Unit) -> Taken | None:
        """A key frame and nothing else decoded; None where that cannot be."""
        if self._lone is None:
            self._lone = _context(self._codec)
        frames = [*_decoded(self._lone, _packet(unit.data, 1)), *_decoded(self._lone, None)]
        self._lone.flush_buffers()
        return Taken(number, unit.at, self._still(unit, frames[0], self._lone)) if frames else None

    def _came(self, frames: list[VideoFrame]) -> Iterator[Taken]:
        """Pictures come out in the order in which they are shown."""
        for frame in frames:
            unit = self._inside.pop(frame.pts or 0, None)
            if unit is None:
                continue
            while self._wanted and self._wanted[0][1] < unit.at:
                yield from self._shown(*self._wanted.popleft())
            self._recent.append((unit, frame))
            while self._wanted and self._wanted[0][1] == unit.at:
                yield from self._shown(*self._wanted.popleft())

    def _shown(self, number: int, at: int) -> Iterator[Taken]:
        """The last of the pictures that came out which is not later than ``at``, if any is."""
        found = next(((u, f) for u, f in reversed(self._recent) if u.at <= at), None)
        if found is None:
            yield Taken(number, at, None)
        else:
            unit, frame = found
            yield Taken(number, unit.at, self._still(unit, frame, self._context))

    def _still(self, unit: Unit, frame: VideoFrame, context: VideoCodecContext) -> Still:
        if self._last is None or self._last[0] != unit.at:
            aspect = context.sample_aspect_ratio or Fraction(1)
            self._last = unit.at, _upright(self._scaler, frame, unit.clockwise, aspect, self._width)
        return self._last[1]


def size_of(width: int, height: int, aspect: Fraction, most: int | None) -> tuple[int, int]:
    """The size of an upright picture as it is looked at.

    Args:
        width: pixels of the upright picture.
        height: as width.
        aspect: width of a pixel by its height, upright.
        most: the width that is wanted; None for that of the pixels, which are stretched and never squeezed.

    >>> size_of(720, 576, Fraction(16, 15), None), size_of(640, 360, Fraction(1), 320)
    ((768, 576), (320, 180))
    """
    if aspect >= 1:
        across, down = width * aspect, Fraction(height)
    else:
        across, down = Fraction(width), height / aspect
    if most is None:
        return max(1, round(across)), max(1, round(down))
    return most, max(2, round(down * most / across / 2) * 2)


def _upright(
    scaler: VideoReformatter, frame: VideoFrame, clockwise: int, aspect: Fraction, most: int | None
) -> Still:
    lying = clockwise % _HALF != 0
    sides = (frame.height, frame.width) if lying else (frame.width, frame.height)
    across, down = size_of(*sides, 1 / aspect if lying else aspect, most)
    width, height = (down, across) if lying else (across, down)
    known = frame.colorspace in {Colorspace.ITU709, Colorspace.BT2020}
    ready = scaler.reformat(
        frame,
        width,
        height,
        "rgb24",
        src_colorspace=frame.colorspace if known else Colorspace.ITU601,
        src_color_range=frame.color_range,
        interpolation="BICUBIC",
        threads=1,
    )
    (plane,) = ready.planes
    lines = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(height, plane.line_size)
    pixels = lines[:, : 3 * width].reshape(height, width, 3)
    return Still(across, down, np.rot90(pixels, -clockwise // _QUARTER).tobytes())


def _context(codec: str) -> VideoCodecContext:
    context = cast("VideoCodecContext", av.CodecContext.create(codec, "r"))
    context.thread_count = 1  # several threads wait for each other's pictures, and users are done at once
    return context


def _packet(data: bytes, number: int) -> Packet[Any]:
    packet = av.Packet(data)
    packet.pts, packet.time_base = number, Fraction(1, ticks.TICKS)
    return packet


def _decoded(context: VideoCodecContext, packet: Packet[Any] | None) -> list[VideoFrame]:
    try:
        return context.decode(packet)
    except av.error.FFmpegError:
        return []

"""Pictures of another shape re-encoded to fit a track: decoded, turned, scaled with their aspect, padded.

Each picture keeps its own time; none is added and none left out.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import av
import av.error
import numpy as np
from av.video.reformatter import ColorRange, VideoReformatter

from pipeline.media.pictures.bitstream import bitstream
from pipeline.media.pictures.pieces import Pieces, encode_one
from pipeline.model import ticks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane
    from numpy.typing import NDArray

    from pipeline.media.annexb import AccessUnit
    from pipeline.media.pictures.pieces import Fitted
    from pipeline.model.shapes import Shape

_BLACK, _NO_COLOUR = 16, 128  # limited range (ITU-R BT.601)


class Fitter:
    """One stretch of pictures that are re-encoded, from a key frame of its own on.

    Args:
        source: codec that the pictures come in.
        target: the shape that they go into; width and height are even.
        sets_id: identifier of the parameter sets written (H.264).
    """

    def __init__(self, source: str, target: Shape, sets_id: int) -> None:
        self._decoder = cast("VideoCodecContext", av.CodecContext.create(source, "r"))
        self._decoder.thread_count = 1  # the encoders keep the other processors busy
        self._pieces = Pieces(target, sets_id)
        self._scaler = VideoReformatter()
        self._target = target
        self._clockwise: dict[int, int] = {}  # of pictures that wait in the decoder, by file ticks
        self.undecoded = 0

    def prime(self, data: bytes, at: int) -> None:
        """Decode a picture that others refer to; nothing comes out for it."""
        for _ in self._decoded(_packet(data, at)):
            pass

    def take(self, data: bytes, at: int, clockwise: int) -> Iterator[Fitted]:
        """Re-encode a packet, shown at file tick ``at``, turned by ``clockwise``; gives what is ready."""
        self._clockwise[at] = clockwise
        self._encode(self._decoded(_packet(data, at)))
        yield from self._pieces.ready()

    def end(self) -> Iterator[Fitted]:
        """What is still inside; the pictures that could not be decoded are counted in ``undecoded``."""
        self._encode(self._decoded(None))
        yield from self._pieces.end()
        self.undecoded = len(self._clockwise)

    def _decoded(self, packet: Packet[Any] | None) -> list[VideoFrame]:
        try:
            return self._decoder.decode(packet)
        except av.error.FFmpegError:
            return []  # its time stays in `_clockwise`

    def _encode(self, frames: Iterable[VideoFrame]) -> None:
        """Draw pictures and hand them to the encoders."""
        for frame in frames:
            at = frame.pts
            clockwise = None if at is None else self._clockwise.pop(at, None)
            if at is None or clockwise is None:
                continue
            picture = self._drawn(frame, clockwise)
            picture.pts, picture.time_base = at, self._pieces.time_base
            self._pieces.put(picture)

    def _drawn(self, frame: VideoFrame, clockwise: int) -> VideoFrame:
        """The picture in the middle of a black one of the target's size, as large as its aspect allows."""
        turn = (clockwise - self._target.clockwise) % 360
        lying = turn % 180 != 0
        width, height = (frame.height, frame.width) if lying else (frame.width, frame.height)
        inside = fitted_size(width, height, self._target.width, self._target.height)
        across, down = reversed(inside) if lying else inside
        whole = (self._target.width, self._target.height)
        ready = frame.format.name == "yuv420p" and frame.color_range != ColorRange.JPEG
        if not ready or (frame.width, frame.height) != (across, down):
            frame = self._scaler.reformat(
                frame,
                across,
                down,
                "yuv420p",
                interpolation="BICUBIC",
                dst_color_range="MPEG",
                threads=1,  # the encoders keep the other processors busy
            )
        return frame if not turn and inside == whole else _padded(frame, turn, whole)


def fitted_size(width: int, height: int, most_width: int, most_height: int) -> tuple[int, int]:
    """The largest even size of an aspect that goes into another size, which is even.

    >>> fitted_size(320, 180, 640, 480), fitted_size(180, 320, 640, 360)
    ((640, 360), (202, 360))
    """
    scale = min(Fraction(most_width, width), Fraction(most_height, height))
    across, down = (max(2, round(side * scale / 2) * 2) for side in (width, height))
    return min(across, most_width), min(down, most_height)


def black_picture(target: Shape, sets_id: int) -> AccessUnit:
    """A black key frame of a shape, its parameter sets (those of all that is encoded into it) before it."""
    frame = av.VideoFrame(target.width, target.height, "yuv420p")
    for number, plane in enumerate(frame.planes):
        _pixels(plane)[:] = _NO_COLOUR if number else _BLACK
    return bitstream(target.codec, in_band=True).unit(encode_one(frame, target, sets_id))


def _packet(data: bytes, at: int) -> Packet[Any]:
    packet = av.Packet(data)
    packet.pts, packet.time_base = at, Fraction(1, ticks.TICKS)
    return packet


def _pixels(plane: VideoPlane) -> NDArray[np.uint8]:
    """A view of a plane, writable, lines by columns."""
    lines = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(plane.height, plane.line_size)
    return lines[:, : plane.width]


def _padded(frame: VideoFrame, turn: int, whole: tuple[int, int]) -> VideoFrame:
    """A picture turned clockwise, in the middle of a black one whose width and height are even."""
    canvas = av.VideoFrame(*whole, "yuv420p")
    for number, (plane, behind) in enumerate(zip(frame.planes, canvas.planes, strict=True)):
        turned, room = np.rot90(_pixels(plane), -turn // 90), _pixels(behind)
        down, across = turned.shape
        spare = room.shape[0] - down, room.shape[1] - across
        if any(spare):
            room[:] = _NO_COLOUR if number else _BLACK
        # On an even line and column, because chroma lies on every second one.
        top, left = (side // 2 if number else side // 4 * 2 for side in spare)
        room[top : top + down, left : left + across] = turned
    return canvas

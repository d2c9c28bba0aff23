"""Pictures encoded in pieces from key frame to key frame, two at a time, each by an encoder of its own.

Two encoders of one thread are faster than one encoder of two, which wait for each other's rows. Where a
piece ends depends on the pictures' times alone, so that the same input gives the same bytes everywhere.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import av
from av.video.frame import PictureType

from pipeline.media.pictures.bitstream import VPX
from pipeline.model import ticks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame

    from pipeline.model.shapes import Shape

LANES = 2
WAITING_BYTES = 24_000_000
"""Of pictures that wait for the encoders: as much as a piece of 640x360 at 30 frames a second."""
KEY_EVERY = 2 * ticks.TICKS
"""File ticks between key frames of what is encoded, so that players can seek into it."""
CRF = {"h264": 20, "hevc": 22, "vp8": 10, "vp9": 28}
PRESET = "veryfast"
MOST_VP8_BITS = 20_000_000
"""A second, more than pictures need: VP8 has no constant quality without a bound."""
_ENCODERS = {"h264": "libx264", "hevc": "libx265", "vp8": "libvpx", "vp9": "libvpx-vp9"}
_MANY_FRAMES = 1_000_000


class Fitted(NamedTuple):
    """An encoded picture: file ticks, key frame, access unit with start codes."""

    at: int
    key: bool
    data: bytes


class Pieces:
    """Encodes pictures of one shape that come in order of time; they leave in that order.

    Args:
        target: their shape.
        sets_id: identifier of the parameter sets written (H.264).
    """

    def __init__(self, target: Shape, sets_id: int) -> None:
        self._target = target
        self._sets_id = sets_id
        # Each encoder has its own thread, in which libav works without the interpreter's lock.
        self._lanes = deque(ThreadPoolExecutor(1) for _ in range(LANES))
        self._room = BoundedSemaphore(max(8, WAITING_BYTES * 2 // (3 * target.width * target.height)))
        self._encoder: VideoCodecContext | None = None
        self._next_key = 0
        self._after_key = False
        self._made: deque[Future[list[Fitted]]] = deque()

    @property
    def time_base(self) -> Fraction:
        """Of the pictures' PTS."""
        return Fraction(1, ticks.TICKS)

    def put(self, picture: VideoFrame) -> None:
        """Take a picture whose PTS is in file ticks; waits while too many wait for the encoders."""
        at = cast("int", picture.pts)
        picture.pict_type = PictureType.NONE  # a decoder's would be an order to the encoder
        if self._encoder is None or at >= self._next_key:
            # Two encoders give their key frames the same idr_pic_id, which may not meet (H.264 §7.4.3).
            if not self._after_key:
                self._begin()
            picture.pict_type = PictureType.I
            self._next_key = at + KEY_EVERY
        self._after_key = picture.pict_type == PictureType.I
        self._room.acquire()
        self._submit(picture)

    def ready(self) -> Iterator[Fitted]:
        """What is encoded."""
        while self._made and self._made[0].done():
            yield from self._made.popleft().result()

    def end(self) -> Iterator[Fitted]:
        """What is left."""
        self._finish()
        while self._made:
            yield from self._made.popleft().result()
        for lane in self._lanes:
            lane.shutdown()

    def _begin(self) -> None:
        self._finish()
        self._lanes.rotate()
        self._encoder = _encoder(self._target, self._sets_id)

    def _finish(self) -> None:
        if self._encoder is not None:
            self._submit(None)

    def _submit(self, picture: VideoFrame | None) -> None:
        encoder = cast("VideoCodecContext", self._encoder)
        self._made.append(self._lanes[0].submit(self._encoded, encoder, picture))

    def _encoded(self, encoder: VideoCodecContext, picture: VideoFrame | None) -> list[Fitted]:
        try:
            return list(map(_fitted, encoder.encode(picture)))
        finally:
            if picture is not None:
                self._room.release()


def encode_one(picture: VideoFrame, target: Shape, sets_id: int) -> bytes:
    """A single picture as a key frame, under the parameter sets of all that is encoded into the shape."""
    encoder = _encoder(target, sets_id)
    picture.pts, picture.time_base = 0, encoder.time_base
    packets = [*encoder.encode(picture), *encoder.encode(None)]
    return bytes(packets[0])


def _encoder(target: Shape, sets_id: int) -> VideoCodecContext:
    encoder = cast("VideoCodecContext", av.CodecContext.create(_ENCODERS[target.codec], "w"))
    encoder.width, encoder.height = target.width, target.height
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, ticks.TICKS)
    encoder.framerate = Fraction(30)
    encoder.thread_count = 1
    encoder.gop_size = _MANY_FRAMES
    encoder.max_b_frames = 0  # decoded in the order in which they are shown, as calls are
    crf = str(CRF[target.codec])
    if target.codec in VPX:
        most = str(MOST_VP8_BITS) if target.codec == "vp8" else "0"
        encoder.options = {
            "crf": crf,
            "b": most,
            "deadline": "realtime",
            "cpu-used": "6",
            "lag-in-frames": "0",
        }
        return encoder
    encoder.options = {"preset": PRESET, "crf": crf, "forced-idr": "1"}
    if target.codec == "h264":
        encoder.options |= {"x264-params": f"sps-id={sets_id}"}
    else:
        encoder.options |= {"x265-params": "open-gop=0:pools=1:frame-threads=1:log-level=none"}
    return encoder


def _fitted(packet: Packet[Any]) -> Fitted:
    if packet.pts is None:
        raise AssertionError("the encoder gave a picture without a time")
    return Fitted(packet.pts, packet.is_keyframe, bytes(packet))

"""Pictures of another shape re-encoded to fit a track: decoded, turned, scaled with their aspect, padded.

Each picture keeps its own time; none is added and none left out. The number of threads is fixed, so that the
same input gives the same bytes whatever the machine.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import av
import av.error
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, VideoReformatter

from pipeline.media.pictures.bitstream import VPX, bitstream
from pipeline.model import ticks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from pipeline.media.annexb import AccessUnit
    from pipeline.model.shapes import Shape

THREADS = 2
AHEAD = 8
"""Pictures that wait for the encoder while others are decoded and drawn."""
KEY_EVERY = 2 * ticks.TICKS
"""File ticks between key frames of what is encoded, so that players can seek into it."""
CRF = {"h264": 20, "hevc": 22, "vp8": 10, "vp9": 28}
PRESET = "veryfast"
MOST_VP8_BITS = 20_000_000
"""A second, more than pictures need: VP8 has no constant quality without a bound."""
_ENCODERS = {"h264": "libx264", "hevc": "libx265", "vp8": "libvpx", "vp9": "libvpx-vp9"}
_BLACK, _NO_COLOUR = 16, 128  # limited range (ITU-R BT.601)
_MANY_FRAMES = 1_000_000


class Fitted(NamedTuple):
    """An encoded picture: file ticks, key frame, access unit with start codes."""

    at: int
    key: bool
    data: bytes


class Fitter:
    """One stretch of pictures that are re-encoded, from a key frame of its own on.

    Args:
        source: codec that the pictures come in.
        target: the shape that they go into; width and height are even.
        sets_id: identifier of the parameter sets written (H.264).
    """

    def __init__(self, source: str, target: Shape, sets_id: int) -> None:
        self._decoder = cast("VideoCodecContext", av.CodecContext.create(source, "r"))
        self._decoder.thread_count = THREADS
        self._encoder = _encoder(target, sets_id)
        self._scaler = VideoReformatter()
        self._target = target
        self._clockwise: dict[int, int] = {}  # of pictures that wait in the decoder, by file ticks
        self._next_key: int | None = None
        self._beside = ThreadPoolExecutor(1)
        self._waiting: deque[Future[list[Fitted]]] = deque()
        self.undecoded = 0

    def prime(self, data: bytes, at: int) -> None:
        """Decode a picture that others refer to; nothing comes out for it."""
        for _ in self._decoded(_packet(data, at)):
            pass

    def take(self, data: bytes, at: int, clockwise: int) -> Iterator[Fitted]:
        """Re-encode a packet, shown at file tick ``at``, turned by ``clockwise``; gives what is ready."""
        self._clockwise[at] = clockwise
        self._encode(self._decoded(_packet(data, at)))
        yield from self._ready(AHEAD)

    def end(self) -> Iterator[Fitted]:
        """What is still inside; the pictures that could not be decoded are counted in ``undecoded``."""
        self._encode(self._decoded(None))
        self._waiting.append(self._beside.submit(self._encoded, None))
        yield from self._ready(0)
        self._beside.shutdown()
        self.undecoded = len(self._clockwise)

    def _ready(self, most: int) -> Iterator[Fitted]:
        """What the encoder has made, with no more than ``most`` pictures left to it."""
        while self._waiting and (len(self._waiting) > most or self._waiting[0].done()):
            yield from self._waiting.popleft().result()

    def _decoded(self, packet: Packet[Any] | None) -> list[VideoFrame]:
        try:
            return self._decoder.decode(packet)
        except av.error.FFmpegError:
            return []  # its time stays in `_clockwise`

    def _encoded(self, picture: VideoFrame | None) -> list[Fitted]:
        return list(map(_fitted, self._encoder.encode(picture)))

    def _encode(self, frames: Iterable[VideoFrame]) -> None:
        """Draw pictures and hand them to the encoder, which works beside without the interpreter's lock."""
        for frame in frames:
            at = frame.pts
            clockwise = None if at is None else self._clockwise.pop(at, None)
            if at is None or clockwise is None:
                continue
            picture = self._drawn(frame, clockwise)
            picture.pts, picture.time_base = at, self._encoder.time_base
            picture.pict_type = PictureType.NONE  # the decoder's would be an order to the encoder
            if self._next_key is None or at >= self._next_key:
                picture.pict_type = PictureType.I
                self._next_key = at + KEY_EVERY
            self._waiting.append(self._beside.submit(self._encoded, picture))

    def _drawn(self, frame: VideoFrame, clockwise: int) -> VideoFrame:
        """The picture in the middle of a black one of the target's size, as large as its aspect allows."""
        turn = (clockwise - self._target.clockwise) % 360
        lying = turn % 180 != 0
        width, height = (frame.height, frame.width) if lying else (frame.width, frame.height)
        inside = fitted_size(width, height, self._target.width, self._target.height)
        across, down = reversed(inside) if lying else inside
        whole = (self._target.width, self._target.height)
        as_it_is = not turn and (frame.width, frame.height) == inside == whole
        if as_it_is and frame.format.name == "yuv420p" and frame.color_range != ColorRange.JPEG:
            return frame
        scaled = self._scaler.reformat(
            frame, across, down, "yuv420p", interpolation="BICUBIC", dst_color_range="MPEG"
        )
        if not turn and inside == whole:
            return scaled
        picture = cast("NDArray[np.uint8]", scaled.to_ndarray())
        return av.VideoFrame.from_ndarray(_padded(picture, (across, down), turn, whole), format="yuv420p")


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
    encoder = _encoder(target, sets_id)
    frame = av.VideoFrame.from_ndarray(_canvas(target.width, target.height), format="yuv420p")
    frame.pts, frame.time_base = 0, encoder.time_base
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    return bitstream(target.codec, in_band=True).unit(bytes(packets[0]))


def _encoder(target: Shape, sets_id: int) -> VideoCodecContext:
    encoder = cast("VideoCodecContext", av.CodecContext.create(_ENCODERS[target.codec], "w"))
    encoder.width, encoder.height = target.width, target.height
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, ticks.TICKS)
    encoder.framerate = Fraction(30)
    encoder.thread_count = THREADS
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
        if target.codec == "vp9":
            encoder.options |= {"row-mt": "1"}
        return encoder
    encoder.options = {"preset": PRESET, "crf": crf, "forced-idr": "1"}
    if target.codec == "h264":
        encoder.options |= {"x264-params": f"sps-id={sets_id}"}
    else:
        encoder.options |= {"x265-params": "open-gop=0:pools=2:frame-threads=1:log-level=none"}
    return encoder


def _packet(data: bytes, at: int) -> Packet[Any]:
    packet = av.Packet(data)
    packet.pts, packet.time_base = at, Fraction(1, ticks.TICKS)
    return packet


def _fitted(packet: Packet[Any]) -> Fitted:
    if packet.pts is None:
        raise AssertionError("the encoder gave a picture without a time")
    return Fitted(packet.pts, packet.is_keyframe, bytes(packet))


def _canvas(width: int, height: int) -> NDArray[np.uint8]:
    canvas = np.full((height * 3 // 2, width), _NO_COLOUR, dtype=np.uint8)
    canvas[:height] = _BLACK
    return canvas


def _planes(picture: NDArray[np.uint8], width: int, height: int) -> Iterator[NDArray[np.uint8]]:
    """Views of the three planes of planar 4:2:0, writable."""
    yield picture[:height]
    flat = picture[height:].reshape(-1)
    chroma = width * height // 4
    for n in range(2):
        yield flat[n * chroma : (n + 1) * chroma].reshape(height // 2, width // 2)


def _padded(
    picture: NDArray[np.uint8], size: tuple[int, int], turn: int, whole: tuple[int, int]
) -> NDArray[np.uint8]:
    """A picture turned clockwise, in the middle of a black one; sizes are (width, height), even."""
    width, height = whole
    canvas = _canvas(width, height)
    planes = zip(_planes(picture, *size), _planes(canvas, width, height), strict=True)
    for number, (plane, room) in enumerate(planes):
        turned = np.rot90(plane, -turn // 90)
        down, across = turned.shape
        spare = room.shape[0] - down, room.shape[1] - across
        # On an even line and column, because chroma lies on every second one.
        top, left = (side // 2 if number else side // 4 * 2 for side in spare)
        room[top : top + down, left : left + across] = turned
    return canvas

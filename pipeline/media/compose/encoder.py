"""The encoder of a composite's pictures, with one thread: pieces are encoded side by side."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import av
import av.codec.codec
import av.error
from av.video.frame import PictureType

from pipeline.errors import CommandError
from pipeline.layout.encoding import VideoCodec

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame

    from pipeline.layout.canvas import Canvas
    from pipeline.layout.encoding import Encoding

SOFTWARE = {VideoCodec.H264: "libx264", VideoCodec.HEVC: "libx265"}
SURE_WIDTH = 512
"""On narrower canvases MB-tree of x264 gives other bits from run to run where there is AVX-512 (tried)."""
_BT601 = 6  # SMPTE 170M (ITU-T H.273 table 4)
_LIMITED = 1


class Encoder:
    """Encodes frames that follow one another; their times count from 0, a key frame once a GOP at least.

    Args:
        encoding: how.
        canvas: their size.

    Raises:
        CommandError: this machine has no such encoder, or it does not work here.
    """

    def __init__(self, encoding: Encoding, canvas: Canvas) -> None:
        self._name = encoding.encoder or SOFTWARE[encoding.codec]
        self._context = _context(encoding, canvas, self._name)
        self._count = 0

    def push(self, frame: VideoFrame) -> list[Packet[Any]]:
        """What is ready when this frame follows."""
        frame.pts, frame.time_base = self._count, self._context.time_base
        frame.pict_type = PictureType.NONE
        self._count += 1
        return self._encoded(frame)

    def end(self) -> list[Packet[Any]]:
        """What is left."""
        return self._encoded(None)

    def _encoded(self, frame: VideoFrame | None) -> list[Packet[Any]]:
        try:
            return self._context.encode(frame)
        except av.error.FFmpegError as error:
            raise CommandError(
                f"the encoder {self._name} does not work here ({error}): use --encoder "
                f"{' or '.join(SOFTWARE.values())}, or other values for it."
            ) from error


def check_encoder(encoding: Encoding, canvas: Canvas) -> None:
    """Raise what making the encoder would: before anything is decoded."""
    Encoder(encoding, canvas).end()


def _context(encoding: Encoding, canvas: Canvas, name: str) -> VideoCodecContext:
    try:
        codec = av.Codec(name, "w")
    except av.codec.codec.UnknownCodecError as error:
        raise CommandError(f"this PyAV has no encoder {name!r}: leave --encoder out.") from error
    if codec.type != "video" or codec.canonical_name != encoding.codec:
        raise CommandError(
            f"the encoder {name} makes no {encoding.codec}: name one that does, or leave it out."
        )
    context = cast("VideoCodecContext", av.CodecContext.create(codec, "w"))
    context.width, context.height, context.pix_fmt = canvas.width, canvas.height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, encoding.fps), Fraction(encoding.fps)
    context.thread_count = 1
    context.gop_size = encoding.gop
    context.color_range, context.colorspace = _LIMITED, _BT601
    context.color_primaries, context.color_trc = _BT601, _BT601
    if encoding.bit_rate:
        context.bit_rate = encoding.bit_rate
    context.options = _options(encoding, canvas, codec.name)  # `h264` is a name of libx264 too
    return context


def _options(encoding: Encoding, canvas: Canvas, name: str) -> dict[str, str]:
    options: dict[str, str] = {}
    if encoding.profile:
        options["profile"] = encoding.profile
    if name not in SOFTWARE.values():
        return options
    options["preset"] = encoding.preset
    if not encoding.bit_rate:
        options["crf"] = str(encoding.quality)
    if name == "libx264" and canvas.width < SURE_WIDTH:
        options["x264-params"] = "mbtree=0"
    if name == "libx265":
        options["x265-params"] = (
            f"keyint={encoding.gop}:min-keyint=1:open-gop=0:pools=none:frame-threads=1:wpp=0:log-level=none"
        )
    return options

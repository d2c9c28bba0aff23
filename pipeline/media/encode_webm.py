"""Encoders for recordings of web senders that the program makes itself: VP8 or VP9 pictures, Opus sound.

As in ``encode``: arrays with chosen times become frames with exactly these times. One thread and no clock, so
the same input gives the same bytes on the same kind of machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, cast

import av
from av.video.frame import PictureType

from pipeline.media.opus import RATE, OpusHead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    import numpy.typing as npt
    from av.audio.codeccontext import AudioCodecContext
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext

TICKS_PER_SECOND = 90_000
OPUS_FRAME = 960
"""Samples of a frame: 20 ms, what browsers send."""

VpxCodec = Literal["vp8", "vp9"]
Application = Literal["audio", "voip", "lowdelay"]

_ENCODERS: dict[VpxCodec, str] = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_LAYOUTS = {1: "mono", 2: "stereo"}
_NEVER = 1_000_000  # a key frame distance in frames that only forced key frames reach


@dataclass(frozen=True, slots=True)
class CodedFrame:
    """One frame of VP8, VP9 or Opus.

    Attributes:
        data: what goes into a block of WebM.
        at_ticks: presentation time, 1/90000 s, as the caller gave it; for sound, where the samples that it
            decodes to belong, the decoder's own delay not counted (the first ones lie before 0).
        key: a decoder can begin here; always true for sound.
    """

    data: bytes
    at_ticks: int
    key: bool


@dataclass(frozen=True, slots=True)
class CodedOpus:
    """Sound in Opus: its header, whose pre-skip is the encoder's delay, and its frames."""

    head: OpusHead
    frames: tuple[CodedFrame, ...]


def encode_vpx(
    pictures: Iterable[tuple[int, npt.NDArray[np.uint8]]],
    *,
    width: int,
    height: int,
    codec: VpxCodec = "vp8",
    gop_ticks: int = 2 * TICKS_PER_SECOND,
    bit_rate: int = 600_000,
) -> Iterator[CodedFrame]:
    """Encode pictures at times of the caller's choosing, as a web sender does: no hidden frames, no lag.

    Args:
        pictures: (presentation time in 1/90000 s, strictly rising; planar YUV 4:2:0 of shape
            (height * 3 / 2, width)).
        width: pixels, even.
        height: as width.
        codec: which encoder.
        gop_ticks: the first picture, and each that is at least this long after the last key picture, is a
            key frame.
        bit_rate: bits per second.
    """
    encoder = cast("VideoCodecContext", av.CodecContext.create(_ENCODERS[codec], "w"))
    encoder.width, encoder.height = width, height
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, TICKS_PER_SECOND)
    encoder.framerate = Fraction(30)
    encoder.thread_count = 1
    encoder.gop_size = _NEVER
    encoder.bit_rate = bit_rate
    speed = "-8" if codec == "vp8" else "8"  # of VP8 a positive one follows the load of the machine
    encoder.options = {"deadline": "realtime", "cpu-used": speed, "lag-in-frames": "0", "auto-alt-ref": "0"}
    next_key: int | None = None
    for at_ticks, picture in pictures:
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = at_ticks, encoder.time_base
        if next_key is None or at_ticks >= next_key:
            frame.pict_type = PictureType.I
            next_key = at_ticks + gop_ticks
        yield from map(_picture, encoder.encode(frame))
    yield from map(_picture, encoder.encode(None))


def encode_opus(
    pieces: Iterable[npt.NDArray[np.int16]],
    *,
    channels: int,
    start_ticks: int = 0,
    frame: int = OPUS_FRAME,
    bit_rate: int = 48_000,
    application: Application = "audio",
) -> CodedOpus:
    """Encode sound of 48 kHz with libopus in frames of one length: ``n`` whole frames in, ``n + 1`` out.

    Args:
        pieces: one after the other, each of shape (channels, whole frames).
        channels: 1 or 2.
        start_ticks: where the first sample belongs, 1/90000 s; frame n is at this plus n frames less the
            encoder's delay, so that a player that drops the pre-skip hears each sample at its time.
        frame: samples of a frame: 120 to 2880, 2.5 to 60 ms.
        bit_rate: bits per second; with ``voip`` and 16,000 speech is coded by SILK.
        application: what libopus optimises for.

    Raises:
        ValueError: a length that is no whole number of frames.
    """
    layout = _LAYOUTS[channels]
    encoder = _opus_encoder(channels, bit_rate, application, frame)
    head = OpusHead.read(encoder.extradata or b"")
    packets: list[Packet[Any]] = []
    position = 0
    for samples in _frames(pieces, frame):
        sound = av.AudioFrame.from_ndarray(samples.T.reshape(1, -1).copy(), format="s16", layout=layout)
        sound.sample_rate, sound.time_base, sound.pts = RATE, encoder.time_base, position
        position += samples.shape[1]
        packets += encoder.encode(sound)
    packets += encoder.encode(None)
    first = start_ticks * RATE - head.pre_skip * TICKS_PER_SECOND
    frames = [
        CodedFrame(bytes(packet), (first + number * frame * TICKS_PER_SECOND) // RATE, key=True)
        for number, packet in enumerate(packets)
    ]
    return CodedOpus(head, tuple(frames))


def opus_head(channels: int) -> OpusHead:
    """The header of what `encode_opus` makes."""
    return OpusHead.read(_opus_encoder(channels, 48_000, "audio", OPUS_FRAME).extradata or b"")


def _opus_encoder(channels: int, bit_rate: int, application: Application, frame: int) -> AudioCodecContext:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate = RATE
    encoder.layout = _LAYOUTS[channels]
    encoder.format = "s16"
    encoder.bit_rate = bit_rate
    encoder.time_base = Fraction(1, RATE)
    encoder.options = {"application": application, "frame_duration": f"{frame / 48:g}"}
    encoder.open()
    return encoder


def _frames(pieces: Iterable[npt.NDArray[np.int16]], frame: int) -> Iterator[npt.NDArray[np.int16]]:
    for piece in pieces:
        count = piece.shape[1]
        if count % frame:
            raise ValueError(f"sound is encoded in frames of {frame} samples; {count} are not whole frames")
        for start in range(0, count, frame):
            yield piece[:, start : start + frame]


def _picture(packet: Packet[Any]) -> CodedFrame:
    if packet.pts is None:
        raise ValueError("the encoder gave a picture without a time")
    return CodedFrame(bytes(packet), packet.pts, packet.is_keyframe)

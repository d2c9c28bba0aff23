"""Encoders for recordings that the program makes itself: pictures to Annex B, sound to ADTS.

What lives here turns arrays with chosen times into access units with exactly these times. One thread and no
clock, so the same input gives the same bytes on the same kind of machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, cast

import av
import numpy as np
from av.video.frame import PictureType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext

TICKS_PER_SECOND = 90_000
AAC_FRAME = 1024
ADTS_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
"""Index in this table = sampling_frequency_index (ISO/IEC 14496-3 table 1.18)."""

VideoCodec = Literal["h264", "hevc"]

_ENCODERS: dict[VideoCodec, str] = {"h264": "libx264", "hevc": "libx265"}
_NEVER = 1_000_000  # a key frame distance in frames that only forced key frames reach
_ADTS_HEADER = 7
_AAC_LC = 2


@dataclass(frozen=True, slots=True)
class CodedPicture:
    """One access unit of H.264 or HEVC.

    Attributes:
        data: Annex B byte stream, beginning with an access unit delimiter; key pictures carry their
            parameter sets.
        pts_ticks: presentation time, 1/90000 s, as the caller gave it.
        dts_ticks: decoding time, 1/90000 s, at most ``pts_ticks``, strictly rising.
        key: an IDR picture.
    """

    data: bytes
    pts_ticks: int
    dts_ticks: int
    key: bool


@dataclass(frozen=True, slots=True)
class CodedSound:
    """One AAC-LC frame of 1024 samples.

    Attributes:
        header: ADTS header of 7 bytes.
        block: the raw data block (ISO/IEC 14496-3 raw_data_block).
        position: where its decoded samples belong, in samples; the first one, -1024, decodes to the encoder's
            priming, silence.
    """

    header: bytes
    block: bytes
    position: int


def encode_pictures(
    pictures: Iterable[tuple[int, npt.NDArray[np.uint8]]],
    *,
    width: int,
    height: int,
    codec: VideoCodec = "h264",
    bframes: int = 0,
    gop_ticks: int = 2 * TICKS_PER_SECOND,
    bit_rate: int | None = None,
    preset: str = "ultrafast",
) -> Iterator[CodedPicture]:
    """Encode pictures at times of the caller's choosing, in decoding order.

    Args:
        pictures: (presentation time in 1/90000 s, strictly rising; planar YUV 4:2:0 of shape
            (height * 3 / 2, width)).
        width: pixels, even.
        height: as width.
        codec: which encoder.
        bframes: B-pictures between two others; 0 makes decoding and presentation order the same.
        gop_ticks: the first picture, and each that is at least this long after the last key picture, is an
            IDR picture.
        bit_rate: bits per second; None for a constant quality that keeps test pictures readable.
        preset: of x264 or x265.
    """
    encoder = cast("VideoCodecContext", av.CodecContext.create(_ENCODERS[codec], "w"))
    encoder.width, encoder.height = width, height
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, TICKS_PER_SECOND)
    encoder.framerate = Fraction(30)
    encoder.thread_count = 1
    encoder.gop_size = _NEVER
    encoder.max_b_frames = bframes
    encoder.options = _options(codec, bframes, preset, constant_quality=bit_rate is None)
    if bit_rate is not None:
        encoder.bit_rate = bit_rate
    next_key: int | None = None
    for pts_ticks, picture in pictures:
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = pts_ticks, encoder.time_base
        if next_key is None or pts_ticks >= next_key:
            frame.pict_type = PictureType.I
            next_key = pts_ticks + gop_ticks
        yield from map(_picture, encoder.encode(frame))
    yield from map(_picture, encoder.encode(None))


def encode_sound(
    pieces: Iterable[npt.NDArray[np.int16]], *, rate: int, channels: int, bit_rate: int = 48_000
) -> Iterator[CodedSound]:
    """Encode sound with FFmpeg's AAC encoder: ``n`` whole frames in, ``n + 1`` out.

    The encoder looks one frame ahead, so its first output holds no input (position -1024): sample ``s`` of
    the input comes out of a decoder in the frame whose position is ``s // 1024 * 1024``.

    Args:
        pieces: one after the other, each of shape (channels, whole frames * 1024).
        rate: samples per second, one of `ADTS_RATES`.
        channels: 1 or 2.
        bit_rate: bits per second.

    Raises:
        ValueError: a length that is no whole number of frames, or a rate that ADTS cannot name.
    """
    if rate not in ADTS_RATES:
        raise ValueError(f"ADTS has no index for {rate} samples per second")
    layout = "mono" if channels == 1 else "stereo"
    encoder = av.CodecContext.create("aac", "w")
    encoder.sample_rate = rate
    encoder.layout = layout
    encoder.format = "fltp"
    encoder.bit_rate = bit_rate
    encoder.time_base = Fraction(1, rate)
    encoder.options = {"aac_coder": "fast"}
    position = 0
    for samples in _frames(pieces):
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
        frame.sample_rate, frame.time_base, frame.pts = rate, encoder.time_base, position
        position += AAC_FRAME
        for packet in encoder.encode(frame):
            yield _sound(packet, rate, channels)
    for packet in encoder.encode(None):
        yield _sound(packet, rate, channels)


def _frames(pieces: Iterable[npt.NDArray[np.int16]]) -> Iterator[npt.NDArray[np.float32]]:
    for piece in pieces:
        count = piece.shape[1]
        if count % AAC_FRAME:
            raise ValueError(
                f"sound is encoded in frames of {AAC_FRAME} samples; {count} are not whole frames"
            )
        planar = piece.astype(np.float32) / np.float32(32768)
        for start in range(0, count, AAC_FRAME):
            yield np.ascontiguousarray(planar[:, start : start + AAC_FRAME])


def adts_header(block_bytes: int, rate: int, channels: int) -> bytes:
    """The ADTS header of one AAC-LC frame without CRC (ISO/IEC 14496-3 table 1.A.6 and following).

    Args:
        block_bytes: length of the raw data block.
        rate: samples per second, one of `ADTS_RATES`.
        channels: 1 or 2.
    """
    length = block_bytes + _ADTS_HEADER
    word = 0xFFF1  # syncword, MPEG-4, layer 0, no CRC
    word = word << 2 | _AAC_LC - 1
    word = word << 4 | ADTS_RATES.index(rate)
    word = word << 4 | channels  # private bit 0, then three bits of channel configuration
    word = word << 4  # original, home, copyright bit, copyright start
    word = word << 13 | length
    word = word << 11 | 0x7FF  # variable bit rate
    return (word << 2).to_bytes(_ADTS_HEADER, "big")  # one raw data block


def _options(codec: VideoCodec, bframes: int, preset: str, *, constant_quality: bool) -> dict[str, str]:
    options = {"preset": preset, "forced-idr": "1"}
    if constant_quality:
        options["crf"] = "30"
    if codec == "h264":
        options["x264-params"] = f"aud=1:scenecut=0:threads=1:bframes={bframes}:b-adapt=0"
    else:
        options["x265-params"] = (
            f"aud=1:scenecut=0:keyint=-1:open-gop=0:pools=none:frame-threads=1:wpp=0:bframes={bframes}:"
            "b-adapt=0:log-level=none"
        )
    return options


def _picture(packet: Packet[Any]) -> CodedPicture:
    if packet.pts is None or packet.dts is None:
        raise ValueError("the encoder gave a picture without a time")
    return CodedPicture(bytes(packet), packet.pts, packet.dts, packet.is_keyframe)


def _sound(packet: Packet[Any], rate: int, channels: int) -> CodedSound:
    if packet.pts is None:
        raise ValueError("the encoder gave a frame of sound without a time")
    block = bytes(packet)
    return CodedSound(adts_header(len(block), rate, channels), block, packet.pts)

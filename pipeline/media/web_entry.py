"""Sample entries of what web senders send: ``vp08``, ``vp09``, ``Opus``; fields only, no codec."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

from pipeline.media.mp4.moov import box
from pipeline.media.opus import RATE, OpusHead

if TYPE_CHECKING:
    from pipeline.media.vpx import VpxFrame

_U16 = 0xFFFF
_UNSPECIFIED = 2  # ISO/IEC 23091-2
_MATRICES = {0: 2, 1: 5, 2: 1, 3: 6, 4: 7, 5: 9, 7: 0}  # VP9 color_space to MatrixCoefficients
_RESOLUTION = 72 << 16
_BY_CHROMA = {(True, True): 1, (True, False): 2, (False, False): 3}  # 4:2:0 as luma 0,0, 4:2:2, 4:4:4
_LEVELS = (
    (10, 829_440, 36_864),
    (11, 2_764_800, 73_728),
    (20, 4_608_000, 122_880),
    (21, 9_216_000, 245_760),
    (30, 20_736_000, 552_960),
    (31, 36_864_000, 983_040),
    (40, 83_558_400, 2_228_224),
    (41, 160_432_128, 2_228_224),
    (50, 311_951_360, 8_912_896),
    (51, 588_251_136, 8_912_896),
    (52, 1_176_502_272, 8_912_896),
    (60, 1_176_502_272, 35_651_584),
    (61, 2_353_004_544, 35_651_584),
    (62, 4_706_009_088, 35_651_584),
)
"""Level, luma samples a second, luma samples a picture (VP9 bitstream specification, annex A)."""


def vp9_entry(frame: VpxFrame, *, fps: int = 30) -> bytes:
    """The ``vp09`` entry of pictures, by a key frame (VP Codec ISO Media File Format Binding 1.0).

    Args:
        frame: the header of a key frame; all others of the track have its profile, depth and chroma.
        fps: pictures a second at most, from which the level follows.

    Raises:
        ValueError: no key frame, or its chroma or size has no place in a sample entry.
    """
    if not (frame.key and 0 < frame.width <= _U16 and 0 < frame.height <= _U16):
        raise ValueError("a sample entry of VP9 needs a key frame with a size of 16 bits")
    chroma = _BY_CHROMA.get(frame.subsampling)
    if chroma is None:
        raise ValueError("VP9 with chroma halved down and not across has no sample entry")
    level = _level(frame.width * frame.height, fps)
    return _vpx_entry(b"vp09", frame, level, chroma, _MATRICES.get(frame.colour_space, _UNSPECIFIED))


def vp8_entry(frame: VpxFrame) -> bytes:
    """The ``vp08`` entry of pictures, by a key frame: what FFmpeg reads, and hardly a player.

    Raises:
        ValueError: no key frame.
    """
    if not frame.key:
        raise ValueError("a sample entry of VP8 needs a key frame")
    return _vpx_entry(b"vp08", frame, 0, _BY_CHROMA[True, True], _UNSPECIFIED)


def _vpx_entry(kind: bytes, frame: VpxFrame, level: int, chroma: int, matrix: int) -> bytes:
    configuration = pack(
        ">IBBBBBBH",
        1 << 24,  # version 1, no flags
        frame.profile,
        level,
        frame.bit_depth << 4 | chroma << 1 | int(frame.full_range),
        _UNSPECIFIED,  # primaries and transfer are nowhere in the stream
        _UNSPECIFIED,
        matrix,
        0,
    )
    head = pack(">6xH16xHHII4xH", 1, frame.width, frame.height, _RESOLUTION, _RESOLUTION, 1)
    return box(
        kind, head, b"\x0aVPC Coding".ljust(32, b"\0"), pack(">Hh", 24, -1), box(b"vpcC", configuration)
    )


def _level(samples: int, fps: int) -> int:
    """The lowest level that allows the size and its rate; the highest there is for what none allows."""
    fitting = (level for level, a_second, most in _LEVELS if samples <= most and samples * fps <= a_second)
    return next(fitting, _LEVELS[-1][0])


def opus_entry(head: OpusHead) -> bytes:
    """The ``Opus`` entry of sound (Encapsulation of Opus in ISO Base Media File Format 0.8.1, 4.3).

    PreSkip, which is "informative only" (4.3.2), is 0: the edit list alone says what is not heard. Chromium
    takes off both, FFmpeg only the edit where there is one.
    """
    specific = pack(">BBHIhB", 0, head.channels, 0, head.rate, head.gain, head.family)
    channels = pack(">6xH8xHH4xI", 1, head.channels, 16, RATE << 16)
    return box(b"Opus", channels, box(b"dOps", specific, head.mapping))

"""Sample entries: the box of ``stsd`` that says how to decode a track.

FFmpeg's own MP4 muxer writes those of pictures, because it reads the parameter sets already; that of AAC is
a few fixed fields.
"""

from __future__ import annotations

from io import BytesIO
from struct import pack
from typing import TYPE_CHECKING

import av
import av.error

from pipeline.media.aac import SAMPLE_RATES
from pipeline.media.mp4.reader import read_movie
from pipeline.media.probe import Extension

if TYPE_CHECKING:
    from av.video.stream import VideoStream

    from pipeline.media.aac import AdtsConfig

_U16 = 0xFFFF
_MPEG4_AUDIO, _AUDIO_STREAM = 0x40, 0x15  # objectTypeIndication; streamType 5, downstream, reserved bit set
_SYNC_EXTENSION, _SYNC_PS = 0x2B7, 0x548  # syncExtensionType (ISO/IEC 14496-3 table 1.15)
_SBR = 5  # audioObjectType (table 1.17)


def entry_of(codec: str, access_unit: bytes, *, in_band: bool = False) -> bytes:
    """The sample entry of pictures, by a key frame with start codes and the parameter sets before it.

    All parameter sets in front of it go into the entry. ``in_band`` makes it ``hev1`` for HEVC: more sets
    may stand in the samples (ISO/IEC 14496-15 8.4.1.1.1).

    Raises ``ValueError`` where FFmpeg cannot make sense of them.
    """
    try:
        with av.open(BytesIO(access_unit), "r", format=codec) as container:
            return video_entry(container.streams.video[0], in_band=in_band)
    except (av.error.FFmpegError, LookupError) as error:
        raise ValueError(f"the {codec} parameter sets cannot be read ({error})") from error


def video_entry(stream: VideoStream, *, in_band: bool = False) -> bytes:
    """The ``avc1``, ``hvc1`` or ``hev1`` entry of a stream whose parameter sets FFmpeg has seen.

    Raises ``ValueError`` for other codecs and for a stream without parameter sets.
    """
    codec = stream.codec_context.name
    if codec not in {"h264", "hevc"}:
        raise ValueError(f"H.264 and HEVC have sample entries here, not {codec}")
    if not stream.codec_context.extradata:
        raise ValueError(f"the {codec} stream carries no parameter sets")
    file = BytesIO()
    options = {"movflags": "empty_moov+default_base_moof+write_colr"}
    with av.open(file, "w", format="mp4", options=options) as container:
        copy = container.add_stream_from_template(stream)
        copy.codec_context.codec_tag = {"h264": "avc1", "hevc": "hev1" if in_band else "hvc1"}[codec]
        container.start_encoding()
    return read_movie(file, len(file.getbuffer())).tracks[0].sample_entry


def audio_entry(config: AdtsConfig, extension: Extension = Extension.NONE) -> bytes:
    """The ``mp4a`` entry of AAC (ISO/IEC 14496-14 5.6; descriptors are ISO/IEC 14496-1 7.2.6).

    Raises ``ValueError`` for channels that only an element in the stream describes.
    """
    if not config.channels:
        raise ValueError(
            "the AAC stream describes its channels in a program_config_element, which is not read"
        )
    specific = _descriptor(5, specific_config(config, extension))
    decoder = pack(">BB3xII", _MPEG4_AUDIO, _AUDIO_STREAM, 0, 0)  # buffer size and bit rates: not known
    es = _descriptor(3, pack(">HB", 0, 0), _descriptor(4, decoder, specific), _descriptor(6, b"\2"))
    rate = (
        config.sample_rate if config.sample_rate <= _U16 else 0
    )  # the field has 16 bits; decoders read the esds
    esds = _box(b"esds", bytes(4), es)
    return _box(b"mp4a", pack(">6xH8xHH4xI", 1, config.channels, 16, rate << 16), esds)


def specific_config(config: AdtsConfig, extension: Extension) -> bytes:
    """AudioSpecificConfig with SBR and PS signalled explicitly and backward compatible (14496-3 1.6.5).

    Players of AAC-LC alone read what it is without them; others need not decode to know rate and channels.
    Rates that have no index stay implicit.
    """
    rate = 2 * config.sample_rate
    if extension is Extension.NONE or rate not in SAMPLE_RATES:
        return config.audio_specific_config
    bits = f"{int.from_bytes(config.audio_specific_config, 'big'):016b}"
    bits += f"{_SYNC_EXTENSION:011b}{_SBR:05b}1{SAMPLE_RATES.index(rate):04b}"
    if extension is Extension.PS:
        bits += f"{_SYNC_PS:011b}1"
    count = -(-len(bits) // 8)
    return int(bits.ljust(8 * count, "0"), 2).to_bytes(count, "big")


def _descriptor(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes((tag, len(body))) + body


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return pack(">I4s", 8 + len(body), kind) + body

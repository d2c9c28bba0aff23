"""WebM slices for the tests: coded pictures and sound, our own writer, FFmpeg's muxer and demuxer."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Literal

import av
import numpy as np

from pipeline.demo.picture import COLOURS, draw
from pipeline.demo.sound import beeps
from pipeline.demo.webm import OpusTrack, Sizes, VpxTrack, write_slice
from pipeline.media.encode_webm import OPUS_FRAME, CodedFrame, CodedOpus, encode_opus, encode_vpx
from pipeline.media.webm.blocks import Damage, WebmPacket, packets
from pipeline.media.webm.ends import WebmEnds, look

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

Codec = Literal["vp8", "vp9", "opus"]
CODECS: tuple[Codec, ...] = ("vp8", "vp9", "opus")
SIZE = (320, 180)
STEP = 3600
GOP = 25


@lru_cache(maxsize=8)
def coded_pictures(codec: Literal["vp8", "vp9"], count: int = 60) -> tuple[CodedFrame, ...]:
    """Pictures of 25 a second from 0 on, a key frame a second."""
    width, height = SIZE
    drawn = [(n * STEP, draw(n * 40, width, height, COLOURS[0], 1)) for n in range(count)]
    return tuple(encode_vpx(drawn, width=width, height=height, codec=codec, gop_ticks=GOP * STEP))


@lru_cache(maxsize=8)
def coded_sound(channels: int = 1, count: int = 120) -> CodedOpus:
    """Beeps, frames of 20 ms."""
    sound = beeps(0, count * OPUS_FRAME, 48_000, 0, channels=channels, tone_hz=1000)
    return encode_opus([sound], channels=channels)


def frames_of(codec: Codec) -> tuple[CodedFrame, ...]:
    """The frames that `slice_of` writes, their times from 0 on."""
    return coded_sound().frames if codec == "opus" else coded_pictures(codec)


def track_of(codec: Codec) -> VpxTrack | OpusTrack:
    """The track that `slice_of` writes."""
    return OpusTrack(coded_sound().head) if codec == "opus" else VpxTrack(codec, *SIZE)


def at_times(frames: Sequence[CodedFrame], after: int) -> list[CodedFrame]:
    """The frames ``after`` ticks later."""
    return [CodedFrame(f.data, f.at_ticks + after, f.key) for f in frames]


@lru_cache(maxsize=64)
def slice_of(codec: Codec, sizes: Sizes = Sizes.KNOWN, after: int = 0, scale_ns: int = 1_000_000) -> bytes:
    """A slice by our own writer, clusters of a second."""
    frames = at_times(frames_of(codec), after)
    return write_slice(track_of(codec), frames, sizes=sizes, cluster_ticks=90_000, scale_ns=scale_ns)


def muxed(codec: Codec, options: dict[str, str] | None = None) -> bytes:
    """The same frames through FFmpeg's own WebM muxer; ``{"live": "1"}`` makes sizes unknown."""
    file = BytesIO()
    with av.open(file, "w", format="webm", options=options or {}) as out:
        if codec == "opus":
            sound = out.add_stream("libopus", rate=48_000, layout="mono", options={"frame_duration": "20"})
            assert isinstance(sound, av.AudioStream)
            base: Fraction | None = sound.codec_context.time_base
            pcm = beeps(0, 120 * OPUS_FRAME, 48_000, 0, channels=1, tone_hz=1000)
            for begin in range(0, pcm.shape[1] - 200, OPUS_FRAME):  # the last frame is not whole
                piece = np.ascontiguousarray(
                    pcm[:, begin : begin + OPUS_FRAME][:, : pcm.shape[1] - 200 - begin]
                )
                frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
                frame.sample_rate, frame.pts = 48_000, begin
                out.mux(sound.encode(frame))
            out.mux(sound.encode(None))
            return _closed(out, file)
        pictures = out.add_stream({"vp8": "libvpx", "vp9": "libvpx-vp9"}[codec], rate=25)
        assert isinstance(pictures, av.VideoStream)
        pictures.width, pictures.height, pictures.pix_fmt = *SIZE, "yuv420p"
        out.start_encoding()
        base = pictures.time_base
        assert base is not None
        for coded in coded_pictures(codec):
            packet = av.Packet(coded.data)
            packet.stream, packet.time_base = pictures, base
            packet.pts = packet.dts = int(coded.at_ticks / 90_000 / base)
            packet.is_keyframe = coded.key
            out.mux(packet)
        return _closed(out, file)


def _closed(out: av.container.OutputContainer, file: BytesIO) -> bytes:
    out.close()
    return file.getvalue()


def taken(data: bytes) -> tuple[list[WebmPacket], Damage]:
    """All packets of a slice, and what was told of it."""
    reader = packets(BytesIO(data), len(data))
    return list(reader), reader.damage


def ends(data: bytes) -> WebmEnds:
    """What the ends of a good slice say."""
    found = look(BytesIO(data), len(data))
    assert isinstance(found, WebmEnds), found
    return found


def demuxed(data: bytes) -> list[tuple[int, bytes]]:
    """Time in milliseconds and bytes of each packet as FFmpeg reads them."""
    with av.open(BytesIO(data), "r", format="matroska") as container:
        assert all(stream.time_base == container.streams[0].time_base for stream in container.streams)
        return [(p.pts, bytes(p)) for p in container.demux() if p.size and p.pts is not None]

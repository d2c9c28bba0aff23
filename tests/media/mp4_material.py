"""Real media for the tests of the MP4 room: coded pictures and sound, and FFmpeg as the second opinion."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Literal

import av
import imageio_ffmpeg
import numpy as np

from pipeline.media.aac import AdtsConfig, split_adts
from pipeline.media.sample_entry import video_entry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.media.mp4.writer import Mp4Writer

FPS = 25
TICKS = 90_000
STEP = TICKS // FPS


@dataclass(frozen=True, slots=True)
class Pictures:
    """Access units in Annex B with PTS and DTS in 1/90000 s, and the sample entry for them."""

    units: tuple[bytes, ...]
    pts: tuple[int, ...]
    dts: tuple[int, ...]
    keys: tuple[bool, ...]
    entry: bytes
    extradata: bytes


@lru_cache(maxsize=8)
def pictures(
    codec: Literal["h264", "hevc"] = "h264",
    *,
    count: int = 50,
    bframes: int = 2,
    width: int = 320,
    height: int = 180,
    slices: int = 1,
) -> Pictures:
    """Pictures through x264 or x265 into MPEG-TS and out again, as a recorder would hand them over."""
    file = BytesIO()
    common = {"preset": "veryfast", "g": "25", "bf": str(bframes)}
    options = {
        "h264": {**common, "x264-params": f"scenecut=0:threads=1:slices={slices}"},
        "hevc": {
            **common,
            "x265-params": f"log-level=none:scenecut=0:bframes={bframes}:slices={slices}:pools=none",
        },
    }[codec]
    rng = np.random.default_rng(7)
    with av.open(file, "w", format="mpegts") as out:
        stream = out.add_stream({"h264": "libx264", "hevc": "libx265"}[codec], rate=FPS, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(count):
            image = np.full((height, width, 3), number * 4 % 256, dtype=np.uint8)
            image[: height // 2] = rng.integers(0, 256, (height // 2, width, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(image)
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as container:
        source = container.streams.video[0]
        packets = [packet for packet in container.demux(source) if packet.size]
        pts, dts = [packet.pts for packet in packets], [packet.dts for packet in packets]
        return Pictures(
            units=tuple(bytes(packet) for packet in packets),
            pts=tuple(at for at in pts if at is not None),
            dts=tuple(at for at in dts if at is not None),
            keys=tuple(packet.is_keyframe for packet in packets),
            entry=video_entry(source),
            extradata=source.codec_context.extradata or b"",
        )


@lru_cache(maxsize=32)
def adts(rate: int = 48000, channels: int = 2, seconds: int = 1) -> bytes:
    """A loud tone as AAC-LC in ADTS."""
    file = BytesIO()
    layout = "stereo" if channels == 2 else "mono"
    with av.open(file, "w", format="adts") as out:
        stream = out.add_stream("aac", rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        at = np.arange(rate * seconds)
        tone = (0.5 * np.sin(2 * np.pi * 440 * at / rate)).astype(np.float32)
        for begin in range(0, len(at), 1024):
            piece = np.tile(tone[begin : begin + 1024], (channels, 1))
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
            frame.sample_rate = rate
            frame.pts = begin
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


def sound(rate: int = 48000, channels: int = 2, seconds: int = 1) -> tuple[list[bytes], AdtsConfig]:
    """Raw data blocks of a loud tone, and their configuration."""
    split = split_adts(adts(rate, channels, seconds))
    assert split.config is not None
    return split.frames, split.config


def chunk(writer: Mp4Writer, track: int, samples: Sequence[bytes]) -> None:
    """Samples of a track written as one chunk."""
    writer.chunk(track, [len(sample) for sample in samples], b"".join(samples))


def adts_header(config: AdtsConfig, length: int, *, crc: bool = False, blocks: int = 1) -> bytes:
    """The seven bytes in front of a frame of ``length`` bytes in all (ISO/IEC 13818-7 6.2), bit by bit."""
    bits = f"{0xFFF:012b}{0:01b}{0:02b}{0 if crc else 1:01b}{config.object_type - 1:02b}"
    bits += f"{config.sampling_index:04b}{0:01b}{config.channel_configuration:03b}{0:04b}"
    bits += f"{length:013b}{0x7FF:011b}{blocks - 1:02b}"
    return int(bits, 2).to_bytes(7, "big")


def wrap(config: AdtsConfig, blocks: list[bytes]) -> bytes:
    """Raw data blocks as an ADTS stream."""
    return b"".join(adts_header(config, 7 + len(block)) + block for block in blocks)


def ffmpeg(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Runs the independent FFmpeg and hands back what it printed."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", *arguments]
    return subprocess.run(command, capture_output=True, check=False, timeout=120)


def complaints(path: Path) -> str:
    """What FFmpeg has to say against a file while it decodes all of it; "" is praise."""
    done = ffmpeg("-v", "error", "-xerror", "-i", str(path), "-map", "0", "-f", "null", "-")
    return done.stderr.decode() + (f"exit {done.returncode}" if done.returncode else "")


def decoded_sound(path: Path, channels: int) -> NDArray[np.float32]:
    """All samples that FFmpeg decodes, one row a channel."""
    done = ffmpeg("-v", "error", "-xerror", "-i", str(path), "-map", "0:a", "-f", "f32le", "-")
    assert (done.returncode, done.stderr) == (0, b"")
    return np.frombuffer(done.stdout, dtype=np.float32).reshape(-1, channels).T

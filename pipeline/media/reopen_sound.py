"""Finished sound that was encoded, opened afresh: an MP3's frames as facts; all of it decoded.

Nothing here knows how the file was made; decoding is FFmpeg's.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, cast

import av
import av.error
import numpy as np

from pipeline.model import ticks
from pipeline.model.checks import FileFacts, TrackFacts, heard_problems

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.model.manifest import OutputTrack

_HEAD = 4096
"""Bytes behind the ID3 tag in which the header stands that tells delay and padding."""
_ID3_HEAD = 10
_STEPS = 100
"""A second, in which power is added up."""
_FRAMES = 64
"""Whose power is added up at a time: for each alone the call would take longer than the sum."""


def mp3_facts(path: Path) -> FileFacts:
    """What an MP3 holds.

    Raises:
        ValueError: it is none that can be read; the text says what was expected.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        tag = file.read(_ID3_HEAD)
        if tag[:3] == b"ID3":  # its size has 7 bits a byte
            file.seek(_ID3_HEAD + sum(byte << 7 * n for n, byte in enumerate(tag[:5:-1])))
        head = file.read(_HEAD)
    payloads, frames = hashlib.sha256(), 0
    try:
        with av.open(str(path), "r", format="mp3") as container:
            stream = container.streams.audio[0]
            date = container.metadata.get("date", "")
            length = container.duration or 0
            for packet in container.demux(stream):
                if packet.size:
                    payloads.update(bytes(packet))
                    frames += 1
            codec, rate = stream.codec_context.name, stream.codec_context.sample_rate
    except (av.error.FFmpegError, LookupError) as error:
        raise ValueError(f"FFmpeg cannot read it ({error})") from error
    track = TrackFacts(
        handler="soun",
        entry="mp3" if codec.startswith("mp3") else codec,
        timescale=rate,
        samples=frames,
        rising=True,
        first_key=True,
        end=ticks.from_us(length),
        payload_sha256=payloads.hexdigest(),
        at={},
        clockwise=None,
    )
    writers = (b"LAME", b"Lavc", b"Lavf")  # whose delay and padding are believed
    gapless = (b"Xing" in head or b"Info" in head) and any(writer in head for writer in writers)
    created = round(datetime.fromisoformat(date).timestamp() * 1000) if date else 0
    return FileFacts(path.stat().st_size, digest, gapless, created, (track,))


def decode_sound(path: Path, told: OutputTrack) -> tuple[int, tuple[str, ...]]:
    """Decode all of it: how many frames, and a sentence for each thing that is not as it was encoded."""
    try:
        frames, samples, power = _decoded(path)
    except (av.error.FFmpegError, ValueError, LookupError) as error:
        return 0, (f"it does not decode from end to end ({error})",)
    return frames, tuple(heard_problems(told, ticks.ticks_of(samples, told.rate), power.tolist()))


def _decoded(path: Path) -> tuple[int, int, NDArray[np.float64]]:
    """Frames, samples, and the mean power of each 10 ms."""
    steps: list[NDArray[np.float64]] = []
    rest = np.zeros(0)
    frames = samples = 0
    with av.open(str(path), "r") as container:
        stream = container.streams.audio[0]
        stream.codec_context.options = {"err_detect": "explode"}
        step = stream.codec_context.sample_rate // _STEPS
        decoded = container.decode(stream)
        while lot := [frame.to_ndarray() for frame in islice(decoded, _FRAMES)]:
            sound = cast("NDArray[np.float32]", np.concatenate(lot, axis=1))
            frames, samples = frames + len(lot), samples + sound.shape[1]
            power = np.concatenate((rest, np.square(sound, dtype=np.float64).mean(axis=0)))
            whole = len(power) // step * step
            steps.append(power[:whole].reshape(-1, step).mean(axis=1))
            rest = power[whole:]
    return frames, samples, np.concatenate(steps) if steps else rest

"""Samples encoded and written as a file: AAC in MP4, or MP3."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import av
import numpy as np

from pipeline.media.aac import SAMPLE_RATES, AdtsConfig
from pipeline.media.mix.resample import Resampler
from pipeline.media.mix.samples import RATE, Samples
from pipeline.media.mp4.writer import Edit, Mp4Writer, SampleTimes, TrackHeader
from pipeline.media.sample_entry import audio_entry
from pipeline.model import ticks

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.packet import Packet

AAC_FRAME, MP3_FRAME = 1024, 1152
AAC_PRIMING = 1024
"""Samples that FFmpeg's AAC encoder puts before the first; an edit list skips them."""
_AAC_LC = 2
_A_SECOND = RATE // AAC_FRAME


class File(Protocol):
    """A file that samples are written into.

    Attributes:
        frames: packets written so far.
    """

    frames: int

    def push(self, samples: Samples) -> None:
        """Encode some more sound."""

    def end(self) -> str:
        """Complete the file; SHA-256 over the packets."""


class _Frames:
    """Samples cut into frames of one length for an encoder."""

    def __init__(self, channels: int, length: int, rate: int = RATE) -> None:
        self._layout = "mono" if channels == 1 else "stereo"
        self._length, self._rate = length, rate
        self._held: Samples = np.zeros((channels, 0), dtype=np.float32)
        self.count = 0

    def cut(self, samples: Samples, *, last: bool = False) -> list[AudioFrame]:
        self._held = np.concatenate((self._held, samples), axis=1)
        whole = self._held.shape[1] - (0 if last else self._held.shape[1] % self._length)
        frames = [
            self._frame(self._held[:, begin : min(begin + self._length, whole)])
            for begin in range(0, whole, self._length)
        ]
        self._held = self._held[:, whole:]
        return frames

    def _frame(self, samples: Samples) -> AudioFrame:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=self._layout)
        frame.sample_rate, frame.time_base, frame.pts = self._rate, Fraction(1, self._rate), self.count
        self.count += samples.shape[1]
        return frame


class AacFile:
    """AAC-LC in an MP4 whose edit list begins at the first sample and ends at the last.

    Args:
        sink: an empty file.
        channels: one or two.
        bit_rate: bits a second.
        length: samples that will come, about.
        creation_ms: UTC of file zero.
        title: of the file.
        rate: samples a second of the file; what comes is resampled to it.
    """

    def __init__(
        self,
        sink: BinaryIO,
        channels: int,
        bit_rate: int,
        length: int,
        *,
        creation_ms: int,
        title: str,
        rate: int = RATE,
    ) -> None:
        self.frames = 0
        self._rate = rate
        self._resampler = Resampler(channels, 0.0, RATE / rate)
        config = AdtsConfig(_AAC_LC, SAMPLE_RATES.index(rate), channels)
        header = TrackHeader("soun", rate, audio_entry(config), name="mix")
        samples = length // AAC_FRAME + 2
        reserve = Mp4Writer.reserve_for([header], [samples], [samples // _A_SECOND + 2], title)
        self._writer = Mp4Writer(
            sink,
            [header],
            reserve=reserve,
            creation_ms=creation_ms,
            title=title,
            movie_timescale=ticks.TICKS,
        )
        self._cut = _Frames(channels, AAC_FRAME, rate)
        self._encoder = av.CodecContext.create("aac", "w")
        self._encoder.sample_rate, self._encoder.time_base = rate, Fraction(1, rate)
        self._encoder.layout, self._encoder.format = "mono" if channels == 1 else "stereo", "fltp"
        self._encoder.bit_rate = bit_rate
        self._waiting: list[bytes] = []
        self._hash = hashlib.sha256()

    def push(self, samples: Samples) -> None:
        """As `File.push`."""
        for frame in self._cut.cut(self._resampler.push(samples)):
            self._take(self._encoder.encode(frame))

    def end(self) -> str:
        """As `File.end`."""
        for frame in self._cut.cut(self._resampler.end(), last=True):
            self._take(self._encoder.encode(frame))
        self._take(self._encoder.encode(None))
        end = AAC_PRIMING + self._cut.count
        needed = -(-end // AAC_FRAME)  # what the encoder adds behind the last sample is left out
        self._waiting = self._waiting[: needed - self.frames]
        self._write()
        dts = np.arange(self.frames, dtype=np.int64) * AAC_FRAME
        edit = Edit(ticks.ticks_of(self._cut.count, self._rate), AAC_PRIMING)
        self._writer.finish([SampleTimes(dts, end, edits=(edit,))])
        return self._hash.hexdigest()

    def _take(self, packets: list[Packet[Any]]) -> None:
        # What is flushed at the end must still be here then.
        if len(self._waiting) > 2 * _A_SECOND:
            self._write(_A_SECOND)
        self._waiting += map(bytes, packets)

    def _write(self, most: int | None = None) -> None:
        some, self._waiting = self._waiting[:most], self._waiting[len(self._waiting[:most]) :]
        data = b"".join(some)
        self._hash.update(data)
        self._writer.chunk(0, list(map(len, some)), data)
        self.frames += len(some)


class Mp3File:
    """MP3 with a LAME header, by which players leave out what the encoder adds at both ends.

    Args:
        sink: an empty file.
        channels: one or two.
        bit_rate: bits a second.
        creation_ms: UTC of file zero.
        title: of the file.
    """

    def __init__(self, sink: BinaryIO, channels: int, bit_rate: int, *, creation_ms: int, title: str) -> None:
        self.frames = 0
        self._container = av.open(sink, "w", format="mp3", options={"fflags": "+bitexact"})
        self._container.metadata["title"] = title
        self._container.metadata["date"] = ticks.iso(ticks.from_ms(creation_ms))
        layout = "mono" if channels == 1 else "stereo"
        self._stream = self._container.add_stream("libmp3lame", rate=RATE, layout=layout)
        self._stream.codec_context.format = "fltp"
        self._stream.codec_context.bit_rate = bit_rate
        self._channels = channels
        self._cut = _Frames(channels, MP3_FRAME)
        self._hash = hashlib.sha256()

    def push(self, samples: Samples) -> None:
        """As `File.push`."""
        for frame in self._cut.cut(samples):
            self._take(self._stream.encode(frame))

    def end(self) -> str:
        """As `File.end`."""
        for frame in self._cut.cut(np.zeros((self._channels, 0), dtype=np.float32), last=True):
            self._take(self._stream.encode(frame))
        self._take(self._stream.encode(None))
        self._container.close()
        return self._hash.hexdigest()

    def _take(self, packets: list[Packet[Any]]) -> None:
        for packet in packets:
            self._hash.update(bytes(packet))
            self.frames += 1
            self._container.mux(packet)

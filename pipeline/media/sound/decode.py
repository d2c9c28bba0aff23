"""Frames of sound decoded into samples of another rate and number of channels, exact in their number."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
import av.error
import numpy as np

from pipeline.model.clock import PPB

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from av.audio.codeccontext import AudioCodecContext
    from av.audio.frame import AudioFrame
    from numpy.typing import NDArray

    from pipeline.media.sound.coding import Coding

_LAYOUTS = {1: "mono", 2: "stereo"}
_FINE = 10_000
"""Rates are told to the resampler in such parts of a sample a second: clocks part by 2 ppb at most."""


class Decoded:
    """Frames of one coding that follow one another, as samples of another.

    Args:
        source: what the frames are.
        target: whose rate and channels come out.
        slope_ppb: how much longer a sample takes by UTC than the source's rate says.
    """

    def __init__(self, source: Coding, target: Coding, slope_ppb: int = 0) -> None:
        self._source, self._target = source, target
        self._decoder = source.decoder()
        self._rate, self._slope = source.rate, slope_ppb
        self._resampler: _Resampler | None = None
        self.undecoded = 0

    def take(self, frames: Sequence[bytes]) -> NDArray[np.float32]:
        """What of these frames is ready, shape (channels, samples); silence for those that do not decode."""
        return self._joined([self._resampled(self._one(frame)) for frame in frames])

    def end(self) -> NDArray[np.float32]:
        """What is still inside."""
        return self._joined([self._resampler.end()] if self._resampler else [])

    def _joined(self, pieces: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        return np.concatenate([np.zeros((self._target.channels, 0), dtype=np.float32), *pieces], axis=1)

    def _one(self, frame: bytes) -> NDArray[np.float32]:
        """Samples of a frame in the target's channels."""
        try:
            found = self._decoder.decode(av.Packet(frame))
        except av.error.FFmpegError:
            found = []
        if not found:
            self.undecoded += 1
            count = self._source.samples(frame) * self._rate // self._source.rate
            return np.zeros((self._target.channels, count), dtype=np.float32)
        self._rate = found[0].sample_rate  # twice that of the headers for HE-AAC
        samples = np.concatenate([_planes(each) for each in found], axis=1)
        return _mixed(samples, self._target.channels)

    def _resampled(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        before = self.end() if self._resampler and self._resampler.rate != self._rate else None
        if self._resampler is None or before is not None:
            self._resampler = _Resampler(self._rate, self._target.rate, self._target.channels, self._slope)
        ready = self._resampler.take(samples)
        return ready if before is None else np.concatenate([before, ready], axis=1)


class _Resampler:
    """Another rate; the first sample out is at the time of the first sample in."""

    def __init__(self, rate: int, target: int, channels: int, slope_ppb: int) -> None:
        self.rate = rate
        self._graph: av.filter.Graph | None = None
        self._layout = _LAYOUTS[channels]
        self._channels = channels
        if rate == target and not slope_ppb:
            return
        fine = _FINE if slope_ppb else 1
        self._rate = rate * fine * PPB // (PPB + slope_ppb)
        graph = av.filter.Graph()
        source = graph.add_abuffer(
            sample_rate=self._rate, format="fltp", layout=self._layout, time_base=Fraction(1, self._rate)
        )
        resample = graph.add("aresample", str(target * fine))
        sink = graph.add("abuffersink")
        source.link_to(resample)
        resample.link_to(sink)
        graph.configure()
        self._graph, self._at = graph, 0

    def take(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._graph is None:
            return samples
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._at, Fraction(1, self._rate)
        self._at += samples.shape[1]
        self._graph.push(frame)
        return self._pulled()

    def end(self) -> NDArray[np.float32]:
        if self._graph is None:
            return np.zeros((self._channels, 0), dtype=np.float32)
        self._graph.push(None)
        return self._pulled()

    def _pulled(self) -> NDArray[np.float32]:
        out = [np.zeros((self._channels, 0), dtype=np.float32), *self._ready()]
        return np.concatenate(out, axis=1)

    def _ready(self) -> Iterator[NDArray[np.float32]]:
        graph = cast("av.filter.Graph", self._graph)
        while True:
            try:
                yield _planes(cast("AudioFrame", graph.pull()))
            except (av.error.BlockingIOError, av.error.EOFError):
                return


def decoder_of(name: str, extradata: bytes) -> AudioCodecContext:
    """A decoder of sound by FFmpeg's name for it."""
    decoder = cast("AudioCodecContext", av.CodecContext.create(name, "r"))
    decoder.extradata = extradata
    return decoder


def _planes(frame: AudioFrame) -> NDArray[np.float32]:
    """Samples of shape (channels, samples), full scale 1."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, len(frame.layout.channels)).T
    if samples.dtype == np.int16:
        return (samples / np.float32(32768)).astype(np.float32)
    return samples.astype(np.float32)


def _mixed(samples: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """One channel on both sides, or the mean of two."""
    if len(samples) == channels:
        return samples
    return np.repeat(samples.mean(axis=0, keepdims=True, dtype=np.float32), channels, axis=0)

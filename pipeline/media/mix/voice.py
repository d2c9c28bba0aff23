"""One user's sound decoded and placed on the file's time, a run open only while it sounds.

Slices are read, and their time stamps judged, as when sound is copied. But nothing is moved by whole frames:
samples go where UTC puts them, and a clock that runs fast or slow is followed by resampling.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

import av
import av.error
import numpy as np

from pipeline.media.mix.resample import Resampler
from pipeline.media.mix.samples import RATE, Samples, with_channels
from pipeline.media.runs import open_run
from pipeline.media.sound.codings import Codings
from pipeline.media.sound.read import Reader
from pipeline.media.tally import OUTSIDE, OVERLAP, UNDECODED, Tally
from pipeline.model import ticks
from pipeline.model.clock import PPB, stretched
from pipeline.model.ledger import Sort
from pipeline.model.slices import Medium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from av.audio.frame import AudioFrame

    from pipeline.media import drift
    from pipeline.media.packet import Packets
    from pipeline.media.sound.coding import Coding
    from pipeline.model.decisions import Piece
    from pipeline.model.timeline import Run, TrackTime

FADE = RATE // 500
"""Samples over which a stretch begins and ends, and one takes over from another: 2 ms."""
NEAR = ticks.from_ms(50)
"""Stretches that are closer than this are one to a listener."""
_INT16 = 32768


class Heard(NamedTuple):
    """Samples from sample ``at`` of the file on; None says that nothing comes before it."""

    at: int
    samples: Samples | None


class Stay(NamedTuple):
    """A stretch in which somebody is heard: UTC ticks, decoded packets, and what began it."""

    start: int
    end: int
    packets: int
    why: str


class Voice:
    """The sound of one user as samples.

    Args:
        pieces: UTC to file time.
        zero: UTC ticks of file zero.
        channels: of the sound that comes out.
        track: the runs to decode.
        open_slice: opens a key for reading.
        progress: called with bytes read since the last call.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        zero: int,
        channels: int,
        track: TrackTime,
        open_slice: Callable[[str], BinaryIO],
        *,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.track = track
        self.tally = Tally()
        self.stays: list[Stay] = []
        self._channels = channels
        self._pieces = pieces
        self._zero = zero
        self._open = open_slice
        self._progress = progress
        self._codings = Codings(track, lambda _: ())  # nothing is asked that no header tells
        self._reader = Reader(self._codings, self.tally)
        self._reached = -RATE  # sample up to which something was handed out, on UTC from file zero
        self._parts = self._all()
        self._next = next(self._parts, None)

    def until(self, end: int) -> Iterator[tuple[int, Samples]]:
        """Everything that begins before sample ``end`` of the file and was not handed out yet.

        Raises:
            Surprise: the configuration changes inside a run.
            OSError: a slice cannot be read.
        """
        while self._next is not None and self._next.at < end:
            at, samples = self._next
            self._next = next(self._parts, None)
            if samples is not None:
                yield at, samples

    def _all(self) -> Iterator[Heard]:
        for run in self.track.runs:
            yield Heard(self._file_sample(run.start), None)
            packets = open_run(self._open, [p.piece for p in run.placed], Medium.AUDIO)
            seen = 0
            try:
                for at, samples in self._heard(run, packets):
                    yield from self._placed(at, samples)
                    self._progress(packets.position - seen)
                    seen = packets.position
                self._progress(packets.position - seen)
                self.tally.damaged(run, packets.lost, packets.breaks, packets.skipped)
            finally:
                packets.close()

    def _file_sample(self, utc: int) -> int:
        """The sample of the file at UTC ticks, or the next there is."""
        for piece in self._pieces:
            if utc < piece.end:
                return ticks.samples_at(piece.at + max(0, utc - piece.start), RATE)
        return ticks.samples_at(self._pieces[-1].file_end, RATE)

    def _placed(self, at: int, samples: Samples) -> Iterator[Heard]:
        """Samples on UTC as parts of the file, without what the plan leaves out."""
        end = at + samples.shape[1]
        for piece in self._pieces:
            begin = ticks.samples_at(piece.start - self._zero, RATE)
            stop = ticks.samples_at(piece.end - self._zero, RATE)
            low, high = max(at, begin), min(end, stop)
            if low < high:
                there = ticks.samples_at(piece.at, RATE) + low - begin
                yield Heard(there, samples[:, low - at : high - at])

    def _heard(self, run: Run, packets: Packets) -> Iterator[tuple[int, Samples]]:
        """Samples of a run, with their place on UTC counted from file zero."""
        for coding, pieces in self._reader.read(run, packets, None):
            decoder = _Decoder(coding)
            yield from self._decoded(run, coding, decoder, pieces)
            if decoder.undecoded:
                self.tally.drop(UNDECODED, decoder.undecoded)
                what = f"{decoder.undecoded} sound frames could not be decoded; silence instead"
                self.tally.note(Sort.LOSS, what, run.start, run.placed[0].piece.key)

    def _decoded(
        self, run: Run, coding: Coding, decoder: _Decoder, pieces: Iterator[drift.Piece]
    ) -> Iterator[tuple[int, Samples]]:
        slope = run.slope_ppb
        stretch: _Stretch | None = None
        for utc, frames, each, anew in pieces:
            places = [
                utc + stretched(ticks.ticks_of(n * each, coding.rate), slope) for n in range(len(frames) + 1)
            ]
            wanted = [self._wants(begin, end, run.until) for begin, end in pairwise(places)]
            if stretch is not None and (anew or not wanted[0]):
                yield from self._ended(stretch)
                stretch = None
            for first, last in _rows(wanted):
                begin = places[first]
                if stretch is None and (not self.stays or begin - self.stays[-1].end > NEAR):
                    decoder.forget()
                samples, missing = decoder.decode(frames[first:last])
                count = last - first - missing
                self.tally.packets_out += count
                self._note_stay(begin, places[last], count, run.why)
                if stretch is None:
                    earliest = self._reached - FADE
                    stretch = _Stretch(begin - self._zero, decoder.rate, slope, self._channels, earliest)
                yield from stretch.push(with_channels(samples, self._channels))
                if last < len(frames):
                    yield from self._ended(stretch)
                    stretch = None
        if stretch is not None:
            yield from self._ended(stretch)

    def _ended(self, stretch: _Stretch) -> Iterator[tuple[int, Samples]]:
        yield from stretch.end()
        self._reached = stretch.at

    def _wants(self, begin: int, end: int, until: int | None) -> bool:
        """Whether a frame goes in; if not, it is counted."""
        if until is not None and end > until:
            self.tally.drop(OVERLAP)
            return False
        if not any(piece.start < end and begin < piece.end for piece in self._pieces):
            self.tally.drop(OUTSIDE)
            return False
        return True

    def _note_stay(self, start: int, end: int, packets: int, why: str) -> None:
        last = self.stays[-1] if self.stays else None
        if last is not None and start - last.end <= NEAR:
            self.stays[-1] = Stay(last.start, max(last.end, end), last.packets + packets, last.why)
        else:
            self.stays.append(Stay(start, end, packets, why))


def _rows(wanted: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """First and end of each row of True."""
    begun: int | None = None
    for index, each in enumerate((*wanted, False)):
        if each and begun is None:
            begun = index
        elif not each and begun is not None:
            yield begun, index
            begun = None


class _Stretch:
    """Samples that follow one another, from a place on; what comes out begins and ends softly.

    Args:
        start: UTC ticks of the first, from file zero.
        rate: of the decoder.
        slope_ppb: how much faster UTC runs than the samples.
        channels: of the sound.
        earliest: the first sample that may be handed out.
    """

    def __init__(self, start: int, rate: int, slope_ppb: int, channels: int, earliest: int) -> None:
        if rate == RATE and not slope_ppb:
            self.at = ticks.samples_at(start, RATE)
            self._resampler = Resampler(channels, 0.0, 1.0)
        else:
            exact = Fraction(start * RATE, ticks.TICKS)
            self.at = -(-exact.numerator // exact.denominator)
            step = Fraction(rate, RATE) / (1 + Fraction(slope_ppb, PPB))
            self._resampler = Resampler(channels, float((self.at - exact) * step), float(step))
        self._earliest = earliest
        self._held: Samples = np.zeros((channels, 0), dtype=np.float32)
        self._begun = False

    def push(self, samples: Samples) -> Iterator[tuple[int, Samples]]:
        """What is ready when these follow."""
        yield from self._out(self._resampler.push(samples), FADE)

    def end(self) -> Iterator[tuple[int, Samples]]:
        """The rest."""
        yield from self._out(self._resampler.end(), 0)

    def _out(self, samples: Samples, keep: int) -> Iterator[tuple[int, Samples]]:
        whole = np.concatenate((self._held, samples), axis=1)
        if not self._begun and self.at < self._earliest:
            cut = min(whole.shape[1], self._earliest - self.at)
            whole, self.at = whole[:, cut:], self.at + cut
        if keep and whole.shape[1] < 2 * FADE:
            self._held = whole
            return
        if not self._begun:
            whole = whole.copy()
            whole[:, :FADE] *= _rise(whole[:, :FADE].shape[1])
            self._begun = True
        if not keep:
            whole = whole.copy()
            whole[:, -FADE:] *= _rise(whole[:, -FADE:].shape[1])[::-1]
        ready, self._held = whole[:, : whole.shape[1] - keep], whole[:, whole.shape[1] - keep :]
        if ready.shape[1]:
            yield self.at, ready
        self.at += ready.shape[1]


def _rise(count: int) -> Samples:
    return np.asarray((np.arange(count) + 0.5) / max(1, count), dtype=np.float32)


class _Decoder:
    """FFmpeg's decoder of one configuration.

    Args:
        coding: of the frames.
    """

    def __init__(self, coding: Coding) -> None:
        self._coding = coding
        self._context = coding.decoder()
        self._channels = coding.channels
        self._begun = False
        self.rate = coding.rate  # twice that for HE-AAC, as soon as a frame was decoded
        self.undecoded = 0

    def forget(self) -> None:
        """What comes next does not follow."""
        if self._begun:
            self._context.flush_buffers()

    def decode(self, frames: Sequence[bytes]) -> tuple[Samples, int]:
        """Samples of frames, silence for those that cannot be decoded, and how many these are."""
        parts: list[Samples] = []
        before = self.undecoded
        for data in frames:
            try:
                found = self._context.decode(av.Packet(data))
            except av.error.FFmpegError:
                found = []
            parts += map(self._samples_of, found)
            if not found:
                self.undecoded += 1
                count = self._coding.samples(data) * self.rate // self._coding.rate
                parts.append(np.zeros((self._channels, count), dtype=np.float32))
        return np.concatenate(
            [with_channels(part, self._channels) for part in parts], axis=1
        ), self.undecoded - before

    def _samples_of(self, frame: AudioFrame) -> Samples:
        self._begun, self.rate = True, frame.sample_rate
        if frame.format.name == "fltp" and frame.layout.nb_channels == 1:
            # As `to_ndarray` would, without its stacking of planes.
            plane = memoryview(frame.planes[0])
            return np.frombuffer(plane, dtype=np.float32, count=frame.samples)[np.newaxis]
        array = frame.to_ndarray()
        if not frame.format.is_planar:
            array = array.reshape(-1, frame.layout.nb_channels).T
        if array.dtype != np.float32:
            array = array.astype(np.float32) / _INT16
        return cast("Samples", array)

"""Sound of one output: frames copied to their places, others encoded into the file's coding.

Frames are placed by `pipeline.media.sound.read`; silence between them makes time and count agree. What is not
of the coding that is heard longest is decoded and encoded into it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from pipeline.media.mp4.writer import Edit, SampleTimes, TrackHeader
from pipeline.media.placing import FileTime, SoundTime
from pipeline.media.runs import open_run
from pipeline.media.sound.codings import Codings
from pipeline.media.sound.decode import Decoded
from pipeline.media.sound.read import Reader
from pipeline.media.sound.stretch import Stretch
from pipeline.media.tally import CHUNK, DRIFT, OUTSIDE, OVERLAP, UNDECODED, Chunk, Made, Tally, fits
from pipeline.model import ticks
from pipeline.model.ledger import Sort
from pipeline.model.manifest import Encoded, OutputTrack, Span
from pipeline.model.slices import Medium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.media import drift
    from pipeline.media.packet import Packets
    from pipeline.media.sound.coding import Coding
    from pipeline.model.decisions import Piece
    from pipeline.model.plan import OutputPlan
    from pipeline.model.timeline import Run, TrackTime

NEAR = 2
"""Silent frames: what is filled with fewer is no gap but an edit."""
RECENT = 64
"""Frames that are kept to say what silence after them must be: over a second of AAC, in which encoders of
HE-AAC repeat what decoders must know of SBR."""
_Part: TypeAlias = tuple[int, list[bytes], int, bool]
"""File ticks of frames that belong into the file, these frames, samples of each, whether they begin anew."""


class Sounds:
    """The sound of one output.

    Args:
        output: the plan of the file.
        track: its runs.
        open_slice: opens a key for reading.
        progress: called with bytes read since the last call.
    """

    def __init__(
        self,
        output: OutputPlan,
        track: TrackTime,
        open_slice: Callable[[str], BinaryIO],
        progress: Callable[[int], None],
    ) -> None:
        self.track = track
        self.tally = Tally()
        self._codings = Codings(track, self._beginning)
        self.coding = self._codings.of(output.sound or track.form)
        self.time = SoundTime(self.coding.rate, self.coding.frame)
        self._output = output
        self._place = FileTime(output.pieces)
        self._open = open_slice
        self._progress = progress
        self._early = ticks.ticks_of(self.coding.preroll, self.coding.rate)
        self._recent: deque[bytes] = deque(maxlen=RECENT)
        self._reader = Reader(self._codings, self.tally)
        self._stretch: Stretch | None = None
        self._piece: Piece | None = None  # of the plan, in which the stretch lies
        self._put_in = self._left_out = 0  # frames, in this run, to keep count and time together

    def header(self) -> TrackHeader:
        """The MP4's track header."""
        return TrackHeader("soun", self.time.rate, self.coding.entry(), name="microphone")

    def _beginning(self, coding: Coding) -> list[bytes]:
        """The first frames of a coding, `RECENT` or a few more, before any is copied."""
        frames: list[bytes] = []
        for run in self.track.runs:
            if not self._codings.holds(run, coding):
                continue
            packets = open_run(self._open, [p.piece for p in run.placed], Medium.AUDIO)
            try:
                first = self._codings.of_run(run)
                for block in first.blocks(run, packets, Tally(), self._codings):
                    frames += block.frames if block.coding is coding else []
                    if len(frames) >= RECENT or (frames and block.coding is not coding):
                        break
            finally:
                packets.close()
            if frames:
                break
        return frames

    def chunks(self) -> Iterator[Chunk]:
        """All runs, and silence after them as long as there are pictures.

        Raises:
            Surprise: a coding that the plan does not know of, or slices that cannot be read.
            OSError: a slice cannot be read.
        """
        for run in self.track.runs:
            yield from self._run(run)
        yield from self._close_stretch(None)
        at = self.ends
        count = self.time.silence_to(ticks.samples_at(self._output.picture_end, self.time.rate))
        yield from self._silent(at, count)

    @property
    def ends(self) -> int:
        """File ticks where the last frame ends, by time."""
        return self.time.ticks_at(self.time.end)

    def _times(self) -> SampleTimes:
        """DTS from 0 in samples; an edit where the first frame begins a little off file zero."""
        time = self.time
        lead = time.ticks_at(time.lead)
        edits: tuple[Edit, ...] = ()
        if lead > 0:
            edits = Edit(lead, -1), Edit(self.ends - lead, 0)
        elif lead:
            edits = (Edit(self.ends, -time.lead),)
        roll = self.coding.roll(time.shortest) if time.frames else 0
        return SampleTimes(time.dts(), time.end - time.lead, edits=edits, roll=roll)

    def made(self, end: int, payload_sha256: str) -> Made:  # noqa: ARG002 - sound ends where its frames end
        """Times, manifest entry and ledger of the track."""
        return Made(self._times(), self._told(payload_sha256), tuple(self.tally.entries))

    def _told(self, payload_sha256: str) -> OutputTrack:
        fills = tuple(self.time.fills)
        return OutputTrack(
            medium=Medium.AUDIO,
            codec=(self._output.sound or self.track.form).codec,
            timescale=self.time.rate,
            packets_in=self.tally.packets_in,
            packets_out=self.tally.packets_out,
            inserted=sum(fill.count for fill in fills),
            dropped=self.tally.drops(),
            payload_sha256=payload_sha256,
            spans=tuple(self.tally.spans),
            fills=fills,
            clocks=fits(self.track),
            end=self.ends,
            encoded=tuple(self.tally.encoded),
            rate=self.coding.rate,
            channels=self.coding.channels,
        )

    def _silent(self, at: int, count: int) -> Iterator[Chunk]:
        frame = self.coding.frame
        silence = self.coding.silence(count, self._recent)
        a_chunk = max(1, self.time.rate // frame)
        for begun in range(0, count, a_chunk):
            frames = silence[begun : begun + a_chunk]
            due = at + self.time.ticks_at(begun * frame)
            yield Chunk(due, list(map(len, frames)), b"".join(frames), copied=False)

    def _run(self, run: Run) -> Iterator[Chunk]:
        packets = open_run(self._open, [p.piece for p in run.placed], Medium.AUDIO)
        self._seen = 0
        try:
            kept = None if self._output.resamples(run) else self.coding
            for coding, pieces in self._reader.read(run, packets, kept):
                if coding is kept:
                    yield from self._copied(run, pieces, packets)
                else:
                    yield from self._encoded(run, coding, pieces, packets)
            self._tell_edits(run)
            self._advance(packets)
            self.tally.damaged(run, packets.lost, packets.breaks, packets.skipped)
        finally:
            packets.close()

    def _advance(self, packets: Packets) -> None:
        self._progress(packets.position - self._seen)
        self._seen = packets.position

    def _copied(self, run: Run, pieces: Iterator[drift.Piece], packets: Packets) -> Iterator[Chunk]:
        """Frames as they are."""
        time = self.time
        held: list[bytes] = []
        due, fresh = 0, True
        for place, some, each, anew in self._wanted(run, pieces):
            at, frames = place, some
            fresh = fresh or anew
            if held and (fresh or time.ticks_at(time.end) - due >= CHUNK):
                yield self.tally.copied(due, held)
                held = []
                self._advance(packets)
            if fresh:
                yield from self._close_stretch(at)
                at, frames = self._fitting(at, frames, each)
                if not frames:
                    continue
                yield from self._begin_span(run, at)
                fresh = False
            if not held:
                due = time.ticks_at(time.end)
            held += frames
            self._recent.extend(frames)
            time.copy(len(frames), each)
        if held:
            yield self.tally.copied(due, held)
        self._close_span()

    def _encoded(
        self, run: Run, coding: Coding, pieces: Iterator[drift.Piece], packets: Packets
    ) -> Iterator[Chunk]:
        """Frames of another coding, or of a clock that runs fast or slow, encoded into the file's."""
        decoded: Decoded | None = None
        held: list[bytes] = []
        for at, frames, _, fresh in self._wanted(run, pieces):
            if fresh:
                if decoded is not None:
                    held += self._end_decoded(run, decoded)
                if held:
                    yield self._made_anew(held)
                decoded, held = Decoded(coding, self.coding, run.slope_ppb), []
                yield from self._go_on(run, at)
            stretch = self._stretch
            if decoded is None or stretch is None:
                raise AssertionError(run.placed[0].piece.key)
            held += stretch.take(decoded.take(frames))
            stretch.packets += len(frames)
            if len(held) * self.coding.frame >= self.time.rate:
                yield self._made_anew(held)
                held = []
                self._advance(packets)
        if decoded is not None:
            held += self._end_decoded(run, decoded)
        if held:
            yield self._made_anew(held)

    def _end_decoded(self, run: Run, decoded: Decoded) -> list[bytes]:
        """Frames that are ready with the last samples of a decoder."""
        if self._stretch is None:
            return []
        if decoded.undecoded:
            self.tally.drop(UNDECODED, decoded.undecoded)
            self._stretch.packets -= decoded.undecoded
            what = f"{decoded.undecoded} sound frames could not be decoded to be re-encoded; silence instead"
            self.tally.note(Sort.LOSS, what, run.start, run.placed[0].piece.key)
        return self._stretch.take(decoded.end())

    def _made_anew(self, frames: list[bytes]) -> Chunk:
        """Encoded frames as the chunk that takes them to the file, behind those before."""
        due = self.ends
        self.time.copy(len(frames), self.coding.frame)
        self._recent.extend(frames)
        return Chunk(due, list(map(len, frames)), b"".join(frames), copied=False)

    def _go_on(self, run: Run, at: int) -> Iterator[Chunk]:
        """A stretch that goes on at file tick ``at``, or begins there after a second without sound.

        Or where time was left out, so that what a span holds has one UTC.
        """
        place = ticks.samples_at(at, self.time.rate)
        piece = self._place.piece_at(max(0, at))
        stretch = self._stretch
        if stretch is not None and (piece != self._piece or place - stretch.end > self.time.rate):
            yield from self._close_stretch(at)
            stretch = None
        if stretch is None:
            self._close_span()
            silent_from = self.ends
            self._stretch = stretch = Stretch(self.time, self.coding, place)
            self._piece = piece
            yield from self._silent(silent_from, stretch.silent)
            begins = max(0, self.time.ticks_at(stretch.start))
            self._open_span(run, begins, ticks.to_ms(piece.start + begins - piece.at))
        elif ready := stretch.go_on(place):
            yield self._made_anew(ready)

    def _close_stretch(self, at: int | None) -> Iterator[Chunk]:
        """End what is being encoded; file tick ``at`` is where sound goes on, None if it does not."""
        stretch, self._stretch = self._stretch, None
        if stretch is None:
            return
        room = at is None or ticks.samples_at(at, self.time.rate) - stretch.end >= self.coding.frame
        if last := stretch.close(room=room):
            yield self._made_anew(last)
        count = self.time.frames - stretch.first
        if not count:  # less than half a frame, and no room for it
            self.tally.spans.pop()
            self.tally.drop(OVERLAP, stretch.packets)
            return
        begins = max(0, self.time.ticks_at(stretch.start))
        self.tally.encoded.append(Encoded(stretch.first, count, begins, self.ends, stretch.packets))
        self._close_span()

    def _wanted(self, run: Run, blocks: Iterator[drift.Piece]) -> Iterator[_Part]:
        """The part of the blocks that belongs into the file."""
        place, length_of = self._place.at, self.time.ticks_at
        until = run.until
        fresh = True
        samples = length = 0
        for utc, frames, each, anew in blocks:
            fresh = fresh or anew
            if len(frames) * each != samples:
                samples = len(frames) * each
                length = length_of(samples)
            first, last = place(utc), place(utc + length - 1)
            inside = until is None or utc + length <= until
            if inside and first is not None and last is not None and last - first == length - 1:
                yield first, frames, each, fresh
                fresh = False
                continue
            for number, frame in enumerate(frames):
                begin = utc + length_of(number * each)
                at = place(begin, self._early)
                over = until is not None and begin + length_of(each) > until
                if at is None or over:
                    self.tally.drop(OVERLAP if over else OUTSIDE)
                    fresh = True
                    continue
                yield at, [frame], each, fresh
                fresh = False

    def _fitting(self, at: int, frames: list[bytes], each: int) -> tuple[int, list[bytes]]:
        """Frames that begin anew at file tick ``at`` without those that are too many by count."""
        many = self.time.surplus(ticks.samples_at(at, self.time.rate), each, len(frames))
        self.tally.drop(DRIFT, many)
        self._left_out += many
        return at + self.time.ticks_at(many * each), frames[many:]

    def _tell_edits(self, run: Run) -> None:
        """Say how many frames went in or out to keep count and time together."""
        for count, done in ((self._put_in, "put in"), (self._left_out, "left out")):
            if count:
                what = f"{count} sound frames {done} to keep sound with its time stamps"
                self.tally.note(Sort.REPAIR, what, run.start, run.placed[0].piece.key)
        self._put_in = self._left_out = 0

    def _begin_span(self, run: Run, at: int) -> Iterator[Chunk]:
        """Silence up to file tick ``at``, and a new span there."""
        self._close_span()
        silent_from, wanted = self.ends, ticks.samples_at(at, self.time.rate)
        # Frames count out longer than their stamps said: the rest of it waits for the next gap.
        earliest = self.time.earliest
        media = wanted if earliest is None else max(wanted, earliest)
        at = max(0, at)
        utc_ms = self._place.utc_ms(at)
        if media > wanted:
            at = self.time.ticks_at(media)
            moved = ticks.to_ms(ticks.ticks_of(media - wanted, self.time.rate))
            self.tally.note(Sort.REPAIR, f"sound moved by {moved} ms behind what goes before", run.start)
        near = media - self.time.end < NEAR * self.coding.frame
        count = self.time.silence_before(media)
        self._put_in += count if near else 0
        yield from self._silent(silent_from, count)
        self._open_span(run, at, utc_ms)

    def _open_span(self, run: Run, at: int, utc_ms: int) -> None:
        spans = self.tally.spans
        why = run.why if not spans or spans[-1].utc_ms < ticks.to_ms(run.start) else "gap"
        spans.append(Span(utc_ms, at, at, self.time.frames, 0, why))

    def _close_span(self) -> None:
        spans = self.tally.spans
        if spans and not spans[-1].packets:
            span = spans[-1]
            until = self.time.ticks_at(self.time.end)
            packets = self.time.frames - span.first
            spans[-1] = Span(span.utc_ms, span.at, until, span.first, packets, span.why)

"""Sound copied: frames placed by PTS where a run begins and by count inside it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeAlias

from pipeline.media.drift import Piece, Steady
from pipeline.media.mp4.writer import Edit, SampleTimes, TrackHeader
from pipeline.media.placing import FileTime, SoundTime
from pipeline.media.runs import open_run
from pipeline.media.sound.codings import coding_of
from pipeline.media.tally import BACKWARD, CHUNK, DRIFT, OUTSIDE, OVERLAP, Chunk, Made, Tally, fits
from pipeline.model import ticks
from pipeline.model.ledger import Sort
from pipeline.model.manifest import OutputTrack, Span
from pipeline.model.slices import Medium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.media.packet import Packets
    from pipeline.model.plan import OutputPlan
    from pipeline.model.timeline import Placed, Run, TrackTime

NEAR = 2
"""Silent frames: what is filled with fewer is no gap but an edit."""
RECENT = 64
"""Frames that are kept to say what silence after them must be: over a second of AAC, in which encoders of
HE-AAC repeat what decoders must know of SBR."""
FAR = 10 * ticks.TICKS
"""A PTS that lies this far outside of its slice is a reset or damage that its ends did not show."""


class _Block(NamedTuple):
    """Frames of ``each`` samples, the UTC ticks of the first by its PTS, and their slice."""

    utc: int | None
    frames: list[bytes]
    each: int
    placed: Placed


_Part: TypeAlias = tuple[int, list[bytes], int, bool]
"""File ticks of frames that belong into the file, these frames, samples of each, whether they begin anew."""


class Sounds:
    """The copied sound of one output.

    Args:
        output: the plan of the file.
        track: the runs to copy.
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
        self.coding = coding_of(track.form, self._beginning)
        self.time = SoundTime(self.coding.rate, self.coding.frame)
        self._output = output
        self._place = FileTime(output.pieces)
        self._open = open_slice
        self._progress = progress
        self._early = ticks.ticks_of(self.coding.preroll, self.coding.rate)
        self._recent: deque[bytes] = deque(maxlen=RECENT)
        self._doubtful: set[str] = set()
        self._put_in = self._left_out = 0  # frames, in this run, to keep count and time together

    def header(self) -> TrackHeader:
        """The MP4's track header."""
        return TrackHeader("soun", self.time.rate, self.coding.entry(), name="microphone")

    def _beginning(self) -> list[bytes]:
        """The first frames, `RECENT` or a few more, before any is copied."""
        run = self.track.runs[0]
        packets = open_run(self._open, [p.piece for p in run.placed], Medium.AUDIO)
        frames: list[bytes] = []
        try:
            for block in self.coding.blocks(run, packets, Tally()):
                frames += block.frames
                if len(frames) >= RECENT:
                    break
        finally:
            packets.close()
        return frames

    def chunks(self) -> Iterator[Chunk]:
        """Copy everything, and silence after it as long as there are pictures.

        Raises:
            Surprise: the configuration changes inside a run, or time goes far back.
            OSError: a slice cannot be read.
        """
        for run in self.track.runs:
            yield from self._run(run)
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
            codec=self.track.form.codec,
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
        held: list[bytes] = []
        due = seen = 0
        try:
            for at, frames, each, fresh in self._fitting(self._wanted(run, self._counted(run, packets))):
                if held and (fresh or self.time.ticks_at(self.time.end) - due >= CHUNK):
                    yield self.tally.copied(due, held)
                    held = []
                    self._progress(packets.position - seen)
                    seen = packets.position
                if fresh:
                    yield from self._begin_span(run, at)
                if not held:
                    due = self.time.ticks_at(self.time.end)
                held += frames
                self._recent.extend(frames)
                self.time.copy(len(frames), each)
            if held:
                yield self.tally.copied(due, held)
            self._close_span()
            self._tell_edits(run)
            self._progress(packets.position - seen)
            self.tally.damaged(run, packets.lost, packets.breaks, packets.skipped)
        finally:
            packets.close()

    def _counted(self, run: Run, packets: Packets) -> Iterator[Piece]:
        """Frames with their places; inside a run by count, as long as the PTS agree.

        A PTS far from the count is believed once the next one does not contradict it.
        """
        steady = Steady(self.time.rate, self.time.frame)
        doubted: _Block | None = None
        first: int | None = None
        plain = steady.plain
        for block in self._stamped(run, packets):
            frames, each = block.frames, block.each
            if doubted is None and (utc := plain(block.utc, len(frames) * each)) is not None:
                yield Piece(utc, frames, each, anew=False)
                continue
            expected = steady.expected
            if expected is None:
                first = run.start if block.utc is None else block.utc
                yield from steady.begin(first, frames, each)
                continue
            if doubted is not None:
                by_count = expected + steady.after(len(doubted.frames) * doubted.each)
                if block.utc is not None and steady.near(block.utc, by_count):
                    self._note_once(doubted.placed, "a time stamp")
                    yield from steady.take(None, doubted.frames, doubted.each)
                else:
                    yield from self._anew(steady, doubted)
                doubted = None
            if block.utc is not None and steady.strays(block.utc):
                doubted = block
            else:
                yield from steady.take(block.utc, frames, each)
        if doubted is not None:
            yield from self._anew(steady, doubted)
        yield from steady.end()
        self.tally.reached(run, first, run.start if steady.expected is None else steady.expected)

    def _stamped(self, run: Run, packets: Packets) -> Iterator[_Block]:
        """Frames with the UTC of their first by PTS; a PTS far outside of its slice is not believed."""
        bounds = [(placed.at - FAR, placed.end + FAR) for placed in run.placed]
        for pts, piece, frames, each, begun in self.coding.blocks(run, packets, self.tally):
            placed = run.placed[piece]
            utc = None if pts is None else placed.utc(pts)
            if begun and utc is not None:
                utc -= self.time.ticks_at(each)
            low, high = bounds[piece]
            if utc is not None and not low <= utc <= high:
                self._note_once(placed, "time stamps")
                utc = None
            yield _Block(utc, frames, each, placed)

    def _note_once(self, placed: Placed, what: str) -> None:
        if placed.piece.key not in self._doubtful:
            self._doubtful.add(placed.piece.key)
            sentence = f"{what} of sound in it cannot be true; it goes on by its count"
            self.tally.note(Sort.REPAIR, sentence, placed.at, placed.piece.key)

    def _anew(self, steady: Steady, block: _Block) -> Iterator[Piece]:
        """Frames that begin anew by their PTS, without those that were heard already."""
        frames, utc, expected = block.frames, block.utc, steady.expected
        if utc is None or expected is None:
            raise AssertionError(block.placed.piece.key)
        if utc < expected:
            step = steady.after(block.each)
            heard = min(len(frames), -(-(expected - utc) // step))
            self.tally.drop(BACKWARD, heard)
            self.tally.note(
                Sort.REPAIR, f"{heard} sound frames that repeat time dropped", utc, block.placed.piece.key
            )
            frames, utc = frames[heard:], utc + heard * step
        if frames:
            yield from steady.begin(utc, frames, block.each)

    def _wanted(self, run: Run, blocks: Iterator[Piece]) -> Iterator[_Part]:
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

    def _fitting(self, parts: Iterator[_Part]) -> Iterator[_Part]:
        """Without the frames that are too many by count where sound begins anew."""
        rate, fresh = self.time.rate, False
        for part in parts:
            at, frames, each, anew = part
            fresh = fresh or anew
            if not fresh:
                yield part
                continue
            many = self.time.surplus(ticks.samples_at(at, rate), each, len(frames))
            self.tally.drop(DRIFT, many)
            self._left_out += many
            if many < len(frames):
                yield at + self.time.ticks_at(many * each), frames[many:], each, fresh
                fresh = False

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
        why = (
            run.why if not self.tally.spans or self.tally.spans[-1].utc_ms < ticks.to_ms(run.start) else "gap"
        )
        self.tally.spans.append(Span(utc_ms, at, at, self.time.frames, 0, why))

    def _close_span(self) -> None:
        spans = self.tally.spans
        if spans and not spans[-1].packets:
            span = spans[-1]
            until = self.time.ticks_at(self.time.end)
            packets = self.time.frames - span.first
            spans[-1] = Span(span.utc_ms, span.at, until, span.first, packets, span.why)

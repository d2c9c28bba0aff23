"""Sound copied: raw AAC blocks out of ADTS, placed by PTS where a run begins and by count inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from pipeline.media.aac import AdtsConfig, AdtsSplit, silent_frame, split_adts
from pipeline.media.drift import SLACK, Piece, Steady
from pipeline.media.mp4.writer import Edit, SampleTimes, TrackHeader
from pipeline.media.placing import FRAME, FileTime, SoundTime
from pipeline.media.probe import has_sbr
from pipeline.media.runs import open_run
from pipeline.media.sample_entry import audio_entry
from pipeline.media.tally import (
    BACKWARD,
    CHUNK,
    DAMAGED,
    DRIFT,
    INCOMPLETE,
    OUTSIDE,
    OVERLAP,
    Chunk,
    Made,
    Surprise,
    Tally,
    fits,
)
from pipeline.model import ticks
from pipeline.model.ledger import Sort
from pipeline.model.manifest import OutputTrack, Span
from pipeline.model.slices import Medium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.media.packet import Packets
    from pipeline.model.plan import OutputPlan
    from pipeline.model.timeline import Placed, Run, TrackTime

NEAR = 2 * FRAME
"""Samples: silence that fills less than this is no gap but an edit."""
FAR = 10 * ticks.TICKS
"""A PTS that lies this far outside of its slice is a reset or damage that its ends did not show."""


class _Block(NamedTuple):
    """Frames of one PES, the UTC ticks of the first by its PTS, and their slice."""

    utc: int | None
    frames: list[bytes]
    placed: Placed


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
        self.form = track.form
        self.config = AdtsConfig.from_audio_specific_config(bytes.fromhex(self.form.parameters))
        self.time = SoundTime(self.config.sample_rate)
        self._output = output
        self._place = FileTime(output.pieces)
        self._open = open_slice
        self._progress = progress
        self._silence = silent_frame(self.config)
        self._sbr: bool | None = None
        self._doubtful: set[str] = set()
        self._put_in = self._left_out = 0  # frames, in this run, to keep count and time together

    def header(self) -> TrackHeader:
        """The MP4's track header."""
        return TrackHeader("soun", self.time.rate, audio_entry(self.config), name="microphone")

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
        """DTS from 0 in samples; an empty edit where the first frame is late by less than half a frame."""
        lead = self.time.ticks_at(self.time.lead)
        edits = (Edit(lead, -1), Edit(self.ends - lead, 0)) if lead else ()
        return SampleTimes(self.time.dts(), self.time.end - self.time.lead, edits=edits)

    def made(self, end: int, payload_sha256: str) -> Made:  # noqa: ARG002 - sound ends where its frames end
        """Times, manifest entry and ledger of the track."""
        return Made(self._times(), self._told(payload_sha256), tuple(self.tally.entries))

    def _told(self, payload_sha256: str) -> OutputTrack:
        fills = tuple(self.time.fills)
        return OutputTrack(
            medium=Medium.AUDIO,
            codec=self.form.codec,
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
            rate=self.config.sample_rate,
            channels=self.config.channels,
        )

    def _silent(self, at: int, count: int) -> Iterator[Chunk]:
        a_chunk = max(1, self.time.rate // FRAME)
        for begun in range(0, count, a_chunk):
            due = at + self.time.ticks_at(begun * FRAME)
            many = min(a_chunk, count - begun)
            yield Chunk(due, [len(self._silence)] * many, self._silence * many, copied=False)

    def _run(self, run: Run) -> Iterator[Chunk]:
        packets = open_run(self._open, [p.piece for p in run.placed], Medium.AUDIO)
        held: list[bytes] = []
        due = seen = 0
        try:
            for at, frames, fresh in self._fitting(self._wanted(run, self._counted(run, packets))):
                if held and (fresh or self.time.ticks_at(self.time.end) - due >= CHUNK):
                    yield self.tally.copied(due, held)
                    held = []
                    self._progress(packets.position - seen)
                    seen = packets.position
                if self._sbr is None:
                    self._sbr = has_sbr(self.config, frames[0])
                    self._silence = silent_frame(self.config, sbr=self._sbr)
                if fresh:
                    yield from self._begin_span(run, at)
                if not held:
                    due = self.time.ticks_at(self.time.end)
                held += frames
                self.time.copy(len(frames))
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
        steady, step = Steady(self.time.rate), ticks.ticks_of(FRAME, self.time.rate)
        doubted: _Block | None = None
        first: int | None = None
        plain = steady.plain
        for block in self._stamped(run, packets):
            if doubted is None and (utc := plain(block.utc, len(block.frames))) is not None:
                yield Piece(utc, block.frames, anew=False)
                continue
            expected = steady.expected
            if expected is None:
                first = run.start if block.utc is None else block.utc
                yield from steady.begin(first, block.frames)
                continue
            if doubted is not None:
                by_count = expected + len(doubted.frames) * step
                if block.utc is not None and abs(block.utc - by_count) <= ticks.ticks_of(
                    SLACK, self.time.rate
                ):
                    self._note_once(doubted.placed, "a time stamp")
                    yield from steady.take(None, doubted.frames)
                else:
                    yield from self._anew(steady, doubted)
                doubted = None
            if block.utc is not None and steady.strays(block.utc):
                doubted = block
            else:
                yield from steady.take(block.utc, block.frames)
        if doubted is not None:
            yield from self._anew(steady, doubted)
        yield from steady.end()
        self.tally.reached(run, first, run.start if steady.expected is None else steady.expected)

    def _stamped(self, run: Run, packets: Packets) -> Iterator[_Block]:
        """Frames with the UTC of their first by PTS; a PTS far outside of its slice is not believed."""
        step = ticks.ticks_of(FRAME, self.time.rate)
        bounds = [(placed.at - FAR, placed.end + FAR) for placed in run.placed]
        for pts, piece, frames, begun in self._frames(run, packets):
            placed = run.placed[piece]
            utc = None if pts is None else placed.utc(pts) - (step if begun else 0)
            low, high = bounds[piece]
            if utc is not None and not low <= utc <= high:
                self._note_once(placed, "time stamps")
                utc = None
            yield _Block(utc, frames, placed)

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
            step = ticks.ticks_of(FRAME, self.time.rate)
            heard = min(len(frames), -(-(expected - utc) // step))
            self.tally.drop(BACKWARD, heard)
            self.tally.note(
                Sort.REPAIR, f"{heard} sound frames that repeat time dropped", utc, block.placed.piece.key
            )
            frames, utc = frames[heard:], utc + heard * step
        if frames:
            yield from steady.begin(utc, frames)

    def _frames(self, run: Run, packets: Packets) -> Iterator[tuple[int | None, int, list[bytes], bool]]:
        """PTS, slice and whole frames of each PES, and whether the first of them began in the PES before."""
        tally, rest, before = self.tally, b"", 0
        for pts, _, piece, data, torn in packets:
            if rest and piece != before and _is_cut(run, before):
                self._drop_rest(run, before)
                rest = b""
            before = piece
            if torn:
                tally.packets_in += 1
                tally.drop(DAMAGED)
                rest = b""
                continue
            split = split_adts(rest + data if rest else data)
            begun, rest = bool(rest), split.rest
            if split.skipped or split.changed or split.config != self.config:
                self._check(split, run.placed[piece])
            tally.packets_in += len(split.frames)
            if split.frames:
                yield pts, piece, split.frames, begun
        if rest:
            self._drop_rest(run, before)

    def _drop_rest(self, run: Run, piece: int) -> None:
        """Count a frame whose end is not there."""
        self.tally.packets_in += 1
        self.tally.drop(INCOMPLETE)
        last = run.placed[piece]
        self.tally.note(Sort.LOSS, "its last sound frame is cut off; dropped", last.end, last.piece.key)

    def _wanted(self, run: Run, blocks: Iterator[Piece]) -> Iterator[tuple[int, list[bytes], bool]]:
        """The part of the blocks that belongs into the file, with the file ticks of the first frame."""
        place, rate = self._place.at, self.time.rate
        step = ticks.ticks_of(FRAME, rate)
        fresh = True
        for utc, frames, anew in blocks:
            fresh = fresh or anew
            first, last = place(utc), place(utc + (len(frames) - 1) * step)
            inside = run.until is None or utc + len(frames) * step <= run.until
            if inside and first is not None and last is not None and last - first == (len(frames) - 1) * step:
                yield first, frames, fresh
                fresh = False
                continue
            for number, frame in enumerate(frames):
                begin = utc + number * step
                at = place(begin)
                over = run.until is not None and begin + step > run.until
                if at is None or over:
                    self.tally.drop(OVERLAP if over else OUTSIDE)
                    fresh = True
                    continue
                yield at, [frame], fresh
                fresh = False

    def _fitting(
        self, pieces: Iterator[tuple[int, list[bytes], bool]]
    ) -> Iterator[tuple[int, list[bytes], bool]]:
        """Without the frames that are too many by count where sound begins anew."""
        rate, fresh = self.time.rate, False
        for at, frames, anew in pieces:
            fresh = fresh or anew
            many = min(self.time.surplus(ticks.samples_at(at, rate)), len(frames)) if fresh else 0
            self.tally.drop(DRIFT, many)
            self._left_out += many
            if many < len(frames):
                yield at + ticks.ticks_of(many * FRAME, rate), frames[many:], fresh
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
        media = max(wanted, self.time.end - FRAME // 2)
        utc_ms = self._place.utc_ms(at)
        if media > wanted:
            at = self.time.ticks_at(media)
            moved = ticks.to_ms(ticks.ticks_of(media - wanted, self.time.rate))
            self.tally.note(Sort.REPAIR, f"sound moved by {moved} ms behind what goes before", run.start)
        near = media - self.time.end < NEAR
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

    def _check(self, split: AdtsSplit, placed: Placed) -> None:
        """Whether a PES still holds what the plan was made for."""
        found = split.changed[0][1] if split.changed else split.config
        if found is not None and found != self.config:
            raise Surprise(
                f"the sound changes from {self.config.sample_rate} Hz {self.config.channels} ch to "
                f"{found.sample_rate} Hz {found.channels} ch inside {placed.piece.key}"
            )
        if split.skipped:
            self.tally.note(
                Sort.LOSS, f"{split.skipped} bytes of sound are no AAC; dropped", placed.at, placed.piece.key
            )


def _is_cut(run: Run, piece: int) -> bool:
    ends = run.placed[piece].piece.ends
    return ends is not None and (ends.cut is not None or ends.whole is not None)

"""Pictures copied: access units to length-prefixed samples, each at the place that its PTS has on UTC."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from pipeline.media.mp4.writer import Edit, SampleTimes, TrackHeader
from pipeline.media.pictures.bitstream import bitstream
from pipeline.media.pictures.entry import Entry, ahead, entry
from pipeline.media.pictures.order import COPIED, ENCODED, UNTRUE, Order, Picture
from pipeline.media.pictures.sieve import KEY_WITHIN, Sieve, shape_at
from pipeline.media.placing import FileTime
from pipeline.media.runs import open_run
from pipeline.media.tally import BEHIND, CHUNK, NO_KEY, OUTSIDE, OVERLAP, Chunk, Made, Surprise, Tally, fits
from pipeline.model import ticks
from pipeline.model.clock import stretched
from pipeline.model.ledger import Sort
from pipeline.model.losses import BLACK_AFTER
from pipeline.model.manifest import Fill, OutputTrack, Span
from pipeline.model.shapes import Shape, shapes_of
from pipeline.model.slices import Medium
from pipeline.model.timeline import tolerance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.media.annexb import AccessUnit
    from pipeline.media.packet import Packets
    from pipeline.model.plan import OutputPlan
    from pipeline.model.timeline import Run, TrackTime


class Pictures:
    """The copied pictures of one output.

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
        if output.shape is None:
            raise AssertionError(output.file)  # an output with pictures has a shape
        self.shape = output.shape
        self._output = output
        self._entry = Entry(b"")
        self._odd = {stretch.shape for stretch in output.odd}
        self._place = FileTime(output.pieces)
        self._open = open_slice
        self._progress = progress
        self._pts: list[int] = []
        self._dts: list[int] = []
        self._key: list[bool] = []
        self._sets: set[tuple[Shape, tuple[bytes, ...]]] = set()
        self._fills: list[Fill] = []
        self.ends = 0  # file ticks where the last picture's own length ends

    def header(self) -> TrackHeader:
        """The MP4's track header.

        Raises:
            Surprise: no slice holds a key frame of the track's shape.
        """
        self._entry = entry(self._output, self.shape, self.track, self._open)
        return TrackHeader(
            "vide",
            ticks.TICKS,
            self._entry.sample_entry,
            name=self._output.source,
            width=self.shape.width,
            height=self.shape.height,
            clockwise=self.shape.clockwise,
        )

    def chunks(self) -> Iterator[Chunk]:
        """Copy everything; the arrays are complete when this ends.

        Raises:
            Surprise: the pictures are of a shape that was not planned for.
            OSError: a slice cannot be read.
        """
        before: Run | None = None
        for run in self.track.runs:
            yield from self._run(run, before)
            before = run
        yield from self._blackness(self._output.duration)

    def _blackness(self, until: int) -> Iterator[Chunk]:
        """A black picture from where the last one ends to file tick ``until``, if asked for and long."""
        at = self.ends
        if not self._output.black or until - at <= (BLACK_AFTER if self._pts else 0):
            return
        number = len(self._pts)
        lead, black = self._entry.lead, self._entry.black
        self._dts.append(max(at - lead, self._dts[-1] + 1 if self._dts else at - lead))
        self._pts.append(max(at, self._dts[-1]))
        self._key.append(True)
        self._fills.append(Fill(number, 1))
        self.ends = until
        yield Chunk(at, [len(black)], black, copied=False)

    def _run(self, run: Run, before: Run | None) -> Iterator[Chunk]:
        packets = open_run(self._open, [placed.piece for placed in run.placed], Medium.VIDEO)
        all_pts, all_dts, keys = self._pts, self._dts, self._key
        first, due, seen = len(all_pts), 0, 0
        last_dts = all_dts[-1] if all_dts else None
        held: list[bytes] = []
        kind = COPIED
        pictures = self._from_key(run, before, self._placed(run, packets))
        if self._odd:
            from pipeline.media.pictures.odd import Odd  # with decoders and encoders, which a copy needs not

            odd = Odd(self.shape, self._output.odd, self._entry, self.tally)
            pictures = odd.fitted(run, _codec_of(run), pictures)
        try:
            for at, early, key, payload, made in pictures:
                if held and (at - due >= CHUNK or made != kind):
                    yield self._chunk(due, held, kind)
                    held = []
                    self._progress(packets.position - seen)
                    seen = packets.position
                if len(all_pts) == first and key:
                    yield from self._blackness(at)
                    first, last_dts = len(all_pts), all_dts[-1] if all_dts else None
                if not held:
                    due, kind = at, made
                    if len(all_pts) == first:
                        self.tally.spans.append(Span(self._place.utc_ms(at), at, at, first, 0, run.why))
                dts = at - early
                if last_dts is not None and dts <= last_dts:
                    dts = last_dts + 1
                    self.tally.dts_moved += 1
                last_dts = dts
                if made == ENCODED:
                    self.tally.encode(len(all_pts), at, at + run.step)
                all_dts.append(dts)
                all_pts.append(max(at, dts))
                keys.append(key)
                held.append(payload)
            if held:
                yield self._chunk(due, held, kind)
            self._progress(packets.position - seen)
            self.tally.damaged(run, packets.lost, packets.breaks, packets.skipped)
        finally:
            packets.close()
        self._close_span(run, first)

    def _chunk(self, due: int, held: list[bytes], kind: int) -> Chunk:
        if kind == COPIED:
            return self.tally.copied(due, held)
        return Chunk(due, list(map(len, held)), b"".join(held), copied=False)

    def _placed(self, run: Run, packets: Packets) -> Iterator[Picture]:
        """The access units of a run that belong into the file, each with its place."""
        step, stream = run.step, bitstream(_codec_of(run), in_band=self._output.in_band)
        unit_of, announces = stream.unit, stream.announces
        shapes = [shapes_of(placed) for placed in run.placed]
        odd_shaped = [any(shape in self._odd for _, shape in each) for each in shapes]
        tally, place, over = self.tally, self._place.at, False
        sieve = Sieve(run, shapes, tally, self._announced, announces)
        first, last = None, run.placed[0].at
        waits = run.start > last
        over_at, over_for = (run.until, OVERLAP) if run.yields is None else (run.yields, BEHIND)
        low, high = last - KEY_WITHIN, run.placed[-1].end + KEY_WITHIN
        order = Order(tally, step)
        bases = [(p.piece.ends.first if p.piece.ends else 0, p.at, p.slope_ppb) for p in run.placed]
        for packet in packets:
            pts, dts, piece, data, torn = packet
            tally.packets_in += 1
            unit = unit_of(data)
            zero, base, slope = bases[piece]
            after = 0 if pts is None else ticks.forward(pts, zero)
            utc = base + (stretched(after, slope) if slope else after)
            fits = low <= utc <= high
            plain = not (torn or sieve.waits or announces(unit) or pts is None or pts == sieve.cut[piece])
            if not (plain and unit.pictures == 1) and sieve.drops(packet, unit, utc):
                continue
            if not fits:
                utc, dts = last, pts
                order.note_once(run.placed[piece], UNTRUE)
            first = utc if first is None or utc < first else first
            last = max(last, utc + step)
            over = over or (over_at is not None and utc >= over_at)
            if waits and unit.key and utc >= run.start:
                waits = False
                self._taken_up(run, None if over else utc)
            at = None if over or waits else place(utc)
            if at is None:
                tally.drop(over_for if over else BEHIND if waits else OUTSIDE)
                continue
            early = 0 if dts == pts else ahead(pts, dts)
            picture = at, early, unit.key, unit.payload, COPIED
            if odd_shaped[piece] and (shape := shape_at(shapes[piece], after)) in self._odd:
                picture = at, early, unit.key, data, shape.clockwise
            if order.goes_on(at - early):
                order.last = picture
                yield picture
            else:
                yield from order.take(picture, run.placed[piece])
        yield from order.end()
        if waits:
            self._taken_up(run, None)
        tally.reached(run, first, last)

    def _taken_up(self, run: Run, at: int | None) -> None:
        """Note how long after the user's other pictures ended the first key frame of these comes, if late."""
        late = (run.end if at is None else at) - run.start
        if late > tolerance(run.step, sound=False):
            why = "no key frame comes" if at is None else "up to the next key frame"
            what = f"the picture before is held {ticks.duration(late)} longer, {why}"
            self.tally.note(Sort.NOTE, what, run.start, run.placed[0].piece.key)

    def _announced(self, unit: AccessUnit, shape: Shape, key: str) -> None:
        """Whether codec parameters are such as the plan was made for; raises `Surprise`."""
        sets = unit.parameter_sets
        if sets and (shape, sets) in self._sets:
            return
        size = bitstream(shape.codec).size(unit)
        if size is None:
            return
        if size != (shape.width, shape.height):
            width, height = size
            raise Surprise(
                f"the pictures change from {shape.width}x{shape.height} to {width}x{height} inside {key}"
            )
        if self._sets and self.shape.codec == "hevc" and not self._output.in_band:
            raise Surprise(f"the HEVC parameter sets change in {key}, and hvc1 has one set")
        self._sets.add((shape, sets))

    def _from_key(self, run: Run, before: Run | None, pictures: Iterator[Picture]) -> Iterator[Picture]:
        """After a hole, begin at the key frame if one comes soon; what cannot be decoded is dropped."""
        at_once = run.since is None
        if before is not None and at_once and run.start - before.end <= tolerance(run.step, sound=False):
            yield from pictures
            return
        waiting: list[Picture] = []
        found = False
        for picture in pictures:
            waiting.append(picture)
            at, _, found, _, _ = picture
            if found or at - waiting[0][0] > KEY_WITHIN:
                break
        found = found and waiting[-1][0] - waiting[0][0] <= KEY_WITHIN
        undecodable = len(waiting) - found
        if found and undecodable:
            self.tally.drop(NO_KEY, undecodable)
            what = f"{undecodable} pictures before the first key frame dropped"
            self.tally.note(Sort.LOSS, what, run.start, run.placed[0].piece.key)
        elif undecodable:
            what = f"no key frame within {KEY_WITHIN // ticks.TICKS} s: pictures kept that may not decode"
            self.tally.note(Sort.NOTE, what, run.start, run.placed[0].piece.key)
        yield from waiting[-1:] if found else waiting
        yield from pictures

    def _close_span(self, run: Run, first: int) -> None:
        if len(self._pts) > first:
            span = self.tally.spans[-1]
            self.ends = max(self._pts[first:]) + run.step
            self.tally.spans[-1] = replace(span, until=self.ends, packets=len(self._pts) - first)

    def _times(self, end: int) -> SampleTimes:
        """DTS from 0 and PTS offsets in file ticks, the last picture lasting to ``end`` (file ticks).

        The edits put the first picture at its place: an empty edit before it, and where PTS run ahead of DTS
        the media time that it is presented from (ISO/IEC 14496-12 8.6.6).
        """
        dts, pts = np.array(self._dts, dtype=np.int64), np.array(self._pts, dtype=np.int64)
        key = np.array(self._key, dtype=np.bool_)
        if not len(dts):
            return SampleTimes(dts, 0)
        zero, start = int(dts[0]), int(pts.min())
        edits = [Edit(start, -1)] if start else []
        if start or start != zero:
            edits.append(Edit(end - start, start - zero))
        ahead = pts - dts
        # In decoding time the last sample ends as long before `end` as it is decoded before the last picture.
        return SampleTimes(
            dts - zero,
            int(dts[-1]) - zero + max(1, end - int(pts.max())),
            ahead if ahead.any() else None,
            None if key.all() else key,
            tuple(edits),
        )

    def made(self, end: int, payload_sha256: str) -> Made:
        """Times, manifest entry and ledger of the track."""
        return Made(self._times(end), self._told(end, payload_sha256), tuple(self.tally.entries))

    def _told(self, end: int, payload_sha256: str) -> OutputTrack:
        return OutputTrack(
            medium=Medium.VIDEO,
            codec=self.shape.codec,
            timescale=ticks.TICKS,
            packets_in=self.tally.packets_in,
            packets_out=self.tally.packets_out,
            inserted=len(self._fills),
            dropped=self.tally.drops(),
            payload_sha256=payload_sha256,
            spans=tuple(self.tally.spans),
            fills=tuple(self._fills),
            clocks=fits(self.track),
            end=end,
            encoded=tuple(self.tally.encoded),
            dts_moved=self.tally.dts_moved,
            width=self.shape.width,
            height=self.shape.height,
            clockwise=self.shape.clockwise,
        )


def _codec_of(run: Run) -> str:
    ends = run.placed[0].piece.ends
    if ends is None:
        raise AssertionError(run.placed[0].piece.key)  # runs hold readable slices only
    return ends.form.codec

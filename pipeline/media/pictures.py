"""Pictures copied: access units to length-prefixed samples, each at the place that its PTS has on UTC."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import numpy as np

from pipeline.media.annexb import AccessUnit, has_sps, normalise
from pipeline.media.demux import Pes, RunDemuxer
from pipeline.media.mp4.writer import Edit, SampleTimes, TrackHeader
from pipeline.media.placing import FileTime
from pipeline.media.probe import picture_size
from pipeline.media.sample_entry import video_entry
from pipeline.media.tally import (
    ASTRAY,
    CHUNK,
    DAMAGED,
    INCOMPLETE,
    NO_KEY,
    NO_PICTURE,
    NO_PTS,
    OUTSIDE,
    OVERLAP,
    Chunk,
    Made,
    Surprise,
    Tally,
    fits,
)
from pipeline.model import ticks
from pipeline.model.clock import stretched
from pipeline.model.ledger import Sort
from pipeline.model.manifest import OutputTrack, Span
from pipeline.model.slices import Medium
from pipeline.model.timeline import tolerance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.media.annexb import Codec
    from pipeline.model.plan import OutputPlan
    from pipeline.model.timeline import Run, TrackTime

KEY_WITHIN = 10 * ticks.TICKS
"""After a hole, pictures are dropped up to a key frame that comes within this; else kept and flagged."""


_Picture: TypeAlias = tuple[int, int, bool, bytes]
"""File ticks of presentation, ticks by which DTS is earlier, key frame, payload."""


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
        self.form = track.form
        self._output = output
        self._codec: Codec = "hevc" if self.form.codec == "hevc" else "h264"
        self._place = FileTime(output.pieces)
        self._open = open_slice
        self._progress = progress
        self._pts: list[int] = []
        self._dts: list[int] = []
        self._key: list[bool] = []
        self._sets: set[tuple[bytes, ...]] = set()
        self.ends = 0  # file ticks where the last picture's own length ends

    def header(self) -> TrackHeader:
        """The MP4's track header, its sample entry made from the first slice that begins with a key frame."""
        pieces = [placed.piece for run in self.track.runs for placed in run.placed]
        with_sets = next((p for p in pieces if p.ends is not None and p.ends.key), pieces[0])
        demuxer = RunDemuxer(self._open, [with_sets], Medium.VIDEO)
        try:
            entry = video_entry(demuxer.pictures)
        finally:
            demuxer.close()
        return TrackHeader(
            "vide",
            ticks.TICKS,
            entry,
            name=self._output.source,
            width=self.form.width,
            height=self.form.height,
            clockwise=self._output.clockwise,
        )

    def chunks(self) -> Iterator[Chunk]:
        """Copy everything; the arrays are complete when this ends.

        Raises:
            Surprise: the pictures change their size in a run that promised one size.
            OSError: a slice cannot be read.
        """
        before: Run | None = None
        for run in self.track.runs:
            yield from self._run(run, before)
            before = run

    def _run(self, run: Run, before: Run | None) -> Iterator[Chunk]:
        demuxer = RunDemuxer(self._open, [placed.piece for placed in run.placed], Medium.VIDEO)
        all_pts, all_dts, keys = self._pts, self._dts, self._key
        first, due, seen = len(all_pts), 0, 0
        last_dts = all_dts[-1] if all_dts else None
        held: list[bytes] = []
        try:
            for at, ahead, key, payload in self._from_key(run, before, self._placed(run, demuxer)):
                if held and at - due >= CHUNK:
                    yield self.tally.copied(due, held)
                    held = []
                    self._progress(demuxer.position - seen)
                    seen = demuxer.position
                if not held:
                    due = at
                    if len(all_pts) == first:
                        self.tally.spans.append(Span(self._place.utc_ms(at), at, at, first, 0, run.why))
                dts = at - ahead
                if last_dts is not None and dts <= last_dts:
                    dts = last_dts + 1
                    self.tally.dts_moved += 1
                last_dts = dts
                all_dts.append(dts)
                all_pts.append(max(at, dts))
                keys.append(key)
                held.append(payload)
            if held:
                yield self.tally.copied(due, held)
            self._progress(demuxer.position - seen)
            self.tally.damaged(run, demuxer.lost, demuxer.breaks)
        finally:
            demuxer.close()
        self._close_span(run, first)

    def _placed(self, run: Run, demuxer: RunDemuxer) -> Iterator[_Picture]:
        """The access units of a run that belong into the file, each with its place."""
        step, codec = run.step, self._codec
        tally, place, over = self.tally, self._place.at, False
        odd = _Odd(self, run)
        first, last = None, run.start
        low, high = run.start - KEY_WITHIN, run.placed[-1].end + KEY_WITHIN
        bases = [(p.piece.ends.first if p.piece.ends else 0, p.at, p.slope_ppb) for p in run.placed]
        for pes in demuxer:
            pts, dts, piece, data, torn = pes
            tally.packets_in += 1
            unit = normalise(data, codec)
            zero, base, slope = bases[piece]
            after = 0 if pts is None else ticks.forward(pts, zero)
            utc = base + (stretched(after, slope) if slope else after)
            fits = low <= utc <= high
            plain = not (torn or odd.waits or unit.parameter_sets or pts is None or pts == odd.cut[piece])
            if not (plain and fits and unit.pictures == 1) and odd.drops(pes, unit, utc, fits=fits):
                continue
            first = utc if first is None or utc < first else first
            last = max(last, utc + step)
            over = over or (run.until is not None and utc >= run.until)
            at = None if over else place(utc)
            if at is None:
                tally.drop(OVERLAP if over else OUTSIDE)
                continue
            ahead = 0 if dts == pts or pts is None or dts is None else ticks.forward(pts, dts)
            yield at, ahead if 0 <= ahead <= KEY_WITHIN else 0, unit.key, unit.payload
        tally.reached(run, first, last)

    def look_at_sets(self, sets: tuple[bytes, ...], key: str) -> None:
        """Whether parameter sets are such as the plan was made for; raises `Surprise`."""
        if sets in self._sets or not has_sps(sets, self._codec):
            return
        width, height = picture_size(self.form.codec, b"".join(b"\0\0\0\1" + nal for nal in sets))
        if (width, height) != (self.form.width, self.form.height):
            raise Surprise(
                f"the pictures change from {self.form.width}x{self.form.height} to {width}x{height} "
                f"inside {key}"
            )
        if self._sets and self.form.codec == "hevc":
            raise Surprise(f"the HEVC parameter sets change in {key}, and hvc1 has one set")
        self._sets.add(sets)

    def _from_key(self, run: Run, before: Run | None, pictures: Iterator[_Picture]) -> Iterator[_Picture]:
        """After a hole, begin at the key frame if one comes soon; what cannot be decoded is dropped."""
        if before is not None and run.start - before.end <= tolerance(run.step, sound=False):
            yield from pictures
            return
        waiting: list[_Picture] = []
        found = False
        for picture in pictures:
            waiting.append(picture)
            at, _, found, _ = picture
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
            codec=self.form.codec,
            timescale=ticks.TICKS,
            packets_in=self.tally.packets_in,
            packets_out=self.tally.packets_out,
            inserted=0,
            dropped=self.tally.drops(),
            payload_sha256=payload_sha256,
            spans=tuple(self.tally.spans),
            fills=(),
            clocks=fits(self.track),
            end=end,
            dts_moved=self.tally.dts_moved,
            width=self.form.width,
            height=self.form.height,
            clockwise=self._output.clockwise,
        )


class _Odd:
    """The access units that do not just go by: whether each is dropped, and what the ledger says of it."""

    def __init__(self, pictures: Pictures, run: Run) -> None:
        self._pictures = pictures
        self._run = run
        self.cut = [p.piece.ends.cut if p.piece.ends else None for p in run.placed]
        self.waits = False  # for a key frame, after damage
        self._since = 0

    def drops(self, pes: Pes, unit: AccessUnit, utc: int, *, fits: bool) -> bool:
        """Whether an access unit is left out; raises `Surprise` where the plan must change."""
        pts, _, piece, _, torn = pes
        tally, placed = self._pictures.tally, self._run.placed[piece]
        if pts is not None and pts == self.cut[piece]:
            tally.drop(INCOMPLETE)
            return True
        if self._is_damaged(unit, utc, torn=torn):
            tally.drop(DAMAGED)
            return True
        if unit.parameter_sets:
            self._pictures.look_at_sets(unit.parameter_sets, placed.piece.key)
        if unit.pictures > 1:
            raise Surprise(f"{placed.piece.key} has several pictures in one PES packet")
        reason = NO_PICTURE if not unit.pictures else NO_PTS if pts is None else "" if fits else ASTRAY
        if reason:
            tally.drop(reason)
            tally.note(Sort.LOSS, f"a packet with {reason} dropped", placed.at, placed.piece.key)
        return bool(reason)

    def _is_damaged(self, unit: AccessUnit, utc: int, *, torn: bool) -> bool:
        """What refers to a damaged picture is damaged too, up to a key frame that comes soon."""
        if torn:
            self._since = self._since if self.waits else utc
            self.waits = True
        elif unit.key or utc - self._since > KEY_WITHIN:
            self.waits = False
        return self.waits

"""Pictures copied: access units to length-prefixed samples, each at the place that its PTS has on UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, NamedTuple

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


class _Picture(NamedTuple):
    at: int  # file ticks of presentation
    ahead: int  # ticks by which DTS is earlier
    unit: AccessUnit
    length: int


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
        held: list[bytes] = []
        first, due = len(self._pts), 0
        seen = 0
        try:
            for picture in self._from_key(run, before, self._placed(run, demuxer)):
                if len(self._pts) == first:
                    utc_ms = self._place.utc_ms(picture.at)
                    self.tally.spans.append(Span(utc_ms, picture.at, picture.at, first, 0, run.why))
                if held and picture.at - due >= CHUNK:
                    yield self.tally.copied(due, held)
                    held = []
                    self._progress(demuxer.position - seen)
                    seen = demuxer.position
                if not held:
                    due = picture.at
                self._append(picture)
                held.append(picture.unit.payload)
            if held:
                yield self.tally.copied(due, held)
            self._progress(demuxer.position - seen)
            self.tally.damaged(run, demuxer.lost, demuxer.breaks)
        finally:
            demuxer.close()
        self._close_span(first)

    def _placed(self, run: Run, demuxer: RunDemuxer) -> Iterator[_Picture]:
        """The access units of a run that belong into the file, each with its place."""
        ends = run.placed[0].piece.ends
        step = ends.step if ends else 1
        codec = self._codec
        tally, place, over = self.tally, self._place.at, False
        first, last, broken = None, run.start, False
        low, high = run.start - KEY_WITHIN, run.placed[-1].end + KEY_WITHIN
        cut = [p.piece.ends.cut if p.piece.ends else None for p in run.placed]
        utc_of = [placed.utc for placed in run.placed]
        for pes in demuxer:
            tally.packets_in += 1
            if cut[pes.piece] is not None and cut[pes.piece] == pes.pts:
                tally.drop(INCOMPLETE)
                continue
            unit = normalise(pes.data, codec)
            if pes.torn or broken:
                # What refers to a damaged picture is damaged too, up to the next key frame.
                broken = pes.torn or not unit.key
                if broken:
                    tally.drop(DAMAGED)
                    continue
            if unit.parameter_sets:
                self._look_at_sets(unit, run, pes)
            if pes.pts is None or pes.dts is None or not unit.pictures:
                tally.drop(NO_PTS if unit.pictures else NO_PICTURE)
                tally.note(
                    Sort.LOSS,
                    f"a packet with {NO_PTS if unit.pictures else NO_PICTURE} dropped",
                    run.placed[pes.piece].at,
                    run.placed[pes.piece].piece.key,
                )
                continue
            if unit.pictures > 1:
                raise Surprise(f"{run.placed[pes.piece].piece.key} has several pictures in one PES packet")
            utc = utc_of[pes.piece](pes.pts)
            if not low <= utc <= high:
                tally.drop(ASTRAY)
                tally.note(
                    Sort.LOSS,
                    f"a picture with a {ASTRAY} dropped",
                    run.placed[pes.piece].at,
                    run.placed[pes.piece].piece.key,
                )
                continue
            first = utc if first is None else min(first, utc)
            last = max(last, utc + step)
            over = over or (run.until is not None and utc >= run.until)
            at = None if over else place(utc)
            if at is None:
                tally.drop(OVERLAP if over else OUTSIDE)
                continue
            ahead = ticks.forward(pes.pts, pes.dts)
            yield _Picture(at, ahead if 0 <= ahead <= KEY_WITHIN else 0, unit, step)
        tally.reached(run, first, last)

    def _look_at_sets(self, unit: AccessUnit, run: Run, pes: Pes) -> None:
        if unit.parameter_sets in self._sets or not has_sps(unit.parameter_sets, self._codec):
            return
        annexb = b"".join(b"\0\0\0\1" + nal for nal in unit.parameter_sets)
        width, height = picture_size(self.form.codec, annexb)
        if (width, height) != (self.form.width, self.form.height):
            raise Surprise(
                f"the pictures change from {self.form.width}x{self.form.height} to {width}x{height} "
                f"inside {run.placed[pes.piece].piece.key}"
            )
        if self._sets and self.form.codec == "hevc":
            raise Surprise(
                f"the HEVC parameter sets change in {run.placed[pes.piece].piece.key}, and hvc1 has one set"
            )
        self._sets.add(unit.parameter_sets)

    def _from_key(self, run: Run, before: Run | None, pictures: Iterator[_Picture]) -> Iterator[_Picture]:
        """After a hole, begin at the key frame if one comes soon; what cannot be decoded is dropped."""
        ends = run.placed[0].piece.ends
        hole = before is None or run.start - before.end > tolerance(ends.step if ends else 1, sound=False)
        waiting: list[_Picture] = []
        for picture in pictures:
            if not hole or picture.unit.key:
                break
            waiting.append(picture)
            if picture.at - waiting[0].at > KEY_WITHIN:
                picture = waiting.pop()  # noqa: PLW2901 - goes on after those before it
                break
        else:
            yield from self._undecodable(run, waiting, found=False)
            return
        yield from self._undecodable(run, waiting, found=picture.unit.key)
        yield picture
        yield from pictures

    def _undecodable(self, run: Run, waiting: list[_Picture], *, found: bool) -> list[_Picture]:
        if not waiting:
            return []
        where = run.start
        if found:
            self.tally.drop(NO_KEY, len(waiting))
            what = f"{len(waiting)} pictures before the first key frame dropped"
            self.tally.note(Sort.LOSS, what, where, run.placed[0].piece.key)
            return []
        what = f"no key frame within {KEY_WITHIN // ticks.TICKS} s: pictures kept that may not decode"
        self.tally.note(Sort.NOTE, what, where, run.placed[0].piece.key)
        return waiting

    def _append(self, picture: _Picture) -> None:
        dts = picture.at - picture.ahead
        if self._dts and dts <= self._dts[-1]:
            dts = self._dts[-1] + 1
            self.tally.dts_moved += 1
        self._dts.append(dts)
        self._pts.append(max(picture.at, dts))
        self._key.append(picture.unit.key)
        self.ends = max(self.ends, picture.at + picture.length)

    def _close_span(self, first: int) -> None:
        if len(self._pts) > first:
            span = self.tally.spans[-1]
            self.tally.spans[-1] = Span(
                span.utc_ms, span.at, self.ends, first, len(self._pts) - first, span.why
            )

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

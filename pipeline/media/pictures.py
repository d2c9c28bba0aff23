"""Pictures copied: access units to length-prefixed samples, each at the place that its PTS has on UTC."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from pipeline.media.annexb import (
    AccessUnit,
    has_sps,
    normalise,
    set_ids,
    with_start_codes,
    without_sets,
)
from pipeline.media.fit import Fitter, black_picture
from pipeline.media.mp4.writer import Edit, SampleTimes, TrackHeader
from pipeline.media.order import COPIED, ENCODED, UNTRUE, Order, Picture
from pipeline.media.placing import FileTime
from pipeline.media.probe import picture_size
from pipeline.media.runs import open_run
from pipeline.media.sample_entry import entry_of
from pipeline.media.tally import (
    CHUNK,
    DAMAGED,
    INCOMPLETE,
    NO_KEY,
    NO_PICTURE,
    NO_PTS,
    OUTSIDE,
    OVERLAP,
    UNDECODED,
    Chunk,
    Made,
    Surprise,
    Tally,
    fits,
)
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

    from pipeline.media.annexb import Codec
    from pipeline.media.fit import Fitted
    from pipeline.media.packet import Packet, Packets
    from pipeline.model.plan import OutputPlan
    from pipeline.model.timeline import Run, TrackTime

KEY_WITHIN = 10 * ticks.TICKS
"""After a hole, pictures are dropped up to a key frame that comes within this; else kept and flagged."""


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
        self._sets_id = 0
        self._lead = 0  # ticks by which copied pictures are decoded earlier; encoded ones do as they do
        self._place = FileTime(output.pieces)
        self._open = open_slice
        self._progress = progress
        self._pts: list[int] = []
        self._dts: list[int] = []
        self._key: list[bool] = []
        self._sets: set[tuple[Shape, tuple[bytes, ...]]] = set()
        self._black = b""
        self._fills: list[Fill] = []
        self.ends = 0  # file ticks where the last picture's own length ends

    def header(self) -> TrackHeader:
        """The MP4's track header, its sample entry made from the first key frame of the track's shape.

        Parameter sets of what will be re-encoded stand in the entry too, under an identifier of their own.

        Raises:
            Surprise: no slice holds parameter sets of that shape.
        """
        unit = self._first_key()
        sets = unit.parameter_sets
        if self._output.encodes:
            if self.shape.codec == "h264":
                self._sets_id = min(set(range(1, _MOST_SETS)) - set_ids(sets))
            black = black_picture(self.shape, self._sets_id)
            self._black = black.payload
            sets += black.parameter_sets
        stream = b"".join(b"\0\0\0\1" + nal for nal in sets) + with_start_codes(unit.payload)
        try:
            entry = entry_of(self.shape.codec, stream, in_band=self._output.in_band)
        except ValueError as error:
            raise Surprise(f"{self._output.uid} has {error}") from error
        return TrackHeader(
            "vide",
            ticks.TICKS,
            entry,
            name=self._output.source,
            width=self.shape.width,
            height=self.shape.height,
            clockwise=self.shape.clockwise,
        )

    def _first_key(self) -> AccessUnit:
        """The first access unit with parameter sets of the track's shape, the sets not in its payload."""
        codec, size = _codec(self.shape), (self.shape.width, self.shape.height)
        for placed in (p for run in self.track.runs for p in run.placed):
            if not any(shape == self.shape for _, shape in shapes_of(placed)):
                continue
            packets = open_run(self._open, [placed.piece], Medium.VIDEO)
            try:
                for pts, dts, _, data, _ in packets:
                    unit = normalise(data, codec)
                    if has_sps(unit.parameter_sets, codec) and _size(self.shape, unit.parameter_sets) == size:
                        self._lead = _ahead(pts, dts)
                        return unit._replace(payload=without_sets(unit, codec))
            finally:
                packets.close()
        raise Surprise(f"no picture of {self._output.uid} has the parameter sets of {self.shape}")

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
        self._dts.append(max(at - self._lead, self._dts[-1] + 1 if self._dts else at - self._lead))
        self._pts.append(max(at, self._dts[-1]))
        self._key.append(True)
        self._fills.append(Fill(number, 1))
        self.ends = until
        yield Chunk(at, [len(self._black)], self._black, copied=False)

    def _run(self, run: Run, before: Run | None) -> Iterator[Chunk]:
        packets = open_run(self._open, [placed.piece for placed in run.placed], Medium.VIDEO)
        all_pts, all_dts, keys = self._pts, self._dts, self._key
        first, due, seen = len(all_pts), 0, 0
        last_dts = all_dts[-1] if all_dts else None
        held: list[bytes] = []
        kind = COPIED
        pictures = self._from_key(run, before, self._placed(run, packets))
        try:
            for at, ahead, key, payload, made in (
                self._fitted(run, pictures) if self._output.odd else pictures
            ):
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
                dts = at - ahead
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

    def _fitted(self, run: Run, pictures: Iterator[Picture]) -> Iterator[Picture]:
        """Pictures of other shapes re-encoded, and what refers to them, up to the next key frame.

        Rotation may change between key frames: what a picture refers to is then decoded first.
        """
        keep = any(replace(s.shape, clockwise=self.shape.clockwise) == self.shape for s in self._output.odd)
        group: list[tuple[int, bytes]] = []
        fitter: Fitter | None = None
        for at, ahead, key, payload, clockwise in pictures:
            if clockwise == COPIED and (fitter is None or key):
                if fitter is not None:
                    yield from self._encoded(fitter.end())
                    self._undecoded(fitter, run)
                    fitter = None
                if keep:
                    group = [(at, payload)] if key else [*group, (at, payload)]
                yield at, ahead, key, payload, COPIED
                continue
            data, turn = payload, clockwise
            if clockwise == COPIED:
                data, turn = with_start_codes(payload), self.shape.clockwise
            if fitter is None:
                fitter = Fitter(_codec_of(run), self.shape, self._sets_id)
                for earlier, unit in () if key else group:
                    fitter.prime(with_start_codes(unit), earlier)
                group = []
            yield from self._encoded(fitter.take(data, at, turn))
        if fitter is not None:
            yield from self._encoded(fitter.end())
            self._undecoded(fitter, run)

    def _encoded(self, fitted: Iterator[Fitted]) -> Iterator[Picture]:
        codec = _codec(self.shape)
        for at, key, data in fitted:
            yield at, self._lead, key, normalise(data, codec, in_band=True).payload, ENCODED

    def _undecoded(self, fitter: Fitter, run: Run) -> None:
        if fitter.undecoded:
            self.tally.drop(UNDECODED, fitter.undecoded)
            what = f"{fitter.undecoded} pictures could not be decoded to be re-encoded; dropped"
            self.tally.note(Sort.LOSS, what, run.start, run.placed[0].piece.key)

    def _placed(self, run: Run, packets: Packets) -> Iterator[Picture]:
        """The access units of a run that belong into the file, each with its place."""
        step, codec, in_band = run.step, _codec_of(run), self._output.in_band
        shapes = [shapes_of(placed) for placed in run.placed]
        fit = bool(self._output.odd)
        odd_shaped = [fit and any(shape != self.shape for _, shape in each) for each in shapes]
        tally, place, over = self.tally, self._place.at, False
        odd = _Odd(self, run, shapes)
        first, last = None, run.start
        low, high = run.start - KEY_WITHIN, run.placed[-1].end + KEY_WITHIN
        order = Order(tally, step)
        bases = [(p.piece.ends.first if p.piece.ends else 0, p.at, p.slope_ppb) for p in run.placed]
        for packet in packets:
            pts, dts, piece, data, torn = packet
            tally.packets_in += 1
            unit = normalise(data, codec, in_band=in_band)
            zero, base, slope = bases[piece]
            after = 0 if pts is None else ticks.forward(pts, zero)
            utc = base + (stretched(after, slope) if slope else after)
            fits = low <= utc <= high
            plain = not (torn or odd.waits or unit.parameter_sets or pts is None or pts == odd.cut[piece])
            if not (plain and unit.pictures == 1) and odd.drops(packet, unit, utc):
                continue
            if not fits:
                utc, dts = (last if first is not None else run.start), pts
                order.note_once(run.placed[piece], UNTRUE)
            first = utc if first is None or utc < first else first
            last = max(last, utc + step)
            over = over or (run.until is not None and utc >= run.until)
            at = None if over else place(utc)
            if at is None:
                tally.drop(OVERLAP if over else OUTSIDE)
                continue
            ahead = 0 if dts == pts else _ahead(pts, dts)
            picture = at, ahead, unit.key, unit.payload, COPIED
            if odd_shaped[piece] and (shape := _at(shapes[piece], after)) != self.shape:
                picture = at, ahead, unit.key, data, shape.clockwise
            if order.goes_on(at - ahead):
                order.last = picture
                yield picture
            else:
                yield from order.take(picture, run.placed[piece])
        yield from order.end()
        tally.reached(run, first, last)

    def look_at_sets(self, sets: tuple[bytes, ...], shape: Shape, key: str) -> None:
        """Whether parameter sets are such as the plan was made for; raises `Surprise`."""
        if (shape, sets) in self._sets or not has_sps(sets, _codec(shape)):
            return
        width, height = _size(shape, sets)
        if (width, height) != (shape.width, shape.height):
            raise Surprise(
                f"the pictures change from {shape.width}x{shape.height} to {width}x{height} inside {key}"
            )
        if self._sets and self.shape.codec == "hevc" and not self._output.in_band:
            raise Surprise(f"the HEVC parameter sets change in {key}, and hvc1 has one set")
        self._sets.add((shape, sets))

    def _from_key(self, run: Run, before: Run | None, pictures: Iterator[Picture]) -> Iterator[Picture]:
        """After a hole, begin at the key frame if one comes soon; what cannot be decoded is dropped."""
        if before is not None and run.start - before.end <= tolerance(run.step, sound=False):
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


_MOST_SETS = 32
"""H.264 sequence parameter sets have identifiers below this (ISO/IEC 14496-10 7.4.2.1.1)."""


def _codec(shape: Shape) -> Codec:
    return "hevc" if shape.codec == "hevc" else "h264"


def _ahead(pts: int | None, dts: int | None) -> int:
    """Ticks by which an access unit is decoded before it is shown; 0 where that makes no sense."""
    ahead = 0 if pts is None or dts is None else ticks.forward(pts, dts)
    return ahead if 0 <= ahead <= KEY_WITHIN else 0


def _codec_of(run: Run) -> Codec:
    ends = run.placed[0].piece.ends
    return "hevc" if ends is not None and ends.form.codec == "hevc" else "h264"


def _size(shape: Shape, sets: tuple[bytes, ...]) -> tuple[int, int]:
    return picture_size(shape.codec, b"".join(b"\0\0\0\1" + nal for nal in sets))


def _at(shapes: tuple[tuple[int, Shape], ...], after: int) -> Shape:
    """The shape that holds ``after`` ticks behind a slice's first PTS."""
    return next((shape for begins, shape in reversed(shapes) if begins <= after), shapes[0][1])


class _Odd:
    """The access units that do not just go by: whether each is dropped, and what the ledger says of it."""

    def __init__(self, pictures: Pictures, run: Run, shapes: list[tuple[tuple[int, Shape], ...]]) -> None:
        self._pictures = pictures
        self._run = run
        self._shapes = shapes
        self.cut = [p.piece.ends.cut if p.piece.ends else None for p in run.placed]
        self.waits = False  # for a key frame, after damage
        self._since = 0

    def drops(self, packet: Packet, unit: AccessUnit, utc: int) -> bool:
        """Whether an access unit is left out; raises `Surprise` where the plan must change."""
        pts, _, piece, _, torn = packet
        tally, placed = self._pictures.tally, self._run.placed[piece]
        if pts is not None and pts == self.cut[piece]:
            tally.drop(INCOMPLETE)
            return True
        if self._is_damaged(unit, utc, torn=torn):
            tally.drop(DAMAGED)
            return True
        if unit.parameter_sets:
            first = placed.piece.ends.first if placed.piece.ends else 0
            shape = _at(self._shapes[piece], 0 if pts is None else ticks.forward(pts, first))
            self._pictures.look_at_sets(unit.parameter_sets, shape, placed.piece.key)
        if unit.pictures > 1:
            raise Surprise(f"{placed.piece.key} has several pictures in one PES packet")
        reason = NO_PICTURE if not unit.pictures else NO_PTS if pts is None else ""
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

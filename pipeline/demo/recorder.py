"""The recorder: a scenario becomes a folder as the vendor would leave it, and the truth about it.

Here test pictures and test sound are encoded, cut, packed and written; each stretch is encoded once. Nothing
depends on clock or chance.
"""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

from pipeline.demo import agora, onpremise, trtc, volcengine, webm
from pipeline.demo.cut import Unit, cut, decoding_order, first_pts, packets, start_of
from pipeline.demo.listing import Finished, Listed
from pipeline.demo.made import Made, MadeSlice, MadeUser
from pipeline.demo.picture import COLOURS, Plane, draw, turn
from pipeline.demo.scenario import (
    SESSION_GAP_MS,
    FaultKind,
    Pts,
    Scenario,
    ScenarioError,
    Shape,
    Stretch,
    Track,
    User,
    Vendor,
)
from pipeline.demo.sound import TONES_HZ, Samples, beep_seconds, beeps
from pipeline.media.encode import AAC_FRAME, encode_pictures, encode_sound
from pipeline.media.encode_webm import OPUS_FRAME, CodedFrame, CodedOpus, encode_opus, encode_vpx, opus_head
from pipeline.media.finish import finished
from pipeline.media.opus import RATE
from pipeline.media.ts.writer import write_slice
from pipeline.model.ticks import ticks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

TICKS_PER_MS = 90
_OPUS_TICKS = OPUS_FRAME * 90_000 // RATE

_VENDORS = {
    Vendor.AGORA: agora,
    Vendor.TRTC: trtc,
    Vendor.VOLCENGINE: volcengine,
    Vendor.AGORA_ONPREMISE: onpremise,
}
# Agora's recorder keeps a slice of sound open until the session ends, Volcengine's the file for an hour
# (MaxSilenceSeconds); the others begin a new one.
_HOLES_MS = {
    Vendor.AGORA: SESSION_GAP_MS,
    Vendor.TRTC: 0,
    Vendor.VOLCENGINE: 3_600_000,
    Vendor.AGORA_ONPREMISE: 0,
}
_TIMES_LISTED: dict[FaultKind | None, int] = {FaultKind.UNLISTED: 0, FaultKind.DUPLICATE: 2}
_FRAMES_AT_ONCE = 512
_HTML = b"<!DOCTYPE html><html><head><title>403 Forbidden</title></head><body>Access denied</body></html>\n"


class _Slice(NamedTuple):
    """A slice as it was recorded, its size before any fault."""

    made: MadeSlice
    size: int


def make(scenario: Scenario, place: Path) -> Made:
    """Write the recording of ``scenario`` into the folder ``place`` and return the truth about it.

    The folder is made if need be; files of the same names are replaced.

    Raises:
        ScenarioError: a fault names a slice that the recording does not have.
        OSError: the folder cannot be written.
    """
    place.mkdir(parents=True, exist_ok=True)
    users = tuple(_make_user(scenario, user, place) for user in scenario.users)
    return Made(place, scenario, users)


def _make_user(scenario: Scenario, user: User, place: Path) -> MadeUser:
    slices: list[MadeSlice] = []
    listed: list[tuple[Track, Listed]] = []
    for track in user.tracks:
        written = _record(scenario, user, track, place)
        listed += [(track, each) for each in _listed(scenario, user, track, written)]
        slices += [each.made for each in written]
    for name, text in _playlists(scenario, user, listed):
        (place / name).write_bytes(text)
    if scenario.vendor is Vendor.AGORA_ONPREMISE and scenario.style.written:
        name, text = onpremise.events(user, scenario, slices)
        (place / name).write_bytes(text)
        (place / onpremise.DONE).write_bytes(b"")
    grids = [_grid(user, stretch, scenario) for stretch in user.sound]
    return MadeUser(
        user=user,
        pictures_ms=tuple(at for stretch in user.picture for at in _picture_times(user, stretch, scenario)),
        sound=tuple((grid.ticks(0), grid.ticks(grid.frames)) for grid in grids),
        beeps_ms=tuple(second * 1000 for grid in grids for second in grid.beeps()),
        slices=tuple(slices),
    )


def _grid(user: User, stretch: Stretch, scenario: Scenario) -> _Grid | _OpusGrid:
    return (_OpusGrid if user.is_web(stretch[0], sound=True) else _Grid).of(user, stretch, scenario)


class _OpusGrid(NamedTuple):
    """The Opus frames of one stretch of sound; the encoder's delay is not counted."""

    from_ms: int
    zero_ms: int
    frames: int

    @classmethod
    def of(cls, user: User, stretch: Stretch, scenario: Scenario) -> _OpusGrid:  # noqa: ARG003 - as of AAC
        from_ms, to_ms = stretch
        return cls(from_ms, scenario.start_ms + from_ms, (to_ms - from_ms) * RATE // (1000 * OPUS_FRAME))

    def ticks(self, frame: int) -> int:
        return self.from_ms * TICKS_PER_MS + frame * OPUS_FRAME * 90_000 // RATE

    def beeps(self) -> list[int]:
        return beep_seconds(0, self.frames * OPUS_FRAME, RATE, self.zero_ms)

    def samples(self, user: User) -> Iterator[Samples]:
        tone = TONES_HZ[user.number % len(TONES_HZ)]
        for frame in range(0, self.frames, _FRAMES_AT_ONCE):
            count = min(_FRAMES_AT_ONCE, self.frames - frame) * OPUS_FRAME
            yield beeps(frame * OPUS_FRAME, count, RATE, self.zero_ms, channels=user.channels, tone_hz=tone)


class _Grid(NamedTuple):
    """The AAC frames of one stretch of sound.

    The first frame holds the encoder's priming, silence, so the sound itself begins one frame later.
    """

    from_ms: int
    zero_ms: int
    rate: int
    frames: int

    @classmethod
    def of(cls, user: User, stretch: Stretch, scenario: Scenario) -> _Grid:
        from_ms, to_ms = stretch
        rate = user.sampled or user.rate
        frames = (to_ms - from_ms) * rate // (1000 * AAC_FRAME)
        return cls(from_ms, scenario.start_ms + from_ms, rate, frames)

    def ticks(self, frame: int) -> int:
        return self.from_ms * TICKS_PER_MS + frame * AAC_FRAME * 90_000 // self.rate

    def beeps(self) -> list[int]:
        return beep_seconds(AAC_FRAME, (self.frames - 1) * AAC_FRAME, self.rate, self.zero_ms)

    def samples(self, user: User) -> Iterator[Samples]:
        within = (AAC_FRAME, self.frames * AAC_FRAME)
        tone = TONES_HZ[user.number % len(TONES_HZ)]
        for frame in range(1, self.frames, _FRAMES_AT_ONCE):
            count = min(_FRAMES_AT_ONCE, self.frames - frame) * AAC_FRAME
            yield beeps(
                frame * AAC_FRAME,
                count,
                self.rate,
                self.zero_ms,
                channels=user.channels,
                tone_hz=tone,
                within=within,
            )


def _opus(scenario: Scenario, user: User, stretch: Stretch) -> CodedOpus:
    grid = _OpusGrid.of(user, stretch, scenario)
    return encode_opus(grid.samples(user), channels=user.channels, start_ticks=grid.ticks(0))


def _sound(scenario: Scenario, user: User, stretch: Stretch) -> Iterator[Unit]:
    if user.is_web(stretch[0], sound=True):
        for index, frame in enumerate(_opus(scenario, user, stretch).frames):
            at = frame.at_ticks
            yield Unit("opus", frame.data, at, at, at + _OPUS_TICKS, key=True, opens=not index)
        return
    grid = _Grid.of(user, stretch, scenario)
    coded = encode_sound(
        grid.samples(user), rate=user.rate, channels=user.channels, bit_rate=48_000 * user.channels
    )
    for index, each in enumerate(coded):
        at, end = grid.ticks(index), grid.ticks(index + 1)
        payload = each.header + each.block
        yield Unit("aac", payload, at, at, end, key=True, opens=not index)


def _pictures(scenario: Scenario, user: User, stretch: Stretch) -> Iterator[Unit]:
    times = [at - scenario.start_ms for at in _picture_times(user, stretch, scenario)]
    ends = dict(pairwise(times)) | {times[-1]: times[-1] + user.frame_ms}
    # Agora's recorder begins a slice where the size changes, others are not known to.
    opening = [] if scenario.vendor is Vendor.AGORA else times[:1]
    for (width, height), some in groupby(times, key=lambda at: user.shape_at(at).size):
        alike = list(some)
        drawn = ((at * TICKS_PER_MS, _picture(scenario.start_ms, at, user)) for at in alike)
        if user.is_web(stretch[0], sound=False):
            yield from _web_pictures(user, drawn, (width, height), alike, ends)
            continue
        coded = encode_pictures(
            drawn,
            width=width,
            height=height,
            codec=user.codec,
            bframes=user.bframes,
            gop_ticks=user.gop_ms * TICKS_PER_MS,
            bit_rate=user.bit_rate,
        )
        for each in coded:
            at = each.pts_ticks // TICKS_PER_MS
            yield Unit(
                codec=user.codec,
                payload=each.data,
                at_ticks=each.pts_ticks,
                decode_ticks=each.dts_ticks,
                end_ticks=ends[at] * TICKS_PER_MS,
                key=each.key,
                opens=at in (opening or alike[:1]),
            )


def _web_pictures(
    user: User,
    drawn: Iterator[tuple[int, Plane]],
    size: tuple[int, int],
    alike: Sequence[int],
    ends: Mapping[int, int],
) -> Iterator[Unit]:
    width, height = size
    gop = user.gop_ms * TICKS_PER_MS
    for frame in encode_vpx(drawn, width=width, height=height, codec=user.web_codec, gop_ticks=gop):
        at = frame.at_ticks // TICKS_PER_MS
        end = ends[at] * TICKS_PER_MS
        opens = at == alike[0]
        yield Unit(
            user.web_codec, frame.data, frame.at_ticks, frame.at_ticks, end, key=frame.key, opens=opens
        )


def _web_slice(user: User, units: Sequence[Unit], start: int) -> bytes:
    shift = _web_shift(user, start)
    frames = [CodedFrame(unit.payload, unit.at_ticks - shift, unit.key) for unit in units]
    if not units[0].is_picture:
        return webm.write_slice(webm.OpusTrack(opus_head(user.channels)), frames)
    shape = user.shape_at(units[0].at_ticks // TICKS_PER_MS)
    return webm.write_slice(webm.VpxTrack(units[0].codec, shape.width, shape.height), frames)


def _first_pts(user: User, units: Sequence[Unit]) -> int:
    if units[0].is_web:
        start = _stamped(user, units)
        return start - _web_shift(user, start)
    return first_pts(units, user.pts, user.pts_start, user.clock)


def _web_shift(user: User, start: int) -> int:
    """What is subtracted from the times of WebM slices: they go on over slices, or begin at 0 in each."""
    return 0 if user.pts is Pts.CONTINUE else start


def _stamped(user: User, units: Sequence[Unit]) -> int:
    """Ticks since the recording's start at which a recorder stamps a slice."""
    heard = ticks_of(opus_head(user.channels).pre_skip, RATE) if units[0].codec == "opus" else 0
    return start_of(units) + heard


def _picture(start_ms: int, at: int, user: User) -> Plane:
    shape = user.shape_at(at)
    sides = shape.size if shape.rotation % 180 == 0 else shape.size[::-1]
    upright = draw(start_ms + at, *sides, COLOURS[user.number % len(COLOURS)], user.number)
    return turn(upright, shape.rotation // 90)


def _picture_times(user: User, stretch: Stretch, scenario: Scenario) -> Iterator[int]:
    """UTC milliseconds of the pictures of one stretch: a steady rate, late by a fixed pattern."""
    from_ms, to_ms = stretch
    for index in range((to_ms - from_ms) * user.fps // 1000 + 1):
        at = from_ms + index * 1000 // user.fps + index * 7919 % (user.jitter_ms + 1)
        if at < to_ms:
            yield scenario.start_ms + at


def _units(scenario: Scenario, user: User, track: Track) -> Iterator[Unit]:
    """The access units of one track in decoding order."""
    sound = (unit for stretch in user.sound for unit in _sound(scenario, user, stretch))
    pictures = (unit for stretch in user.picture for unit in _pictures(scenario, user, stretch))
    match track:
        case Track.AUDIO:
            return sound
        case Track.VIDEO:
            return pictures
        case Track.BOTH:
            return heapq.merge(sound, pictures, key=decoding_order)


def _record(scenario: Scenario, user: User, track: Track, place: Path) -> list[_Slice]:
    """Write the slices of one track, one in memory at a time."""
    hole_ms = _HOLES_MS[scenario.vendor]
    faults = {
        fault.index: fault.kind
        for fault in scenario.faults
        if (fault.uid, fault.source, fault.track) == (user.uid, user.source, track)
    }
    slices: list[_Slice] = []
    before: int | None = None
    cuts = cut(_units(scenario, user, track), scenario.slice_ms * TICKS_PER_MS, hole_ms * TICKS_PER_MS)
    if scenario.vendor is Vendor.AGORA_ONPREMISE:
        return _on_premise(scenario, user, track, cuts, place)
    if scenario.finished:
        return _finish(scenario, user, track, list(cuts), place)
    for units in cuts:
        fault = faults.pop(len(slices), None)
        made = _describe(scenario, user, track, units, end_before=before, fault=fault)
        if units[0].is_web:
            data = _web_slice(user, units, _stamped(user, units))
        else:
            data = write_slice(packets(units, user.pts, user.pts_start, user.clock))
        slices.append(_Slice(made, len(data)))
        before = made.end_ticks
        if made.fault is not FaultKind.MISSING:
            (place / made.name).write_bytes(_spoilt(data, made.fault))
    if faults:
        raise ScenarioError(
            f"a fault names {track} slice {min(faults)} of user {user.uid!r}, who has {len(slices)}"
        )
    return slices


def _on_premise(
    scenario: Scenario, user: User, track: Track, cuts: Iterator[list[Unit]], place: Path
) -> list[_Slice]:
    """Write the files of one track: sound as it is in ADTS, pictures as MP4."""
    out: list[_Slice] = []
    for units in cuts:
        made = replace(_describe(scenario, user, track, units, end_before=None, fault=None), first_pts=0)
        data = b"".join(unit.payload for unit in units)
        if track is Track.VIDEO:
            data = finished(write_slice(packets(units, user.pts, user.pts_start)))
        (place / made.name).write_bytes(data)
        out.append(_Slice(made, len(data)))
    return out


def _finish(
    scenario: Scenario, user: User, track: Track, cuts: Sequence[Sequence[Unit]], place: Path
) -> list[_Slice]:
    """Write the parts of one track as MP4s, each on a line of its own."""
    out: list[_Slice] = []
    for number, units in enumerate(cuts):
        made = _describe(scenario, user, track, units, end_before=None, fault=None)
        seconds = (made.end_ticks - made.start_ticks) // 90_000
        told = Finished(number, len(cuts), made.start_ms, seconds)
        name = _VENDORS[scenario.vendor].finished_name(scenario, user, told)
        stamped = scenario.vendor is Vendor.VOLCENGINE
        ts = write_slice(packets(units, user.pts, user.pts_start, user.clock))
        data = finished(ts, 0 if stamped else made.start_ms)
        (place / name).write_bytes(data)
        out.append(_Slice(replace(made, name=name, first_pts=0), len(data)))
    return out


def _describe(
    scenario: Scenario,
    user: User,
    track: Track,
    units: Sequence[Unit],
    *,
    end_before: int | None,
    fault: FaultKind | None,
) -> MadeSlice:
    start = _stamped(user, units)
    start_ms = scenario.start_ms + start // TICKS_PER_MS
    pictures = sorted(unit.at_ticks for unit in units if unit.is_picture)
    return MadeSlice(
        name=_VENDORS[scenario.vendor].slice_name(scenario, user, track, start_ms, web=units[0].is_web),
        track=track,
        start_ms=start_ms,
        start_ticks=start,
        end_ticks=max(unit.end_ticks for unit in units),
        first_pts=_first_pts(user, units),
        pictures_ms=tuple(scenario.start_ms + at // TICKS_PER_MS for at in pictures),
        starts=end_before is None or start - end_before > SESSION_GAP_MS * TICKS_PER_MS,
        fault=fault,
    )


def _spoilt(data: bytes, fault: FaultKind | None) -> bytes:
    match fault:
        case FaultKind.EMPTY:
            return b""
        case FaultKind.TRUNCATED:
            return data[: len(data) // 2 // 188 * 188 + 57]
        case FaultKind.RANDOM:
            return hashlib.shake_128(b"no transport stream").digest(len(data))
        case FaultKind.HTML:
            return _HTML
        case _:
            return data


def _tagged(
    scenario: Scenario, user: User, made: MadeSlice, before: Shape | None
) -> tuple[tuple[int, Shape], ...]:
    """The shapes that a slice's tags tell: at a start, and at each change."""
    at_ms = made.start_ms - scenario.start_ms
    first = user.shape_at(at_ms)
    begins = [(made.start_ms, first)] if made.starts or first != before else []
    inside = [
        (scenario.start_ms + change.at_ms, change.shape)
        for change in user.changes
        if at_ms < change.at_ms < made.end_ticks // TICKS_PER_MS
    ]
    return (*begins, *inside)


def _playlists(
    scenario: Scenario, user: User, listed: Sequence[tuple[Track, Listed]]
) -> Iterator[tuple[str, bytes]]:
    """Names and texts of the indexes of a user."""
    if not scenario.style.written or scenario.finished or scenario.vendor is Vendor.AGORA_ONPREMISE:
        return
    if scenario.style.combined:
        yield from agora.combined(scenario, user, listed)
        return
    vendor = _VENDORS[scenario.vendor]
    for track in user.tracks:
        own = [entry for of, entry in listed if of is track]
        name = vendor.playlist_name(scenario, user, track, own)
        yield name, vendor.playlist(scenario, user, track, own)


def _listed(scenario: Scenario, user: User, track: Track, slices: Sequence[_Slice]) -> list[Listed]:
    listed: list[Listed] = []
    shape: Shape | None = None
    for made, size in slices:
        duration_us = (made.end_ticks - made.start_ticks) * 100 // 9
        shapes = () if track is Track.AUDIO else _tagged(scenario, user, made, shape)
        resized = bool(shapes) and shape is not None and shapes[0][1].size != shape.size
        shape = shapes[-1][1] if shapes else shape
        entry = Listed(made.name, made.start_ms, duration_us, size, made.starts, shapes, resized)
        listed += [entry] * _TIMES_LISTED.get(made.fault, 1)
    return listed

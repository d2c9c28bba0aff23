"""The recorder: a scenario becomes a folder as the vendor would leave it, and the truth about it.

What users send is cut, packed and written. Nothing depends on clock or chance.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from pipeline.demo import agora, onpremise, trtc, volcengine, webm
from pipeline.demo.cut import Unit, cut, first_pts, packets, start_of
from pipeline.demo.listing import Finished, Listed
from pipeline.demo.made import Made, MadeSlice, MadeUser
from pipeline.demo.scenario import (
    SESSION_GAP_MS,
    FaultKind,
    Pts,
    Scenario,
    ScenarioError,
    Shape,
    Track,
    User,
    Vendor,
)
from pipeline.demo.sender import grid_of, picture_times, sent
from pipeline.media.encode_webm import OPUS_FRAME, CodedFrame, opus_head
from pipeline.media.finish import finished
from pipeline.media.opus import RATE
from pipeline.media.ts.writer import write_slice
from pipeline.model.ticks import ticks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
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
    grids = [grid_of(user, stretch, scenario) for stretch in user.sound]
    return MadeUser(
        user=user,
        pictures_ms=tuple(at for stretch in user.picture for at in picture_times(user, stretch, scenario)),
        sound=tuple((grid.ticks(0), grid.ticks(grid.frames)) for grid in grids),
        beeps_ms=tuple(second * 1000 for grid in grids for second in grid.beeps()),
        slices=tuple(slices),
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
    cuts = cut(sent(scenario, user, track), scenario.slice_ms * TICKS_PER_MS, hole_ms * TICKS_PER_MS)
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

"""Stamps of slices that nothing tells: each begins where the media of the one before it ends.

Some recorders stamp a whole recording and not its slices, and parts of a long file have a number and no time.
Their order is known, and what their ends say tells the rest. What is in one file has one stamp, so that sound
and pictures stay together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.slices import Medium

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model.slices import Ends, Slice, Track, User

LONGEST_HOLE = 3600 * ticks.TICKS
"""Time stamps that go on later than this were begun anew (Volcengine, MaxSilenceSeconds: at most 3600)."""
EARLY = ticks.from_ms(150)
"""Ends of sound and pictures in one slice differ by this; time stamps that go back farther begin anew."""


def with_counted(user: User) -> User:
    """The user with the stamp of every slice that follows another set by the media of the slices before."""
    stamps = _stamps(user.tracks)
    if not stamps:
        return user

    def set_in(track: Track | None) -> Track | None:
        if track is None:
            return None
        slices = (replace(s, stamp_ms=stamps.get(s.key, s.stamp_ms)) for s in track.slices)
        return replace(track, slices=tuple(sorted(slices, key=lambda s: (s.stamp_ms, s.key))))

    return replace(user, audio=set_in(user.audio), video=set_in(user.video))


@dataclass(frozen=True, slots=True)
class _File:
    """A file on the line.

    Attributes:
        end: UTC ticks of its end.
        sound_end: of the end of its sound; 0 if it has none.
        origins: a PTS of each medium with its UTC ticks, of it or of one before.
    """

    end: int
    sound_end: int
    origins: dict[Medium, tuple[int, int]]


def _stamps(tracks: Sequence[Track]) -> dict[str, int]:
    """UTC ms by key, of files that follow another."""
    pieces: dict[str, dict[Medium, Slice]] = {}
    for track in tracks:
        for piece in track.slices:
            pieces.setdefault(piece.key, {})[track.medium] = piece
    files: dict[str, _File] = {}
    out: dict[str, int] = {}
    for key, piece in sorted(((k, next(iter(p.values()))) for k, p in pieces.items()), key=_by_stamp):
        ends = {medium: one.ends for medium, one in pieces[key].items() if one.ends is not None}
        before = files.get(piece.follows)
        at = ticks.from_ms(piece.stamp_ms) if before is None else _after(before, ends)
        if before is not None:
            out[key] = at // ticks.PER_MS
        lengths = {medium: e.after + e.span for medium, e in ends.items()}
        length = max(lengths.values(), default=ticks.from_us(piece.extinf_us or 0))
        sound_end = at + lengths[Medium.AUDIO] if Medium.AUDIO in lengths else 0
        known = {medium: (_begin(e), at) for medium, e in ends.items()}
        files[key] = _File(at + length, sound_end, (before.origins if before else {}) | known)
    return out


def _by_stamp(file: tuple[str, Slice]) -> tuple[int, str]:
    return file[1].stamp_ms, file[0]


def _begin(ends: Ends) -> int:
    """The PTS of the moment that the file is stamped with."""
    return (ends.first - ends.after) % ticks.WRAP


def _after(before: _File, ends: dict[Medium, Ends]) -> int:
    """UTC ticks of a file: by its PTS where they go on from those before, else where those end.

    Sound ends exactly where its frames do; how long the last picture is shown only the next one tells.
    """
    for medium, e in ends.items():
        if medium in before.origins:
            pts, utc = before.origins[medium]
            at = utc + ticks.forward(_begin(e), pts)
            if before.end - EARLY <= at <= before.end + LONGEST_HOLE:
                return at
    sound = ends.get(Medium.AUDIO)
    counted = before.sound_end - sound.after if sound is not None else 0
    return counted if abs(counted - before.end) <= EARLY else before.end

"""Stamps of slices that no name tells: each begins where the media of the one before it ends.

Some recorders stamp a whole recording and not its slices, and parts of a long file have a number and no time.
Their order is known, and what their ends say tells the rest. What is in one file has one stamp, so that sound
and pictures stay together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.slices import NOWHERE, Container, Medium

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.model.slices import Ends, Slice, Track, User

LONGEST_HOLE = 3600 * ticks.TICKS
"""Time stamps that go on later than this were begun anew (Volcengine, MaxSilenceSeconds: at most 3600)."""
_LINES = (Container.MP4, Container.ADTS)
"""Containers without time stamps of the recorder's own: each file begins at 0."""
RESET_MATCHES = ticks.from_ms(80)
"""What stamps scatter at a join, as in `pipeline.model.timeline.links`."""
EARLY = ticks.from_ms(150)
"""Ends of sound and pictures in one slice differ by this; time stamps that go back farther begin anew."""


def with_counted(user: User) -> User:
    """The user with the stamp of every slice that follows another set by the media of those before.

    An MP4 has no time stamps but its own line from 0 on. Its media time is set so that it goes on from the
    file before, where the stamps agree with that, for sound and pictures alike.
    """
    files = _placed(user.tracks)

    def placed(piece: Slice) -> Slice:
        at, ends = files[piece.key].at, piece.ends
        if ends is not None and ends.container in _LINES:
            ends = replace(ends, first=(at + ends.after) % ticks.WRAP)
        told = piece.stamp_from != NOWHERE and not piece.follows
        return replace(piece, stamp_ms=piece.stamp_ms if told else at // ticks.PER_MS, ends=ends)

    def set_in(track: Track | None) -> Track | None:
        if track is None:
            return None
        slices = sorted(map(placed, track.slices), key=lambda s: (s.stamp_ms, s.key))
        return replace(track, slices=tuple(slices))

    return replace(user, audio=set_in(user.audio), video=set_in(user.video))


@dataclass(frozen=True, slots=True)
class _File:
    """A file on the line.

    Attributes:
        at: UTC ticks of its beginning.
        end: of its end.
        sound_end: of the end of its sound; 0 if it has none.
        origins: a PTS of each medium with its UTC ticks, of it or of one before.
    """

    at: int
    end: int
    sound_end: int
    origins: dict[Medium, tuple[int, int]]


def _placed(tracks: Sequence[Track]) -> dict[str, _File]:
    """Every file of a user by its key."""
    pieces: dict[str, dict[Medium, Slice]] = {}
    for track in tracks:
        for piece in track.slices:
            pieces.setdefault(piece.key, {})[track.medium] = piece
    files: dict[str, _File] = {}
    last: dict[Medium, _File] = {}
    for key, piece in sorted(((k, next(iter(p.values()))) for k, p in pieces.items()), key=_by_stamp):
        ends = {medium: one.ends for medium, one in pieces[key].items() if one.ends is not None}
        before = files.get(piece.follows)
        if before is not None:
            at = _after(before, ends)
        elif piece.stamp_from == NOWHERE:
            at = ticks.from_ms(max((e.created_ms for e in ends.values()), default=0))
        else:
            at = _near(ticks.from_ms(piece.stamp_ms), (last[m] for m in ends if m in last), ends)
        lengths = {medium: e.after + e.span for medium, e in ends.items()}
        length = max(lengths.values(), default=ticks.from_us(piece.extinf_us or 0))
        sound_end = at + lengths[Medium.AUDIO] if Medium.AUDIO in lengths else 0
        known = {medium: (e.line, at) for medium, e in ends.items()}
        files[key] = _File(at, at + length, sound_end, (before.origins if before else {}) | known)
        last |= dict.fromkeys(ends, files[key])
    return files


def _near(at: int, before: Iterable[_File], ends: dict[Medium, Ends]) -> int:
    """The UTC ticks of a stamp, or of the end of a file before where that is as good as the same."""
    dues = (_due(file, ends) for file in before)
    return next((due for due in dues if abs(due - at) <= RESET_MATCHES), at)


def _by_stamp(file: tuple[str, Slice]) -> tuple[int, str]:
    return file[1].stamp_ms, file[0]


def _after(before: _File, ends: dict[Medium, Ends]) -> int:
    """UTC ticks of a file: by its PTS where they go on from those before, else where those end."""
    for medium, e in ends.items():
        if medium in before.origins:
            pts, utc = before.origins[medium]
            at = utc + ticks.forward(e.line, pts)
            if before.end - EARLY <= at <= before.end + LONGEST_HOLE:
                return at
    return _due(before, ends)


def _due(before: _File, ends: dict[Medium, Ends]) -> int:
    """UTC ticks at which a file begins that goes on where another ends.

    Sound ends exactly where its frames do; how long the last picture is shown only the next one tells.
    """
    sound = ends.get(Medium.AUDIO)
    counted = before.sound_end - sound.after if sound is not None else 0
    return counted if abs(counted - before.end) <= EARLY else before.end

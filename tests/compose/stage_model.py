"""Who must be on the stage and what he must show, from what was recorded alone.

A model of its own: it knows the truth about a made recording and nothing of timelines, plans or shots. All
times are UTC milliseconds.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.demo.scenario import SESSION_GAP_MS, Source
from pipeline.layout.scene import Seat
from tests.merge.merging import pictures_ms, sound_ms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pipeline.demo.made import Made, MadeUser

SIDEWAYS = {90, 270}
CLOCK_MS = 4
"""How far media may be from their place: what following a sender's clock leaves, far less than a frame."""


@dataclass(frozen=True)
class Present:
    """Somebody on the stage at a moment.

    Attributes:
        seat: who, and the shape of what he shows.
        number: what his pictures are marked with.
        pictures: the last one of this stay, and those that it may be by `CLOCK_MS`; empty before the first.
        on: his camera counts as on.
    """

    seat: Seat
    number: int
    pictures: frozenset[int]
    on: bool


@dataclass(frozen=True)
class _Stay:
    user: MadeUser
    start: float
    end: float
    pictures: tuple[int, ...]


class Stage:
    """The truth about who is there.

    Args:
        made: the recording.
        linger_ms: for how long after his last picture somebody's camera counts as on.
        sound_only: who sends no pictures in a stay is there too.
        but: ids of those who are not drawn.
    """

    def __init__(
        self, made: Made, linger_ms: int = 1000, *, sound_only: bool = True, but: Collection[str] = ()
    ) -> None:
        self._linger = linger_ms
        self._zero = made.scenario.start_ms
        users = [user for user in made.users if user.user.uid not in but]
        stays = [stay for user in users for stay in self._stays(made, user)]
        there = [stay for stay in stays if sound_only or stay.pictures]
        self._joined = sorted(there, key=lambda s: (s.start, s.user.user.uid, s.user.user.source))

    def at(self, ms: float) -> list[Present]:
        """Who is there at a moment, in the order of joining."""
        return [self._present(stay, ms) for stay in self._joined if stay.start <= ms < stay.end]

    def _stays(self, made: Made, user: MadeUser) -> Iterator[_Stay]:
        pictures, frame = pictures_ms(made, user), user.user.frame_ms
        if user.user.source is Source.SCREEN:
            breaks = [0, *(n for n, (a, b) in enumerate(pairwise(pictures), 1) if b - a > self._linger)]
            for first, behind in pairwise([*breaks, len(pictures)]):
                yield _stay(user, pictures, pictures[first], pictures[behind - 1] + frame)
            return
        media: list[tuple[float, float]] = [(at, at + frame) for at in pictures]
        media = sorted([*media, *sound_ms(made, user)])
        stays = media[:1]
        for begun, ended in media:
            start, end = stays[-1]
            if begun - end > SESSION_GAP_MS:
                stays.append((begun, ended))
            else:
                stays[-1] = (start, max(end, ended))
        yield from (_stay(user, pictures, *stay) for stay in stays)

    def _present(self, stay: _Stay, ms: float) -> Present:
        user, pictures = stay.user, stay.pictures
        early, sent, late = (bisect_right(pictures, ms + off) for off in (-CLOCK_MS, 0, CLOCK_MS))
        may_be = pictures[max(0, early - 1) : late] if sent else ()
        shape_of = pictures[sent - 1] if sent else next(iter(user.pictures_ms), None)
        on = bool(sent) and (user.user.source is Source.SCREEN or ms < pictures[sent - 1] + self._linger)
        return Present(_seat(user, shape_of, self._zero), user.user.number, frozenset(may_be), on)


def _stay(user: MadeUser, pictures: Collection[int], start: float, end: float) -> _Stay:
    return _Stay(user, start, end, tuple(at for at in pictures if start <= at < end))


def _seat(user: MadeUser, at: int | None, zero: int) -> Seat:
    """Somebody with the shape that his pictures have then, as they are seen; None for no pictures at all."""
    screen = user.user.source is Source.SCREEN
    if at is None:
        return Seat(user.user.uid, screen=screen)
    shape = user.user.shape_at(at - zero)
    sides = shape.size[::-1] if shape.rotation in SIDEWAYS else shape.size
    return Seat(user.user.uid, *sides, screen=screen)

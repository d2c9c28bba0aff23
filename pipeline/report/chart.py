"""The time chart: a line per track, a column per stretch of UTC, an axis of round times.

A loss marks every column it touches, so that none is too short to be seen; media marks at least one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipeline.model import ticks
from pipeline.model.inspection import Presence
from pipeline.report.words import Screen, cells, fit, whose

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.model.inspection import SeenRecording, SeenTrack

MOST_LABEL = 32
LEAST_CHART = 20
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
STEPS_MS = (
    *(SECOND * n for n in (1, 2, 5, 10, 15, 30)),
    *(MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(HOUR * n for n in (1, 2, 3, 6, 12)),
    *(DAY * n for n in (1, 2, 7, 30, 365)),
)
_CLOCK = len("09:00:00")
_APART = 2


class _Glyphs(NamedTuple):
    present: str
    absent: str
    lost: str
    tick: str


UNICODE = _Glyphs("█", "░", "\N{MULTIPLICATION SIGN}", "╷")
ASCII = _Glyphs("#", ".", "x", "|")


class _Scale(NamedTuple):
    """``width`` columns over UTC ms ``start`` up to ``end``."""

    start: int
    end: int
    width: int

    def column(self, at: int) -> int:
        """The column that holds a moment."""
        return min(self.width - 1, max(0, (at - self.start) * self.width // (self.end - self.start)))

    def nearest(self, at: int) -> int:
        """The border between columns that lies nearest to a moment."""
        length = self.end - self.start
        return min(self.width, max(0, (2 * (at - self.start) * self.width + length) // (2 * length)))


def chart(recording: SeenRecording, screen: Screen) -> Iterator[str]:
    """The lines of a recording's chart: axis, tracks, and what the signs mean.

    >>> from pipeline.model.inspection import SeenRecording, SeenTrack, SeenUser, Stretch
    >>> sound = SeenTrack("audio", (), 3, 9, 0, (
    ...     Stretch(0, 8000, Presence.PRESENT), Stretch(8000, 12000, Presence.ABSENT),
    ...     Stretch(12000, 20000, Presence.PRESENT), Stretch(20000, 20500, Presence.LOST)))
    >>> ann = SeenUser("ann", "camera", (), True, (sound,))
    >>> recording = SeenRecording("trtc", "", "room", 0, 20500, 3, 9, (ann,), ())
    >>> for line in chart(recording, Screen(40, unicode=False)):
    ...     print(line)
               00:00:00      00:00:10
               |             |
    ann audio  ###########......###########x
               # recorded  . nothing  x lost   (UTC)
    """
    glyphs = UNICODE if screen.unicode else ASCII
    rows = [(_label(user.uid, user.source, t), t) for user in recording.users for t in user.tracks]
    left = min(MOST_LABEL, max((cells(label) for label, _ in rows), default=0))
    width = max(LEAST_CHART, screen.width - left - _APART)
    scale = _Scale(recording.start_ms, max(recording.end_ms, recording.start_ms + 1), width)
    margin = " " * (left + _APART)
    yield from ((margin + line).rstrip() for line in _axis(scale, glyphs))
    for label, track in rows:
        yield f"{fit(label, left)}{' ' * _APART}{_line(track, scale, glyphs)}"
    yield f"{margin}{glyphs.present} recorded  {glyphs.absent} nothing  {glyphs.lost} lost   (UTC)"


def _label(uid: str, source: str, track: SeenTrack) -> str:
    screen = f"{source} " if source != "camera" else ""
    return f"{whose(uid)} {screen}{track.medium}"


def _line(track: SeenTrack, scale: _Scale, glyphs: _Glyphs) -> str:
    line = [glyphs.absent] * scale.width
    for stretch in track.stretches:
        if stretch.presence is Presence.PRESENT:
            first = min(scale.nearest(stretch.start_ms), scale.width - 1)
            last = max(first + 1, scale.nearest(stretch.end_ms))
            line[first:last] = [glyphs.present] * (last - first)
    for stretch in track.stretches:
        if stretch.presence is Presence.LOST:
            first = scale.column(stretch.start_ms)
            last = max(first, scale.column(stretch.end_ms - 1))
            line[first : last + 1] = [glyphs.lost] * (last + 1 - first)
    return "".join(line)


def _axis(scale: _Scale, glyphs: _Glyphs) -> Sequence[str]:
    """Times of day over a row of ticks, each where its label begins."""
    length = scale.end - scale.start
    room = (_CLOCK + _APART) * length
    step = next((s for s in STEPS_MS if s * scale.width >= room), STEPS_MS[-1])
    labels, marks = [" "] * scale.width, [" "] * scale.width
    for at in range(-(-scale.start // step) * step, scale.end, step):
        column = scale.column(at)
        if column + _CLOCK <= scale.width:
            marks[column] = glyphs.tick
            labels[column : column + _CLOCK] = _when(at, step)
    return "".join(labels), "".join(marks)


def _when(at: int, step: int) -> str:
    """Time of day, or month and day where the axis has days only; as long as a time of day."""
    iso = ticks.iso(ticks.from_ms(at))
    return iso[11:19] if step < DAY else f"{iso[5:10]}   "

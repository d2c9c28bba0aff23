"""Who is shown large at each time: the active speaker, computed from how loud everybody was recorded.

Levels are whole decibels below full scale (0 is the loudest), one for each 100 ms of the recording; None
where a user is not there. Hysteresis keeps the picture calm:

- A level counts as the loudest of the last `SMOOTHED` steps, so that gaps between syllables are no silence.
- Whoever is to take over must be the loudest for `SWITCH` steps on end, at `SPEECH_DB` or more, and
  `CLEARER_DB` above the one shown.
- Nobody takes over before the one shown was shown for `HOLD` steps.
- Silence changes nothing: the last to speak stays. Only when he leaves, the loudest of those who are there
  and speak takes over at once, or nobody is shown until somebody speaks.
- A shared screen is shown before any speaker; of several, the one that began last.

All of these numbers are our own choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

STEP_MS = 100
SMOOTHED = 3
SWITCH = 5
HOLD = 20
SPEECH_DB = -50
CLEARER_DB = 6
_SILENT = -1000


@dataclass(frozen=True, slots=True)
class Shown:
    """From ``at_ms`` on, counted from the first level, ``uid`` is large; empty for nobody."""

    at_ms: int
    uid: str
    screen: bool = False


@dataclass(frozen=True, slots=True)
class Sharing:
    """A user's screen is shared from ``start_ms`` up to ``end_ms``, counted as in `Shown`."""

    start_ms: int
    end_ms: int
    uid: str

    def __post_init__(self) -> None:
        if self.start_ms >= self.end_ms:
            raise ValueError(f"a screen is shared for some time: {self}")


class _Rival(NamedTuple):
    """Who is about to take over, and for how many steps he has been."""

    uid: str = ""
    steps: int = 0


def speakers(levels: Mapping[str, Sequence[int | None]]) -> tuple[Shown, ...]:
    """Who speaks when; each entry differs from the one before it, the first is at 0.

    Args:
        levels: decibels of each user in steps of `STEP_MS` from the same time on; who has fewer is gone then.
    """
    out = [Shown(0, "")]
    rival, since = _Rival(), 0
    users = sorted(levels.items())
    for step in range(max(map(len, levels.values()), default=0)):
        heard = {uid: _smoothed(own, step) for uid, own in users if _there(own, step)}
        current = out[-1].uid
        gone = bool(current) and current not in heard
        rival = _next(rival, heard, current)
        held = not current or step - since >= HOLD
        if gone or (rival.steps >= SWITCH and held):
            out.append(Shown(step * STEP_MS, rival.uid))
            since = step
    return tuple(_joined(out))


def shown(levels: Mapping[str, Sequence[int | None]], screens: Sequence[Sharing] = ()) -> tuple[Shown, ...]:
    """Who is large when: the speaker, or the screen that was shared last while one is shared.

    Args:
        levels: as for `speakers`.
        screens: in any order.
    """
    turns = speakers(levels)
    edges = {0, *(turn.at_ms for turn in turns)}
    edges |= {max(0, at) for screen in screens for at in (screen.start_ms, screen.end_ms)}
    return tuple(_joined([_at(at, turns, screens) for at in sorted(edges)]))


def _at(at_ms: int, turns: Sequence[Shown], screens: Sequence[Sharing]) -> Shown:
    shared = [screen for screen in screens if screen.start_ms <= at_ms < screen.end_ms]
    if shared:
        last = max(shared, key=lambda screen: (screen.start_ms, screen.uid))
        return Shown(at_ms, last.uid, screen=True)
    return Shown(at_ms, [turn for turn in turns if turn.at_ms <= at_ms][-1].uid)


def _there(own: Sequence[int | None], step: int) -> bool:
    return step < len(own) and own[step] is not None


def _smoothed(own: Sequence[int | None], step: int) -> int:
    """The loudest of the last steps in which he was there."""
    return max(level for level in own[max(0, step - SMOOTHED + 1) : step + 1] if level is not None)


def _next(rival: _Rival, heard: Mapping[str, int], current: str) -> _Rival:
    """Who is clearly louder than the one shown, and for how long on end."""
    least = max(SPEECH_DB, heard.get(current, _SILENT) + CLEARER_DB)
    loudest = max(heard, key=lambda uid: (heard[uid], uid == rival.uid), default="")
    if not loudest or loudest == current or heard[loudest] < least:
        return _Rival()
    return _Rival(loudest, rival.steps + 1 if loudest == rival.uid else 1)


def _joined(entries: Sequence[Shown]) -> Iterator[Shown]:
    """Without those that change nothing; of several at one time the last counts."""
    last: Shown | None = None
    by_time = {entry.at_ms: entry for entry in entries}
    for entry in by_time.values():
        if last is None or (entry.uid, entry.screen) != (last.uid, last.screen):
            yield entry
            last = entry

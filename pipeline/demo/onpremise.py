"""File names and event files as the 3.x SDK of Agora's on-premise recording writes them.

Source: a real folder of 2019. Text only; see `pipeline.demo.listing` for why our own parser is not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.demo.listing import utc17
from pipeline.demo.scenario import Track

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.demo.made import MadeSlice
    from pipeline.demo.scenario import Scenario, User

DONE = "recording2-done.txt"


def slice_name(scenario: Scenario, user: User, track: Track, start_ms: int, *, web: bool = False) -> str:  # noqa: ARG001 - as the others'
    """``<uid>_<utc17>.aac`` of sound, ``.mp4`` of pictures."""
    return f"{user.uid}_{utc17(start_ms)}.{'aac' if track is Track.AUDIO else 'mp4'}"


def events(user: User, scenario: Scenario, slices: Sequence[MadeSlice]) -> tuple[str, bytes]:
    """Name and text of a user's event file: when each of his files was begun and ended."""
    zero = min(made.start_ms for made in slices)
    lines = sorted(line for made in slices for line in _lines(user, scenario, made, zero))
    text = "".join(f"{at // 1000}.{at % 1000:03d} {name} {what}\n" for at, _, name, what in lines)
    return f"uid_{user.uid}_{utc17(zero)}.txt", text.encode()


def _lines(user: User, scenario: Scenario, made: MadeSlice, zero: int) -> Iterator[tuple[int, int, str, str]]:
    """Milliseconds, an order for what happens at once, the file, the event."""
    begin, end = made.start_ms - zero, scenario.start_ms + made.end_ticks // 90 - zero
    yield begin, 0, made.name, "create"
    if made.track is Track.VIDEO:
        shape = user.shape_at(made.start_ms - scenario.start_ms)
        info = f"info width={shape.width} height={shape.height} rotation={shape.rotation}"
        yield begin, 1, made.name, info
        for change in user.changes:
            at = scenario.start_ms + change.at_ms - zero
            if begin < at < end:
                yield at, 2, made.name, f"rotate rotation={change.shape.rotation}"
    yield end, 3, made.name, "close"

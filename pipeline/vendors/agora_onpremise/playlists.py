"""Event files of the on-premise SDK as what they are to a merge: a list of files, each with its rotations.

UTC is in the names of the files; the times of the events count from the first event file of a user and tell
what happens in between. Source: `pipeline.vendors.agora_onpremise.events`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.vendors.agora_onpremise.events import Closed, Created, PictureInfo, Rotated, read_events
from pipeline.vendors.agora_onpremise.names import OnPremiseName, parse
from pipeline.vendors.base import BadNameError, Playlist, Segment, Turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.vendors.agora_onpremise.events import Event


def read_playlist(text: str, _key: str) -> Playlist:
    """The files that an event file tells of, in the order in which they were begun.

    It is ended when every file is closed. A file that was begun again keeps its first begin.
    """
    told = read_events(text)
    created: dict[str, Created] = {}
    events: dict[str, list[Event]] = {}
    for event in told.events:
        if isinstance(event, Created):
            created.setdefault(event.file, event)
        events.setdefault(event.file, []).append(event)
    segments = tuple(_segment(begun, events[file]) for file, begun in created.items())
    ended = all(any(isinstance(event, Closed) for event in events[file]) for file in created)
    return Playlist(segments, ended, notes=told.notes)


def _segment(begun: Created, events: Sequence[Event]) -> Segment:
    closed = max((event.at_ms for event in events if isinstance(event, Closed)), default=begun.at_ms)
    size = next((event for event in events if isinstance(event, PictureInfo)), None)
    return Segment(
        uri=begun.file,
        duration_us=(closed - begun.at_ms) * 1000 if closed > begun.at_ms else None,
        turns=tuple(_turns(begun, events)),
        width=size.width if size else None,
        height=size.height if size else None,
    )


def _turns(begun: Created, events: Sequence[Event]) -> Iterator[Turn]:
    """The rotation that the pictures begin with, and those that come later, at the UTC of the file's name."""
    at_ms = _stamp_ms(begun.file)
    for event in events:
        if isinstance(event, PictureInfo):
            yield Turn(event.clockwise, None, event.width, event.height)
        elif isinstance(event, Rotated) and at_ms is not None:
            yield Turn(event.clockwise, at_ms + event.at_ms - begun.at_ms)


def _stamp_ms(file: str) -> int | None:
    try:
        name = parse(file)
    except BadNameError:
        return None
    return name.stamp_ms if isinstance(name, OnPremiseName) else None

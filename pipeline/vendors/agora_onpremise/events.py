"""Event files of Agora's on-premise SDK: when each file of a user began and ended, and how it is turned.

A line is ``<seconds> <file> <event> [arguments]``. Times count from the start of the user's recording; for
the first event file of a user that is the stamp in its name. A later one of the same user may go on counting
where the first stopped (video_convert.py takes a first line other than 0.000 for that), so the stamps in the
names of the media tell UTC and the events tell what happens in between.
Sources: a real folder of 2019, and video_convert.py of the SDK (tools/ in AgoraIO/Basic-Recording).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.vendors.playlists import Notes

MAX_LINES = 300_000
"""Lines that are read of one event file; a file is created and closed by two or three."""

_BYTE_ORDER_MARK = "\ufeff"
_SESSION = "new session started"
_CODEC_SWITCH = "codecswitch"
_QUARTER_TURNS = {"0": 0, "90": 90, "180": 180, "270": 270}
_LINE = re.compile(
    r"(?P<whole>\d{1,9})(?:\.(?P<part>\d{1,9}))? "
    r"(?P<file>[^/\\\x00-\x1f\x7f]+\.(?:aac|m4a|mp4|webm|ts)) (?P<event>[a-z]+)(?: (?P<rest>.*))?",
    re.ASCII,
)
_SIZE = re.compile(r"[1-9]\d{0,4}", re.ASCII)
_CHANNELS = re.compile(r"[1-9]\d?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Created:
    """A file was begun, ``at_ms`` milliseconds after the start.

    ``codec_switch``: the sender changed the codec; the last picture before it is held.
    """

    at_ms: int
    file: str
    codec_switch: bool = False


@dataclass(frozen=True, slots=True)
class Closed:
    """A file was ended, ``at_ms`` milliseconds after the start; ``codec_switch`` as in `Created`."""

    at_ms: int
    file: str
    codec_switch: bool = False


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """The first picture of a file, ``at_ms`` milliseconds after the start.

    ``width`` and ``height`` in pixels are those of the coded picture; ``clockwise`` is the quarter turn that
    makes it upright: 0, 90, 180 or 270 degrees (video_convert.py turns by it clockwise).
    """

    at_ms: int
    file: str
    width: int
    height: int
    clockwise: int


@dataclass(frozen=True, slots=True)
class SoundInfo:
    """The first sound of a file, ``at_ms`` milliseconds after the start; written by later versions."""

    at_ms: int
    file: str
    channels: int


@dataclass(frozen=True, slots=True)
class Rotated:
    """From ``at_ms`` milliseconds after the start on, pictures are turned by ``clockwise`` degrees."""

    at_ms: int
    file: str
    clockwise: int


Event = Created | Closed | PictureInfo | SoundInfo | Rotated


@dataclass(frozen=True, slots=True)
class Events:
    """An event file.

    Attributes:
        events: in the order of the file.
        manual: recording was started by hand; each start and stop is a session of its own.
        notes: what was odd and how it was read, a sentence each.
    """

    events: tuple[Event, ...]
    manual: bool
    notes: tuple[str, ...]


def read_events(text: str) -> Events:
    """The events in ``text``; lines that are none are noted and left out, at most `MAX_LINES` are read.

    >>> read_events("0.405 7_20190208084418974.mp4 info width=360 height=640 rotation=0").events
    (PictureInfo(at_ms=405, file='7_20190208084418974.mp4', width=360, height=640, clockwise=0),)
    """
    notes = Notes()
    events: list[Event] = []
    manual = False
    lines = text.removeprefix(_BYTE_ORDER_MARK).split("\n", MAX_LINES)
    for line in map(str.strip, lines[:MAX_LINES]):
        if line.startswith(_SESSION):
            manual = True
        elif line:
            try:
                events.append(_event(line))
            except ValueError as odd:
                notes.add(str(odd), line)
    if rest := "".join(lines[MAX_LINES:]).strip():
        notes.add(f"only the first {MAX_LINES} lines are read", rest)
    return Events(tuple(events), manual, notes.sentences())


def _event(line: str) -> Event:
    """The event of one line; raises ValueError with what is odd."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError("a line is not <seconds> <file> <event> and is left out")
    at_ms = _ms(found["whole"], found["part"] or "")
    file, words = found["file"], (found["rest"] or "").split()
    fields = {name: said for name, _, said in (word.partition("=") for word in words)}
    match found["event"]:
        case "create":
            return Created(at_ms, file, codec_switch=_switches(words))
        case "close":
            return Closed(at_ms, file, codec_switch=_switches(words))
        case "info" if "channels" in fields:
            return SoundInfo(at_ms, file, _number(_CHANNELS, fields, "channels"))
        case "info":
            width, height = (_number(_SIZE, fields, side) for side in ("width", "height"))
            return PictureInfo(at_ms, file, width, height, _quarter_turn(fields))
        case "rotate":
            return Rotated(at_ms, file, _quarter_turn(fields))
    raise ValueError("an event is not create, info, rotate or close and is left out")


def _ms(whole: str, part: str) -> int:
    """Milliseconds of seconds and their decimals, rounded half up."""
    tenths = int(f"{part}0000"[:4])
    return int(whole) * 1000 + (tenths + 5) // 10


def _switches(words: list[str]) -> bool:
    return bool(words) and _CODEC_SWITCH in words[0]


def _number(pattern: re.Pattern[str], fields: dict[str, str], name: str) -> int:
    written = fields.get(name, "")
    if not pattern.fullmatch(written):
        raise ValueError(f"an info has no {name} and is left out")
    return int(written)


def _quarter_turn(fields: dict[str, str]) -> int:
    clockwise = _QUARTER_TURNS.get(fields.get("rotation", ""))
    if clockwise is None:
        raise ValueError("a rotation is no quarter turn and is left out")
    return clockwise

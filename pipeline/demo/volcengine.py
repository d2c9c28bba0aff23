"""File names and playlists as Volcengine's cloud recorder may write them in single-stream HLS.

Source: https://docs.byteplus.com/byteplus-rtc/docs/106873 for the names of playlists. How slices are called
is not documented, so their names here tell nothing; no tag of the vendor's own is known. Text only; see
`pipeline.demo.listing` for why our own parser is not used.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pipeline.demo.listing import Finished, Listed, extinf, text
from pipeline.demo.scenario import Scenario, Source, Track, User

if TYPE_CHECKING:
    from collections.abc import Sequence

TASK_ID = "mytask"

_TYPES = {Source.CAMERA: "C", Source.SCREEN: "S"}


def slice_name(scenario: Scenario, user: User, track: Track, start_ms: int, *, web: bool = False) -> str:  # noqa: ARG001 - as Agora's
    """16 hexadecimal digits and ``.ts``."""
    return f"{_digits(f'{_ids(scenario, user)} {track} {start_ms}', 16)}.ts"


def playlist_name(scenario: Scenario, user: User, track: Track, listed: Sequence[Listed]) -> str:  # noqa: ARG001 - as the others'
    """``<TaskId>_<RoomId>_<UserId>_<Type>_<StartTime>_<Duration>_<Random>.m3u8``."""
    start_ms = listed[0].start_ms if listed else scenario.start_ms
    seconds = sum(entry.duration_us for entry in listed) // 1_000_000
    ids = _ids(scenario, user)
    return f"{ids}_{start_ms}_{seconds:06d}_{_digits(ids, 8)}.m3u8"


def playlist(scenario: Scenario, user: User, track: Track, listed: Sequence[Listed]) -> bytes:  # noqa: ARG001 - as the others'
    """The whole playlist of one stream."""
    longest_us = max((entry.duration_us for entry in listed), default=0)
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{-(-longest_us // 1_000_000)}"]
    for entry in listed:
        seconds = f"{entry.duration_us // 1_000_000}.{entry.duration_us // 1000 % 1000:03d}"
        lines += [extinf(seconds, entry.duration_us, scenario.style, comma=True), entry.name]
    return text(lines, scenario.style)


def finished_name(scenario: Scenario, user: User, made: Finished) -> str:
    """``<TaskId>_<RoomId>[_<UserId>_<Type>]_<StartTime>_<Duration>_<Random>.mp4``."""
    ids = _ids(scenario, user)
    return f"{ids}_{made.start_ms}_{made.seconds:06d}_{_digits(f'{ids} {made.number}', 8)}.mp4"


def _ids(scenario: Scenario, user: User) -> str:
    who = f"_{user.uid}_{_TYPES[user.source]}" if user.uid else ""
    return f"{TASK_ID}_{scenario.channel}{who}"


def _digits(text: str, count: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:count]

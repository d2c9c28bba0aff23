"""File names and playlists as Agora's cloud recorder writes them in individual mode.

Source: Agora, "Manage recorded files" (templates, tags and the two sample playlists). Text only; see
`pipeline.demo.listing` for why our own parser is not used.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pipeline.demo.listing import Listed, extinf, text, utc17

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.demo.scenario import Scenario, Shape, Track, User


def slice_name(scenario: Scenario, user: User, track: Track, start_ms: int, *, web: bool = False) -> str:
    """``<sid>_<cname>__uid_s_<uid>__uid_e_<audio|video>_<utc17>.ts``, ``.webm`` for a web sender."""
    return f"{_stem(scenario, user, track)}_{utc17(start_ms)}.{'webm' if web else 'ts'}"


def playlist_name(scenario: Scenario, user: User, track: Track) -> str:
    """``<sid>_<cname>__uid_s_<uid>__uid_e_<audio|video>.m3u8``."""
    return f"{_stem(scenario, user, track)}.m3u8"


def playlist(scenario: Scenario, user: User, track: Track, listed: Sequence[Listed]) -> bytes:  # noqa: ARG001 - as TRTC's
    """The whole playlist of one track."""
    longest_us = max((entry.duration_us for entry in listed), default=0)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-ALLOW-CACHE:YES",
        f"#EXT-X-TARGETDURATION:{-(-longest_us // 1_000_000)}",
    ]
    for entry in listed:
        if entry.starts or entry.resized:
            lines.append("#EXT-X-DISCONTINUITY")
        lines += [_turned(scenario, at_ms, shape) for at_ms, shape in entry.shapes]
        if entry.starts:
            time = _time(scenario, entry.start_ms)
            lines.append(f"#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE={track.upper()},TIME={time}")
        seconds = f"{entry.duration_us // 1_000_000}.{entry.duration_us % 1_000_000:06d}"
        lines += [extinf(seconds, entry.duration_us, scenario.style, comma=False), entry.name]
    return text(lines, scenario.style)


def _turned(scenario: Scenario, at_ms: int, shape: Shape) -> str:
    size = f"WIDTH={shape.width},HEIGHT={shape.height}"
    return f"#EXT-X-AGORA-ROTATE:{size},ROTATE={shape.rotation},TIME={_time(scenario, at_ms)}"


def _time(scenario: Scenario, at_ms: int) -> str:
    return str(at_ms) if scenario.style.unix_time else utc17(at_ms)


def _stem(scenario: Scenario, user: User, track: Track) -> str:
    task = hashlib.sha256(f"{scenario.channel} {scenario.start_ms}".encode()).hexdigest()[:32]
    return f"{task}_{scenario.channel}__uid_s_{user.uid}__uid_e_{track}"

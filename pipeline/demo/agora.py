"""File names and playlists as Agora's cloud recorder writes them in individual mode.

Source: Agora, "Manage recorded files" (templates, tags and the two sample playlists). Text only; see
`pipeline.demo.listing` for why our own parser is not used.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pipeline.demo.listing import Listed, extinf, text, utc17
from pipeline.demo.scenario import Scenario, Track, User

if TYPE_CHECKING:
    from collections.abc import Sequence


def slice_name(scenario: Scenario, user: User, track: Track, start_ms: int) -> str:
    """``<sid>_<cname>__uid_s_<uid>__uid_e_<audio|video>_<utc17>.ts``."""
    return f"{_stem(scenario, user, track)}_{utc17(start_ms)}.ts"


def playlist_name(scenario: Scenario, user: User, track: Track) -> str:
    """``<sid>_<cname>__uid_s_<uid>__uid_e_<audio|video>.m3u8``."""
    return f"{_stem(scenario, user, track)}.m3u8"


def playlist(scenario: Scenario, user: User, track: Track, listed: Sequence[Listed]) -> bytes:
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
        if entry.starts:
            lines += _start(scenario, user, track, entry)
        seconds = f"{entry.duration_us // 1_000_000}.{entry.duration_us % 1_000_000:06d}"
        lines += [extinf(seconds, entry.duration_us, scenario.style, comma=False), entry.name]
    return text(lines, scenario.style)


def _start(scenario: Scenario, user: User, track: Track, entry: Listed) -> list[str]:
    time = str(entry.start_ms) if scenario.style.unix_time else utc17(entry.start_ms)
    event = f"#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE={track.upper()},TIME={time}"
    if track is Track.AUDIO:
        return ["#EXT-X-DISCONTINUITY", event]
    size = f"WIDTH={user.width},HEIGHT={user.height}"
    turned = f"#EXT-X-AGORA-ROTATE:{size},ROTATE={user.rotation},TIME={time}"
    return ["#EXT-X-DISCONTINUITY", turned, event]


def _stem(scenario: Scenario, user: User, track: Track) -> str:
    task = hashlib.sha256(f"{scenario.channel} {scenario.start_ms}".encode()).hexdigest()[:32]
    return f"{task}_{scenario.channel}__uid_s_{user.uid}__uid_e_{track}"

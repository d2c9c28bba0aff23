"""File names and playlists as Tencent TRTC's cloud recorder writes them in single-stream mode.

Source: Tencent, "On-Cloud Recording" (trtc.io/document/45169) for the templates; the header tags follow
playlists of 2026. Text only; see `pipeline.demo.listing` for why our own parser is not used.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from pipeline.demo.listing import Finished, Listed, extinf, text, utc17
from pipeline.demo.scenario import Scenario, Source, Track, User

if TYPE_CHECKING:
    from collections.abc import Sequence

SDK_APP_ID = 20055501

_MEDIA = {Source.CAMERA: "main", Source.SCREEN: "aux"}
_STREAM_TYPES = {
    Track.AUDIO: 0,
    Track.VIDEO: 1,
}  # the number for audiovideo is not known: the tag is left out
_FFMPEG_IDS = {"h264": 27, "hevc": 173}


def slice_name(scenario: Scenario, user: User, track: Track, start_ms: int, *, web: bool = False) -> str:  # noqa: ARG001 - as Agora's
    """``<SdkAppId>_<RoomId>__UserId_s_<UserId>__UserId_e_<MediaId>_<Type>_<UTC>.ts``."""
    return f"{_stem(scenario, user, track)}_{utc17(start_ms)}.ts"


def playlist_name(scenario: Scenario, user: User, track: Track, _listed: Sequence[Listed]) -> str:
    """``<SdkAppId>_<RoomId>__UserId_s_<UserId>__UserId_e_<MediaId>_<Type>.m3u8``."""
    return f"{_stem(scenario, user, track)}.m3u8"


def playlist(scenario: Scenario, user: User, track: Track, listed: Sequence[Listed]) -> bytes:
    """The whole playlist of one track."""
    lines = _header(scenario, user, track, listed[0].start_ms if listed else scenario.start_ms)
    for entry in listed:
        lines.append(f"#EXT-X-TRTC-FILE-ATTR:{entry.start_ms},{entry.size}")
        seconds = f"{entry.duration_us / 1_000_000:.6g}"
        lines += [extinf(seconds, entry.duration_us, scenario.style, comma=True), entry.name]
    return text(lines, scenario.style)


def encoded_id(plain: str) -> str:
    """A user id as names carry it: base64 with ``/`` as ``-`` and ``=`` as ``.``.

    >>> encoded_id("1686119")
    'MTY4NjExOQ..'
    """
    return base64.b64encode(plain.encode()).decode().replace("/", "-").replace("=", ".")


def _header(scenario: Scenario, user: User, track: Track, start_ms: int) -> list[str]:
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        "#EXT-X-ALLOW-CACHE:NO",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-TARGETDURATION:{scenario.slice_ms // 1000}",
        "#EXT-X-TRTC-VERSION:1debc8",
        "#EXT-X-TRTC-DATE:2025-11-27 11:23:39 +0800",
        f"#EXT-X-TRTC-START-REC-TIME:{start_ms}",
        f"#EXT-X-TRTC-MEDIA-ID:{_MEDIA[user.source]}",
        f"#EXT-X-TRTC-USER-ID:{user.uid}",
        "#EXT-X-TRTC-MIX-STREAM:0",
    ]
    if track in _STREAM_TYPES:
        lines.append(f"#EXT-X-TRTC-STREAM-TYPE:{_STREAM_TYPES[track]}")
    if track is not Track.VIDEO:
        sound = f"Channel:{user.channels} SampleRate:{user.rate} SampleFormat:1 Codec:86018"
        lines.append(f"#EXT-X-TRTC-AUDIO-METADATA:{sound}")
    if track is not Track.AUDIO:
        picture = f"WIDTH:{user.width} HEIGHT:{user.height} Codec:{_FFMPEG_IDS[user.codec]}"
        lines.append(f"#EXT-X-TRTC-VIDEO-METADATA:{picture}")
    return lines


def _stem(scenario: Scenario, user: User, track: Track) -> str:
    return f"{_owner(scenario, user)}_{track}" if user.uid else _owner(scenario, user)


def _owner(scenario: Scenario, user: User) -> str:
    who = f"__UserId_s_{encoded_id(user.uid)}__UserId_e_{_MEDIA[user.source]}" if user.uid else ""
    return f"{SDK_APP_ID}_{scenario.channel}{who}"


def finished_name(scenario: Scenario, user: User, made: Finished) -> str:
    """``<SdkAppId>_<RoomId>[__UserId_s_<UserId>__UserId_e_<MediaId>][_<Index>].mp4``; no index: not cut."""
    index = f"_{made.number + 1}" if made.parts > 1 else ""
    return f"{_owner(scenario, user)}{index}.mp4"

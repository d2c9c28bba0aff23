"""File names and playlists as Agora's cloud recorder writes them in individual mode.

Source: Agora, "Manage recorded files" (templates, tags and the two sample playlists). Text only; see
`pipeline.demo.listing` for why our own parser is not used.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pipeline.demo.listing import Finished, Listed, extinf, text, utc17
from pipeline.demo.scenario import Track

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.demo.scenario import Scenario, Shape, User


def slice_name(scenario: Scenario, user: User, track: Track, start_ms: int, *, web: bool = False) -> str:
    """``<sid>_<cname>__uid_s_<uid>__uid_e_<audio|video>_<utc17>.ts``, ``.webm`` for a web sender."""
    return f"{_stem(scenario, user, track)}_{utc17(start_ms)}.{'webm' if web else 'ts'}"


def playlist_name(scenario: Scenario, user: User, track: Track, _listed: Sequence[Listed]) -> str:
    """``<sid>_<cname>__uid_s_<uid>__uid_e_<audio|video>.m3u8``."""
    return f"{_stem(scenario, user, track)}.m3u8"


def playlist(scenario: Scenario, user: User, track: Track, listed: Sequence[Listed]) -> bytes:  # noqa: ARG001 - as TRTC's
    """The whole playlist of one track."""
    return _m3u8(scenario, [(track, entry) for entry in listed])


def combined(
    scenario: Scenario, user: User, listed: Sequence[tuple[Track, Listed]]
) -> Iterator[tuple[str, bytes]]:
    """Names and texts of the indexes of both tracks: M3U8 of slices in MPEG-TS, MPD of those in WebM."""
    stem = f"{_stem(scenario, user, Track.AUDIO).removesuffix(Track.AUDIO)}av"
    in_order = sorted(listed, key=lambda each: (each[1].start_ms, each[0]))
    if native := [each for each in in_order if each[1].name.endswith(".ts")]:
        yield f"{stem}.m3u8", _m3u8(scenario, native)
    if web := [each for each in in_order if each[1].name.endswith(".webm")]:
        yield f"{stem}.mpd", _mpd(scenario, web)


def _mpd(scenario: Scenario, listed: Sequence[tuple[Track, Listed]]) -> bytes:
    """What Agora's converter looks for in an MPD; the rest of the real text is not published."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', '<MPD type="static">', "<Period>"]
    for track in (Track.VIDEO, Track.AUDIO):
        lines.append(f'<AdaptationSet contentType="{track}">')
        for entry in (entry for of, entry in listed if of is track):
            if entry.starts:
                lines.append(f'<ExtDiscontinuity time="{_time(scenario, entry.start_ms)}"/>')
            lines += [
                f'<ExtRotate width="{shape.width}" height="{shape.height}" rotate="{shape.rotation}"'
                f' time="{_time(scenario, at_ms)}"/>'
                for at_ms, shape in entry.shapes
            ]
            lines.append(f'<SegmentURL media="{entry.name}"/>')
        lines.append("</AdaptationSet>")
    return "".join(f"{line}\n" for line in (*lines, "</Period>", "</MPD>")).encode()


def _m3u8(scenario: Scenario, listed: Sequence[tuple[Track, Listed]]) -> bytes:
    longest_us = max((entry.duration_us for _, entry in listed), default=0)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-ALLOW-CACHE:YES",
        f"#EXT-X-TARGETDURATION:{-(-longest_us // 1_000_000)}",
    ]
    for track, entry in listed:
        if entry.starts or entry.resized:
            lines.append("#EXT-X-DISCONTINUITY")
        lines += [_turned(scenario, at_ms, shape) for at_ms, shape in entry.shapes]
        if entry.starts and not scenario.mixed:
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
    return f"{task}_{scenario.channel}" + (f"__uid_s_{user.uid}__uid_e_{track}" if user.uid else "")


def finished_name(scenario: Scenario, user: User, made: Finished) -> str:
    """``<sid>_<cname>_<index>.mp4`` of a composite, ``<sid>_<cname>__uid_s_<uid>__uid_e_<index>.mp4``."""
    return f"{_stem(scenario, user, Track.BOTH).removesuffix(f'_{Track.BOTH}')}_{made.number}.mp4"

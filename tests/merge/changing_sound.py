"""Recordings of one user whose sound changes its coding, rate or channels: made in parts, then joined."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ZERO_MS = 1_772_442_000_250
KINDS = {
    "aac 48000 Hz mono": "",
    "aac 44100 Hz stereo": "rate = 44100\nchannels = 2",
    "aac 16000 Hz mono": "rate = 16000",
    "opus 48000 Hz mono": "web = {web}",
    "opus 48000 Hz stereo": "channels = 2\nweb = {web}",
}


@dataclass(frozen=True)
class Part:
    """Sound of one kind between two times in seconds."""

    start: float
    end: float
    kind: str


@dataclass(frozen=True)
class Recorded:
    """Where it is, and the UTC of the beeps that were sent whole."""

    place: Path
    beeps_ms: list[int]


def record(parts: Sequence[Part], place: Path, *, picture: str = "", inside: bool = False) -> Recorded:
    """Write the slices of all parts and one playlist.

    Args:
        parts: in order of time.
        place: an empty folder is made there.
        picture: stretches of pictures, as in a scenario.
        inside: MPEG-TS slices of a part are appended to the last one of the part before.
    """
    place.mkdir(parents=True)
    beeps: list[int] = []
    entries: list[tuple[str, str]] = []
    for number, part in enumerate(parts):
        text = f"""
vendor = "agora"
start = 2026-03-02T09:00:00.250Z
slice_seconds = 5
[[users]]
uid = "101"
size = "160x120"
fps = 5
sound = [[{part.start}, {part.end}]]
{KINDS[part.kind].format(web=f"[[{part.start}, {part.end}]]")}
"""
        made = make(parse(text), place.parent / f"{place.name}-{number}")
        beeps += made.users[0].beeps_ms
        (playlist,) = made.place.glob("*_audio.m3u8")
        listed = re.findall(r"#EXTINF:([\d.]+)\n(\S+)", playlist.read_text())
        for index, (seconds, name) in enumerate(listed):
            if inside and not index and entries:
                before, last = entries[-1]
                both = (place / last).read_bytes() + (made.place / name).read_bytes()
                (place / last).write_bytes(_continued(both))
                entries[-1] = f"{float(before) + float(seconds):.6f}", last
            else:
                shutil.copy(made.place / name, place)
                entries.append((seconds, name))
    if picture:
        text = f"""
vendor = "agora"
start = 2026-03-02T09:00:00.250Z
[[users]]
uid = "101"
size = "160x120"
fps = 5
picture = {picture}
"""
        for path in make(parse(text), place.parent / f"{place.name}-p").place.iterdir():
            shutil.copy(path, place)
    lines = [f"#EXTINF:{seconds}\n{name}" for seconds, name in entries]
    name = re.sub(r"_\d{17}\.\w+$", ".m3u8", entries[0][1])
    (place / name).write_text("\n".join(["#EXTM3U", *lines, "#EXT-X-ENDLIST"]) + "\n")
    return Recorded(place, beeps)


def _continued(data: bytes) -> bytes:
    """MPEG-TS whose continuity counters go on to its end, as if one recorder had written it."""
    out = bytearray(data)
    counters: dict[int, int] = {}
    for at in range(0, len(out), 188):
        pid = (out[at + 1] & 0x1F) << 8 | out[at + 2]
        if out[at + 3] & 0x10:
            counters[pid] = (counters.get(pid, -1) + 1) & 15
        out[at + 3] = out[at + 3] & 0xF0 | counters.get(pid, 0)
    return bytes(out)

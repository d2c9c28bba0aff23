"""Recordings for the benchmarks: long, of ordinary bit rates, generated and never committed.

A minute of pictures (640x360, 15 fps, 500 kbit/s, a key frame every 2 s) and of sound (48 kHz mono,
48 kbit/s) is encoded once and written again and again with new time stamps, as an Agora recorder would: a
slice every 15 s, sound and picture apart. To a remux it makes no difference that the minute repeats.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from pipeline.demo import agora
from pipeline.demo.listing import Listed, utc17
from pipeline.demo.scenario import Scenario, Track, User
from pipeline.demo.scenario_toml import parse
from pipeline.demo.webm import VpxTrack
from pipeline.demo.webm import write_slice as write_webm
from pipeline.media.encode import CodedPicture, CodedSound, encode_pictures, encode_sound
from pipeline.media.encode_webm import CodedFrame, encode_vpx
from pipeline.media.ts.writer import Pes, StreamType, write_slice
from pipeline.model.stamps import utc_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

TICKS = 90_000
FPS = 15
RATE = 48_000
FRAME = 1024
FRAMES_A_SLICE = 704  # as Agora writes: 15.019 s
FRAMES_A_PES = 8
WIDTH, HEIGHT = 640, 360
BITS_A_SECOND = 500_000
GOP = 2.0
MINUTE = 60 * TICKS


@dataclass(frozen=True, slots=True)
class Stay:
    """Seconds of the recording in which a user is present."""

    start: float
    end: float


@cache
def pictures() -> tuple[CodedPicture, ...]:
    """A minute of H.264."""
    return tuple(
        encode_pictures(_drawn(), width=WIDTH, height=HEIGHT, bit_rate=BITS_A_SECOND, preset="veryfast")
    )


PEOPLE = 4
"""Different people; the next ones look like them."""


@cache
def people(person: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> tuple[CodedPicture, ...]:
    """A minute of somebody before a camera, in H.264."""
    width, height = size
    bits = BITS_A_SECOND * width * height // (WIDTH * HEIGHT)
    drawn = _speaking(person, width, height)
    return tuple(encode_pictures(drawn, width=width, height=height, bit_rate=bits, preset="veryfast"))


def _speaking(
    person: int, width: int, height: int
) -> Iterator[tuple[int, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]]:
    """A room that stands still, a head that moves a little and a mouth that moves, the noise of a camera."""
    random = np.random.default_rng(100 + person)
    coarse = random.integers(60, 200, size=(height // 20, width // 20))
    room = coarse.repeat(20, axis=0).repeat(20, axis=1)[:height, :width].astype(np.int16)
    room += random.integers(-6, 7, size=room.shape, dtype=np.int16)
    noise = random.integers(-2, 3, size=(8, height, width), dtype=np.int16)
    skin = random.integers(-8, 9, size=(height, width), dtype=np.int16) + 150
    rows, columns = np.ogrid[:height, :width]
    for n in range(60 * FPS):
        across = width * (0.5 + 0.03 * np.sin(n / 23 + person)) - columns
        down = height * (0.5 + 0.02 * np.sin(n / 31)) - rows
        head = (across / (0.16 * width)) ** 2 + (down / (0.34 * height)) ** 2 < 1
        open_ = 0.02 + 0.03 * abs(np.sin(n / 2.3 + person))
        mouth = (across / (0.05 * width)) ** 2 + ((down + 0.14 * height) / (open_ * height)) ** 2 < 1
        luma = np.where(mouth, 60, np.where(head, skin, room)) + noise[n % 8]
        frame = np.full((height * 3 // 2, width), 128, dtype=np.uint8)
        frame[:height] = np.clip(luma, 16, 235)
        yield n * TICKS // FPS, frame


@cache
def web_pictures() -> tuple[CodedFrame, ...]:
    """A minute of VP8."""
    return tuple(encode_vpx(_drawn(), width=WIDTH, height=HEIGHT, bit_rate=BITS_A_SECOND))


def _drawn() -> Iterator[tuple[int, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]]:
    """A minute of moving texture."""
    random = np.random.default_rng(7)
    texture = random.integers(40, 215, size=(HEIGHT // 4 + 64, WIDTH // 4 + 64), dtype=np.uint8)
    texture = np.repeat(np.repeat(texture, 4, axis=0), 4, axis=1)
    for n in range(60 * FPS):
        frame = np.full((HEIGHT * 3 // 2, WIDTH), 128, dtype=np.uint8)
        frame[:HEIGHT] = texture[n % 200 : n % 200 + HEIGHT, n % 230 : n % 230 + WIDTH]
        yield n * TICKS // FPS, frame


@cache
def sound() -> tuple[CodedSound, ...]:
    """A minute of noise that rises and falls."""
    random = np.random.default_rng(8)
    count = 60 * RATE // FRAME * FRAME
    loud = np.abs(np.sin(np.arange(count) / RATE * 3.0)) * 4000
    samples = (random.standard_normal(count) * loud).astype(np.int16)
    return tuple(encode_sound([samples.reshape(1, -1)], rate=RATE, channels=1))


def record_people(
    place: Path, *, users: int, stays: Sequence[Stay], size: tuple[int, int] = (WIDTH, HEIGHT)
) -> Path:
    """Write a recording of people before cameras, all present in the same stays; the folder."""
    scenario = scenario_of(users)
    place.mkdir(parents=True, exist_ok=True)
    for number, user in enumerate(scenario.users):
        minute = people(number % PEOPLE, size)
        write_track(place, scenario, user, Track.VIDEO, slices_of(minute, stays))
        write_track(place, scenario, user, Track.AUDIO, audio_slices(stays))
    return place


def record(place: Path, *, users: int, stays: Sequence[Stay]) -> Path:
    """Write a recording of ``users`` who are all present in the same stays.

    Returns:
        The folder.
    """
    scenario = scenario_of(users)
    place.mkdir(parents=True, exist_ok=True)
    for user in scenario.users:
        write_track(place, scenario, user, Track.VIDEO, slices_of(pictures(), stays))
        write_track(place, scenario, user, Track.AUDIO, audio_slices(stays))
    return place


def record_web(place: Path, stay: Stay) -> Path:
    """The same of one user whose browser sends VP8, which lies in WebM; his sound is AAC in MPEG-TS."""
    scenario = scenario_of(1)
    (user,) = scenario.users
    place.mkdir(parents=True, exist_ok=True)
    write_track(place, scenario, user, Track.AUDIO, audio_slices([stay]))
    track = VpxTrack("vp8", WIDTH, HEIGHT)
    listed: list[Listed] = []
    for start, end, frames in _web_slices(stay):
        at_ms = scenario.start_ms + start // 90
        name = agora.slice_name(scenario, user, Track.VIDEO, at_ms, web=True)
        data = write_webm(track, frames)
        (place / name).write_bytes(data)
        listed.append(Listed(name, at_ms, (end - start) * 1_000_000 // TICKS, len(data), not listed))
    index = place / agora.playlist_name(scenario, user, Track.VIDEO, listed)
    index.write_bytes(agora.playlist(scenario, user, Track.VIDEO, listed))
    return place


def turned(source: Path, place: Path, turns: Sequence[Stay]) -> Path:
    """The same slices, with tags that turn the pictures upside down for some stretches.

    Args:
        source: a recording of one user who is there all the time.
        place: the folder to make.
        turns: when they are turned, in seconds since the recording's start.
    """
    place.mkdir()
    for path in source.iterdir():
        (place / path.name).symlink_to(path)
    video = next(place.glob("*video.m3u8"))
    zero = scenario_of(1).start_ms
    changes = sorted(
        change
        for turn in turns
        for change in ((zero + round(turn.start * 1000), 180), (zero + round(turn.end * 1000), 0))
    )
    size = f"WIDTH={WIDTH},HEIGHT={HEIGHT}"
    out: list[str] = []
    lines = video.read_text(encoding="utf-8").splitlines()
    starts = {line: utc_ms(line[-20:-3]) or 0 for line in lines if line.endswith(".ts")}
    nexts = dict(zip(starts, [*list(starts.values())[1:], zero + 10**9], strict=True))
    for line in lines:
        if line in starts:
            extinf = out.pop()
            while changes and changes[0][0] < nexts[line]:
                at_ms, degrees = changes.pop(0)
                out.append(f"#EXT-X-AGORA-ROTATE:{size},ROTATE={degrees},TIME={utc17(at_ms)}")
            out.append(extinf)
        out.append(line)
    video.unlink()
    video.write_text("\n".join(out) + "\n", encoding="utf-8")
    return place


def scenario_of(users: int) -> Scenario:
    """Whose recordings these are."""
    each = [
        f'[[users]]\nuid = "{100 + n}"\nsize = "{WIDTH}x{HEIGHT}"\nfps = {FPS}\n'
        "sound = [[0.0, 60.0]]\npicture = [[0.0, 60.0]]\n"
        for n in range(users)
    ]
    return parse('vendor = "agora"\nstart = 2026-03-02T09:00:00.250Z\n' + "".join(each))


def write_track(
    place: Path,
    scenario: Scenario,
    user: User,
    track: Track,
    slices: Iterable[tuple[int, int, bool, list[Pes]]],
) -> None:
    """Write a track; of its slices first and last tick, whether they begin anew, and packets are told."""
    listed = []
    for start, end, starts, packets in slices:
        at_ms = scenario.start_ms + start // 90
        name = agora.slice_name(scenario, user, track, at_ms)
        data = write_slice(packets)
        (place / name).write_bytes(data)
        listed.append(Listed(name, at_ms, (end - start) * 1_000_000 // TICKS, len(data), starts))
    (place / agora.playlist_name(scenario, user, track, ())).write_bytes(
        agora.playlist(scenario, user, track, listed)
    )


def slices_of(
    minute: Sequence[CodedPicture], stays: Sequence[Stay]
) -> Iterator[tuple[int, int, bool, list[Pes]]]:
    """Slices of pictures for `write_track`: a minute again and again."""
    for stay in stays:
        begin, end = round(stay.start * TICKS), round(stay.end * TICKS)
        packets: list[Pes] = []
        starts, first = True, begin
        for at, coded in _repeat(minute, begin, end):
            if coded.key and packets and at - first >= 15 * TICKS:
                yield first, at, starts, packets
                packets, starts, first = [], False, at
            packets.append(Pes(StreamType.H264, coded.data, TICKS + at, key=coded.key))
        yield first, end, starts, packets


def _web_slices(stay: Stay) -> Iterator[tuple[int, int, list[CodedFrame]]]:
    minute = web_pictures()
    begin, end = round(stay.start * TICKS), round(stay.end * TICKS)
    frames: list[CodedFrame] = []
    first = begin
    for zero in range(begin, end, MINUTE):
        for coded in minute:
            at = zero + coded.at_ticks
            if at >= end:
                break
            if coded.key and frames and at - first >= 15 * TICKS:
                yield first, at, frames
                frames, first = [], at
            frames.append(replace(coded, at_ticks=at))
    yield first, end, frames


def _repeat(minute: Sequence[CodedPicture], begin: int, end: int) -> Iterator[tuple[int, CodedPicture]]:
    zero = begin
    while zero < end:
        for coded in minute:
            if zero + coded.pts_ticks < end:
                yield zero + coded.pts_ticks, coded
        zero += MINUTE


def audio_slices(stays: Sequence[Stay]) -> Iterator[tuple[int, int, bool, list[Pes]]]:
    """Slices of sound for `write_track`."""
    blocks = [s.header + s.block for s in sound()]
    for stay in stays:
        begin = round(stay.start * TICKS)
        count = int((stay.end - stay.start) * RATE / FRAME)
        for first in range(0, count, FRAMES_A_SLICE):
            last = min(count, first + FRAMES_A_SLICE)
            packets = [
                Pes(
                    StreamType.AAC,
                    b"".join(blocks[k % len(blocks)] for k in range(n, min(last, n + FRAMES_A_PES))),
                    TICKS + begin + n * 1920,
                )
                for n in range(first, last, FRAMES_A_PES)
            ]
            yield begin + first * 1920, begin + last * 1920, first == 0, packets

"""Damaged slices cost what was damaged and nothing else, and the ledger says what, where and when."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario import Track
from pipeline.demo.scenario_toml import parse
from pipeline.errors import ExitCode
from pipeline.job.merge import merge_all
from pipeline.media.encode import encode_pictures, encode_sound
from pipeline.media.ts.writer import Pes, StreamType, write_slice
from pipeline.model.options import Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests import truth
from tests.merge.merging import Merged, beeps_ms, merge, pictures_ms, placed_pictures, utc_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made, MadeSlice

PACKET = 188
BEEP_MS = 40
BAD = 2
"""The slice that is damaged, of seven."""
CALL = """
vendor = "agora"
start = 2026-03-02T09:00:00.250Z
slice_seconds = 6

[[users]]
uid = "101"
size = "160x120"
fps = 10
gop_seconds = 2
sound = [[0.0, 40.0]]
picture = [[0.2, 40.0]]
"""


def chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - the same every time


def packets(data: bytes) -> list[bytes]:
    return [data[at : at + PACKET] for at in range(0, len(data), PACKET)]


def starts(data: bytes) -> list[int]:
    """Numbers of the TS packets in which a PES with a PTS begins."""
    heads = b"\0\0\1\xe0", b"\0\0\1\xc0"
    return [n for n, p in enumerate(packets(data)) if p[1] & 0x40 and any(head in p for head in heads)]


def garbage_between_packets(data: bytes) -> bytes:
    some = packets(data)
    return b"".join(p + chance(n).randbytes(57) * (n in {20, 33}) for n, p in enumerate(some))


def no_sync_byte(data: bytes) -> bytes:
    some = packets(data)
    return b"".join(b"\0" + p[1:] if n == len(some) // 2 else p for n, p in enumerate(some))


def hole(data: bytes) -> bytes:
    some = packets(data)
    middle = len(some) // 2
    return b"".join(some[:middle] + some[middle + 6 :])


def zeros(data: bytes) -> bytes:
    third = len(data) // 3 // PACKET * PACKET
    return data[:third] + bytes(10 * PACKET) + data[third + 10 * PACKET :]


def slipped(data: bytes) -> bytes:
    at = len(data) // 2 // PACKET * PACKET
    return data[:at] + data[at + 50 :]


def without_its_first_key(data: bytes) -> bytes:
    first, second = starts(data)[:2]
    some = packets(data)
    return b"".join(some[:first] + some[second:])


def first_half_twice(data: bytes) -> bytes:
    half = len(data) // 2 // PACKET * PACKET
    return data[:half] + data


def random_tail(data: bytes) -> bytes:
    at = 2 * len(data) // 3
    return data[:at] + chance(5).randbytes(len(data) - at)


DAMAGES = [
    garbage_between_packets,
    no_sync_byte,
    hole,
    zeros,
    slipped,
    first_half_twice,
    random_tail,
]


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(parse(CALL), tmp_path_factory.mktemp("damage") / "in")


def merged_with(
    made: Made, place: Path, track: Track, damage: Callable[[bytes], bytes]
) -> tuple[Merged, MadeSlice]:
    """The merge of a recording with one damaged slice, and that slice."""
    bad = made.users[0].track(track)[BAD]
    (place / "in").mkdir()
    for path in made.place.iterdir():
        data = path.read_bytes()
        (place / "in" / path.name).write_bytes(damage(data) if path.name == bad.name else data)
    (done,) = merge_all(Folder(place / "in"), place / "out", Options(), Limits())
    return Merged(made, place / "out", done.manifest, done.exit_code(accept_loss=False)), bad


def inside(made: Made, bad: MadeSlice, at_ms: float, slack_ms: float = 0) -> bool:
    zero = made.scenario.start_ms
    return zero + bad.start_ticks / 90 - slack_ms <= at_ms < zero + bad.end_ticks / 90 + slack_ms


@pytest.mark.parametrize("track", [Track.VIDEO, Track.AUDIO])
@pytest.mark.parametrize("damage", DAMAGES)
def test_only_what_is_damaged_is_lost_and_the_ledger_says_where(
    damage: Callable[[bytes], bytes], track: Track, call: Made, tmp_path: Path
) -> None:
    result, bad = merged_with(call, tmp_path, track, damage)
    output = result.only
    told = [entry for entry in result.manifest.ledger if entry.key == bad.name]
    assert told, "the slice is named"
    assert all(entry.start_ms is not None for entry in told)
    assert result.code in {ExitCode.GOOD, ExitCode.LOSSES}
    assert (result.code is ExitCode.LOSSES) == any(entry.sort == "loss" for entry in told)
    placed = placed_pictures(result, output)
    assert all(abs(at - said) <= 1 for at, said in placed), "what is shown is shown at its place"
    missing = set(pictures_ms(call, result.sender(output))) - {said for _, said in placed}
    assert all(inside(call, bad, at) for at in missing)
    if track is Track.AUDIO:
        assert not missing
    heard = [utc_ms(output, s * 90_000) for s in truth.beeps_by_pts(result.file(output))]
    for true in beeps_ms(call, result.sender(output)):
        if track is Track.VIDEO or not inside(call, bad, true, 100):
            assert any(abs(at - true) <= 10 for at in heard), "a beep of another slice is missing"
    truth.decodes_silently(result.file(output))


def test_a_slice_that_goes_on_without_a_key_frame_is_copied_as_it_is(call: Made, tmp_path: Path) -> None:
    result, bad = merged_with(call, tmp_path, Track.VIDEO, without_its_first_key)
    told = next(track for track in result.only.tracks if track.medium == "video")
    assert told.packets_out == len(pictures_ms(call, result.sender(result.only))) - 1
    shown = {said: at for at, said in placed_pictures(result, result.only)}
    for true in pictures_ms(call, result.sender(result.only)):
        if not inside(call, bad, true):
            assert abs(shown[true] - true) <= 1
    truth.decodes_silently(result.file(result.only))


def test_a_first_slice_that_begins_between_key_frames_begins_at_the_next(tmp_path: Path) -> None:
    made = make(parse(CALL), tmp_path / "in")
    first = made.users[0].track(Track.VIDEO)[0]
    path = made.place / first.name
    path.write_bytes(without_its_first_key(path.read_bytes()))
    result = merge(made, tmp_path / "out")
    assert result.code is ExitCode.LOSSES
    shown = [said for _, said in placed_pictures(result, result.only)]
    assert shown == [at for at in pictures_ms(made, result.sender(result.only)) if at >= shown[0]]
    assert shown[0] <= first.start_ms + 2000
    assert any("before the first key frame" in entry.what for entry in result.manifest.losses)
    truth.decodes_silently(result.file(result.only))


def flip(data: bytes, medium: int, bit: int) -> bytes:
    """One bit of the PTS of a PES in the middle turned over."""
    number = starts(data)[len(starts(data)) // 2]
    at = number * PACKET + data[number * PACKET : (number + 1) * PACKET].index(bytes((0, 0, 1, medium))) + 9
    pts = bytearray(data[at : at + 5])
    place = {0: (4, 1), 15: (2, 1), 18: (2, 4), 30: (0, 1)}[bit]
    pts[place[0]] ^= 1 << place[1]
    return data[:at] + bytes(pts) + data[at + 5 :]


@pytest.mark.parametrize("bit", [0, 15, 18, 30])
@pytest.mark.parametrize(("track", "medium"), [(Track.VIDEO, 0xE0), (Track.AUDIO, 0xC0)])
def test_a_flipped_bit_in_a_time_stamp_moves_no_more_than_its_own_access_unit(
    track: Track, medium: int, bit: int, call: Made, tmp_path: Path
) -> None:
    result, bad = merged_with(call, tmp_path, track, lambda data: flip(data, medium, bit))
    placed = placed_pictures(result, result.only)
    expected = pictures_ms(call, result.sender(result.only))
    wrong = [at for at, said in placed if abs(at - said) > 1]
    assert len(wrong) <= 1
    assert len(placed) >= len(expected) - 1
    if len(placed) < len(expected):
        assert {entry.key for entry in result.manifest.losses} == {bad.name}
    heard = [utc_ms(result.only, s * 90_000) for s in truth.beeps_by_pts(result.file(result.only))]
    true = beeps_ms(call, result.sender(result.only))
    assert len(heard) == len(true)
    assert max(abs(a - b) for a, b in zip(heard, true, strict=True)) <= 10
    truth.decodes_silently(result.file(result.only))


def test_a_track_of_one_picture_and_one_frame_of_sound_becomes_a_file(tmp_path: Path) -> None:
    made = make(parse(CALL), tmp_path / "in")
    user = made.users[0]
    for track in (Track.VIDEO, Track.AUDIO):
        first, *rest = user.track(track)
        for piece in rest:
            (made.place / piece.name).unlink()
        (playlist,) = made.place.glob(f"*_{track}.m3u8")
        lines = playlist.read_text().splitlines()
        kept = lines[: lines.index(first.name) + 1]
        playlist.write_text("\n".join([*kept, "#EXT-X-ENDLIST", ""]))
        (made.place / first.name).write_bytes(_one_access_unit(track))
    result = merge(made, tmp_path / "out")
    assert [(t.medium, t.packets_out) for t in result.only.tracks] == [("video", 1), ("audio", 1)]
    truth.decodes_silently(result.file(result.only))


def _one_access_unit(track: Track) -> bytes:
    if track is Track.VIDEO:
        grey = np.full((180, 160), 110, np.uint8)
        (picture,) = encode_pictures([(0, grey)], width=160, height=120)
        return write_slice([Pes(StreamType.H264, picture.data, 144_000, key=True)])

    coded = next(iter(encode_sound([np.zeros((1, 1024), np.int16)], rate=48_000, channels=1)))
    return write_slice([Pes(StreamType.AAC, coded.header + coded.block, 126_000, key=True)])

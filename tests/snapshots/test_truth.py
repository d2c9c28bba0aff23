"""Every picture shows the right user at the right time, and there is one wherever a camera was on."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.model.options import Moment, Screen
from pipeline.model.snapshots import Format, SnapshotOptions
from pipeline.model.stamps import stamp17
from tests.merge.merging import pictures_ms
from tests.snapshots.snapping import Snapped, assert_right, luma, snap

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.made import Made, MadeUser

FIXTURES = Path(__file__).parents[2] / "fixtures"
EVERY_MS = 700
OFF_MS = 1000
"""Where no picture comes for so long the camera is surely off."""


def _has_pictures(path: Path) -> bool:
    return any(user.picture for user in parse(path.read_text(encoding="utf-8")).users)


NAMES = sorted(path.stem for path in FIXTURES.glob("*.toml") if _has_pictures(path))


@pytest.fixture(scope="session")
def snapped(
    made: Callable[[str], Made], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Snapped]:
    """The pictures of a fixture, 700 ms apart; taken once."""
    kept: dict[str, Snapped] = {}

    def get(name: str) -> Snapped:
        if name not in kept:
            place = tmp_path_factory.mktemp("snapped") / name
            kept[name] = snap(made(name), place, SnapshotOptions(every_ms=EVERY_MS))
        return kept[name]

    return get


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_is_the_last_one_of_its_user_that_is_not_later(
    snapped: Callable[[str], Snapped], name: str
) -> None:
    found = snapped(name)
    assert found.pictures
    for picture in found.pictures:
        assert picture.utc_ms % EVERY_MS == 0
        assert_right(found, picture)


@pytest.mark.parametrize("name", NAMES)
def test_there_is_a_picture_exactly_where_a_camera_is_on(
    snapped: Callable[[str], Snapped], name: str
) -> None:
    found = snapped(name)
    for user in found.made.users:
        if not (sent := pictures_ms(found.made, user)):
            continue
        taken = {p.utc_ms for p in found.pictures if found.sender(p) is user}
        for at in range(-(-sent[0] // EVERY_MS) * EVERY_MS, sent[-1], EVERY_MS):
            before = max(ms for ms in sent if ms <= at)
            if at - before < 1000 // user.user.fps:
                assert at in taken, f"no picture of {user.user.uid} at {at}"
        for before, after in pairwise(sent):
            if after - before > OFF_MS + EVERY_MS:
                there = {at for at in taken if before + OFF_MS <= at < after - 1}
                assert not there or _stands_still(user, before, max(there)), f"{user.user.uid}: {there}"


def _stands_still(user: MadeUser, last: int, at: int) -> bool:
    """Whether a slice, as its playlist has it, lasts on behind its last picture."""
    ends = [piece.start_ms + (piece.end_ticks - piece.start_ticks) // 90 for piece in user.slices]
    return any(last <= end and at < end for end in ends)


@pytest.fixture(scope="session")
def sizes(snapped: Callable[[str], Snapped]) -> Callable[[str], set[tuple[int, int]]]:
    """The sizes of the pictures of a fixture, which are those that the manifest tells."""

    def get(name: str) -> set[tuple[int, int]]:
        found = snapped(name)
        seen = set()
        for picture in found.pictures:
            height, width = luma(found.place / picture.file).shape
            assert (width, height) == (picture.width, picture.height)
            seen.add((width, height))
        return seen

    return get


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("ramp-up", {(320, 180), (640, 360), (1280, 720)}, id="each picture has its own size"),
        pytest.param("rotation-90", {(120, 160)}, id="a lying picture is turned upright"),
        pytest.param("rotation-changes", {(320, 180), (180, 320)}, id="it is turned from where it turns"),
    ],
)
def test_pictures_are_upright_and_as_they_were_sent(
    sizes: Callable[[str], set[tuple[int, int]]], name: str, expected: set[tuple[int, int]]
) -> None:
    assert sizes(name) == expected


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("b-frames", SnapshotOptions(every_ms=100), id="neighbours among B-pictures"),
        pytest.param("web-vp8", SnapshotOptions(every_ms=100), id="neighbours in VP8"),
        pytest.param("hevc", SnapshotOptions(every_ms=100), id="neighbours in HEVC"),
        pytest.param("plain-agora", SnapshotOptions(every_ms=13_000), id="slices between are not read"),
        pytest.param("plain-agora", SnapshotOptions(every_ms=900, format=Format.PNG), id="PNG"),
        pytest.param("plain-agora", SnapshotOptions(every_ms=900, quality=40), id="JPEG of little quality"),
        pytest.param("rotation-90", SnapshotOptions(every_ms=900, width=160), id="scaled and turned"),
        pytest.param("ramp-up", SnapshotOptions(every_ms=900, width=400), id="all of one width"),
        pytest.param("screen-and-camera", SnapshotOptions(every_ms=900, screen=Screen.OWN), id="both"),
    ],
)
def test_it_is_so_with_every_option(
    made: Callable[[str], Made], tmp_path: Path, name: str, options: SnapshotOptions
) -> None:
    found = snap(made(name), tmp_path, options)
    assert len(found.pictures) > 1
    for picture in found.pictures:
        assert options.width in {None, picture.width}
        assert_right(found, picture)


SELDOM_A_KEY = """
vendor = "agora"
start = 2026-03-02T09:00:00.250Z
[[users]]
uid = "101"
size = "160x120"
fps = 10
gop_seconds = 300.0
picture = [[0.2, 200.0]]
{more}
"""
PACKET, TABLES = 188, 2
"""Of MPEG-TS: bytes of a packet, and how many with the tables stand at the beginning."""
IN_A_SLICE = 160


def _cut_between_key_frames(call: Made) -> None:
    """Make slices of 16 s out of the only one, as a recorder does that does not wait for key frames."""
    (user,) = call.users
    (slice_,) = user.slices
    file = call.place / slice_.name
    data = file.read_bytes()
    packets = [data[at : at + PACKET] for at in range(0, len(data), PACKET)]
    begins = [n for n, packet in enumerate(packets) if n >= TABLES and packet[1] & 0x40 and _is_video(packet)]
    assert len(begins) == len(user.pictures_ms)
    stem, _, _ = slice_.name.rpartition("_")
    lines = []
    for first in range(0, len(begins), IN_A_SLICE):
        upto = begins[first + IN_A_SLICE] if first + IN_A_SLICE < len(begins) else len(packets)
        name = f"{stem}_{stamp17(user.pictures_ms[first])}.ts"
        whole = [*packets[:TABLES], *packets[begins[first] : upto]]
        (call.place / name).write_bytes(b"".join(whole if first else packets[:upto]))
        lines.append(f"#EXTINF:{min(IN_A_SLICE, len(begins) - first) / 10}\n{name}\n")
    (index,) = call.place.glob("*video.m3u8")
    head = index.read_text().partition("#EXTINF")[0]
    index.write_text(f"{head}{''.join(lines)}#EXT-X-ENDLIST\n")


def _is_video(packet: bytes) -> bool:
    """Whether a PES of pictures begins in a TS packet (ISO/IEC 13818-1 2.4.3.7)."""
    payload = packet[4 + (packet[4] + 1 if packet[3] & 0x20 else 0) :]
    return payload[:3] == b"\0\0\1" and payload[3] & 0xF0 == 0xE0


@pytest.mark.parametrize(
    ("more", "cuts"),
    [
        pytest.param("", True, id="TS whose slices begin anywhere"),
        pytest.param("", False, id="a long slice"),
        pytest.param('web = [[0.0, 200.0]]\nweb_codec = "vp8"', False, id="WebM"),
    ],
)
@pytest.mark.parametrize("every_ms", [50_000, 9000])
def test_where_key_frames_are_seldom_decoding_begins_far_before(
    tmp_path: Path, more: str, every_ms: int, *, cuts: bool
) -> None:
    call = make(parse(SELDOM_A_KEY.format(more=more)), tmp_path / "in")
    if cuts:
        _cut_between_key_frames(call)
        assert len(list(call.place.glob("*.ts"))) > 10
    found = snap(call, tmp_path / "out", SnapshotOptions(every_ms=every_ms))
    assert len(found.pictures) == 200_250 // every_ms
    for picture in found.pictures:
        assert_right(found, picture)


def test_moments_of_one_s_own_are_utc_or_count_from_the_beginning(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    at = (Moment.parse("3"), Moment.parse("0:00:07.5"), Moment.parse("2026-03-02T09:00:09.123Z"))
    found = snap(made("video-only"), tmp_path, SnapshotOptions(at=at))
    first = min(pictures_ms(found.made, found.made.users[0]))
    expected = {first + 3000, first + 7500, Moment.parse("2026-03-02T09:00:09.123Z").at // 90}
    assert {picture.utc_ms for picture in found.pictures} == expected
    for picture in found.pictures:
        assert_right(found, picture)


def test_offsets_count_from_the_first_sound_where_that_comes_first(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    found = snap(made("late-picture"), tmp_path, SnapshotOptions(at=(Moment.parse("12"),)))
    (user,) = found.made.users
    first = found.made.scenario.start_ms + user.sound[0][0] // 90
    (picture,) = found.pictures
    assert min(user.pictures_ms) > first + 1000
    assert picture.utc_ms == first + 12_000
    assert_right(found, picture)


def test_sound_that_is_lost_is_no_loss_of_pictures(made: Callable[[str], Made], tmp_path: Path) -> None:
    found = snap(made("last-sound-slice-tiny"), tmp_path, SnapshotOptions(every_ms=1000))
    assert not [entry for entry in found.manifest.ledger if entry.track == "audio"]


def test_where_a_camera_is_off_there_is_none_and_the_ledger_says_so(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    options = SnapshotOptions(every_ms=1000)
    found = snap(made("mute-and-rejoin"), tmp_path / "off", options)
    absent = [e for e in found.manifest.ledger if e.what.startswith("no picture at ")]
    assert absent
    assert {str(entry.sort) for entry in absent} == {"absence"}
    for entry in absent:
        assert entry.start_ms is not None
        assert entry.end_ms is not None
        inside = [
            picture
            for picture in found.pictures
            if picture.uid == entry.uid and entry.start_ms < picture.utc_ms < entry.end_ms
        ]
        assert not inside
    held = snap(made("mute-and-rejoin"), tmp_path / "held", SnapshotOptions(every_ms=1000, hold=True))
    assert len(held.pictures) > len(found.pictures)
    assert not [e for e in held.manifest.ledger if e.what.startswith("no picture at ")]
    for picture in held.pictures:
        assert_right(held, picture)


def test_pictures_that_were_recorded_and_are_gone_are_a_loss(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    found = snap(made("missing-slice"), tmp_path, SnapshotOptions(every_ms=1000))
    assert "no picture at 16 of the moments (1 slice missing)" in {e.what for e in found.manifest.losses}
    assert found.done.exit_code(accept_loss=False) == 1


@pytest.mark.parametrize("name", ["plain-agora", "web-vp8", "trtc-mp4", "b-frames"])
def test_the_nearest_key_frame_is_taken_where_it_is_near_enough(
    made: Callable[[str], Made], tmp_path: Path, name: str
) -> None:
    far = snap(made(name), tmp_path / "far", SnapshotOptions(every_ms=700, nearest_ms=5000))
    for picture in far.pictures:
        coded, user = far.coded(picture), far.sender(picture)
        assert coded is not None
        assert abs(coded.at_ms - picture.shown_ms) <= 1
        assert abs(picture.shown_ms - picture.utc_ms) <= user.user.gop_ms // 2 + 1000
    shown = {(picture.uid, picture.shown_ms) for picture in far.pictures}
    assert len(shown) < len(far.pictures), "key frames are fewer than moments"
    near = snap(made(name), tmp_path / "near", SnapshotOptions(every_ms=700, nearest_ms=1))
    exact = snap(made(name), tmp_path / "exact", SnapshotOptions(every_ms=700))
    assert [p.utc_ms for p in near.pictures] == [p.utc_ms for p in exact.pictures]
    for picture in near.pictures:
        assert_right(near, picture)


def test_only_the_time_and_the_users_that_were_asked_for(made: Callable[[str], Made], tmp_path: Path) -> None:
    start, end = Moment.parse("2026-03-02T09:00:05Z"), Moment.parse("2026-03-02T09:00:08Z")
    options = SnapshotOptions(every_ms=1000, start=start, end=end, uids=("101",))
    found = snap(made("plain-agora"), tmp_path, options)
    assert [picture.utc_ms for picture in found.pictures] == [start.at // 90 + 1000 * n for n in range(3)]
    assert {picture.uid for picture in found.pictures} == {"101"}

from __future__ import annotations

import base64
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import av
import pytest

from pipeline.demo.picture import Coded
from pipeline.demo.recorder import make
from pipeline.demo.scenario import FaultKind, ScenarioError, Source, Track
from pipeline.demo.scenario_toml import parse
from pipeline.demo.trtc import encoded_id
from tests.cells import cell
from tests.truth import beeps_by_pts, decodes_silently, pictures

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.made import Made, MadeSlice, MadeUser

FIXTURES = Path(__file__).parents[2] / "fixtures"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.toml"))
OFTEN = [cell(name, name=name, always=number % 2 == 1) for number, name in enumerate(NAMES)]
"""Every second one: what comes of all of them is read back in ``tests/merge/test_truth.py``."""
WRAP = 1 << 33


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """Makes the recording of a fixture once for all tests of this file."""

    @cache
    def make_once(name: str) -> Made:
        scenario = parse((FIXTURES / f"{name}.toml").read_text("utf-8"))
        return make(scenario, tmp_path_factory.mktemp("made") / name)

    return make_once


def _sound_slices(user: MadeUser) -> list[MadeSlice]:
    return [made for made in user.slices if made.track is not Track.VIDEO]


@pytest.mark.parametrize("name", OFTEN)
def test_every_slice_shows_and_beeps_what_its_name_stamp_promises(
    name: str, recorded: Callable[[str], Made]
) -> None:
    made = recorded(name)
    for user in made.users:
        for each in user.slices:
            path = made.place / each.name
            if each.useless or each.fault is FaultKind.TRUNCATED:
                continue
            decodes_silently(path)
            _check_pictures(user, each, path)
            _check_beeps(user, each, path, made)


@pytest.mark.parametrize("name", NAMES)
def test_ffmpeg_decodes_slices_without_a_word(name: str, recorded: Callable[[str], Made]) -> None:
    made = recorded(name)
    for user in made.users:
        for track in user.user.tracks:
            decodes_silently(made.place / user.track(track)[0].name)


def _check_pictures(user: MadeUser, each: MadeSlice, path: Path) -> None:
    if not each.pictures_ms:
        return
    if user.user.rotation or any(change.shape.rotation for change in user.user.changes):
        with av.open(str(path)) as container:
            assert len(list(container.decode(video=0))) == len(each.pictures_ms)
        return
    seen = pictures(path)
    assert [coded for _, coded in seen] == [Coded(at, user.user.number) for at in each.pictures_ms]
    zero = each.first_pts
    for at, coded in seen:
        since_start = (round(at * 90_000) - zero) % WRAP
        first, now = each.start_ticks, each.start_ticks // 90 * 90 + (coded.at_ms - each.start_ms) * 90
        clock = user.user.clock
        edits = 90 if path.suffix == ".mp4" else 0  # FFmpeg writes edit lists in milliseconds
        assert abs(since_start - clock(now, sound=False) + clock(first, sound=False)) <= edits


def _check_beeps(user: MadeUser, each: MadeSlice, path: Path, made: Made) -> None:
    if each.track is Track.VIDEO or not user.sound:
        return
    start, end = (made.scenario.start_ms + ticks / 90 for ticks in (each.start_ticks, each.end_ticks))
    # A beep on the border of two slices is heard in both in part: left out.
    inside = [at for at in user.beeps_ms if start + 50 < at < end - 100]
    heard = [(at * 1000 - each.first_pts / 90) % (WRAP / 90) + start for at in beeps_by_pts(path)]
    heard = [at for at in heard if start + 50 < at < end - 100]
    assert len(heard) == len(inside)
    clock = abs(1 - (user.user.sampled or user.user.rate) / user.user.rate) * (end - start)
    assert all(abs(got - expected) < 1 + clock for got, expected in zip(heard, inside, strict=True))


@pytest.mark.parametrize("name", ["pts-restarts", "pts-wraps", "pts-starts-anywhere"])
def test_stamps_change_nothing_but_stamps(name: str, recorded: Callable[[str], Made]) -> None:
    plain, other = recorded("plain-agora"), recorded(name)
    for left, right in zip(plain.users, other.users, strict=True):
        assert left.pictures_ms == right.pictures_ms
        assert left.sound == right.sound
        assert left.beeps_ms == right.beeps_ms
        assert left.slices != right.slices
        assert [replace(each, first_pts=0) for each in left.slices] == [
            replace(each, first_pts=0) for each in right.slices
        ]


def test_wrapping_stamps_wrap_inside_a_slice_and_between_sound_and_picture(
    recorded: Callable[[str], Made],
) -> None:
    made = recorded("pts-wraps")
    assert any(each.first_pts + each.end_ticks - each.start_ticks > WRAP for each in made.user("101").slices)
    second = made.user("202")
    assert second.track(Track.AUDIO)[0].first_pts > WRAP - 90_000
    assert second.track(Track.VIDEO)[0].first_pts < 90_000


@pytest.mark.parametrize("name", NAMES)
def test_slices_hold_every_picture_and_all_sound_once(name: str, recorded: Callable[[str], Made]) -> None:
    for user in recorded(name).users:
        shown = [at for each in user.slices for at in each.pictures_ms]
        assert sorted(shown) == list(user.pictures_ms)
        slices = _sound_slices(user)
        if user.user.merged:
            continue  # a frame of sound may reach over the key picture that cuts
        if user.sound:
            assert slices[0].start_ticks == user.sound[0][0]
            more = 1800 if slices[-1].name.endswith(".webm") else 0  # the encoder of Opus empties itself
            assert 0 <= slices[-1].end_ticks - user.sound[-1][1] <= more
        for left, right in pairwise(slices):
            assert left.end_ticks <= right.start_ticks + 90


def test_making_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    scenario = parse((FIXTURES / "b-frames.toml").read_text("utf-8"))
    make(scenario, tmp_path / "a")
    make(scenario, tmp_path / "b")
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / place).iterdir()} for place in ("a", "b")
    )
    assert first == second


@pytest.mark.parametrize(
    ("kind", "track"),
    [
        (FaultKind.MISSING, Track.VIDEO),
        (FaultKind.EMPTY, Track.AUDIO),
        (FaultKind.TRUNCATED, Track.VIDEO),
        (FaultKind.RANDOM, Track.VIDEO),
        (FaultKind.HTML, Track.AUDIO),
        (FaultKind.DUPLICATE, Track.VIDEO),
        (FaultKind.UNLISTED, Track.AUDIO),
    ],
)
def test_a_fault_spoils_one_slice(
    kind: FaultKind, track: Track, recorded: Callable[[str], Made], tmp_path: Path
) -> None:
    made = recorded(f"{kind}-slice")
    whole = make(replace(made.scenario, faults=()), tmp_path / "whole")
    spoilt = made.user("101").track(track)[1]
    assert [each.fault for each in made.user("101").slices if each.fault] == [kind]
    differing = {
        path.name
        for path in whole.place.glob("*.ts")
        if not (made.place / path.name).exists() or (made.place / path.name).read_bytes() != path.read_bytes()
    }
    unspoilt = kind in {FaultKind.DUPLICATE, FaultKind.UNLISTED}
    assert differing == (set() if unspoilt else {spoilt.name})
    playlist = next(made.place.glob(f"*_{track}.m3u8")).read_text("utf-8")
    assert playlist.splitlines().count(spoilt.name) == {"duplicate": 2, "unlisted": 0}.get(kind, 1)
    data = (made.place / spoilt.name).read_bytes() if kind is not FaultKind.MISSING else None
    good = (whole.place / spoilt.name).read_bytes()
    match kind:
        case FaultKind.EMPTY:
            assert data == b""
        case FaultKind.TRUNCATED:
            assert data is not None
            assert good.startswith(data)
            assert len(data) % 188
        case FaultKind.RANDOM:
            assert data is not None
            assert len(data) == len(good)
        case FaultKind.HTML:
            assert data is not None
            assert data.startswith(b"<!DOCTYPE html>")
        case _:
            assert data in {None, good}


def test_a_fault_beyond_the_last_slice_is_refused(tmp_path: Path) -> None:
    text = (FIXTURES / "missing-slice.toml").read_text("utf-8").replace("slice = 1", "slice = 3")
    with pytest.raises(ScenarioError, match="video slice 3 of user '101', who has 3"):
        make(parse(text), tmp_path)


def test_an_agora_playlist_is_the_documented_text(recorded: Callable[[str], Made]) -> None:
    made = recorded("mute-and-rejoin")
    stem = next(made.place.glob("*_audio.m3u8")).name.removesuffix(".m3u8")
    task = stem.partition("_")[0]
    assert len(task) == 32
    assert int(task, 16) >= 0
    assert stem == f"{task}_demo1__uid_s_101__uid_e_audio"
    audio = (made.place / f"{stem}.m3u8").read_text("utf-8")
    assert audio == (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-ALLOW-CACHE:YES\n"
        "#EXT-X-TARGETDURATION:16\n"
        "#EXT-X-DISCONTINUITY\n"
        "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME=20260302090000250\n"
        f"#EXTINF:15.002666\n{stem}_20260302090000250.ts\n"
        f"#EXTINF:4.992000\n{stem}_20260302090015252.ts\n"
        "#EXT-X-DISCONTINUITY\n"
        "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME=20260302090037250\n"
        f"#EXTINF:8.000000\n{stem}_20260302090037250.ts\n"
        "#EXT-X-ENDLIST\n"
    )
    video = next(made.place.glob("*_video.m3u8")).read_text("utf-8")
    assert (
        "#EXT-X-DISCONTINUITY\n"
        "#EXT-X-AGORA-ROTATE:WIDTH=160,HEIGHT=120,ROTATE=0,TIME=20260302090037650\n"
        "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=VIDEO,TIME=20260302090037650\n"
        "#EXTINF:7.600000\n"
    ) in video


def test_a_trtc_playlist_is_the_seen_text(recorded: Callable[[str], Made]) -> None:
    made = recorded("plain-trtc")
    user = base64.b64encode(b"anna@example.com").decode().replace("=", ".")
    stem = f"20055501_1042317788__UserId_s_{user}__UserId_e_main_video"
    names = [each.name for each in made.user("anna@example.com").track(Track.VIDEO)]
    sizes = [(made.place / name).stat().st_size for name in names]
    stamps = [1_772_442_000_450, 1_772_442_010_450, 1_772_442_020_450, 1_772_442_030_450]
    lines = [
        line
        for stamp, size, seconds, name in zip(stamps, sizes, ("10", "10", "10", "1.8"), names, strict=True)
        for line in (f"#EXT-X-TRTC-FILE-ATTR:{stamp},{size}", f"#EXTINF:{seconds},", name)
    ]
    assert names[0] == f"{stem}_20260302090000450.ts"
    assert all(size % 188 == 0 for size in sizes)
    assert (made.place / f"{stem}.m3u8").read_text("utf-8").splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        "#EXT-X-ALLOW-CACHE:NO",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-TARGETDURATION:10",
        "#EXT-X-TRTC-VERSION:1debc8",
        "#EXT-X-TRTC-DATE:2025-11-27 11:23:39 +0800",
        "#EXT-X-TRTC-START-REC-TIME:1772442000450",
        "#EXT-X-TRTC-MEDIA-ID:main",
        "#EXT-X-TRTC-USER-ID:anna@example.com",
        "#EXT-X-TRTC-MIX-STREAM:0",
        "#EXT-X-TRTC-STREAM-TYPE:1",
        "#EXT-X-TRTC-VIDEO-METADATA:WIDTH:160 HEIGHT:120 Codec:27",
        *lines,
        "#EXT-X-ENDLIST",
    ]


@pytest.mark.parametrize(
    ("plain", "encoded"),
    [("1686119", "MTY4NjExOQ.."), ("ab?", "YWI-"), ("demo~~~?", "ZGVtb35+fj8."), ("张三", "5byg5LiJ")],
)
def test_trtc_ids_are_base64_with_swapped_characters(plain: str, encoded: str) -> None:
    assert encoded_id(plain) == encoded


def test_a_playlist_can_have_gone_through_other_hands(recorded: Callable[[str], Made]) -> None:
    made = recorded("no-endlist-crlf-bom")
    data = next(made.place.glob("*_audio.m3u8")).read_bytes()
    assert data.startswith(b"\xef\xbb\xbf#EXTM3U\r\n")
    assert data.count(b"\n") == data.count(b"\r\n")
    assert b"#EXTINF:15,\r\n" in data
    assert b"TIME=1772442000250\r\n" in data
    assert b"ENDLIST" not in data


def test_a_recording_can_have_no_playlist(recorded: Callable[[str], Made]) -> None:
    made = recorded("no-playlist")
    assert {path.suffix for path in made.place.iterdir()} == {".ts"}


def test_merged_slices_hold_both_streams_and_the_screen_is_aux(recorded: Callable[[str], Made]) -> None:
    merged = recorded("audiovideo-trtc")
    for each in merged.user("user_01").slices[1:]:
        with av.open(str(merged.place / each.name)) as container:
            assert sorted(stream.type for stream in container.streams) == ["audio", "video"]
    screen = recorded("screen-trtc")
    assert all("_aux_video_" in each.name for each in screen.user("user_01", Source.SCREEN).slices)
    with pytest.raises(KeyError, match="user_02"):
        screen.user("user_02")


def test_a_rotated_user_is_coded_lying_and_tagged(recorded: Callable[[str], Made]) -> None:
    made = recorded("rotation-90")
    path = made.place / made.user("101").track(Track.VIDEO)[0].name
    with av.open(str(path)) as container:
        frame = next(iter(container.decode(video=0)))
        assert (frame.width, frame.height) == (160, 120)
    playlist = next(made.place.glob("*_video.m3u8")).read_text("utf-8")
    assert "WIDTH=160,HEIGHT=120,ROTATE=90," in playlist

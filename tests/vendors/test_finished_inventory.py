"""Finished files: which are used, in what order, and where each begins."""

from __future__ import annotations

import pytest

from pipeline.model.ledger import Sort
from pipeline.model.slices import NOWHERE, Medium, State
from pipeline.vendors.trtc.names import encode_id
from tests.vendors.test_inventory import (
    ROOM,
    SID,
    T0_MS,
    agora,
    only_user,
    playlist,
    sound_of,
    stamp,
    stock,
    trtc,
)

TASK = "8VNDkieb3b"


def part(index: int | None = None, *, ha: str = "", media: str = "main", extension: str = "mp4") -> str:
    """A finished file of a user of TRTC."""
    end = "" if index is None else f"_{index}"
    return f"{TASK}/{ha}{ROOM}__UserId_s_{encode_id('ann')}__UserId_e_{media}{end}.{extension}"


def volcengine(after_ms: int, extension: str = "mp4", digits: str = "c4694fa1") -> str:
    dot = f".{extension}" if extension else ""
    return f"task_room_ann_C_{1_700_000_000_000 + after_ms}_000010_{digits}{dot}"


def test_one_file_is_both_tracks_of_a_user() -> None:
    found = stock({part(): 1000})
    user = only_user(found)
    assert (user.uid, user.source) == ("ann", "camera")
    assert [track.medium for track in user.tracks] == [Medium.VIDEO, Medium.AUDIO]
    for track in user.tracks:
        (piece,) = track.slices
        assert (piece.key, piece.state, piece.shared) == (part(), State.PRESENT, True)
        assert (piece.stamp_ms, piece.stamp_from, piece.follows) == (0, NOWHERE, "")
    assert found.notes == ()


def test_parts_follow_one_another_by_their_numbers() -> None:
    found = stock({part(n): 1000 for n in (10, 2, 1, *range(3, 10))})
    slices = sound_of(found).slices
    assert [s.key for s in slices] == [part(n) for n in range(1, 11)]
    assert [s.follows for s in slices] == ["", *(part(n) for n in range(1, 10))]
    assert found.notes == ()


def test_a_part_that_is_not_there_is_a_loss() -> None:
    found = stock({part(n): 1000 for n in (2, 4)})
    assert [(entry.sort, entry.what.partition(" of")[0]) for entry in found.notes] == [
        (Sort.LOSS, "part 1"),
        (Sort.LOSS, "part 3"),
    ]


def test_volcengine_s_parts_are_placed_by_the_start_in_their_names() -> None:
    found = stock({volcengine(n): 1000 for n in (14_400_000, 0)})
    assert [(s.stamp_ms - 1_700_000_000_000, s.stamp_from) for s in sound_of(found).slices] == [
        (0, "name"),
        (14_400_000, "name"),
    ]


def test_two_files_with_one_start_are_a_loss_of_the_smaller() -> None:
    small, large = volcengine(0, digits="00000001"), volcengine(0, digits="00000002")
    found = stock({small: 10, large: 20})
    assert [s.key for s in sound_of(found).slices] == [large]
    assert [(n.sort, n.key, n.what) for n in found.notes] == [
        (Sort.LOSS, small, f"twin of {large}, which is larger; not used")
    ]


@pytest.mark.parametrize(
    ("files", "used", "noted"),
    [
        pytest.param(["mp4", "aac"], "mp4", {"aac": "the same as"}, id="MP4 before AAC"),
        pytest.param(["m4a", "aac"], "m4a", {"aac": "the same as"}, id="M4A before AAC"),
        pytest.param(["mp4", "flv"], "mp4", {"flv": "in FLV, of which nothing"}, id="FLV is not read"),
        pytest.param(["", "mp3"], "", {"mp3": "in MP3, of which nothing"}, id="a file without an extension"),
    ],
)
def test_of_several_formats_the_best_is_used(files: list[str], used: str, noted: dict[str, str]) -> None:
    found = stock({volcengine(0, extension): 1000 for extension in files})
    assert [s.key for s in sound_of(found).slices] == [volcengine(0, used)]
    said = {n.key: n.what for n in found.notes}
    assert said.keys() == {volcengine(0, extension) for extension in noted}
    assert all(words in said[volcengine(0, extension)] for extension, words in noted.items())


def test_finished_files_are_left_alone_where_slices_are_there() -> None:
    slice_key = trtc("audio", 0)
    found = stock({trtc("audio"): playlist(slice_key), slice_key: 188, part(): 1000})
    assert only_user(found).video is None
    assert [s.key for s in sound_of(found).slices] == [slice_key]
    assert [(n.key, n.what) for n in found.notes] == [
        (part(), "ignored: a finished file; the slices are there and are the better source")
    ]


def test_playlists_whose_slices_are_not_there_tell_when_a_finished_file_began() -> None:
    tag = f"#EXT-X-TRTC-START-REC-TIME:{T0_MS + 354}"
    late = f"#EXT-X-TRTC-START-REC-TIME:{T0_MS + 4000}"
    audio, video = trtc("audio"), trtc("video")
    found = stock(
        {
            audio: playlist(late, trtc("audio", 4000)),
            video: playlist(tag, trtc("video", 354)),
            part(1): 1000,
            part(2): 1000,
        }
    )
    slices = sound_of(found).slices
    assert [(s.key, s.stamp_ms - T0_MS, s.stamp_from, s.follows) for s in slices] == [
        (part(1), 354, "tag", ""),
        (part(2), 355, "count", part(1)),
    ]
    said = "ignored: no slice is there; the finished file is used"
    assert [(n.key, n.what) for n in found.notes] == [(audio, said), (video, said)]


def test_a_second_recorder_s_files_begin_by_its_own_playlist_or_follow() -> None:
    both = {part(): 1000, part(ha="ha1_"): 1000}
    slices = sound_of(stock(both)).slices
    assert [(s.key, s.follows) for s in slices] == [(part(), ""), (part(ha="ha1_"), part())]
    index = trtc("audio").replace(f"{TASK}/", f"{TASK}/ha1_")
    line = f"#EXT-X-TRTC-START-REC-TIME:{T0_MS + 60_000}"
    text = playlist(line, trtc("audio", 60_000).replace("/", "/ha1_"))
    told = sound_of(stock({**both, index: text})).slices
    assert [(s.stamp_ms, s.stamp_from) for s in told] == [(0, NOWHERE), (T0_MS + 60_000, "tag")]


def test_a_composite_is_a_user_without_an_id() -> None:
    found = stock({f"{SID}_math_{n}.mp4": 1000 for n in (0, 1)})
    assert only_user(found).uid == ""
    assert [s.key for s in sound_of(found).slices] == [f"{SID}_math_0.mp4", f"{SID}_math_1.mp4"]


def test_slices_of_a_composite_are_stamped_and_come_before_its_files() -> None:
    slices = [f"{SID}_math_{stamp(n)}.ts" for n in (0, 15_000)]
    whole = f"{SID}_math_0.mp4"
    found = stock({f"{SID}_math.m3u8": playlist(*slices), **dict.fromkeys(slices, 188), whole: 99})
    assert [s.stamp_ms - T0_MS for s in sound_of(found).slices] == [0, 15_000]
    assert [n.key for n in found.notes] == [whole]


def test_a_composite_is_left_alone_beside_single_users() -> None:
    one = agora("audio", 0)
    mix: dict[str, int | str] = {f"{SID}_math.m3u8": "no playlist", f"{SID}_math_0.mp4": 9}
    found = stock({agora("audio"): playlist(one), one: 188, **mix})
    assert only_user(found).uid == "123"
    what = "ignored: part of a composite recording; the single users are there and are the better source"
    assert [(n.key, n.what) for n in found.notes] == [
        (f"{SID}_math.m3u8", what),
        (f"{SID}_math_0.mp4", what),
    ]

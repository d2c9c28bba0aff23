"""Folders of the on-premise SDK: event files list what was recorded, names tell when."""

from __future__ import annotations

import pytest

from pipeline.model.slices import Medium, State
from pipeline.model.stamps import stamp17
from pipeline.vendors.agora_onpremise import read_playlist
from tests.vendors.test_inventory import only_user, pictures_of, sound_of, stock

T0_MS = 1_549_615_458_569
FOLDER = "20190208/demo_room_084414_521730118"


def name(after_ms: int, extension: str, uid: str = "7") -> str:
    return f"{uid}_{stamp17(T0_MS + after_ms)}.{extension}"


AAC, MP4 = name(0, "aac"), name(405, "mp4")
EVENTS = f"uid_7_{stamp17(T0_MS + 1)}.txt"
TEXT = f"""0.000 {AAC} create
0.404 {MP4} create
0.405 {MP4} info width=360 height=640 rotation=90
9.405 {MP4} rotate rotation=0
47.294 {MP4} close
47.294 {AAC} close
"""
THERE: dict[str, int | str] = {f"{FOLDER}/{AAC}": 1000, f"{FOLDER}/{MP4}": 1000, f"{FOLDER}/{EVENTS}": TEXT}
DONE = f"{FOLDER}/recording2-done.txt"


def test_a_folder_is_read_by_its_event_files() -> None:
    found = stock({**THERE, DONE: 0})
    user = only_user(found)
    assert (found.recording.vendor, found.recording.prefix, user.uid) == ("agora_onpremise", FOLDER, "7")
    (sound,) = sound_of(found).slices
    assert (sound.key, sound.stamp_ms - T0_MS) == (f"{FOLDER}/{AAC}", 0)
    assert (sound.stamp_from, sound.shared) == ("name", False)
    (pictures,) = pictures_of(found).slices
    assert (pictures.key, pictures.stamp_ms - T0_MS, pictures.clockwise) == (f"{FOLDER}/{MP4}", 405, 90)
    assert [(turn.after_ms, turn.clockwise) for turn in pictures.turns] == [(9001, 0)]
    assert found.notes == ()


def test_a_file_that_is_told_of_and_not_there_is_missing() -> None:
    found = stock({key: it for key, it in THERE.items() if not key.endswith(".aac")} | {DONE: 0})
    lost = [s for s in sound_of(found).slices if s.key.endswith(".aac")]
    assert [(s.state, s.extinf_us) for s in lost] == [(State.MISSING, 47_294_000)]


def test_an_mp4_without_aac_beside_it_may_hold_sound() -> None:
    other = name(0, "mp4")
    text = TEXT.replace(AAC, other)
    found = stock({f"{FOLDER}/{MP4}": 9, f"{FOLDER}/{other}": 9, f"{FOLDER}/{EVENTS}": text, DONE: 0})
    assert all(s.shared for s in sound_of(found).slices)
    assert len(sound_of(found).slices) == len(pictures_of(found).slices)


def test_without_the_mark_of_the_end_a_note_says_so() -> None:
    found = stock(THERE)
    assert {n.what for n in found.notes} == {
        "there is no recording2-done.txt beside it: the recording had not ended, or its recorder crashed"
    }


def test_files_of_4_x_are_placed_by_their_names() -> None:
    found = stock({"7_1549615458569.mp4": 1000, "8_20190208084418.mp4": 1000})
    assert [(u.uid, [t.slices[0].stamp_ms for t in u.tracks]) for u in found.recording.users] == [
        ("7", [T0_MS, T0_MS]),
        ("8", [T0_MS - 569, T0_MS - 569]),
    ]
    assert [n.uid for n in found.notes] == ["8"]  # whose name has no zone


def test_webm_is_pictures_and_its_sound_lies_beside_it() -> None:
    found = stock({name(0, "aac"): 1000, name(300, "webm"): 1000})
    assert [track.medium for track in only_user(found).tracks] == [Medium.VIDEO, Medium.AUDIO]
    assert [s.key for s in pictures_of(found).slices] == [name(300, "webm")]


@pytest.mark.parametrize(
    ("text", "ended", "segments"),
    [
        pytest.param("", True, [], id="empty"),
        pytest.param(f"0.000 {AAC} create\n", False, [(AAC, None)], id="never closed"),
        pytest.param(f"1.000 {AAC} create\n5.500 {AAC} close\n", True, [(AAC, 4_500_000)], id="closed"),
        pytest.param(
            f"1.0 {AAC} create\n2.0 {AAC} create\n5.0 {AAC} close\n",
            True,
            [(AAC, 4_000_000)],
            id="begun twice",
        ),
        pytest.param(f"5.500 {AAC} close\n", True, [], id="closed and never begun"),
    ],
)
def test_an_event_file_is_a_list_of_files(
    text: str,
    ended: bool,  # noqa: FBT001 - a column of the table
    segments: list[tuple[str, int | None]],
) -> None:
    found = read_playlist(text, EVENTS)
    assert [(s.uri, s.duration_us) for s in found.segments] == segments
    assert found.ended == ended

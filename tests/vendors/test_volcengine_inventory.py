"""Recordings of Volcengine: slices are what the playlist lists, placed by what little tells a time."""

from __future__ import annotations

from pipeline.model.ledger import Entry, Sort
from pipeline.model.slices import State
from pipeline.vendors import VENDORS
from pipeline.vendors.inventory import Object, sort_objects, take_stock, with_unnamed
from pipeline.vendors.volcengine import Task
from tests.vendors.test_inventory import only_user, pictures_of, playlist, sound_of, stock, stock_all

START_MS = 1_700_000_000_000


def name(ids: str = "task_room_ann_C", after_ms: int = 0, extension: str = "m3u8") -> str:
    return f"{ids}_{START_MS + after_ms}_000030_c4694fa1.{extension}"


def test_slices_of_any_name_are_those_that_the_playlist_lists() -> None:
    lines = ("0001.ts", "7_20231114221320000.ts", "0003.ts")
    found = stock({f"a/{name()}": playlist(*lines), "a/0001.ts": 188, "a/7_20231114221320000.ts": 0})
    user = only_user(found)
    assert (user.uid, user.source) == ("ann", "camera")
    assert user.audio is not None
    assert user.video is not None
    assert user.audio.slices == user.video.slices
    assert [(s.key, s.state, s.shared) for s in user.audio.slices] == [
        ("a/0001.ts", State.PRESENT, True),
        ("a/7_20231114221320000.ts", State.EMPTY, True),
        ("a/0003.ts", State.MISSING, True),
    ]
    assert found.notes == ()


def test_the_first_slice_is_stamped_by_the_playlist_and_the_others_follow() -> None:
    track = sound_of(stock({name(): playlist("b.ts", "a.ts"), "a.ts": 188, "b.ts": 188}))
    assert [(s.key, s.stamp_ms - START_MS, s.stamp_from, s.follows) for s in track.slices] == [
        ("b.ts", 0, "name", ""),
        ("a.ts", 15_000, "count", "b.ts"),
    ]


def test_a_date_in_the_playlist_comes_before_its_name() -> None:
    date = "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:21.500+00:00"
    track = sound_of(stock({name(): playlist(date, "b.ts", "a.ts"), "a.ts": 188, "b.ts": 188}))
    assert [(s.stamp_ms - START_MS, s.stamp_from) for s in track.slices] == [(1500, "tag"), (16_500, "count")]


def test_names_of_slices_are_stamps_where_they_rise() -> None:
    rising = [name(after_ms=n, extension="ts") for n in (5, 14_990)]
    track = sound_of(stock({name(): playlist(*rising), **dict.fromkeys(rising, 188)}))
    assert [(s.stamp_ms - START_MS, s.stamp_from) for s in track.slices] == [(5, "name"), (14_990, "name")]


def test_names_of_slices_that_all_tell_the_start_are_none() -> None:
    same = [name(extension="ts").replace("c4694fa1", digits) for digits in ("00000001", "00000000")]
    track = sound_of(stock({name(): playlist(*same), **dict.fromkeys(same, 188)}))
    assert [(s.key, s.stamp_ms - START_MS, s.stamp_from) for s in track.slices] == [
        (same[0], 0, "name"),
        (same[1], 15_000, "count"),
    ]


def test_parts_of_a_long_recording_are_one_track() -> None:
    later = name(after_ms=14_400_000)
    found = stock({name(): playlist("a.ts"), later: playlist("b.ts"), "a.ts": 188, "b.ts": 188})
    assert [s.stamp_ms - START_MS for s in pictures_of(found).slices] == [0, 14_400_000]


def test_a_screen_is_a_source_of_its_own() -> None:
    screen = name("task_room_ann_S")
    found = stock({name(): playlist("a.ts"), screen: playlist("b.ts"), "a.ts": 188, "b.ts": 188})
    assert [(u.uid, u.source) for u in found.recording.users] == [("ann", "camera"), ("ann", "screen")]


def test_without_its_task_a_name_with_more_of_them_is_a_recording_of_its_own() -> None:
    ids = [name("my_task_room_ann_C"), name("my_task_room_bob_C")]
    found = stock_all({**{key: playlist(f"{key}.ts") for key in ids}, **{f"{key}.ts": 188 for key in ids}})
    assert [only_user(each).uid for each in found] == ["my_task_room_ann", "my_task_room_bob"]
    what = "task, room and user id may contain '_': without the task's ids they stay together"
    assert found[0].notes == (Entry(Sort.NOTE, what, "my_task_room_ann"),)
    listing = sort_objects([Object(key, 1) for key in ids], Task("my_task", "room"))
    (group,) = listing.groups
    assert (group.recording, [n.name.uid for n in group.items]) == ("my_task_room", ["ann", "bob"])


def test_a_pattern_names_what_nothing_else_would() -> None:
    task = Task("my_task", "room", "{UserId}-{Type}")
    listing = sort_objects([Object("ann-C.m3u8", 1), Object("thumbs.db", 1)], task)
    (group,) = listing.groups
    assert [(n.name.uid, n.name.stamp_ms) for n in group.items] == [("ann", None)]
    assert [note.key for note in listing.notes] == ["thumbs.db"]


def test_a_playlist_without_any_time_begins_at_zero() -> None:
    """Its pattern has no StartTime: the order is known, the time is not."""
    items = [Object("ann-C.m3u8", 100), Object("a.ts", 188), Object("b.ts", 188)]
    listing = sort_objects(items, Task("my_task", "room", "{UserId}-{Type}"))
    playlists = {"ann-C.m3u8": VENDORS["volcengine"].read_playlist(playlist("b.ts", "a.ts"), "ann-C.m3u8")}
    (group,) = with_unnamed(listing, items, playlists).groups
    track = sound_of(take_stock(group, playlists, {}))
    assert [(s.key, s.stamp_ms, s.follows) for s in track.slices] == [
        ("b.ts", 0, ""),
        ("a.ts", 15_000, "b.ts"),
    ]

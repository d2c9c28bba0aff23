from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.ledger import Entry, Sort
from pipeline.model.slices import Medium, Slice, State, Track, User
from pipeline.model.stamps import stamp17
from pipeline.vendors import VENDORS
from pipeline.vendors.inventory import Inventory, Object, sort_objects, take_stock, with_unnamed
from pipeline.vendors.trtc.names import encode_id
from tests.vendors.laws import patient

if TYPE_CHECKING:
    from collections.abc import Mapping

SID = "38f8e3cfdc474cd56fc1ceba380d7e1a"
T0_MS = 1_768_908_600_000
TASK = "8VNDkieb3b"
ROOM = "20055501_1042317788"


def stamp(after_ms: int) -> str:
    return stamp17(T0_MS + after_ms)


def agora(
    track: str, after_ms: int | None = None, *, uid: str = "123", bak: str = "", version: str = ""
) -> str:
    """The name of a slice, or of an index where there is no time."""
    end = f"{version}.m3u8" if after_ms is None else f"_{stamp(after_ms)}.ts"
    return f"{bak}{SID}_math__uid_s_{uid}__uid_e_{track}{end}"


def trtc(track: str, after_ms: int | None = None, *, uid: str = "ann", media: str = "main") -> str:
    """As `agora`, in the folder of a task."""
    end = ".m3u8" if after_ms is None else f"_{stamp(after_ms)}.ts"
    return f"{TASK}/{ROOM}__UserId_s_{encode_id(uid)}__UserId_e_{media}_{track}{end}"


def playlist(*lines: str, end: bool = True) -> str:
    """A playlist; a line that is a name gets an EXTINF of 15 s before it."""
    out = ["#EXTM3U", "#EXT-X-VERSION:3"]
    for line in lines:
        out += [line] if line.startswith("#") else ["#EXTINF:15.000000", line.rpartition("/")[2]]
    return "\n".join([*out, *(["#EXT-X-ENDLIST"] if end else [])]) + "\n"


def stock_all(objects: Mapping[str, int | str]) -> list[Inventory]:
    """The recordings of a listing: sizes of slices, texts of playlists."""
    items = [Object(key, len(it) if isinstance(it, str) else it) for key, it in objects.items()]
    listing = sort_objects(items)
    texts = {n.item.key: str(objects[n.item.key]) for group in listing.groups for n in group.indexes}
    playlists = {
        n.item.key: VENDORS[group.vendor].read_playlist(texts[n.item.key], n.item.key)
        for group in listing.groups
        for n in group.indexes
    }
    digests = {key: hashlib.sha256(text.encode()).hexdigest() for key, text in texts.items()}
    return [take_stock(group, playlists, digests) for group in with_unnamed(listing, items, playlists).groups]


def stock(objects: Mapping[str, int | str]) -> Inventory:
    (found,) = stock_all(objects)
    return found


def only_user(found: Inventory) -> User:
    (user,) = found.recording.users
    return user


def sound_of(found: Inventory) -> Track:
    track = only_user(found).audio
    assert track is not None
    return track


def pictures_of(found: Inventory) -> Track:
    track = only_user(found).video
    assert track is not None
    return track


def places(track: Track) -> list[int]:
    """Milliseconds of the slices after `T0_MS`."""
    return [s.stamp_ms - T0_MS for s in track.slices]


def notes(found: Inventory) -> list[tuple[str, str]]:
    """Notes as (key, text)."""
    return [(entry.key, entry.what) for entry in found.notes]


A0, A15, A30 = (agora("audio", n) for n in (0, 15_000, 30_000))
PLAIN: dict[str, int | str] = {agora("audio"): playlist(A0, A15), A0: 1880, A15: 1880}


def test_a_plain_track_has_its_slices_in_order() -> None:
    found = stock(PLAIN)
    track = sound_of(found)
    assert only_user(found) == User("123", "camera", track, None)
    assert track.slices == (
        Slice(A0, 1880, State.PRESENT, T0_MS, "name", 15_000_000),
        Slice(A15, 1880, State.PRESENT, T0_MS + 15_000, "name", 15_000_000),
    )
    assert track.ended
    assert found.notes == ()
    assert (found.recording.vendor, found.recording.prefix, found.recording.name) == (
        "agora",
        "",
        f"{SID}_math",
    )


@pytest.mark.parametrize(
    ("objects", "states"),
    [
        pytest.param({A15: 0}, [State.PRESENT, State.EMPTY], id="a slice with 0 bytes"),
        pytest.param({A15: -1}, [State.PRESENT, State.MISSING], id="a slice that is not there"),
        pytest.param({A0: -1, A15: -1}, [State.MISSING, State.MISSING], id="no slice at all"),
    ],
)
def test_a_listed_slice_that_cannot_be_had_is_kept(objects: dict[str, int], states: list[State]) -> None:
    there = {key: it for key, it in {**PLAIN, **objects}.items() if it != -1}
    track = sound_of(stock(there))
    assert [s.state for s in track.slices] == states
    assert places(track) == [0, 15_000]
    assert all(s.extinf_us == 15_000_000 for s in track.slices)


def test_tags_say_where_a_run_begins_and_when() -> None:
    start = "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME="
    lines = (f"{start}{stamp(7)}", A0, "#EXT-X-DISCONTINUITY", A15, A30)
    track = sound_of(stock({agora("audio"): playlist(*lines), A0: 188, A15: 188, A30: 188}))
    assert [(s.stamp_from, s.opens, s.returns) for s in track.slices] == [
        ("tag", True, True),
        ("name", True, False),
        ("name", False, False),
    ]
    assert places(track) == [7, 15_000, 30_000]


@pytest.mark.parametrize(
    ("lines", "turns"),
    [
        pytest.param([[(0, 0)]], [(0, ())], id="upright"),
        pytest.param([[(90, 0)], []], [(90, ()), (90, ())], id="turned, and it stays"),
        pytest.param([[(90, 0)], [(0, 0)]], [(90, ()), (0, ())], id="turned back"),
        pytest.param(
            [[(0, 0), (90, 4000)], []], [(0, ((4000, 90),)), (90, ())], id="turned inside of a slice"
        ),
        pytest.param([[(90, 60)]], [(90, ())], id="turned at its first pictures"),
        pytest.param([[(90, 0), (90, 3000)]], [(90, ())], id="told twice"),
        pytest.param(
            [[(90, 2000), (0, 5000)]], [(0, ((2000, 90), (5000, 0)))], id="turned and back inside of a slice"
        ),
    ],
)
def test_rotations_stay_until_the_next(
    lines: list[list[tuple[int, int]]], turns: list[tuple[int, tuple[tuple[int, int], ...]]]
) -> None:
    text: list[str] = []
    objects: dict[str, int | str] = {}
    for number, several in enumerate(lines):
        text += [
            f"#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=480,ROTATE={d},TIME={stamp(number * 15_000 + after)}"
            for d, after in several
        ]
        key = agora("video", number * 15_000)
        text.append(key)
        objects[key] = 188
    track = pictures_of(stock({agora("video"): playlist(*text), **objects}))
    found = [(s.clockwise, tuple((t.after_ms, t.clockwise) for t in s.turns)) for s in track.slices]
    assert found == turns


NEW, NEWER = (agora("audio", version=f"_22194679897_{n}") for n in (0, 1))


@pytest.mark.parametrize(
    ("versions", "used"),
    [
        pytest.param({NEW: 3}, NEW, id="a larger copy is newer"),
        pytest.param({NEW: 1}, agora("audio"), id="a smaller copy is not used"),
        pytest.param({NEW: 2}, agora("audio"), id="an equal copy is not used"),
        pytest.param({NEW: 3, NEWER: 4}, NEWER, id="of two larger ones the newest"),
        pytest.param({NEW: 4, NEWER: 1}, agora("audio"), id="the newest is compared and not the largest"),
    ],
)
def test_of_an_index_that_was_uploaded_again_the_larger_is_used(versions: dict[str, int], used: str) -> None:
    keys = [agora("audio", n * 15_000) for n in range(4)]
    texts = {key: playlist(*keys[:count]) for key, count in {agora("audio"): 2, **versions}.items()}
    found = stock({**texts, **dict.fromkeys(keys, 188)})
    listed = [s.key for s in sound_of(found).slices if s.listed]
    assert listed == keys[: {agora("audio"): 2, **versions}[used]]
    unused = sorted(key for key in texts if key != used)
    assert [key for key, what in notes(found) if "another copy" in what] == unused
    assert all(what == f"another copy of {used}; not used" for key, what in notes(found) if key in unused)


def test_an_index_that_came_only_from_the_backup_is_used() -> None:
    track = sound_of(stock({NEW: playlist(A0), A0: 188}))
    assert [s.listed for s in track.slices] == [True]


def test_files_of_a_second_recorder_join_the_same_recording() -> None:
    bak = agora("audio", 40_000, bak="bak0_")
    found = stock({**PLAIN, agora("audio", bak="bak0_"): playlist(bak), bak: 188})
    track = sound_of(found)
    assert [s.key for s in track.slices] == [A0, A15, bak]
    assert all(s.listed for s in track.slices)
    assert found.notes == ()


def test_a_second_trtc_recorder_s_index_is_no_copy_of_the_first() -> None:
    first, second = trtc("audio", 0), trtc("audio", 20_000).replace(f"{TASK}/", f"{TASK}/ha1_")
    index = trtc("audio")
    found = stock(
        {
            index: playlist(first),
            index.replace(f"{TASK}/", f"{TASK}/ha1_"): playlist(second),
            first: 188,
            second: 188,
        }
    )
    assert [s.key for s in sound_of(found).slices] == [first, second]
    assert found.notes == ()


@pytest.mark.parametrize(
    ("after_ms", "used"),
    [
        pytest.param(-1, False, id="before the first"),
        pytest.param(7500, True, id="between two"),
        pytest.param(29_999, True, id="inside the last"),
        pytest.param(30_000, True, id="at the very end"),
        pytest.param(30_001, False, id="after the last"),
    ],
)
def test_a_slice_that_nobody_lists_is_used_inside_the_recording(after_ms: int, used: bool) -> None:  # noqa: FBT001 - a column of the table
    loose = agora("audio", after_ms)
    found = stock({**PLAIN, loose: 188})
    track = sound_of(found)
    assert (loose in [s.key for s in track.slices]) == used
    what = (
        "no playlist lists it; used, its stamp lies inside the recording"
        if used
        else "ignored: no playlist lists it and its stamp lies outside the recording"
    )
    assert notes(found) == [(loose, what)]
    for s in track.slices:
        assert s.listed == (s.key != loose)
        assert (s.extinf_us is None) == (s.key == loose)


def test_a_slice_that_nobody_lists_may_lie_where_only_another_user_was() -> None:
    other = agora("video", 60_000, uid="7")
    loose = agora("audio", 50_000)
    found = stock({**PLAIN, agora("video", uid="7"): playlist(other), other: 188, loose: 188})
    audio = next(u.audio for u in found.recording.users if u.uid == "123")
    assert audio is not None
    assert [s.key for s in audio.slices] == [A0, A15, loose]


def test_slices_without_any_playlist_are_placed_by_their_names() -> None:
    found = stock({A0: 188, A30: 0})
    track = sound_of(found)
    assert places(track) == [0, 30_000]
    assert [(s.state, s.listed, s.stamp_from) for s in track.slices] == [
        (State.PRESENT, False, "name"),
        (State.EMPTY, False, "name"),
    ]
    assert not track.ended
    assert not track.marks_returns
    assert found.notes == (
        Entry(
            Sort.NOTE,
            "no playlist for the audio of user 123: its slices are placed by their names",
            "123",
            "audio",
        ),
    )


def test_a_playlist_without_an_end_is_noted() -> None:
    found = stock({**PLAIN, agora("audio"): playlist(A0, A15, end=False)})
    assert not sound_of(found).ended
    assert notes(found) == [
        (agora("audio"), "it has no ENDLIST: the recording was not finished when it was uploaded")
    ]


def test_of_two_slices_with_one_stamp_the_larger_is_used() -> None:
    twin = agora("audio", 15_000, bak="bak0_")
    start = f"#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME={stamp(15_000)}"
    found = stock({agora("audio"): playlist(A0, start, A15), A0: 188, A15: 188, twin: 376})
    track = sound_of(found)
    assert [s.key for s in track.slices] == [A0, twin]
    assert (track.slices[1].returns, track.slices[1].listed) == (True, True)
    assert (A15, f"twin of {twin}, which is larger; not used") in notes(found)
    smaller = stock({agora("audio"): playlist(A0, start, A15), A0: 188, A15: 188, twin: 100})
    assert [s.key for s in sound_of(smaller).slices] == [A0, A15]
    assert (twin, f"twin of {A15}, which is larger; not used") in notes(smaller)
    equal = stock({agora("audio"): playlist(A0, start, A15), A0: 188, A15: 188, twin: 188})
    assert [s.key for s in sound_of(equal).slices] == [A0, A15]


def test_a_slice_that_is_listed_twice_is_used_once_without_a_note() -> None:
    found = stock({**PLAIN, agora("audio"): playlist(A0, A15, A15)})
    assert [s.key for s in sound_of(found).slices] == [A0, A15]
    assert found.notes == ()


def test_a_missing_slice_gives_way_to_its_twin_that_is_there() -> None:
    twin = agora("audio", 15_000, bak="bak0_")
    found = stock({agora("audio"): playlist(A0, A15), A0: 188, twin: 188})
    assert [(s.key, s.state) for s in sound_of(found).slices] == [(A0, State.PRESENT), (twin, State.PRESENT)]


def test_a_slice_smaller_than_its_tag_says_is_a_loss() -> None:
    first, second = trtc("audio", 0), trtc("audio", 10_000)
    lines = (
        f"#EXT-X-TRTC-FILE-ATTR:{T0_MS + 3},1880",
        first,
        f"#EXT-X-TRTC-FILE-ATTR:{T0_MS + 10_003},1880",
        second,
    )
    found = stock({trtc("audio"): playlist(*lines), first: 1880, second: 188})
    assert places(sound_of(found)) == [3, 10_003]
    assert [s.stamp_from for s in sound_of(found).slices] == ["tag", "tag"]
    assert found.notes == (
        Entry(
            Sort.LOSS,
            f"slice {second} has 188 bytes, its playlist says 1880: the rest was not uploaded or downloaded",
            key=second,
        ),
    )


def test_names_in_local_time_of_a_false_year_count_only_as_steps() -> None:
    """The documentation's sample of 2021 (TRTC, 2.2): stamps of 2033 at UTC+8, anchored by a tag."""
    before = "1400123456_12345__UserId_s_MTY4NjExOQ..__UserId_e_main_video"
    names = [f"{before}_{s}.ts" for s in ("20330531094551825", "20330531094603825", "20330531094615764")]
    lines = [
        "#EXT-X-TRTC-START-REC-TIME:1622425551884",
        "#EXTINF:12.074",
        names[0],
        "#EXTINF:11.901",
        names[1],
        "#EXTINF:12.076",
        names[2],
    ]
    text = "\n".join(["#EXTM3U", *lines, "#EXT-X-ENDLIST"])
    found = stock({f"{before}.m3u8": text, **dict.fromkeys(names, 188)})
    assert only_user(found).uid == "1686119"
    assert [s.stamp_ms - 1_622_425_551_884 for s in pictures_of(found).slices] == [0, 12_000, 23_939]
    assert {s.stamp_from for s in pictures_of(found).slices} == {"tag"}


def test_the_plain_user_id_of_a_tag_is_used_where_the_name_s_cannot_be_read() -> None:
    bad = f"{TASK}/{ROOM}__UserId_s_AAA__UserId_e_main_"
    slices = [f"{bad}{track}_{stamp(0)}.ts" for track in ("audio", "video")]
    tagged = playlist("#EXT-X-TRTC-USER-ID:张三", slices[0])
    found = stock(
        {f"{bad}audio.m3u8": tagged, f"{bad}video.m3u8": playlist(slices[1]), **dict.fromkeys(slices, 188)}
    )
    user = only_user(found)
    assert [user.uid, *(track.uid for track in user.tracks)] == ["张三"] * 3
    assert [(n.uid, n.what) for n in found.notes if "base64" in n.what] == [
        ("张三", "the user id 'AAA' is no base64 of text and is kept as it is written")
    ]


def test_a_screen_is_a_source_of_its_own() -> None:
    keys = [trtc("video", 0), trtc("video", 0, media="aux")]
    found = stock(
        {
            trtc("video"): playlist(keys[0]),
            trtc("video", media="aux"): playlist(keys[1]),
            **dict.fromkeys(keys, 188),
        }
    )
    assert [(u.uid, u.source) for u in found.recording.users] == [("ann", "camera"), ("ann", "screen")]


def test_a_slice_of_both_media_is_in_both_tracks() -> None:
    key = trtc("audiovideo", 0)
    found = stock({trtc("audiovideo"): playlist(key), key: 188})
    user = only_user(found)
    assert [track.medium for track in user.tracks] == [Medium.VIDEO, Medium.AUDIO]
    assert [[s.key for s in track.slices] for track in user.tracks] == [[key], [key]]
    assert all(s.shared for track in user.tracks for s in track.slices)


AV = agora("av")
V0 = agora("video", 200)
COMBINED = playlist(
    f"#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME={stamp(0)}",
    A0,
    f"#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=VIDEO,TIME={stamp(200)}",
    V0,
    A15,
)


def test_a_combined_index_is_read_where_there_is_no_other() -> None:
    found = stock({AV: COMBINED, A0: 188, A15: 188, V0: 188})
    user = only_user(found)
    assert user.audio is not None
    assert user.video is not None
    assert [s.key for s in user.audio.slices] == [A0, A15]
    assert [s.key for s in user.video.slices] == [V0]
    assert not any(s.shared for track in user.tracks for s in track.slices)
    assert found.notes == ()


def test_a_combined_index_is_not_read_beside_separate_ones() -> None:
    separate = {agora("audio"): playlist(A0), agora("video"): playlist(V0)}
    found = stock({AV: playlist(A30), **separate, A0: 188, V0: 188})
    assert [s.key for track in only_user(found).tracks for s in track.slices] == [V0, A0]


def test_a_combined_index_is_read_for_the_medium_that_has_no_other() -> None:
    found = stock({AV: COMBINED, agora("audio"): playlist(A0), A0: 188, V0: 188})
    assert [s.key for s in pictures_of(found).slices] == [V0]
    assert [s.key for s in sound_of(found).slices] == [A0]


def test_a_percent_encoded_line_names_the_file_that_is_there() -> None:
    key = f"{SID}_a b__uid_s_1__uid_e_audio_{stamp(0)}.ts"
    index = f"{SID}_a b__uid_s_1__uid_e_audio.m3u8"
    found = stock({index: playlist(key.replace(" ", "%20")), key: 188})
    assert [(s.key, s.state) for s in sound_of(found).slices] == [(key, State.PRESENT)]
    written = key.replace(" ", "%20")
    as_written = f"{SID}_a%20b__uid_s_1__uid_e_audio_{stamp(0)}.ts"
    both = stock_all({index: playlist(written), key: 188, as_written: 188})
    assert len(both) == 2


def test_a_line_with_a_foreign_name_is_kept_where_a_tag_gives_its_time() -> None:
    start = f"#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME={stamp(5)}"
    found = stock({agora("audio"): playlist(start, "renamed.ts", "other.ts", A15), A15: 188})
    track = sound_of(found)
    assert [(s.key, s.state, s.stamp_ms - T0_MS) for s in track.slices] == [
        ("renamed.ts", State.MISSING, 5),
        (A15, State.PRESENT, 15_000),
    ]
    assert notes(found) == [("other.ts", "ignored: no stamp in its name or tags")]


def test_a_line_that_is_our_own_output_is_no_slice() -> None:
    line = f"123_{stamp(0)}_av.mp4"
    found = stock({agora("audio"): playlist(line, A0), A0: 188})
    assert [s.key for s in sound_of(found).slices] == [A0]


def test_the_folder_of_a_recording_is_part_of_its_slices_keys() -> None:
    found = stock({f"2026/math/{agora('audio')}": playlist(A0, A15), f"2026/math/{A0}": 188})
    assert found.recording.prefix == "2026/math"
    assert [(s.key, s.state) for s in sound_of(found).slices] == [
        (f"2026/math/{A0}", State.PRESENT),
        (f"2026/math/{A15}", State.MISSING),
    ]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        pytest.param(
            f"{SID}_math__uid_s_123__uid_e_0.mp4",
            "a finished file; the slices are there and are the better source",
            id="an MP4 of the user",
        ),
        pytest.param(
            f"{SID}_math_0.mp4",
            "part of a composite recording; the single users are there and are the better source",
            id="an MP4 of the composite",
        ),
        pytest.param(
            f"{SID}_math__uid_s_123__uid_e_video_{stamp(0)}.jpg",
            "a snapshot; nothing to merge",
            id="a snapshot",
        ),
        pytest.param(
            f"{SID}_math.m3u8",
            "part of a composite recording; the single users are there and are the better source",
            id="a composite's index",
        ),
        pytest.param(
            f"{SID}_math_{stamp(0)}.ts",
            "part of a composite recording; the single users are there and are the better source",
            id="a composite's slice",
        ),
    ],
)
def test_what_is_no_slice_of_a_user_is_noted(name: str, what: str) -> None:
    found = stock({**PLAIN, name: 188})
    assert notes(found) == [(name, f"ignored: {what}")]
    assert [s.key for s in sound_of(found).slices] == [A0, A15]


def test_an_mpd_lists_slices_of_webm_and_an_m3u8_beside_it_those_of_mpeg_ts() -> None:
    native, web = agora("video", 0), agora("video", 15_000).replace(".ts", ".webm")
    mpd = (
        '<MPD><AdaptationSet contentType="video">'
        f'<ExtRotate width="640" height="360" rotate="90" time="{stamp(15_000)}"/>'
        f'<ExtDiscontinuity time="{stamp(15_000)}"/><SegmentURL media="{web}"/></AdaptationSet></MPD>'
    )
    m3u8 = f"#EXTM3U\n#EXTINF:15.0\n{native}\n#EXT-X-ENDLIST\n"
    found = stock({AV: m3u8, AV.replace(".m3u8", ".mpd"): mpd, native: 188, web: 188})
    assert [(s.key, s.returns, s.clockwise) for s in pictures_of(found).slices] == [
        (native, False, 0),
        (web, True, 90),
    ]
    assert notes(found) == []


@pytest.mark.parametrize(
    ("key", "what"),
    [
        pytest.param(
            "thumbs.db",
            "ignored: expected a recording name of Agora, TRTC or Volcengine",
            id="a file of the system",
        ),
        pytest.param(
            f"7_{stamp(0)}.mp4.aac",
            "ignored: a recovery file of a recorder that crashed: raw pictures or sound that hold no timing",
            id="a recovery file",
        ),
        pytest.param(
            f"ann_{stamp(0)}_av.mp4", "ignored: the result of a merge script, not an input", id="an output"
        ),
        pytest.param("a/\udcff.ts", "ignored: its name is not UTF-8", id="a name that is not UTF-8"),
    ],
)
def test_what_belongs_to_no_recording_is_noted(key: str, what: str) -> None:
    listing = sort_objects([Object(key, 1)])
    assert listing.groups == ()
    assert [entry.what for entry in listing.notes] == [what]
    assert listing.notes[0].key.encode()


def test_recordings_in_one_folder_and_tasks_of_one_room_are_kept_apart() -> None:
    keys = [
        agora("audio", 0),
        agora("audio", 0).replace("_math_", "_physics_"),
        trtc("audio", 0),
        trtc("audio", 60_000).replace(TASK, "-task2."),
        trtc("audio", 0).removeprefix(f"{TASK}/"),
    ]
    found = stock_all(dict.fromkeys(keys, 188))
    assert [(i.recording.vendor, i.recording.prefix, i.recording.name) for i in found] == [
        ("agora", "", f"{SID}_math"),
        ("agora", "", f"{SID}_physics"),
        ("trtc", "", ROOM),
        ("trtc", "-task2.", ROOM),
        ("trtc", TASK, ROOM),
    ]
    assert [sound_of(i).slices[0].key for i in found] == [keys[0], keys[1], keys[4], keys[3], keys[2]]


def test_only_agora_marks_returns() -> None:
    ours = stock({trtc("audio"): playlist(trtc("audio", 0)), trtc("audio", 0): 188})
    assert not sound_of(ours).marks_returns
    assert sound_of(stock(PLAIN)).marks_returns


def test_a_user_whose_playlist_lists_nothing_has_no_track() -> None:
    found = stock({agora("audio"): playlist(), agora("video"): playlist(V0), V0: 188})
    assert only_user(found).audio is None
    assert only_user(found).video is not None


@pytest.mark.parametrize(
    ("change", "same"),
    [
        pytest.param({}, True, id="nothing"),
        pytest.param({A15: 1881}, False, id="a size"),
        pytest.param({A30: 188}, False, id="another file"),
        pytest.param({agora("audio"): playlist(A0)}, False, id="a playlist"),
        pytest.param({"thumbs.db": 1}, True, id="a file of no recording"),
    ],
)
def test_inputs_are_the_same_when_their_hash_is(change: dict[str, int | str], same: bool) -> None:  # noqa: FBT001 - a column of the table
    (changed,) = stock_all({**PLAIN, **change})
    assert (changed.inputs_sha256 == stock(PLAIN).inputs_sha256) == same


WORLD: dict[str, int | str] = {
    **PLAIN,
    AV: COMBINED,
    V0: 376,
    A30: 188,
    NEW: playlist(A0, A15, A30),
    agora("audio", 15_000, bak="bak0_"): 3760,
    "thumbs.db": 4,
    trtc("audio"): playlist(trtc("audio", 0)),
    trtc("audio", 0): 188,
}


@patient
@given(order=st.permutations(sorted(WORLD)))
def test_the_order_of_a_listing_does_not_matter(order: list[str]) -> None:
    assert stock_all({key: WORLD[key] for key in order}) == stock_all(WORLD)


OFFSETS = st.lists(st.integers(0, 100_000), min_size=1, max_size=8)


@patient
@given(listed=OFFSETS, there=OFFSETS, sizes=st.integers(0, 2))
def test_every_slice_is_used_once_or_noted(listed: list[int], there: list[int], sizes: int) -> None:
    keys = {agora("audio", n): 188 * ((n + sizes) % 3) for n in there}
    found = stock({agora("audio"): playlist(*(agora("audio", n) for n in listed)), **keys})
    used = [s.key for s in sound_of(found).slices]
    ignored = [entry.key for entry in found.notes if "ignored" in entry.what]
    assert len(set(used)) == len(used)
    assert places(sound_of(found)) == sorted(places(sound_of(found)))
    assert sorted({*used, *ignored}) == sorted({*keys, *(agora("audio", n) for n in listed)})
    assert not set(used) & set(ignored)

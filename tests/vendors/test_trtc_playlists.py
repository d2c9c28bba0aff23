"""TRTC's playlists: the documentation's sample and a real one in full, and damaged tags."""

from __future__ import annotations

import pytest

from pipeline.vendors.base import Playlist, Segment
from pipeline.vendors.trtc import read_playlist

DOCUMENTED = """\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-ALLOW-CACHE:NO
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-TARGETDURATION:70
#EXT-X-TRTC-START-REC-TIME:1622425551884
#EXT-X-TRTC-VIDEO-METADATA:WIDTH:1920 HEIGHT:1080
#EXTINF:12.074
1400123456_12345__UserId_s_MTY4NjExOQ..__UserId_e_main_video_20330531094551825.ts
#EXTINF:11.901
1400123456_12345__UserId_s_MTY4NjExOQ..__UserId_e_main_video_20330531094603825.ts
#EXTINF:12.076
1400123456_12345__UserId_s_MTY4NjExOQ..__UserId_e_main_video_20330531094615764.ts
#EXT-X-ENDLIST
"""

DOCUMENTED_PLAYLIST = Playlist(
    segments=(
        Segment(
            uri="1400123456_12345__UserId_s_MTY4NjExOQ..__UserId_e_main_video_20330531094551825.ts",
            duration_us=12074000,
            width=1920,
            height=1080,
        ),
        Segment(
            uri="1400123456_12345__UserId_s_MTY4NjExOQ..__UserId_e_main_video_20330531094603825.ts",
            duration_us=11901000,
            width=1920,
            height=1080,
        ),
        Segment(
            uri="1400123456_12345__UserId_s_MTY4NjExOQ..__UserId_e_main_video_20330531094615764.ts",
            duration_us=12076000,
            width=1920,
            height=1080,
        ),
    ),
    ended=True,
    start_ms=1622425551884,
)

USER = "20055501_1042317788__UserId_s_M2Y4YTFjNTItN2QwNi00YjllLWExZjQtNWMyMGQ5N2U2Yjgz__UserId_e_main"

REAL_AUDIO = """\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-ALLOW-CACHE:NO
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-TARGETDURATION:10
#EXT-X-TRTC-VERSION:1debc8
#EXT-X-TRTC-DATE:2025-11-27 11:23:39 +0800
#EXT-X-TRTC-START-REC-TIME:1768908622488
#EXT-X-TRTC-MEDIA-ID:main
#EXT-X-TRTC-USER-ID:3f8a1c52-7d06-4b9e-a1f4-5c20d97e6b83
#EXT-X-TRTC-MIX-STREAM:0
#EXT-X-TRTC-STREAM-TYPE:0
#EXT-X-TRTC-AUDIO-METADATA:Channel:1 SampleRate:48000 SampleFormat:1 Codec:86018
#EXT-X-TRTC-FILE-ATTR:1768908622488,215448
#EXTINF:10.0053,
20055501_1042317788__UserId_s_M2Y4YTFjNTItN2QwNi00YjllLWExZjQtNWMyMGQ5N2U2Yjgz__UserId_e_main_audio_20260120113022488.ts
#EXT-X-TRTC-FILE-ATTR:1768908632488,107912
#EXTINF:5.012,
20055501_1042317788__UserId_s_M2Y4YTFjNTItN2QwNi00YjllLWExZjQtNWMyMGQ5N2U2Yjgz__UserId_e_main_audio_20260120113032488.ts
#EXT-X-ENDLIST
"""

REAL_AUDIO_PLAYLIST = Playlist(
    segments=(
        Segment(
            uri=f"{USER}_audio_20260120113022488.ts",
            duration_us=10005300,
            start_ms=1768908622488,
            size=215448,
        ),
        Segment(
            uri=f"{USER}_audio_20260120113032488.ts",
            duration_us=5012000,
            start_ms=1768908632488,
            size=107912,
        ),
    ),
    ended=True,
    start_ms=1768908622488,
    user_id="3f8a1c52-7d06-4b9e-a1f4-5c20d97e6b83",
)

REAL_VIDEO = """\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-ALLOW-CACHE:NO
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-TARGETDURATION:10
#EXT-X-TRTC-VERSION:1debc8
#EXT-X-TRTC-DATE:2025-11-27 11:23:39 +0800
#EXT-X-TRTC-START-REC-TIME:1768908622495
#EXT-X-TRTC-MEDIA-ID:main
#EXT-X-TRTC-USER-ID:3f8a1c52-7d06-4b9e-a1f4-5c20d97e6b83
#EXT-X-TRTC-MIX-STREAM:0
#EXT-X-TRTC-STREAM-TYPE:1
#EXT-X-TRTC-VIDEO-METADATA:WIDTH:640 HEIGHT:480 Codec:27
#EXT-X-TRTC-FILE-ATTR:1768908622495,639200
#EXTINF:10.0785,
20055501_1042317788__UserId_s_M2Y4YTFjNTItN2QwNi00YjllLWExZjQtNWMyMGQ5N2U2Yjgz__UserId_e_main_video_20260120113022495.ts
#EXT-X-TRTC-FILE-ATTR:1768908632574,733200
#EXTINF:11.5708,
20055501_1042317788__UserId_s_M2Y4YTFjNTItN2QwNi00YjllLWExZjQtNWMyMGQ5N2U2Yjgz__UserId_e_main_video_20260120113032574.ts
#EXT-X-TRTC-FILE-ATTR:1768908644145,278240
#EXTINF:4.37792,
20055501_1042317788__UserId_s_M2Y4YTFjNTItN2QwNi00YjllLWExZjQtNWMyMGQ5N2U2Yjgz__UserId_e_main_video_20260120113044145.ts
#EXT-X-ENDLIST
"""

REAL_VIDEO_PLAYLIST = Playlist(
    segments=(
        Segment(
            uri=f"{USER}_video_20260120113022495.ts",
            duration_us=10078500,
            start_ms=1768908622495,
            size=639200,
            width=640,
            height=480,
        ),
        Segment(
            uri=f"{USER}_video_20260120113032574.ts",
            duration_us=11570800,
            start_ms=1768908632574,
            size=733200,
            width=640,
            height=480,
        ),
        Segment(
            uri=f"{USER}_video_20260120113044145.ts",
            duration_us=4377920,
            start_ms=1768908644145,
            size=278240,
            width=640,
            height=480,
        ),
    ),
    ended=True,
    start_ms=1768908622495,
    user_id="3f8a1c52-7d06-4b9e-a1f4-5c20d97e6b83",
)


@pytest.mark.parametrize(
    ("text", "playlist"),
    [
        pytest.param(DOCUMENTED, DOCUMENTED_PLAYLIST, id="the documentation's sample without commas"),
        pytest.param(REAL_AUDIO, REAL_AUDIO_PLAYLIST, id="the sound of a real user, longer than its target"),
        pytest.param(REAL_VIDEO, REAL_VIDEO_PLAYLIST, id="the pictures of a real user"),
    ],
)
def test_a_playlist_reads_as_its_slices(text: str, playlist: Playlist) -> None:
    assert read_playlist(text, "a.m3u8") == playlist


def read(*lines: str) -> Playlist:
    return read_playlist("\n".join(["#EXTM3U", *lines, ""]), "a.m3u8")


def test_a_new_picture_size_counts_from_its_slice_on() -> None:
    playlist = read(
        "#EXT-X-TRTC-VIDEO-METADATA:WIDTH:640 HEIGHT:480 Codec:27",
        "#EXTINF:1,",
        "1_2_20260120113022495.ts",
        "#EXTINF:1,",
        "#EXT-X-TRTC-VIDEO-METADATA:WIDTH:480 HEIGHT:640 Codec:27",
        "1_2_20260120113023495.ts",
        "#EXTINF:1,",
        "1_2_20260120113024495.ts",
    )
    assert [(s.width, s.height) for s in playlist.segments] == [(640, 480), (480, 640), (480, 640)]
    assert playlist.notes == ()


def test_a_slice_without_attributes_does_not_take_those_of_its_neighbour() -> None:
    playlist = read(
        "#EXTINF:1,",
        "#EXT-X-TRTC-FILE-ATTR:1768908622495,188",
        "1_2_20260120113022495.ts",
        "#EXTINF:1,",
        "1_2_20260120113023495.ts",
    )
    assert [(s.start_ms, s.size) for s in playlist.segments] == [(1768908622495, 188), (None, None)]


@pytest.mark.parametrize(
    ("tags", "note"),
    [
        pytest.param(
            ["#EXT-X-TRTC-FILE-ATTR:1768908622495,188", "#EXT-X-TRTC-FILE-ATTR:1768908622496,376"],
            "several FILE-ATTR stand before one slice, the last one counts: '1768908622496,376'",
            id="the last of several attributes counts",
        ),
        pytest.param(
            ["#EXT-X-TRTC-FILE-ATTR:1768908622496,376", "#EXT-X-TRTC-FILE-ATTR:now,188"],
            "a FILE-ATTR is not 13 digits of milliseconds and a size, and is left out: "
            "'#EXT-X-TRTC-FILE-ATTR:now,188'",
            id="unreadable attributes leave the earlier ones alone",
        ),
    ],
)
def test_attributes_that_cannot_be_used_are_noted(tags: list[str], note: str) -> None:
    playlist = read(*tags, "#EXTINF:1,", "1_2_20260120113022495.ts")
    assert playlist.segments == (
        Segment("1_2_20260120113022495.ts", duration_us=1000000, start_ms=1768908622496, size=376),
    )
    assert playlist.notes == (note,)


@pytest.mark.parametrize(
    ("tags", "start_ms", "user_id", "notes"),
    [
        pytest.param(
            ["START-REC-TIME:1768908622488", "START-REC-TIME:1768908622488"],
            1768908622488,
            None,
            (),
            id="a start that is told twice is one start",
        ),
        pytest.param(
            ["START-REC-TIME:1768908622488", "START-REC-TIME:1768908622489"],
            1768908622488,
            None,
            (
                (
                    "a second START-REC-TIME differs from the first and is left out: "
                    "'#EXT-X-TRTC-START-REC-TIME:1768908622489'"
                ),
            ),
            id="the first of two starts counts",
        ),
        pytest.param(
            ["START-REC-TIME:1768908622"],
            None,
            None,
            (
                (
                    "a START-REC-TIME is not 13 digits of milliseconds and is left out: "
                    "'#EXT-X-TRTC-START-REC-TIME:1768908622'"
                ),
            ),
            id="seconds are no milliseconds",
        ),
        pytest.param(["USER-ID:张三"], None, "张三", (), id="a user id in any script"),
        pytest.param(["USER-ID: bob", "USER-ID:bob"], None, "bob", (), id="a user told twice is one user"),
        pytest.param(
            ["USER-ID:bob", "USER-ID:eve"],
            None,
            "bob",
            ("a second USER-ID differs from the first and is left out: '#EXT-X-TRTC-USER-ID:eve'",),
            id="the first of two users counts",
        ),
        pytest.param(
            ["USER-ID:"],
            None,
            None,
            ("a USER-ID is no printable text and is left out: '#EXT-X-TRTC-USER-ID:'",),
            id="an empty user id is none",
        ),
        pytest.param(
            ["USER-ID:b\x00b"],
            None,
            None,
            (r"a USER-ID is no printable text and is left out: '#EXT-X-TRTC-USER-ID:b\x00b'",),
            id="a user id with a control character is none",
        ),
        pytest.param(
            ["VIDEO-METADATA:WIDTH:640"],
            None,
            None,
            (
                (
                    "a VIDEO-METADATA has no width and height and is left out: "
                    "'#EXT-X-TRTC-VIDEO-METADATA:WIDTH:640'"
                ),
            ),
            id="a size has two sides",
        ),
        pytest.param(
            ["FILE-ATTR:1768908622496,376"],
            None,
            None,
            ("a FILE-ATTR has no slice after it: '1768908622496,376'",),
            id="attributes whose slice does not come",
        ),
    ],
)
def test_a_tag_counts_once_and_damage_is_noted(
    tags: list[str], start_ms: int | None, user_id: str | None, notes: tuple[str, ...]
) -> None:
    playlist = read(*(f"#EXT-X-TRTC-{tag}" for tag in tags))
    assert playlist == Playlist((), ended=False, start_ms=start_ms, user_id=user_id, notes=notes)

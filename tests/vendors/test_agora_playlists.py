"""Agora's playlists: the documentation's samples in full, and tags in every order and state."""

from __future__ import annotations

import pytest

from pipeline.vendors.agora import read_playlist
from pipeline.vendors.base import Content, Playlist, Segment, Turn

AUDIO = """\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-ALLOW-CACHE:YES
#EXT-X-TARGETDURATION:18
#EXT-X-DISCONTINUITY
#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME=20190920125142289
#EXTINF:15.019000
sid713476478245_cnameagora__uid_s_123__uid_e_audio_20190920125142289.ts
#EXTINF:15.019000
sid713476478245_cnameagora__uid_s_123__uid_e_audio_20190920125157307.ts
#EXTINF:15.019000
sid713476478245_cnameagora__uid_s_123__uid_e_audio_20190920125212326.ts
#EXTINF:15.019000
sid713476478245_cnameagora__uid_s_123__uid_e_audio_20190920125227345.ts
#EXTINF:12.523000
sid713476478245_cnameagora__uid_s_123__uid_e_audio_20190920125242363.ts
#EXT-X-ENDLIST
"""

AUDIO_SEGMENTS = (
    Segment(
        uri="sid713476478245_cnameagora__uid_s_123__uid_e_audio_20190920125142289.ts",
        duration_us=15019000,
        start_ms=1568983902289,
        starts=True,
        discontinuity=True,
        content=Content.AUDIO,
    ),
    Segment(
        uri="sid713476478245_cnameagora__uid_s_123__uid_e_audio_20190920125157307.ts", duration_us=15019000
    ),
    Segment(
        uri="sid713476478245_cnameagora__uid_s_123__uid_e_audio_20190920125212326.ts", duration_us=15019000
    ),
    Segment(
        uri="sid713476478245_cnameagora__uid_s_123__uid_e_audio_20190920125227345.ts", duration_us=15019000
    ),
    Segment(
        uri="sid713476478245_cnameagora__uid_s_123__uid_e_audio_20190920125242363.ts", duration_us=12523000
    ),
)

VIDEO = """\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-ALLOW-CACHE:YES
#EXT-X-TARGETDURATION:34
#EXT-X-DISCONTINUITY
#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=480,ROTATE=0,TIME=20190920125142485
#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=VIDEO,TIME=20190920125142485
#EXTINF:6.332000
sid713476478245_cnameagora__uid_s_123__uid_e_video_20190920125142485.ts
#EXT-X-AGORA-ROTATE:WIDTH=1280,HEIGHT=720,ROTATE=0,TIME=20190920125149174
#EXT-X-DISCONTINUITY
#EXTINF:17.442000
sid713476478245_cnameagora__uid_s_123__uid_e_video_20190920125149174.ts
#EXT-X-DISCONTINUITY
#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=480,ROTATE=0,TIME=20190920125206616
#EXTINF:33.326000
sid713476478245_cnameagora__uid_s_123__uid_e_video_20190920125206616.ts
#EXT-X-DISCONTINUITY
#EXT-X-AGORA-ROTATE:WIDTH=1280,HEIGHT=720,ROTATE=0,TIME=20190920125239942
#EXTINF:14.815000
sid713476478245_cnameagora__uid_s_123__uid_e_video_20190920125239942.ts
#EXT-X-ENDLIST
"""

VIDEO_SEGMENTS = (
    Segment(
        uri="sid713476478245_cnameagora__uid_s_123__uid_e_video_20190920125142485.ts",
        duration_us=6332000,
        start_ms=1568983902485,
        starts=True,
        discontinuity=True,
        content=Content.VIDEO,
        turns=(Turn(0, 1568983902485, 640, 480),),
        width=640,
        height=480,
    ),
    Segment(
        uri="sid713476478245_cnameagora__uid_s_123__uid_e_video_20190920125149174.ts",
        duration_us=17442000,
        discontinuity=True,
        turns=(Turn(0, 1568983909174, 1280, 720),),
        width=1280,
        height=720,
    ),
    Segment(
        uri="sid713476478245_cnameagora__uid_s_123__uid_e_video_20190920125206616.ts",
        duration_us=33326000,
        discontinuity=True,
        turns=(Turn(0, 1568983926616, 640, 480),),
        width=640,
        height=480,
    ),
    Segment(
        uri="sid713476478245_cnameagora__uid_s_123__uid_e_video_20190920125239942.ts",
        duration_us=14815000,
        discontinuity=True,
        turns=(Turn(0, 1568983959942, 1280, 720),),
        width=1280,
        height=720,
    ),
)

COMBINED = """\
#EXTM3U
#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=480,ROTATE=270,TIME=1568983902485
#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=VIDEO,TIME=1568983902485
#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME=1568983902289
#EXTINF:15.019,
sid_c__uid_s_123__uid_e_audio_20190920125142289.ts
#EXTINF:6,
sid_c__uid_s_123__uid_e_video_20190920125142485.webm
#EXTINF:15.019,
sid_c__uid_s_123__uid_e_audio_20190920125157307.ts
#EXT-X-ENDLIST
"""

COMBINED_SEGMENTS = (
    Segment(
        uri="sid_c__uid_s_123__uid_e_audio_20190920125142289.ts",
        duration_us=15019000,
        start_ms=1568983902289,
        starts=True,
        content=Content.AUDIO,
    ),
    Segment(
        uri="sid_c__uid_s_123__uid_e_video_20190920125142485.webm",
        duration_us=6000000,
        start_ms=1568983902485,
        starts=True,
        content=Content.VIDEO,
        turns=(Turn(270, 1568983902485, 640, 480),),
        width=640,
        height=480,
    ),
    Segment(uri="sid_c__uid_s_123__uid_e_audio_20190920125157307.ts", duration_us=15019000),
)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        pytest.param(AUDIO, AUDIO_SEGMENTS, id="the documentation's sound, lengths without a comma"),
        pytest.param(VIDEO, VIDEO_SEGMENTS, id="the documentation's pictures, tags in three orders"),
        pytest.param(COMBINED, COMBINED_SEGMENTS, id="a combined index, where tags wait for their own track"),
    ],
)
def test_a_playlist_reads_as_its_slices(text: str, segments: tuple[Segment, ...]) -> None:
    assert read_playlist(text, "a.m3u8") == Playlist(segments, ended=True)


BODY = "#EXTINF:15.019\nsid_c_20190920125142289.ts\n#EXT-X-ENDLIST\n"


def first(*tags: str, body: str = BODY) -> tuple[Segment, tuple[str, ...]]:
    playlist = read_playlist("\n".join(["#EXTM3U", *tags, body]), "a.m3u8")
    return playlist.segments[0], playlist.notes


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_picture_turned_anticlockwise_is_turned_back_clockwise_by_as_much(degrees: int) -> None:
    segment, notes = first(f"#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=480,ROTATE={degrees},TIME=1568983902485")
    assert segment.turns == (Turn(clockwise=degrees, at_ms=1568983902485, width=640, height=480),)
    assert notes == ()


def test_several_rotations_before_one_slice_keep_their_order_and_the_last_size_counts() -> None:
    segment, _ = first(
        "#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=480,ROTATE=0,TIME=1568983902485",
        "#EXT-X-AGORA-ROTATE:HEIGHT=720, WIDTH=1280,TIME=1568983903000,ROTATE=90",
    )
    assert segment.turns == (Turn(0, 1568983902485, 640, 480), Turn(90, 1568983903000, 1280, 720))
    assert (segment.width, segment.height) == (1280, 720)


def test_a_composite_slice_starts_with_the_earlier_of_its_two_tracks() -> None:
    segment, _ = first(
        "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=VIDEO,TIME=1568983902485",
        "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME=1568983902289",
    )
    assert (segment.starts, segment.start_ms, segment.content) == (True, 1568983902289, None)


@pytest.mark.parametrize(
    ("tag", "starts", "turns", "note"),
    [
        pytest.param(
            "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME=20191320125142485",
            True,
            (),
            "a tag has an unreadable time: '20191320125142485'",
            id="a START without a real date still starts",
        ),
        pytest.param(
            "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO",
            True,
            (),
            "a tag has an unreadable time: ''",
            id="a START without a time still starts",
        ),
        pytest.param(
            "#EXT-X-AGORA-TRACK-EVENT:EVENT=STOP,TRACK_TYPE=AUDIO",
            False,
            (),
            "a TRACK-EVENT is not the START of AUDIO or VIDEO and is left out: "
            "'#EXT-X-AGORA-TRACK-EVENT:EVENT=STOP,TRACK_TYPE=AUDIO'",
            id="only START exists",
        ),
        pytest.param(
            "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=DATA",
            False,
            (),
            "a TRACK-EVENT is not the START of AUDIO or VIDEO and is left out: "
            "'#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=DATA'",
            id="tracks are sound and pictures",
        ),
        pytest.param(
            "#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=480,ROTATE=45,TIME=1568983902485",
            False,
            (),
            "a ROTATE tag has no quarter turn or no size and is left out: "
            "'#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=480,ROTATE=45,TIME=1568983902485'",
            id="pictures turn by quarters",
        ),
        pytest.param(
            "#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=,ROTATE=90",
            False,
            (),
            "a ROTATE tag has no quarter turn or no size and is left out: "
            "'#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=,ROTATE=90'",
            id="a size has two sides",
        ),
        pytest.param(
            "#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=480,ROTATE=90",
            False,
            (Turn(90, None, 640, 480),),
            "a tag has an unreadable time: ''",
            id="a rotation without a time counts from the slice on",
        ),
    ],
)
def test_a_damaged_tag_is_noted_and_as_much_of_it_used_as_can_be(
    tag: str, turns: tuple[Turn, ...], note: str, *, starts: bool
) -> None:
    segment, notes = first(tag)
    assert (segment.starts, segment.start_ms, segment.turns) == (starts, None, turns)
    assert notes == (note,)


def test_of_two_starts_of_one_track_the_last_counts_and_it_is_noted() -> None:
    segment, notes = first(
        "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME=1568983902000",
        "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME=1568983902289",
    )
    assert segment.start_ms == 1568983902289
    assert notes == ("several START events stand before one slice, the last one counts: 'audio'",)


def test_tags_of_an_unknown_name_are_ignored() -> None:
    segment, notes = first("#EXT-X-AGORA-WEATHER:SUN=YES")
    assert segment == Segment(uri="sid_c_20190920125142289.ts", duration_us=15019000)
    assert notes == ()


def test_tags_whose_slice_never_comes_are_noted() -> None:
    segment, notes = first(
        "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=VIDEO,TIME=1568983902485",
        "#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=480,ROTATE=90,TIME=1568983902485",
        body="#EXTINF:15.019\nsid_c__uid_s_1__uid_e_audio_20190920125142289.ts\n",
    )
    assert (segment.starts, segment.turns, segment.width) == (False, (), None)
    assert notes == (
        "a START event has no slice of its track after it: 'video'",
        "a rotation has no picture after it: '90 degrees'",
    )

"""Agora's names: the truth table in both directions, one message per malformation, and the round trip."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.vendors.agora.names import AgoraName, parse
from pipeline.vendors.base import BadNameError, Content, Ignored, Kind, Source
from tests.vendors.laws import patient

S = "38f8e3cfdc474cd56fc1ceba380d7e1a"

NAMES = {
    "row 1: a video slice": (
        "sid713476478245_cnameagora__uid_s_123__uid_e_video_20190920125142485.ts",
        AgoraName(
            prefix="",
            sid="sid713476478245",
            cname="cnameagora",
            kind=Kind.SLICE,
            content=Content.VIDEO,
            extension="ts",
            uid="123",
            stamp_ms=1568983902485,
        ),
    ),
    "row 2: the plain audio index": (
        "sid713476478245_cnameagora__uid_s_123__uid_e_audio.m3u8",
        AgoraName(
            prefix="",
            sid="sid713476478245",
            cname="cnameagora",
            kind=Kind.INDEX,
            content=Content.AUDIO,
            extension="m3u8",
            uid="123",
        ),
    ),
    "row 3: the fourth version of an index that was uploaded again": (
        "sid713476478245_cnameagora__uid_s_123__uid_e_video_22194679897_3.m3u8",
        AgoraName(
            prefix="",
            sid="sid713476478245",
            cname="cnameagora",
            kind=Kind.INDEX,
            content=Content.VIDEO,
            extension="m3u8",
            uid="123",
            tick="22194679897",
            version=3,
        ),
    ),
    "row 4: a composite index after a fail-over": (
        "bak0_sid713476478245_cnameagora.m3u8",
        AgoraName(
            prefix="",
            sid="sid713476478245",
            cname="cnameagora",
            kind=Kind.INDEX,
            content=Content.BOTH,
            extension="m3u8",
            failover=0,
        ),
    ),
    "row 5: a screenshot after a fail-over": (
        "bak0_sid_channel1__uid_s_123__uid_e_video_20190611073246073.jpg",
        AgoraName(
            prefix="",
            sid="sid",
            cname="channel1",
            kind=Kind.SNAPSHOT,
            content=Content.VIDEO,
            extension="jpg",
            uid="123",
            stamp_ms=1560238366073,
            failover=0,
        ),
    ),
    "row 6: a combined index in a channel with an underscore": (
        "38f8e3cfdc474cd56fc1ceba380d7e1a_QA_Room__uid_s_2876501943__uid_e_av.m3u8",
        AgoraName(
            prefix="",
            sid=S,
            cname="QA_Room",
            kind=Kind.INDEX,
            content=Content.BOTH,
            extension="m3u8",
            uid="2876501943",
        ),
    ),
    "row 7: a combined MPD": (
        "38f8e3cfdc474cd56fc1ceba380d7e1a_demo1__uid_s_58213__uid_e_av.mpd",
        AgoraName(
            prefix="",
            sid=S,
            cname="demo1",
            kind=Kind.INDEX,
            content=Content.BOTH,
            extension="mpd",
            uid="58213",
        ),
    ),
    "row 8: a WebM slice of a web sender": (
        "38f8e3cfdc474cd56fc1ceba380d7e1a_demo1__uid_s_58213__uid_e_video_20240303101112131.webm",
        AgoraName(
            prefix="",
            sid=S,
            cname="demo1",
            kind=Kind.SLICE,
            content=Content.VIDEO,
            extension="webm",
            uid="58213",
            stamp_ms=1709460672131,
        ),
    ),
    "row 9: the first re-upload of an index after a fail-over": (
        "bak1_38f8e3cfdc474cd56fc1ceba380d7e1a_demo1__uid_s_58213__uid_e_audio_22194679897_0.m3u8",
        AgoraName(
            prefix="",
            sid=S,
            cname="demo1",
            kind=Kind.INDEX,
            content=Content.AUDIO,
            extension="m3u8",
            uid="58213",
            failover=1,
            tick="22194679897",
            version=0,
        ),
    ),
    "row 10: the last user marker wins over one in the channel name": (
        "38f8e3cfdc474cd56fc1ceba380d7e1a_a__uid_s_b__uid_s_7__uid_e_audio.m3u8",
        AgoraName(
            prefix="",
            sid=S,
            cname="a__uid_s_b",
            kind=Kind.INDEX,
            content=Content.AUDIO,
            extension="m3u8",
            uid="7",
        ),
    ),
    "row 11: an MP4 of delayed transcoding": (
        "38f8e3cfdc474cd56fc1ceba380d7e1a_demo1__uid_s_123__uid_e_0.mp4",
        AgoraName(
            prefix="",
            sid=S,
            cname="demo1",
            kind=Kind.FINISHED,
            content=Content.BOTH,
            extension="mp4",
            uid="123",
            index=0,
        ),
    ),
    "row 12: a composite index in folders": (
        "directory1/directory2/38f8e3cfdc474cd56fc1ceba380d7e1a_math-101.m3u8",
        AgoraName(
            prefix="directory1/directory2",
            sid=S,
            cname="math-101",
            kind=Kind.INDEX,
            content=Content.BOTH,
            extension="m3u8",
        ),
    ),
    "row 13: a composite slice": (
        "38f8e3cfdc474cd56fc1ceba380d7e1a_math-101_20190611073246073.ts",
        AgoraName(
            prefix="",
            sid=S,
            cname="math-101",
            kind=Kind.SLICE,
            content=Content.BOTH,
            extension="ts",
            stamp_ms=1560238366073,
        ),
    ),
    "row 14: a composite MP4 in a channel with an underscore": (
        "38f8e3cfdc474cd56fc1ceba380d7e1a_room_2_1.mp4",
        AgoraName(
            prefix="",
            sid=S,
            cname="room_2",
            kind=Kind.FINISHED,
            content=Content.BOTH,
            extension="mp4",
            index=1,
        ),
    ),
    "row 15: the first re-upload of a composite index": (
        "38f8e3cfdc474cd56fc1ceba380d7e1a_demo1_22194679897_0.m3u8",
        AgoraName(
            prefix="",
            sid=S,
            cname="demo1",
            kind=Kind.INDEX,
            content=Content.BOTH,
            extension="m3u8",
            tick="22194679897",
            version=0,
        ),
    ),
    "row 16: a delayed audio mix": (
        "38f8e3cfdc474cd56fc1ceba380d7e1a_demo1_0.m4a",
        AgoraName(
            prefix="",
            sid=S,
            cname="demo1",
            kind=Kind.FINISHED,
            content=Content.AUDIO,
            extension="m4a",
            index=0,
        ),
    ),
    "row 17: an MP4 of a web recording": (
        "test_p1627613634_www_0.mp4",
        AgoraName(
            prefix="",
            sid="test",
            cname="p1627613634_www",
            kind=Kind.FINISHED,
            content=Content.BOTH,
            extension="mp4",
            index=0,
        ),
    ),
    "a channel name with everything Agora allows": (
        "38f8e3cfdc474cd56fc1ceba380d7e1a_a !#$%&()+-:;<=.>?@[]^_{}|~,__uid_s_7__uid_e_audio.m3u8",
        AgoraName(
            prefix="",
            sid=S,
            cname="a !#$%&()+-:;<=.>?@[]^_{}|~,",
            kind=Kind.INDEX,
            content=Content.AUDIO,
            extension="m3u8",
            uid="7",
        ),
    ),
    "a version with a leading zero is part of the channel name": (
        "38f8e3cfdc474cd56fc1ceba380d7e1a_demo1_22194679897_01.m3u8",
        AgoraName(
            prefix="",
            sid=S,
            cname="demo1_22194679897_01",
            kind=Kind.INDEX,
            content=Content.BOTH,
            extension="m3u8",
        ),
    ),
}

NO_INPUTS = {
    "row 20: a merged user": ("100_20190611073246073_av.mp4", "result of a merge script"),
    "row 21: a merged user with times": ("123_0_merge_10.500_5.500_av.mp4", "result of a merge script"),
    "row 21: a merged recording": (
        "38f8e3cfdc474cd56fc1ceba380d7e1a_0_merge_av.mp4",
        "result of a merge script",
    ),
    "an index the converter made of an MPD": (
        "38f8e3cfdc474cd56fc1ceba380d7e1a_demo1__uid_s_58213__uid_e_video_999999_999.m3u8",
        "written by Agora's own converter",
    ),
}

REJECTED = {
    "row 22: the documentation's placeholder": (
        "sid713476478245_cnameagora__uid_s_123__uid_e_video_utc.ts",
        "expected a 17-digit UTC stamp, found the documentation's placeholder utc",
    ),
    "row 23: month 13": (
        "sid713476478245_cnameagora__uid_s_123__uid_e_video_20191320125142485.ts",
        "expected a real date as 17-digit UTC stamp before .ts",
    ),
    "row 24: an empty user id": (
        "sid713476478245_cnameagora__uid_s___uid_e_audio.m3u8",
        "expected a printable user id between __uid_s_ and __uid_e_",
    ),
    "row 25: no channel name": ("sid713476478245.m3u8", "expected <sid>_<channel name> before .m3u8"),
    "no channel name after a fail-over prefix": (
        "bak0_sid713476478245.m3u8",
        "expected <sid>_<channel name> before .m3u8",
    ),
    "no channel name before the user": (
        "sid713476478245__uid_s_123__uid_e_audio.m3u8",
        "expected <sid>_<channel name> before __uid_s_",
    ),
    "a user id that never ends": (
        "sid_channel1__uid_s_123_audio.m3u8",
        "expected __uid_e_ after the user id",
    ),
    "a user id with a line feed": (
        "sid_channel1__uid_s_1\n2__uid_e_audio.m3u8",
        "expected a printable user id between __uid_s_ and __uid_e_",
    ),
    "a track that does not exist": (
        "sid_channel1__uid_s_123__uid_e_data.m3u8",
        "expected audio, video or av, and at most _<tick>_<version>, before .m3u8",
    ),
    "a stamp of 14 digits": (
        "sid_channel1__uid_s_123__uid_e_video_20190611073246.ts",
        "expected audio, video or av and a 17-digit UTC stamp before .ts",
    ),
    "a user's slice without a stamp": (
        "sid_channel1__uid_s_123__uid_e_video.ts",
        "expected a real date as 17-digit UTC stamp before .ts",
    ),
    "a user's file of no known kind": (
        "sid_channel1__uid_s_123__uid_e_video.txt",
        "expected a playlist, slice, screenshot or MP4 after __uid_e_",
    ),
    "a screenshot of sound": (
        "sid_channel1__uid_s_123__uid_e_audio_20190611073246073.jpg",
        "expected a screenshot to be of video, found audio",
    ),
    "a composite slice without a stamp": (
        "sid_channel1.ts",
        "expected a real date as 17-digit UTC stamp before .ts",
    ),
    "a composite MP4 without an index": (
        "sid_channel1.mp4",
        "expected an index of 1 to 6 digits before .mp4",
    ),
    "a composite of no known kind": ("sid_channel1.txt", "expected .m3u8, .ts, .mp4, .m4a, .mp3 or .aac"),
    "a composite MPD": ("sid_channel1.mpd", "expected .m3u8, .ts, .mp4, .m4a, .mp3 or .aac"),
    "row 18: on-premise sound is another vendor's": (
        "0_20190208084418569.aac",
        "expected an index of 1 to 6 digits before .aac",
    ),
    "row 19: on-premise events are another vendor's": (
        "uid_0_20190208084418570.txt",
        "expected .m3u8, .ts, .mp4, .m4a, .mp3 or .aac",
    ),
    "an index with a leading zero": (
        "sid_channel1_01.mp4",
        "expected numbers as the recorder writes them, without leading zeros",
    ),
    "a fail-over number with a leading zero": (
        "bak00_sid_channel1.m3u8",
        "expected numbers as the recorder writes them, without leading zeros",
    ),
    "a control character in the channel name": (
        "sid_chan\x00nel.m3u8",
        "expected <sid>_<channel name> before .m3u8",
    ),
    "an absolute path": ("/sid_channel1.m3u8", "expected a relative key that ends in a file name"),
    "a folder": ("directory1/", "expected a relative key that ends in a file name"),
    "nothing": ("", "expected a relative key that ends in a file name"),
}


@pytest.mark.parametrize(("key", "name"), NAMES.values(), ids=NAMES)
def test_a_key_reads_as_its_name(key: str, name: AgoraName) -> None:
    assert parse(key) == name


@pytest.mark.parametrize(("key", "name"), NAMES.values(), ids=NAMES)
def test_a_name_writes_its_key_back(key: str, name: AgoraName) -> None:
    assert str(name) == key


@pytest.mark.parametrize(("key", "reason"), NO_INPUTS.values(), ids=NO_INPUTS)
def test_a_known_file_that_is_no_input_is_ignored_with_its_reason(key: str, reason: str) -> None:
    ignored = parse(key)
    assert isinstance(ignored, Ignored)
    assert ignored.key == key
    assert reason in ignored.reason


@pytest.mark.parametrize(("key", "expected"), REJECTED.values(), ids=REJECTED)
def test_a_malformed_name_says_what_was_expected_and_ends_in_the_key(key: str, expected: str) -> None:
    with pytest.raises(BadNameError) as caught:
        parse(key)
    assert str(caught.value) == f"{expected}: {key!r}"


def test_files_of_the_second_recorder_belong_to_the_same_recording() -> None:
    first = parse("sid713476478245_cnameagora__uid_s_123__uid_e_audio.m3u8")
    second = parse("bak0_sid713476478245_cnameagora__uid_s_123__uid_e_audio.m3u8")
    assert isinstance(first, AgoraName)
    assert isinstance(second, AgoraName)
    assert first.recording == second.recording == "sid713476478245_cnameagora"
    assert (first.vendor, first.source) == ("agora", Source.CAMERA)


CNAME_LETTERS = string.ascii_letters + string.digits + " !#$%&()+-:;<=.>?@[]^_{}|~,"
STAMPS = st.integers(min_value=946_684_800_000, max_value=4_102_444_800_000 - 1)  # the years 2000 to 2099


@st.composite
def per_user_names(draw: st.DrawFn) -> AgoraName:
    kind = draw(st.sampled_from([Kind.INDEX, Kind.SLICE, Kind.SNAPSHOT, Kind.FINISHED]))
    extensions = {
        Kind.INDEX: ["m3u8", "mpd"],
        Kind.SLICE: ["ts", "webm"],
        Kind.SNAPSHOT: ["jpg"],
        Kind.FINISHED: ["mp4"],
    }
    contents = {
        Kind.INDEX: list(Content),
        Kind.SLICE: [Content.AUDIO, Content.VIDEO],
        Kind.SNAPSHOT: [Content.VIDEO],
        Kind.FINISHED: [Content.BOTH],
    }
    version = draw(st.none() | st.integers(0, 998)) if kind is Kind.INDEX else None
    return AgoraName(
        prefix=draw(st.sampled_from(["", "a", "directory1/directory2"])),
        sid=draw(st.text(string.ascii_letters + string.digits, min_size=1, max_size=40)),
        cname=draw(st.text(CNAME_LETTERS, min_size=1, max_size=64)),
        kind=kind,
        content=draw(st.sampled_from(contents[kind])),
        extension=draw(st.sampled_from(extensions[kind])),
        uid=str(draw(st.integers(1, 2**32 - 1))),
        stamp_ms=draw(STAMPS) if kind in {Kind.SLICE, Kind.SNAPSHOT} else None,
        failover=draw(st.none() | st.integers(0, 12)),
        tick=None if version is None else draw(st.from_regex(r"[0-9]{9,12}", fullmatch=True)),
        version=version,
        index=draw(st.integers(0, 99)) if kind is Kind.FINISHED else None,
    )


@patient
@given(per_user_names())
def test_what_is_written_of_a_user_is_read_back_the_same(name: AgoraName) -> None:
    assume(name.failover is not None or not name.sid.startswith("bak"))  # "bak1" would be a fail-over prefix
    assert parse(str(name)) == name


@patient
@given(
    cname=st.text(CNAME_LETTERS, min_size=1, max_size=64).filter(lambda cname: "__uid_s_" not in cname),
    ending=st.sampled_from([".m3u8", "_22194679897_2.m3u8", "_20190611073246073.ts", "_0.mp4", "_3.aac"]),
    failover=st.sampled_from(["", "bak0_", "bak7_"]),
)
def test_a_composite_name_is_written_back_as_it_was_whatever_the_channel(
    cname: str, ending: str, failover: str
) -> None:
    key = f"{failover}{S}_{cname}{ending}"
    found = parse(key)
    assert isinstance(found, Ignored) or str(found) == key


@patient
@given(
    st.text()
    | st.from_regex(
        r"(bak0_)?sid_[a-z]*(__uid_s_1__uid_e_)?(audio|_utc|_[0-9]{17})?\.(ts|m3u8|mp4|jpg)", fullmatch=True
    )
)
def test_any_text_is_a_name_that_writes_it_back_or_ignored_or_refused(key: str) -> None:
    try:
        found = parse(key)
    except BadNameError as refused:
        found = Ignored(refused.key, str(refused))
    assert str(found.key if isinstance(found, Ignored) else found) == key

"""TRTC's names: the truth table in both directions, one message per malformation, and the round trip."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.vendors.base import BadNameError, Content, Ignored, Kind, Source
from pipeline.vendors.trtc.names import TrtcName, decode_id, encode_id, parse
from tests.vendors.laws import patient

U1 = "M2Y4YTFjNTItN2QwNi00YjllLWExZjQtNWMyMGQ5N2U2Yjgz"
U2 = "YjdlMDRkMTktMmM2Zi00YTgzLTlkNTUtMGU4MWYzYTRjNzYy"

NAMES = {
    "row 1: a video slice whose stamp is eight hours off": (
        "1400123456_12345__UserId_s_MTY4NjExOQ..__UserId_e_main_video_20330531094551825.ts",
        TrtcName(
            prefix="",
            sdk_app_id="1400123456",
            room="12345",
            kind=Kind.SLICE,
            content=Content.VIDEO,
            extension="ts",
            user="MTY4NjExOQ..",
            typed=True,
            stamp_ms=2001145551825,
        ),
        "1686119",
    ),
    "row 2: an index below a task id that looks like an option": (
        (
            "meeting/room_1042317788/-1oa4BKvpdTIicUK1Ceq9UXTGk+sBP-BxNA9QDukJQp-IlPX4iiyKgi9ofCcUW9v6tgd9lNusC+"
            "pkaNLs42b6IciYWI./20055501_1042317788__UserId_s_M2Y4YTFjNTItN2QwNi00YjllLWExZjQtNWMyMGQ5N2U2Yjgz"
            "__UserId_e_main_audio.m3u8"
        ),
        TrtcName(
            prefix="meeting/room_1042317788/-1oa4BKvpdTIicUK1Ceq9UXTGk+sBP-BxNA9QDukJQp-IlPX4iiyKgi9ofCcUW9v6tgd"
            "9lNusC+pkaNLs42b6IciYWI.",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.INDEX,
            content=Content.AUDIO,
            extension="m3u8",
            user=U1,
            typed=True,
        ),
        "3f8a1c52-7d06-4b9e-a1f4-5c20d97e6b83",
    ),
    "row 3: an audio slice": (
        (
            "20055501_1042317788__UserId_s_YjdlMDRkMTktMmM2Zi00YTgzLTlkNTUtMGU4MWYzYTRjNzYy__UserId_e_main_"
            "audio_20260120113037408.ts"
        ),
        TrtcName(
            prefix="",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.SLICE,
            content=Content.AUDIO,
            extension="ts",
            user=U2,
            typed=True,
            stamp_ms=1768908637408,
        ),
        "b7e04d19-2c6f-4a83-9d55-0e81f3a4c762",
    ),
    "row 4: an MP4 that was not cut": (
        "20055501_1042317788__UserId_s_M2Y4YTFjNTItN2QwNi00YjllLWExZjQtNWMyMGQ5N2U2Yjgz__UserId_e_main.mp4",
        TrtcName(
            prefix="",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.FINISHED,
            content=Content.BOTH,
            extension="mp4",
            user=U1,
        ),
        "3f8a1c52-7d06-4b9e-a1f4-5c20d97e6b83",
    ),
    "row 5: the second part of an MP4": (
        "20055501_1042317788__UserId_s_M2Y4YTFjNTItN2QwNi00YjllLWExZjQtNWMyMGQ5N2U2Yjgz__UserId_e_main_2.mp4",
        TrtcName(
            prefix="",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.FINISHED,
            content=Content.BOTH,
            extension="mp4",
            user=U1,
            index=2,
        ),
        "3f8a1c52-7d06-4b9e-a1f4-5c20d97e6b83",
    ),
    "row 6: single underscores and sound with pictures": (
        "20055501_1042317788_UserId_s_dXNlcl8wMQ.._UserId_e_main_audiovideo.m3u8",
        TrtcName(
            prefix="",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.INDEX,
            content=Content.BOTH,
            extension="m3u8",
            user="dXNlcl8wMQ..",
            typed=True,
            underscores=1,
        ),
        "user_01",
    ),
    "row 7: the first part of an AAC": (
        "20055501_1042317788_UserId_s_dXNlcl8wMQ.._UserId_e_main_1.aac",
        TrtcName(
            prefix="",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.FINISHED,
            content=Content.AUDIO,
            extension="aac",
            user="dXNlcl8wMQ..",
            underscores=1,
            index=1,
        ),
        "user_01",
    ),
    "row 8: a dash in the id was a slash": (
        "20055501_1042317788__UserId_s_YWI-__UserId_e_aux_video.m3u8",
        TrtcName(
            prefix="",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.INDEX,
            content=Content.VIDEO,
            extension="m3u8",
            user="YWI-",
            source=Source.SCREEN,
            typed=True,
        ),
        "ab?",
    ),
    "row 9: a plus in the id stays": (
        "20055501_1042317788__UserId_s_ZGVtb35+fj8.__UserId_e_main_audio.m3u8",
        TrtcName(
            prefix="",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.INDEX,
            content=Content.AUDIO,
            extension="m3u8",
            user="ZGVtb35+fj8.",
            typed=True,
        ),
        "demo~~~?",
    ),
    "row 10: a Chinese user shares a screen": (
        "20055501_1042317788__UserId_s_5byg5LiJ__UserId_e_aux_video_20260120113037408.ts",
        TrtcName(
            prefix="",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.SLICE,
            content=Content.VIDEO,
            extension="ts",
            user="5byg5LiJ",
            source=Source.SCREEN,
            typed=True,
            stamp_ms=1768908637408,
        ),
        "张三",
    ),
    "row 11: a string room, and a playlist cut after 14 days": (
        "1400123456_bWF0aF8xMDE.__UserId_s_YWxpY2VAZXhhbXBsZS5jb20.__UserId_e_main_video_1.m3u8",
        TrtcName(
            prefix="",
            sdk_app_id="1400123456",
            room="bWF0aF8xMDE.",
            kind=Kind.INDEX,
            content=Content.VIDEO,
            extension="m3u8",
            user="YWxpY2VAZXhhbXBsZS5jb20.",
            typed=True,
            index=1,
        ),
        "alice@example.com",
    ),
    "row 12: an index after a fail-over": (
        (
            "ha1_20055501_1042317788__UserId_s_M2Y4YTFjNTItN2QwNi00YjllLWExZjQtNWMyMGQ5N2U2Yjgz__UserId_e_main_"
            "video.m3u8"
        ),
        TrtcName(
            prefix="",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.INDEX,
            content=Content.VIDEO,
            extension="m3u8",
            user=U1,
            typed=True,
            failover=1,
        ),
        "3f8a1c52-7d06-4b9e-a1f4-5c20d97e6b83",
    ),
    "row 13: a mixed slice after two fail-overs": (
        "ha2_20055501_1042317788_20260120113037408.ts",
        TrtcName(
            prefix="",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.SLICE,
            content=Content.BOTH,
            extension="ts",
            stamp_ms=1768908637408,
            failover=2,
        ),
        None,
    ),
    "row 14: a mixed index": (
        "20055501_1042317788.m3u8",
        TrtcName(
            prefix="",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.INDEX,
            content=Content.BOTH,
            extension="m3u8",
        ),
        None,
    ),
    "row 15: the first part of a mixed MP4": (
        "20055501_1042317788_1.mp4",
        TrtcName(
            prefix="",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.FINISHED,
            content=Content.BOTH,
            extension="mp4",
            index=1,
        ),
        None,
    ),
    "row 16: a record id of the customer's own": (
        "lesson_7-a__UserDefine_u_20055501_1042317788_UserId_s_dXNlcl8wMQ.._UserId_e_main.mp4",
        TrtcName(
            prefix="",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.FINISHED,
            content=Content.BOTH,
            extension="mp4",
            user="dXNlcl8wMQ..",
            underscores=1,
            record_id="lesson_7-a",
        ),
        "user_01",
    ),
    "row 20: an id that cannot be decoded is kept as it is written": (
        "20055501_1042317788__UserId_s_dXNlcl8wM__UserId_e_main_audio.m3u8",
        TrtcName(
            prefix="",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.INDEX,
            content=Content.AUDIO,
            extension="m3u8",
            user="dXNlcl8wM",
            typed=True,
        ),
        "dXNlcl8wM",
    ),
    "a mixed AAC holds sound": (
        "20055501_1042317788.aac",
        TrtcName(
            prefix="",
            sdk_app_id="20055501",
            room="1042317788",
            kind=Kind.FINISHED,
            content=Content.AUDIO,
            extension="aac",
        ),
        None,
    ),
}

NO_INPUTS = {
    "row 17: a merged user": ("dXNlcl8wMQ.._20260120113022488_av.mp4", "result of a merge script"),
    "row 24: a temporary file": (
        "20055501_1042317788__UserId_s_dXNlcl8wMQ..__UserId_e_main_audio_20260120113037408.ts.part",
        "a temporary file",
    ),
    "a temporary file of the merge script": ("dXNlcl8wMQ.._20260120113022488.m4a.part", "a temporary file"),
}

ANYTHING_ELSE = (
    "expected <SdkAppId>_<RoomId>, a user and a number where there are any, and .m3u8, .ts, .mp4 or .aac"
)
REJECTED = {
    "row 18: a fourth fail-over": (
        "ha4_20055501_1042317788.m3u8",
        "expected a fail-over prefix ha1_, ha2_ or ha3_",
    ),
    "row 19: an equals sign in an id": (
        "20055501_1042317788__UserId_s_dXNlcl8wMQ==__UserId_e_main_audio.m3u8",
        "expected ids in base64 with '/' written as '-' and '=' written as '.', found '='",
    ),
    "row 21: a stamp of 14 digits": (
        "20055501_1042317788__UserId_s_dXNlcl8wMQ..__UserId_e_main_audio_20260120113037.ts",
        "expected a real date as 17-digit stamp before .ts",
    ),
    "row 22: a user's slice without a type": (
        "20055501_1042317788__UserId_s_dXNlcl8wMQ..__UserId_e_main_20260120113037408.ts",
        "expected audio, video or audiovideo before .ts",
    ),
    "row 23: a media id that only callbacks have": (
        "20055501_1042317788__UserId_s_dXNlcl8wMQ..__UserId_e_mix_video.m3u8",
        "expected main or aux after UserId_e_",
    ),
    "a user's index without a type": (
        "20055501_1042317788__UserId_s_dXNlcl8wMQ..__UserId_e_main.m3u8",
        "expected audio, video or audiovideo before .m3u8",
    ),
    "an empty user id": (
        "20055501_1042317788__UserId_s___UserId_e_main_audio.m3u8",
        "expected a user id between UserId_s_ and UserId_e_",
    ),
    "a mixed slice without a stamp": (
        "20055501_1042317788.ts",
        "expected a real date as 17-digit stamp before .ts",
    ),
    "a stamp that is no date": (
        "20055501_1042317788_20261320113037408.ts",
        "expected a real date as 17-digit stamp before .ts",
    ),
    "a stamp on an MP4": (
        "20055501_1042317788_20260120113037408.mp4",
        "expected an index of at most 6 digits before .mp4",
    ),
    "an index with a leading zero": (
        "20055501_1042317788_01.mp4",
        "expected an index as the recorder writes it, without leading zeros",
    ),
    "a stamp where the room should be": (
        "20055501_20260120113037408.mp4",
        "expected a room id before the stamp",
    ),
    "a time where the room should be": (
        "20055501_1700000000123.mp4",
        "expected a room id before the stamp",
    ),
    "one underscore before the user and two after": (
        "20055501_1042317788_UserId_s_dXNlcl8wMQ..__UserId_e_main_audio.m3u8",
        ANYTHING_ELSE,
    ),
    "a name of Agora": ("sid713476478245_cnameagora__uid_s_123__uid_e_audio.m3u8", ANYTHING_ELSE),
    "a temporary file of nothing known": ("photo.jpg.part", ANYTHING_ELSE),
    "an absolute path": ("/20055501_1042317788.m3u8", "expected a relative key that ends in a file name"),
}


@pytest.mark.parametrize(("key", "name", "uid"), NAMES.values(), ids=NAMES)
def test_a_key_reads_as_its_name(key: str, name: TrtcName, uid: str | None) -> None:
    assert parse(key) == name
    assert name.uid == uid


@pytest.mark.parametrize(("key", "name", "_uid"), NAMES.values(), ids=NAMES)
def test_a_name_writes_its_key_back(key: str, name: TrtcName, _uid: str | None) -> None:
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


def named(key: str) -> TrtcName:
    found = parse(key)
    assert isinstance(found, TrtcName)
    return found


def test_two_tasks_in_one_room_differ_by_their_prefix_only() -> None:
    first, second = named("task1./20055501_7.m3u8"), named("task2./ha1_20055501_7.m3u8")
    assert (first.recording, first.prefix) == ("20055501_7", "task1.")
    assert (second.recording, second.prefix) == ("20055501_7", "task2.")
    assert (first.vendor, first.version) == ("trtc", None)


@pytest.mark.parametrize(
    ("key", "notes"),
    [
        pytest.param("20055501_7.m3u8", (), id="a mixed index has no user id to doubt"),
        pytest.param(
            "20055501_7__UserId_s_dXNlcl8wMQ..__UserId_e_main_audio.m3u8",
            (),
            id="a decodable id is not noted",
        ),
        pytest.param(
            "20055501_7__UserId_s_dXNlcl8wM__UserId_e_main_audio.m3u8",
            ("the user id 'dXNlcl8wM' is no base64 of text and is kept as it is written",),
            id="an id that cannot be decoded is noted",
        ),
    ],
)
def test_a_name_notes_what_could_not_be_read(key: str, notes: tuple[str, ...]) -> None:
    assert named(key).notes == notes


def test_the_room_is_given_both_ways_because_its_type_is_not_in_the_name() -> None:
    assert named("1400123456_bWF0aF8xMDE.__UserId_s_YQ..__UserId_e_main.mp4").string_room == "math_101"
    assert named("1400123456_12345__UserId_s_YQ..__UserId_e_main.mp4").string_room is None


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("YQ", id="padding is not guessed"),
        pytest.param("YR..", id="stray bits before the padding are refused"),
        pytest.param("YQ..YQ..", id="padding in the middle is refused"),
        pytest.param("1234", id="bytes that are no UTF-8 are refused"),
        pytest.param("Y Q.", id="letters outside the alphabet are refused"),
        pytest.param("é...", id="letters outside ASCII are refused"),
    ],
)
def test_an_id_is_decoded_only_if_it_encodes_to_the_same(written: str) -> None:
    assert decode_id(written) is None


@patient
@given(st.text(min_size=1))
def test_every_id_survives_the_way_into_a_name_and_back(plain: str) -> None:
    assert decode_id(encode_id(plain)) == plain


@st.composite
def names(draw: st.DrawFn) -> TrtcName:
    kind = draw(st.sampled_from([Kind.INDEX, Kind.SLICE, Kind.FINISHED]))
    extension = {Kind.INDEX: "m3u8", Kind.SLICE: "ts"}.get(kind) or draw(st.sampled_from(["mp4", "aac"]))
    user = draw(st.none() | st.text(min_size=1, max_size=32).map(encode_id))
    typed = user is not None and (kind is not Kind.FINISHED or draw(st.booleans()))
    usual = Content.AUDIO if extension == "aac" else Content.BOTH
    stamps = st.integers(946_684_800_000, 4_102_444_800_000 - 1)  # the years 2000 to 2099
    return TrtcName(
        prefix=draw(st.sampled_from(["", "meeting/-1oa4BKvpdTI+WI."])),
        sdk_app_id=str(draw(st.integers(10_000_000, 9_999_999_999))),
        room=draw(
            st.integers(1, 2**32 - 1).map(str) | st.text(min_size=1, max_size=20).map(encode_id),
        ),
        kind=kind,
        content=draw(st.sampled_from(Content)) if typed else usual,
        extension=extension,
        user=user,
        source=Source.CAMERA if user is None else draw(st.sampled_from(Source)),
        typed=typed,
        underscores=2 if user is None else draw(st.sampled_from([1, 2])),
        stamp_ms=draw(stamps) if kind is Kind.SLICE else None,
        failover=draw(st.none() | st.integers(1, 3)),
        index=None if kind is Kind.SLICE else draw(st.none() | st.integers(0, 999_999)),
        record_id=draw(
            st.none() | st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=64)
        ),
    )


@patient
@given(names().filter(lambda name: "__UserDefine_u_" not in (name.record_id or "")))
def test_what_is_written_is_read_back_the_same(name: TrtcName) -> None:
    assert parse(str(name)) == name


@patient
@given(
    st.text()
    | st.from_regex(
        r"(ha[0-9]_)?[0-9]+_[A-Za-z0-9]+(__?UserId_s_[A-Za-z.]+__?UserId_e_main)?(_audio)?\.ts(\.part)?",
        fullmatch=True,
    )
)
def test_any_text_is_a_name_that_writes_it_back_or_ignored_or_refused(key: str) -> None:
    try:
        found = parse(key)
    except BadNameError as refused:
        found = Ignored(refused.key, str(refused))
    assert str(found.key if isinstance(found, Ignored) else found) == key

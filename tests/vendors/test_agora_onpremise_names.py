"""Names of the on-premise SDK: the truth table in both directions, and what is beside the recording."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.stamps import stamp17
from pipeline.vendors.agora_onpremise.names import DONE, OnPremiseName, parse
from pipeline.vendors.base import BadNameError, Content, Ignored, Kind, Source
from tests.vendors.laws import patient

FOLDER = "20190208/demo_room_084414_521730118"

NAMES = {
    "row 18: sound": (
        "0_20190208084418569.aac",
        OnPremiseName("", "0", "20190208084418569", "aac"),
        (Kind.FINISHED, Content.AUDIO, 1_549_615_458_569),
    ),
    "row 19: events": (
        "uid_0_20190208084418570.txt",
        OnPremiseName("", "0", "20190208084418570", "txt"),
        (Kind.EVENTS, Content.BOTH, 1_549_615_458_570),
    ),
    "pictures in the SDK's folder": (
        f"{FOLDER}/0_20190208084418974.mp4",
        OnPremiseName(FOLDER, "0", "20190208084418974", "mp4"),
        (Kind.FINISHED, Content.BOTH, 1_549_615_458_974),
    ),
    "pictures of a web sender": (
        "58213_20190208084418974.webm",
        OnPremiseName("", "58213", "20190208084418974", "webm"),
        (Kind.FINISHED, Content.VIDEO, 1_549_615_458_974),
    ),
    "what was written while it recorded": (
        "58213_20190208084418974.ts",
        OnPremiseName("", "58213", "20190208084418974", "ts"),
        (Kind.SLICE, Content.BOTH, 1_549_615_458_974),
    ),
    "a snapshot": (
        "58213_20190208084418974.jpg",
        OnPremiseName("", "58213", "20190208084418974", "jpg"),
        (Kind.SNAPSHOT, Content.VIDEO, 1_549_615_458_974),
    ),
    "a string account with underscores": (
        "bob_the_2nd_20190208084418569.aac",
        OnPremiseName("", "bob_the_2nd", "20190208084418569", "aac"),
        (Kind.FINISHED, Content.AUDIO, 1_549_615_458_569),
    ),
    "events of a string account that is called like a file": (
        "uid_uid_7_20190208084418570.txt",
        OnPremiseName("", "uid_7", "20190208084418570", "txt"),
        (Kind.EVENTS, Content.BOTH, 1_549_615_458_570),
    ),
    "an MP4 of 4.x in Unix milliseconds": (
        "7_1759233600123.mp4",
        OnPremiseName("", "7", "1759233600123", "mp4"),
        (Kind.FINISHED, Content.BOTH, 1_759_233_600_123),
    ),
    "an MP4 of 4.x in seconds": (
        "4294967295_20250930120000.mp4",
        OnPremiseName("", "4294967295", "20250930120000", "mp4"),
        (Kind.FINISHED, Content.BOTH, 1_759_233_600_000),
    ),
}

NO_INPUTS = {
    "row 20: a merged session": ("100_20190611073246073_av.mp4", "result of a merge script"),
    "row 20: a merged session without pictures": ("100_20190611073246073.m4a", "result of a merge script"),
    "row 21: a merged user with times": ("123_0_merge_10.500_5.500_av.mp4", "result of a merge script"),
    "a merged user's second service": ("123_1_merge_av.mp4", "result of a merge script"),
    "a merged user's second service, sound": ("123_1_merge.m4a", "result of a merge script"),
    "pictures to recover": ("7_1759233600123.mp4.h264", "hold no timing"),
    "sound to recover": ("any name at all.mp4.aac", "hold no timing"),
    "the mark of the end": (DONE, "the mark that the recording ended"),
    "the mark of the script": ("convert-done.txt", "the mark of a merge script"),
    "the channel": (f"{FOLDER}/metadata.txt", "facts about the channel"),
    "a log of the recorder": ("recording_0.log", "a log"),
    "a log of the system": ("recording_sys.log", "a log"),
    "a log of the SDK": ("agorasdk.log", "a log"),
    "a log of the script": ("convert.log", "a log"),
    "a snapshot of 4.x": ("demo_room_7_20250930120000_123.jpg", "a snapshot"),
}

ANYTHING_ELSE = (
    "expected <uid>_<17 digits> and .aac, .mp4, .webm, .ts or .jpg, uid_<uid>_<17 digits>.txt, "
    "or digits, a time of 13 or 14 digits and .mp4 or .jpg"
)
REJECTED = {
    "month 13": ("0_20191308084418569.aac", "expected a real date as 17-digit stamp before .aac"),
    "hour 24": ("7_20250930240000.mp4", "expected a real date as 14-digit stamp before .mp4"),
    "an empty user id": ("_20190208084418569.aac", ANYTHING_ELSE),
    "a user id with a line feed": ("a\nb_20190208084418569.aac", ANYTHING_ELSE),
    "a user id with a bell": (
        "a\x07b_20190208084418569.aac",
        "expected a printable user id before _20190208084418569",
    ),
    "a camera's own name": ("VID_20250930120000.mp4", ANYTHING_ELSE),
    "a stamp of 9 digits, as the page has it": ("7_084418569.aac", ANYTHING_ELSE),
    "events without the user": ("uid_20190208084418570.txt", ANYTHING_ELSE),
    "events of nobody": ("0_20190208084418570.txt", ANYTHING_ELSE),
    "sound that nobody writes": ("0_20190208084418570.mp3", ANYTHING_ELSE),
    "a text like a mark": ("recording-done.txt", ANYTHING_ELSE),
    "an absolute path": ("/0_20190208084418569.aac", "expected a relative key that ends in a file name"),
}


def named(key: str) -> OnPremiseName:
    found = parse(key)
    assert isinstance(found, OnPremiseName)
    return found


@pytest.mark.parametrize(("key", "name", "facts"), NAMES.values(), ids=NAMES)
def test_a_key_reads_as_its_name_and_is_written_back(
    key: str, name: OnPremiseName, facts: tuple[Kind, Content, int]
) -> None:
    assert parse(key) == name
    assert str(name) == key
    assert (name.kind, name.content, name.stamp_ms) == facts
    assert (name.vendor, name.source) == ("agora_onpremise", Source.CAMERA)
    assert (name.failover, name.version, name.index) == (None, None, None)


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


@pytest.mark.parametrize(
    ("key", "recording", "channel"),
    [
        pytest.param(
            f"{FOLDER}/0_20190208084418569.aac", "demo_room_084414_521730118", "demo_room", id="from 2.3"
        ),
        pytest.param("20180208/room_084414/0_20190208084418569.aac", "room_084414", "room", id="before 2.3"),
        pytest.param("lesson 7/0_20190208084418569.aac", "lesson 7", None, id="a folder that was chosen"),
        pytest.param("0_20190208084418569.aac", "", None, id="no folder"),
    ],
)
def test_the_folder_tells_the_recording_and_the_channel(
    key: str, recording: str, channel: str | None
) -> None:
    assert (named(key).recording, named(key).channel) == (recording, channel)


def test_user_0_is_the_composite() -> None:
    assert named("0_20190208084418569.aac").composite
    assert not named("10_20190208084418569.aac").composite


def test_a_time_without_a_zone_is_noted() -> None:
    assert named("7_1759233600123.mp4").notes == named("7_20190208084418569.aac").notes == ()
    assert named("7_20250930120000.mp4").notes == (
        "the time in its name has no milliseconds and no zone and is read as UTC",
    )


STAMPS = st.integers(946_684_800_000, 4_102_444_800_000 - 1)  # the years 2000 to 2099


@patient
@given(
    prefix=st.sampled_from(["", FOLDER]),
    uid=st.integers(0, 2**32 - 1).map(str) | st.from_regex(r"[A-Za-z ]+(_[A-Za-z]+)?", fullmatch=True),
    at_ms=STAMPS,
    extension=st.sampled_from(["aac", "mp4", "webm", "ts", "jpg", "txt"]),
)
def test_what_is_written_is_read_back_the_same(prefix: str, uid: str, at_ms: int, extension: str) -> None:
    name = OnPremiseName(prefix, uid, stamp17(at_ms), extension)
    assert parse(str(name)) == name
    assert name.stamp_ms == at_ms


@patient
@given(
    st.text() | st.from_regex(r"(uid_)?[a-z_0-9]+_[0-9]{12,18}(_av)?\.(txt|mp4|jpg|mp4\.aac)", fullmatch=True)
)
def test_any_text_is_a_name_that_writes_it_back_or_ignored_or_refused(key: str) -> None:
    try:
        found = parse(key)
    except BadNameError as refused:
        found = Ignored(refused.key, str(refused))
    assert str(found.key if isinstance(found, Ignored) else found) == key

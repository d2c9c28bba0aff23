"""Volcengine's names: the truth table in both directions, one message per malformation, and round trips."""

from __future__ import annotations

import string
from dataclasses import dataclass

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.vendors.base import BadNameError, Content, Ignored, Kind, Source
from pipeline.vendors.volcengine.names import MOST_CHARACTERS, VolcengineName, parse
from pipeline.vendors.volcengine.tasks import UNKNOWN, Task
from pipeline.vendors.volcengine.templates import Variable
from tests.vendors.laws import patient


@dataclass(frozen=True)
class Read:
    """What a name must be read as; fields that a row leaves out are as in most rows."""

    recording: str
    stamp_ms: int | None
    duration_s: int | None
    uid: str | None = None
    random: str | None = None
    source: Source = Source.CAMERA
    kind: Kind = Kind.FINISHED
    content: Content = Content.BOTH
    extension: str = "mp4"
    prefix: str = ""

    @classmethod
    def of(cls, name: VolcengineName) -> Read:
        return cls(
            name.recording,
            name.stamp_ms,
            name.duration_s,
            name.uid,
            name.get(Variable.RANDOM),
            name.source,
            name.kind,
            name.content,
            name.extension,
            name.prefix,
        )


DOC = "mytask123456789_myroom99991234"
NAMES: dict[str, tuple[str, Task | None, Read]] = {
    "row 1: a camera": (
        f"{DOC}_user223344_C_1686281212582_003600_45678903.mp4",
        Task("mytask123456789", "myroom99991234"),
        Read(DOC, 1_686_281_212_582, 3600, "user223344", "45678903"),
    ),
    "row 1: a camera, ids unknown": (
        f"{DOC}_user223344_C_1686281212582_003600_45678903.mp4",
        None,
        Read(f"{DOC}_user223344", 1_686_281_212_582, 3600, f"{DOC}_user223344", "45678903"),
    ),
    "row 2: a shared screen": (
        f"{DOC}_user223344_S_1686281212582_003600_45678903.mp4",
        Task("mytask123456789", "myroom99991234"),
        Read(DOC, 1_686_281_212_582, 3600, "user223344", "45678903", Source.SCREEN),
    ),
    "row 3: no extension": (
        f"{DOC}_user223344_C_1686281212582_003600_45678903",
        Task("mytask123456789", "myroom99991234"),
        Read(DOC, 1_686_281_212_582, 3600, "user223344", "45678903", extension=""),
    ),
    "row 4: a mix in folders": (
        f"directory1/directory2/{DOC}_1645769481126_000030_c4694fa1.mp4",
        None,
        Read(DOC, 1_645_769_481_126, 30, None, "c4694fa1", prefix="directory1/directory2"),
    ),
    "row 5: a mix or a public stream in FLV": (
        "mytask123456789_stream5566_1686281212582_000120_0a1b2c3d.flv",
        None,
        Read("mytask123456789_stream5566", 1_686_281_212_582, 120, None, "0a1b2c3d", extension="flv"),
    ),
    "row 5: a public stream of a known task": (
        "mytask123456789_stream5566_1686281212582_000120_0a1b2c3d.flv",
        Task("mytask123456789"),
        Read("mytask123456789", 1_686_281_212_582, 120, "stream5566", "0a1b2c3d", extension="flv"),
    ),
    "row 6: ids with underscores, known": (
        "task_1_room_a_user_9_C_1700000000000_000061_Ab12Cd34.mp4",
        Task("task_1", "room_a"),
        Read("task_1_room_a", 1_700_000_000_000, 61, "user_9", "Ab12Cd34"),
    ),
    "row 7: ids with underscores, unknown, stay together": (
        "task_1_room_a_user_9_C_1700000000000_000061_Ab12Cd34.mp4",
        None,
        Read("task_1_room_a_user_9", 1_700_000_000_000, 61, "task_1_room_a_user_9", "Ab12Cd34"),
    ),
    "row 8: ids with all other signs": (
        "task-1_room.2_bob@example.com_C_1700000000000_000061_Ab12Cd34.mp4",
        Task("task-1", "room.2"),
        Read("task-1_room.2", 1_700_000_000_000, 61, "bob@example.com", "Ab12Cd34"),
    ),
    "row 9: a playlist that was uploaded while it grew": (
        "mytask_myroom_user1_C_1700000000000_000000_9f8e7d6c.m3u8",
        Task("mytask", "myroom"),
        Read(
            "mytask_myroom",
            1_700_000_000_000,
            None,
            "user1",
            "9f8e7d6c",
            kind=Kind.INDEX,
            extension="m3u8",
        ),
    ),
    "row 10: the first part of a long recording": (
        "mytask_myroom_user1_C_1700000000000_014400_9f8e7d6c.mp4",
        Task("mytask", "myroom"),
        Read("mytask_myroom", 1_700_000_000_000, 14_400, "user1", "9f8e7d6c"),
    ),
    "row 11: its next part": (
        "mytask_myroom_user1_C_1700014400000_000912_1a2b3c4d.mp4",
        Task("mytask", "myroom"),
        Read("mytask_myroom", 1_700_014_400_000, 912, "user1", "1a2b3c4d"),
    ),
    "row 12: a duration of 7 digits": (
        "mytask_myroom_user1_C_1700000000000_1000000_9f8e7d6c.mp4",
        Task("mytask", "myroom"),
        Read("mytask_myroom", 1_700_000_000_000, 1_000_000, "user1", "9f8e7d6c"),
    ),
    "row 13: a mix in a room whose id ends like a stream type": (
        "mytask_class_C_1700000000000_000030_c4694fa1.mp4",
        Task("mytask", "class_C"),
        Read("mytask_class_C", 1_700_000_000_000, 30, None, "c4694fa1"),
    ),
    "row 13: the same without its task looks like a single stream": (
        "mytask_class_C_1700000000000_000030_c4694fa1.mp4",
        None,
        Read("mytask_class", 1_700_000_000_000, 30, "mytask_class", "c4694fa1"),
    ),
    "row 14: a mix without a random part": (
        "mytask_myroom_1700000000000_000030.mp4",
        None,
        Read("mytask_myroom", 1_700_000_000_000, 30),
    ),
    "row 15: a pattern without a start": (
        f"{DOC}_user223344_C_003600",
        Task("mytask123456789", "myroom99991234", "{TaskId}_{RoomId}_{UserId}_{Type}_{Duration}"),
        Read(DOC, None, 3600, "user223344", extension=""),
    ),
    "row 16: a pattern in another order, with a random part that the recorder added": (
        "mytask123456789_user223344_myroom99991234_C_003600_45678903.mp4",
        Task("mytask123456789", "myroom99991234", "{TaskId}_{UserId}_{RoomId}_{Type}_{Duration}"),
        Read(DOC, None, 3600, "user223344", "45678903"),
    ),
    "row 17: a misspelt variable": (
        "mytask_{RoomID1}_1700000000000_000030_c4694fa1.mp4",
        None,
        Read("mytask_{RoomID1}", 1_700_000_000_000, 30, None, "c4694fa1"),
    ),
    "row 19: a constant pattern": (
        "recordfile_info1_info2_info3.mp4",
        Task("mytask", "myroom", "recordfile_info1_info2_info3"),
        Read("", None, None),
    ),
    "row 20: without its task an unknown type is the end of an id": (
        "mytask_myroom_user1_X_1700000000000_000030_c4694fa1.mp4",
        None,
        Read("mytask_myroom_user1_X", 1_700_000_000_000, 30, None, "c4694fa1"),
    ),
    "a single stream without a random part": (
        "mytask_myroom_user1_S_1700000000000_000030.ts",
        None,
        Read(
            "mytask_myroom_user1",
            1_700_000_000_000,
            30,
            "mytask_myroom_user1",
            source=Source.SCREEN,
            kind=Kind.SLICE,
            extension="ts",
        ),
    ),
    "sound only": (
        "mytask_myroom_user1_C_1700000000000_000030_c4694fa1.m4a",
        Task("mytask", "myroom"),
        Read(
            "mytask_myroom",
            1_700_000_000_000,
            30,
            "user1",
            "c4694fa1",
            content=Content.AUDIO,
            extension="m4a",
        ),
    ),
}

NO_INPUTS = {
    "row 18: a name that was cut": (f"{'a' * 127}~.mp4", "cut at 128 characters"),
    "a name that was cut and has no extension": (f"{'a.' * 63}a~", "cut at 128 characters"),
    "row 23: a temporary file": (
        "mytask_myroom_user1_C_1700000000000_000030_c4694fa1.mp4.tmp",
        "a temporary file",
    ),
}

ANYTHING_ELSE = "expected <TaskId>_<RoomId>[_<UserId>_<C or S>]_<StartTime>_<Duration>[_<Random>]"
REJECTED: dict[str, tuple[str, Task | None, str]] = {
    "row 15: a pattern that nobody told": (f"{DOC}_user223344_C_003600", None, ANYTHING_ELSE),
    "row 16: another one": (
        "mytask123456789_user223344_myroom99991234_C_003600_45678903.mp4",
        None,
        "expected a start of 13 digits, Unix milliseconds, before the duration",
    ),
    "row 19: a constant pattern that nobody told": ("recordfile_info1_info2_info3.mp4", None, ANYTHING_ELSE),
    "row 20: a stream type that does not exist": (
        "mytask_myroom_user1_X_1700000000000_000030_c4694fa1.mp4",
        Task("mytask", "myroom"),
        "expected a name of the task 'mytask'",
    ),
    "row 21: a start in seconds": (
        "mytask_myroom_user1_C_1700000000_000030_c4694fa1.mp4",
        None,
        "expected a start of 13 digits, Unix milliseconds, before the duration",
    ),
    "row 22: a random part of 7 characters": (
        "mytask_myroom_user1_C_1700000000000_000030_c4694fa.mp4",
        None,
        "expected 8 letters and digits after the duration",
    ),
    "a name of another room": (
        "mytask_myroom2_user1_C_1700000000000_000030_c4694fa1.mp4",
        Task("mytask", "myroom"),
        "expected a name of the task 'mytask'",
    ),
    "a start before 2001": (
        "mytask_myroom_0000000000000_000030_c4694fa1.mp4",
        None,
        "expected a start of 13 digits, Unix milliseconds, before the duration",
    ),
    "an id with a space": ("my task_myroom_1700000000000_000030.mp4", None, ANYTHING_ELSE),
    "a name of 127 characters that ends in a tilde": (f"{'a' * 126}~.mp4", None, ANYTHING_ELSE),
    "a temporary file of nothing known": ("photo.jpg.tmp", None, ANYTHING_ELSE),
    "nothing but an ending": (".tmp", None, ANYTHING_ELSE),
    "a line feed": ("task\n.mp4", None, ANYTHING_ELSE),
    "an absolute path": (
        "/mytask_myroom_1700000000000_000030.mp4",
        None,
        "expected a relative key that ends in a file name",
    ),
}


def named(key: str, task: Task | None = None) -> VolcengineName:
    found = parse(key, task)
    assert isinstance(found, VolcengineName)
    return found


@pytest.mark.parametrize(("key", "task", "read"), NAMES.values(), ids=NAMES)
def test_a_key_reads_as_its_name_and_is_written_back(key: str, task: Task | None, read: Read) -> None:
    name = named(key, task)
    assert Read.of(name) == read
    assert str(name) == key
    assert (name.vendor, name.failover, name.version, name.index) == ("volcengine", None, None, None)


@pytest.mark.parametrize(("key", "reason"), NO_INPUTS.values(), ids=NO_INPUTS)
@pytest.mark.parametrize("task", [None, Task("mytask", "myroom")], ids=["no task", "a task"])
def test_a_known_file_that_is_no_input_is_ignored_with_its_reason(
    key: str, reason: str, task: Task | None
) -> None:
    ignored = parse(key, task)
    assert isinstance(ignored, Ignored)
    assert ignored.key == key
    assert reason in ignored.reason


@pytest.mark.parametrize(("key", "task", "expected"), REJECTED.values(), ids=REJECTED)
def test_a_malformed_name_says_what_was_expected_and_ends_in_the_key(
    key: str, task: Task | None, expected: str
) -> None:
    with pytest.raises(BadNameError) as caught:
        parse(key, task)
    assert str(caught.value) == f"{expected}: {key!r}"


UNSPLIT = "task, room and user id may contain '_': without the task's ids they stay together"
NOBODY = "its naming pattern has no user id: only the record callback tells whose it is"


@pytest.mark.parametrize(
    ("key", "task", "notes"),
    [
        pytest.param("t_r_u_C_1700000000000_000061_Ab12Cd34.mp4", Task("t", "r"), (), id="a known user"),
        pytest.param("t_r_u_C_1700000000000_000061_Ab12Cd34.mp4", None, (UNSPLIT,), id="unknown ids"),
        pytest.param("t_r_1700000000000_000061_Ab12Cd34.mp4", None, (), id="a mix of unknown ids"),
        pytest.param("t_r_1700000000000_000061_Ab12Cd34.mp4", Task("t", "r"), (), id="a known mix"),
        pytest.param(
            "t_r_1700000000000.mp4", Task("t", "r", "{TaskId}_{RoomId}_{StartTime}"), (), id="own mix"
        ),
        pytest.param("lesson.mp4", Task("t", "r", "lesson"), (NOBODY,), id="a constant pattern"),
        pytest.param("t_C.mp4", Task("t", "r", "{TaskId}_{Type}"), (NOBODY,), id="a type and no user"),
        pytest.param(
            "t_{Room}_1700000000000_000061_Ab12Cd34.mp4",
            None,
            ("{Room} is no variable of a naming pattern and stands there as it was written",),
            id="a misspelt variable",
        ),
        pytest.param(
            "{Room}{Room}_u.mp4",
            Task("t", "r", "{Room}{Room}_{UserId}"),
            ("{Room} is no variable of a naming pattern and stands there as it was written",),
            id="the same one twice",
        ),
    ],
)
def test_a_name_notes_what_could_not_be_read(key: str, task: Task | None, notes: tuple[str, ...]) -> None:
    assert named(key, task).notes == notes


def test_parts_of_a_long_recording_are_in_the_order_of_their_stamps() -> None:
    first = named("mytask_myroom_user1_C_1700000000000_014400_9f8e7d6c.mp4")
    second = named("mytask_myroom_user1_C_1700014400000_000912_1a2b3c4d.mp4")
    assert first.recording == second.recording
    assert (first.stamp_ms or 0) + (first.duration_s or 0) * 1000 == second.stamp_ms


ID_LETTERS = string.ascii_letters + string.digits + "_@-."
IDS = st.text(ID_LETTERS, min_size=1, max_size=24)
STARTS = st.integers(1_000_000_000_000, 9_999_999_999_999)
DURATIONS = st.integers(0, 999_999_999).map(lambda seconds: f"{seconds:06d}")
RANDOMS = st.none() | st.text(string.ascii_letters + string.digits, min_size=8, max_size=8)
EXTENSIONS = st.sampled_from(["", "mp4", "m3u8", "ts", "flv", "mp3", "aac", "m4a"])


@patient
@given(IDS, IDS, IDS, st.sampled_from("CS"), STARTS, DURATIONS, RANDOMS, EXTENSIONS)
def test_a_single_stream_is_taken_apart_by_the_ids_of_its_task(
    task: str, room: str, user: str, kind: str, start: int, duration: str, random: str | None, extension: str
) -> None:
    tail = "_".join([kind, str(start), duration, *([] if random is None else [random])])
    stem = f"{task}_{room}_{user}_{tail}"
    assume(not stem.endswith("~") and len(stem) != MOST_CHARACTERS)
    name = named(f"{stem}.{extension}" if extension else stem, Task(task, room))
    assert (name.uid, name.recording) == (user, f"{task}_{room}")
    assert (name.stamp_ms, name.duration_s, name.get(Variable.RANDOM)) == (
        start,
        int(duration) or None,
        random,
    )
    assert name.source is {"C": Source.CAMERA, "S": Source.SCREEN}[kind]


@patient
@given(IDS, STARTS, DURATIONS, RANDOMS, EXTENSIONS, st.sampled_from(["", "a", "directory1/directory2"]))
def test_what_is_written_of_unknown_ids_is_read_back_the_same(
    head: str, start: int, duration: str, random: str | None, extension: str, prefix: str
) -> None:
    assume(not head.endswith(("_C", "_S")))
    template = UNKNOWN[1] if random is not None else UNKNOWN[3]
    values = {Variable.HEAD: head, Variable.START_TIME: str(start), Variable.DURATION: duration}
    if random is not None:
        values[Variable.RANDOM] = random
    name = VolcengineName(prefix, template, tuple(values.items()), extension)
    assert parse(str(name)) == name


@patient
@given(
    st.text()
    | st.from_regex(
        r"[a-z_]+(_[CSX])?_[0-9]{12,14}_[0-9]+(_[0-9a-z]{7,9})?(\.(mp4|ts|tmp))?", fullmatch=True
    ),
    st.none() | st.just(Task("a", "b")) | st.just(Task("a", "b", "{TaskId}_{UserId}_{StartTime}_{Duration}")),
)
def test_any_text_is_a_name_that_writes_it_back_or_ignored_or_refused(key: str, task: Task | None) -> None:
    try:
        found = parse(key, task)
    except BadNameError as refused:
        found = Ignored(refused.key, str(refused))
    assert str(found.key if isinstance(found, Ignored) else found) == key

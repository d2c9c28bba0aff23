"""Names that are written by Volcengine's patterns: every variable, what is read back, what is refused."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.containers import Container
from pipeline.vendors import parse as parse_any
from pipeline.vendors.base import Kind, Source
from pipeline.vendors.trtc import parse as parse_trtc
from pipeline.vendors.volcengine.names import MOST_CHARACTERS, VolcengineName, parse
from pipeline.vendors.volcengine.tasks import Task
from pipeline.vendors.volcengine.templates import Variable
from tests.vendors.laws import patient
from tests.vendors.writing import KEY, START_MS, file, named, sentence

if TYPE_CHECKING:
    from pipeline.model.naming import Facts

DOC = "mytask123456789_myroom99991234"
TASK = Task("mytask123456789", "myroom99991234")
LIKE = parse(f"dir/{DOC}_user223344_C_1686281212582_003600_45678903.m3u8", TASK)
UNSPLIT = parse(f"{DOC}_user223344_C_1686281212582_003600_45678903.m3u8")
STREAM = parse("mytask_stream5566_1686281212582_000120_0a1b2c3d.m3u8", Task("mytask"))
TRTC = parse_trtc("1400123456_12345__UserId_s_MTY4NjExOQ..__UserId_e_main_video_20330531094551825.ts")
USER = file("user223344")


def digits(uid: str, number: int = 0, source: str = "camera", key: str = KEY) -> str:
    """{Random}, by the rule alone."""
    return hashlib.sha256(f"{key}\0{uid}\0{source}\0{number}".encode()).hexdigest()[:8]


R = digits("user223344")


@pytest.mark.parametrize(
    ("name", "like", "one", "expected"),
    [
        pytest.param(
            "volcengine", LIKE, USER, f"{DOC}_user223344_C_1686281212582_003600_{R}", id="row 1: the default"
        ),
        pytest.param(
            "volcengine",
            LIKE,
            file("user223344", "screen"),
            f"{DOC}_user223344_S_1686281212582_003600_{digits('user223344', source='screen')}",
            id="row 2: a shared screen",
        ),
        pytest.param(
            "volcengine",
            LIKE,
            file(""),
            f"{DOC}_1686281212582_003600_{digits('')}",
            id="row 4: a mixed recording",
        ),
        pytest.param(
            "volcengine",
            STREAM,
            file("stream5566", length_ms=120_999),
            f"mytask_stream5566_1686281212582_000120_{digits('stream5566')}",
            id="row 5: a public stream",
        ),
        pytest.param(
            "volcengine:{TaskId}_{RoomId}_{UserId}_{Type}_{Duration}",
            LIKE,
            USER,
            f"{DOC}_user223344_C_003600",
            id="row 15: a pattern of the documents, which has no random part",
        ),
        pytest.param(
            "volcengine:{TaskId}_{UserId}_{RoomId}_{Type}_{Duration}_{Random}",
            LIKE,
            USER,
            f"mytask123456789_user223344_myroom99991234_C_003600_{R}",
            id="row 16: another order",
        ),
        pytest.param(
            "volcengine:{userid}-{RANDOM}", LIKE, USER, f"user223344-{R}", id="case does not matter"
        ),
        pytest.param(
            "volcengine:recordfile_info1", LIKE, USER, "recordfile_info1", id="row 19: no variable at all"
        ),
        pytest.param("volcengine:课_{UserId}", LIKE, USER, "课_user223344", id="text of one's own"),
        pytest.param("volcengine:{StreamId}", STREAM, file("s_1"), "s_1", id="a stream by its id"),
        pytest.param(
            "volcengine:dir1/dir2/{UserId}", LIKE, USER, "user223344", id="folders are no part of it"
        ),
        pytest.param(
            "volcengine:{UserId}_{StartTime}",
            TRTC,
            file("1686119"),
            f"1686119_{START_MS}",
            id="another vendor's calls",
        ),
        pytest.param(
            "volcengine:{Duration}",
            LIKE,
            file("u", length_ms=999),
            "000000",
            id="a part of a second does not count",
        ),
    ],
)
def test_a_file(name: str, like: VolcengineName, one: Facts, expected: str) -> None:
    assert named(name, like, [one]) == [f"{expected}.mp4"]


@pytest.mark.parametrize(
    ("container", "ending"),
    [
        pytest.param(Container.MP4, "m4a", id="sound alone is M4A"),
        pytest.param(Container.MP3, "mp3", id="MP3"),
    ],
)
def test_files_of_sound(container: Container, ending: str) -> None:
    one = replace(USER, container=container, pictures=False)
    assert named("volcengine:{UserId}", LIKE, [one]) == [f"user223344.{ending}"]


def test_the_random_part_follows_from_the_job_and_the_track() -> None:
    files = [file("u"), file("u", after_ms=5), file("u", "screen"), file("v")]
    expected = [digits("u"), digits("u", 1), digits("u", source="screen"), digits("v")]
    assert named("volcengine:{Random}", LIKE, files) == [f"{each}.mp4" for each in expected]
    # A slice that comes late moves the beginning, and the file is the same one.
    assert named("volcengine:{Random}", LIKE, [replace(files[0], zero_ms=START_MS - 10_000)]) == [
        f"{expected[0]}.mp4"
    ]
    (other,) = named("volcengine:{Random}", LIKE, [file("u")], "fedcba9876543210")
    assert other == f"{digits('u', key='fedcba9876543210')}.mp4" != f"{expected[0]}.mp4"


@pytest.mark.parametrize(
    ("name", "like", "one", "told"),
    [
        pytest.param(
            "volcengine",
            TRTC,
            file(),
            "--name volcengine needs the TaskId, and names by TRTC tell none: use a pattern of {uid} "
            "and {utc} for this recording.",
            id="a recording of another vendor has no TaskId",
        ),
        pytest.param(
            "volcengine:{StreamId}", TRTC, file(), "needs the StreamId, and names by TRTC", id="nor a stream"
        ),
        pytest.param(
            "volcengine",
            UNSPLIT,
            file(f"{DOC}_user223344"),
            "needs the TaskId: the recording's names do not tell its ids apart; give --task-id and ",
            id="ids that nothing tells apart",
        ),
        pytest.param(
            "volcengine:{StreamId}",
            LIKE,
            USER,
            "needs the StreamId: the recording's names tell none",
            id="no stream",
        ),
        pytest.param(
            "volcengine:{RoomId}", STREAM, file("s"), "needs the RoomId: the recording's", id="no room"
        ),
        pytest.param(
            "volcengine:{UserId}", STREAM, file("s"), "needs the UserId: the recording's", id="no user"
        ),
        pytest.param(
            "volcengine:{TaskId}_{UserId}",
            LIKE,
            file(""),
            "needs the UserId: a file of all users has none",
            id="a mix",
        ),
        pytest.param(
            "volcengine:{Type}", LIKE, file(""), "needs the Type: a file of all users", id="a mix's type"
        ),
        pytest.param(
            "volcengine",
            LIKE,
            replace(USER, zero_ms=40),
            "needs the StartTime: nothing tells when the recording began; leave it out of the pattern.",
            id="a file whose time nobody tells",
        ),
        pytest.param(
            "volcengine:{UserId}",
            LIKE,
            file("张三"),
            "cannot name the user '张三': a UserId has at most 128",
            id="a user",
        ),
        pytest.param(
            "volcengine:{UserId}", LIKE, file("u" * 129), "cannot name the user 'uuu", id="129 characters"
        ),
        pytest.param(
            "volcengine:{Foo}",
            LIKE,
            USER,
            "has '{Foo}' in its pattern: between the variables {TaskId}",
            id="a typo",
        ),
        pytest.param(
            "volcengine:{head}", LIKE, USER, "has '{head}' in its pattern", id="no variable of theirs"
        ),
        pytest.param("volcengine:{UserId", LIKE, USER, "has '{UserId' in its pattern", id="half a variable"),
        pytest.param("volcengine:a b", LIKE, USER, "has 'a b' in its pattern", id="a space"),
        pytest.param(
            "volcengine:{UserId}\0", LIKE, USER, r"has '\x00' in its pattern", id="a control character"
        ),
        pytest.param(
            "volcengine:.{UserId}", LIKE, USER, "gives '.user223344', a hidden file", id="a hidden file"
        ),
        pytest.param(
            "volcengine:{UserId}", LIKE, file("..."), "gives '...', a hidden file", id="a hidden user"
        ),
        pytest.param(
            "volcengine:{UserId}{TaskId}",
            LIKE,
            USER,
            "expected text between them",
            id="variables without an end",
        ),
        pytest.param(
            "volcengine:{UserId}0{Duration}",
            LIKE,
            file("a0"),
            "would be read as another name",
            id="two readings",
        ),
        pytest.param(
            "volcengine:dir_1/{UserId}",
            LIKE,
            USER,
            "has the folder 'dir_1': a folder of Prefix is",
            id="a folder",
        ),
        pytest.param(
            "volcengine:{UserId}/x", LIKE, USER, "has the folder '{UserId}'", id="a folder of a variable"
        ),
        pytest.param(
            "volcengine:" + "x" * 128 + "/", LIKE, USER, "Prefix has at most 128", id="folders too long"
        ),
        pytest.param(
            "volcengine",
            LIKE,
            replace(USER, container=Container.MKV),
            "no names in .mkv for such",
            id="no Matroska",
        ),
        pytest.param(
            "volcengine:" + "张" * 100, LIKE, USER, "gives a name of 304 bytes", id="no file system takes it"
        ),
    ],
)
def test_what_would_be_no_name_of_volcengine_is_refused(
    name: str, like: VolcengineName, one: Facts, told: str
) -> None:
    assert told in sentence(name, like, one)


def test_a_name_of_128_characters_is_taken_and_a_longer_one_is_refused_not_cut() -> None:
    pattern = "volcengine:{UserId}_{StartTime}"
    longest = MOST_CHARACTERS - len(f"_{START_MS}")
    assert named(pattern, LIKE, [file("u" * longest)]) == [f"{'u' * longest}_{START_MS}.mp4"]
    told = sentence(pattern, LIKE, file("u" * (longest + 1)))
    assert told.startswith("--name volcengine gives a name of 129 characters, 'uuu")
    assert told.endswith("at most 128, and names are not cut; choose a shorter pattern.")


def test_folders_of_128_characters_with_their_slashes_are_taken() -> None:
    assert named("volcengine:" + "x" * 127 + "/{UserId}", LIKE, [USER]) == ["user223344.mp4"]


@pytest.mark.parametrize(
    ("pattern", "twins"),
    [
        pytest.param("{RoomId}", (file("a"), file("b")), id="two users"),
        pytest.param("{UserId}", (file("a"), file("a", "screen")), id="camera and screen"),
        pytest.param("{UserId}_{Type}", (file("a"), file("a", after_ms=60_000)), id="two stays"),
    ],
)
def test_two_files_of_one_name_are_refused(pattern: str, twins: tuple[Facts, Facts]) -> None:
    told = sentence(f"volcengine:{pattern}", LIKE, *twins)
    assert re.search(r"gives two files the name '\w+\.mp4': put \{UserId\}, \{Type\}, \{StartTime\} or", told)
    one, other = twins
    assert len(named(f"volcengine:{pattern}", LIKE, [one, replace(other, refused=True)])) == 2
    assert len(set(named(f"volcengine:{pattern}_{{Random}}", LIKE, twins))) == 2


UIDS = st.from_regex(r"[A-Za-z0-9_@-][A-Za-z0-9_@.\-]{0,30}", fullmatch=True)
OUTPUTS = st.lists(
    st.builds(
        file,
        st.just("") | UIDS,
        st.sampled_from(["camera", "screen"]),
        st.integers(-(10**11), 10**12),
        st.integers(0, 10**10),
    ),
    min_size=1,
    max_size=5,
)


@patient
@given(files=OUTPUTS, ids=st.tuples(UIDS, UIDS))
def test_what_was_written_is_read_back_by_the_task(files: list[Facts], ids: tuple[str, str]) -> None:
    task = Task(*ids)
    like = parse(f"{ids[0]}_{ids[1]}_1700000000000_000061_Ab12Cd34.mp4", task)
    names = named("volcengine", like, files)
    assert len(set(names)) == len(names)
    for name, facts in zip(names, files, strict=True):
        read = parse(name, task)
        assert isinstance(read, VolcengineName)
        assert str(read) == name
        assert read.recording == "_".join(ids)
        assert (read.stamp_ms, read.duration_s) == (facts.zero_ms, facts.length_ms // 1000 or None)
        assert (read.kind, read.extension) == (Kind.FINISHED, "mp4")
        if facts.uid:
            assert (read.uid, read.source) == (facts.uid, Source(facts.source))
        assert re.fullmatch(r"[0-9a-f]{8}", read.get(Variable.RANDOM) or "")
        assert parse_any(name).__class__ is VolcengineName


PATTERNS = st.permutations(
    ["{TaskId}", "{RoomId}", "{UserId}", "{Type}", "{StartTime}", "{Duration}", "{Random}"]
)


@patient
@given(variables=PATTERNS, most=st.integers(1, 7), uid=UIDS)
def test_what_was_written_is_read_back_by_the_pattern(variables: list[str], most: int, uid: str) -> None:
    pattern = "_".join(["x", *variables[:most]])
    (name,) = named(f"volcengine:{pattern}", LIKE, [file(uid)])
    read = parse(name, Task(TASK.task_id, TASK.room_id, pattern))
    assert isinstance(read, VolcengineName)
    assert str(read) == name
    assert read.get(Variable.USER_ID) == (uid if "{UserId}" in pattern else None)
    assert read.stamp_ms == (START_MS if "{StartTime}" in pattern else None)

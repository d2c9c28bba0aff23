"""Names that are written as Agora does: its templates, what is read back, and what it would not take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.containers import Container
from pipeline.vendors import parse as parse_any
from pipeline.vendors.agora.names import AgoraName, parse
from pipeline.vendors.agora_onpremise import parse as parse_onpremise
from pipeline.vendors.base import Content, Kind
from tests.vendors.laws import patient
from tests.vendors.writing import file, named, sentence

if TYPE_CHECKING:
    from pipeline.model.naming import Facts

S = "38f8e3cfdc474cd56fc1ceba380d7e1a"
LIKE = parse(f"dir/bak0_{S}_demo1__uid_s_123__uid_e_video_20240303101112131.webm")
MIX = replace(file(""), pictures=False)


@pytest.mark.parametrize(
    ("like", "one", "expected"),
    [
        pytest.param(LIKE, file("123"), f"{S}_demo1__uid_s_123__uid_e_0.mp4", id="row 11: a user"),
        pytest.param(
            parse(f"{S}_room_2.m3u8"),
            file(""),
            f"{S}_room_2_0.mp4",
            id="row 14: a composite; the channel has _",
        ),
        pytest.param(LIKE, MIX, f"{S}_demo1_0.m4a", id="row 16: the sound of all users"),
        pytest.param(
            LIKE,
            replace(MIX, container=Container.MP3),
            f"{S}_demo1_0.mp3",
            id="the sound of all users as MP3",
        ),
        pytest.param(
            LIKE,
            replace(file("123"), pictures=False),
            f"{S}_demo1__uid_s_123__uid_e_0.mp4",
            id="a user's files are MP4s",
        ),
        pytest.param(
            parse(f"{S}_a__uid_s_b__uid_s_7__uid_e_audio.m3u8"),
            file("7"),
            f"{S}_a__uid_s_b__uid_s_7__uid_e_0.mp4",
            id="row 10: a channel that holds the marker",
        ),
    ],
)
def test_a_file(like: AgoraName, one: Facts, expected: str) -> None:
    assert named("agora", like, [one]) == [expected]


def test_the_files_of_a_user_count_from_nought_in_the_order_of_time() -> None:
    files = [file("9", after_ms=9), file("9"), file("10"), file(""), MIX]
    assert named("agora", LIKE, files) == [
        f"{S}_demo1__uid_s_9__uid_e_1.mp4",
        f"{S}_demo1__uid_s_9__uid_e_0.mp4",
        f"{S}_demo1__uid_s_10__uid_e_0.mp4",
        f"{S}_demo1_0.mp4",
        f"{S}_demo1_0.m4a",
    ]


@pytest.mark.parametrize(
    ("name", "like", "one", "told"),
    [
        pytest.param(
            "agora",
            parse_onpremise("0_20190208084418569.aac"),
            file("0"),
            "--name agora needs the sid, and names by Agora's on-premise SDK tell none",
            id="no sid",
        ),
        pytest.param(
            "agora:my_calls",
            LIKE,
            file(),
            "has the folder 'my_calls': a folder of fileNamePrefix is one or more letters and digits",
            id="a folder with _",
        ),
        pytest.param("agora:a//b", LIKE, file(), "has the folder ''", id="a folder without a name"),
        pytest.param("agora:ä", LIKE, file(), "has the folder 'ä'", id="a letter that is not ASCII"),
        pytest.param(
            "agora:" + "x" * 63 + "/" + "y" * 64,
            LIKE,
            file(),
            "has folders of 129 characters: fileNamePrefix has at most 128, slashes included.",
            id="folders of 129 characters",
        ),
        pytest.param(
            "agora",
            LIKE,
            replace(file(), container=Container.M4A, pictures=False),
            "no names in .m4a for such a file, only in .mp4",
            id="a user's sound alone",
        ),
        pytest.param(
            "agora",
            LIKE,
            replace(file(""), container=Container.WEBM),
            "no names in .webm for such a file, only in .m4a, .mp3, .mp4",
            id="no WebM",
        ),
        pytest.param(
            "agora",
            parse(f"{S}_a__uid_s_b__uid_s_7__uid_e_audio.m3u8"),
            file(""),
            f"gives '{S}_a__uid_s_b_0.mp4', which would be read as another name",
            id="a composite of a channel that holds the marker",
        ),
        pytest.param(
            "agora", LIKE, file("é" * 100), "gives a name of 259 bytes", id="no file system takes it"
        ),
    ],
)
def test_what_would_be_no_name_of_agora_is_refused(name: str, like: AgoraName, one: Facts, told: str) -> None:
    assert told in sentence(name, like, one)


UIDS = st.integers(1, 2**32 - 1).map(str) | st.text("abc_.-123", min_size=1, max_size=20)
OUTPUTS = st.lists(
    st.builds(file, st.just("") | UIDS, st.just("camera"), st.integers(0, 5)), min_size=1, max_size=6
)
CHANNELS = st.text("abcZ_ !#$%&()+-:;<=.>?@[]^{}|~,0123456789", min_size=1, max_size=64)


@patient
@given(files=OUTPUTS, channel=CHANNELS)
def test_what_was_written_is_read_back(files: list[Facts], channel: str) -> None:
    like = parse(f"{S}_{channel}__uid_s_123__uid_e_audio.m3u8")
    assert isinstance(like, AgoraName)
    names = named("agora", like, files)
    assert len(set(names)) == len(names)
    for name, facts in zip(names, files, strict=True):
        read = parse(name)
        assert isinstance(read, AgoraName)
        assert str(read) == name
        assert (read.sid, read.cname, read.uid or "") == (S, channel, facts.uid)
        assert (read.kind, read.content, read.failover) == (Kind.FINISHED, Content.BOTH, None)
        if facts.uid:
            assert parse_any(name) == read
    for uid in {f.uid for f in files}:
        found = {parse(name) for name, f in zip(names, files, strict=True) if f.uid == uid}
        assert sorted(n.index for n in found if isinstance(n, AgoraName) and n.index is not None) == [
            *range(len(found))
        ]

"""Names that are written as TRTC does: its templates, what is read back, and what it would not take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.containers import Container
from pipeline.vendors import parse as parse_any
from pipeline.vendors.agora import parse as parse_agora
from pipeline.vendors.base import Kind, Source
from pipeline.vendors.trtc.names import TrtcName, parse
from tests.vendors.laws import patient
from tests.vendors.writing import file, named, sentence

if TYPE_CHECKING:
    from pipeline.model.naming import Facts

P = "20055501_1042317788"
U1, ID1 = "M2Y4YTFjNTItN2QwNi00YjllLWExZjQtNWMyMGQ5N2U2Yjgz", "3f8a1c52-7d06-4b9e-a1f4-5c20d97e6b83"
LIKE = parse(f"calls/{P}__UserId_s_{U1}__UserId_e_main_audio_20260120113022488.ts")
DOMESTIC = parse(f"{P}_UserId_s_{U1}_UserId_e_main_audio.m3u8")
MIXED = parse(f"ha1_{P}_20260120113037408.ts")
SOUND = replace(file(ID1), pictures=False)


@pytest.mark.parametrize(
    ("name", "like", "one", "expected"),
    [
        pytest.param(
            "trtc", LIKE, file(ID1), f"{P}__UserId_s_{U1}__UserId_e_main.mp4", id="row 4: a user, not cut"
        ),
        pytest.param(
            "trtc",
            DOMESTIC,
            file("user_01"),
            f"{P}_UserId_s_dXNlcl8wMQ.._UserId_e_main.mp4",
            id="one underscore where the recording has one",
        ),
        pytest.param(
            "trtc:lesson_7-a",
            DOMESTIC,
            file("user_01"),
            f"lesson_7-a__UserDefine_u_{P}_UserId_s_dXNlcl8wMQ.._UserId_e_main.mp4",
            id="row 16: a prefix of one's own",
        ),
        pytest.param(
            "trtc",
            LIKE,
            file("ab?", "screen"),
            f"{P}__UserId_s_YWI-__UserId_e_aux.mp4",
            id="row 8: a screen, / as -",
        ),
        pytest.param(
            "trtc",
            LIKE,
            file("demo~~~?"),
            f"{P}__UserId_s_ZGVtb35+fj8.__UserId_e_main.mp4",
            id="row 9: + stays",
        ),
        pytest.param(
            "trtc", LIKE, file("张三"), f"{P}__UserId_s_5byg5LiJ__UserId_e_main.mp4", id="row 10: Chinese"
        ),
        pytest.param("trtc", LIKE, SOUND, f"{P}__UserId_s_{U1}__UserId_e_main.mp4", id="sound is in MP4 too"),
        pytest.param("trtc", MIXED, file(""), f"{P}.mp4", id="all users, after a fail-over"),
        pytest.param(
            "trtc:a/b_c/x", MIXED, file(""), f"x__UserDefine_u_{P}.mp4", id="folders are no part of it"
        ),
    ],
)
def test_a_file_that_was_not_cut(name: str, like: TrtcName, one: Facts, expected: str) -> None:
    assert named(name, like, [one]) == [expected]


def test_the_files_of_a_user_count_from_one_in_the_order_of_time() -> None:
    files = [file("user_01", after_ms=9), file("user_01"), file("user_01", "screen"), file("bob"), file("")]
    user = f"{P}__UserId_s_dXNlcl8wMQ..__UserId_e_"
    assert named("trtc", LIKE, files) == [
        f"{user}main_2.mp4",
        f"{user}main_1.mp4",
        f"{user}aux.mp4",
        f"{P}__UserId_s_Ym9i__UserId_e_main.mp4",
        f"{P}.mp4",
    ]


@pytest.mark.parametrize(
    ("name", "like", "one", "told"),
    [
        pytest.param(
            "trtc",
            parse_agora("sid713_c__uid_s_123__uid_e_audio.m3u8"),
            file("123"),
            "--name trtc needs the SdkAppId, and names by Agora tell none: use a pattern of {uid} and {utc} "
            "for this recording.",
            id="no SdkAppId",
        ),
        pytest.param(
            "trtc:a b", LIKE, file(), "the prefix 'a b': a UserDefineRecordId has at most 64", id="a space"
        ),
        pytest.param("trtc:ä", LIKE, file(), "the prefix 'ä'", id="a letter that is not ASCII"),
        pytest.param("trtc:" + "x" * 65, LIKE, file(), "has at most 64 letters", id="a prefix of 65 bytes"),
        pytest.param(
            "trtc:a.b/x", LIKE, file(), "has the folder 'a.b': a folder of FileNamePrefix is", id="a folder"
        ),
        pytest.param("trtc:/x", LIKE, file(), "has the folder ''", id="a folder without a name"),
        pytest.param("trtc:../x", LIKE, file(), "has the folder '..'", id="the folder above"),
        pytest.param(
            "trtc",
            LIKE,
            replace(SOUND, container=Container.M4A),
            "--name trtc has no names in .m4a for such a file, only in .mp4: choose another --container.",
            id="no M4A",
        ),
        pytest.param(
            "trtc", LIKE, replace(file(), container=Container.MKV), "no names in .mkv", id="no Matroska"
        ),
        pytest.param(
            "trtc", LIKE, file("x" * 200), "gives a name of 317 bytes", id="no file system takes it"
        ),
        pytest.param(
            "trtc",
            parse(f"20055501_12345678901__UserId_s_{U1}__UserId_e_main_audio.m3u8"),
            file(""),
            "gives '20055501_12345678901.mp4', which would be read as another name",
            id="a room that no name of a mix can have",
        ),
    ],
)
def test_what_would_be_no_name_of_trtc_is_refused(name: str, like: TrtcName, one: Facts, told: str) -> None:
    assert told in sentence(name, like, one)


def test_a_prefix_of_64_bytes_is_taken() -> None:
    (name,) = named("trtc:" + "x" * 64, LIKE, [file()])
    assert name.startswith("x" * 64 + "__UserDefine_u_")


UIDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
OUTPUTS = st.lists(
    st.builds(file, st.just("") | UIDS, st.sampled_from(["camera", "screen"]), st.integers(0, 5)),
    min_size=1,
    max_size=6,
)


@patient
@given(
    files=OUTPUTS,
    like=st.sampled_from([LIKE, DOMESTIC]),
    record_id=st.just("") | st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
)
def test_what_was_written_is_read_back(files: list[Facts], like: TrtcName, record_id: str) -> None:
    names = named(f"trtc:{record_id}" if record_id else "trtc", like, files)
    assert len(set(names)) == len(names)
    for name, facts in zip(names, files, strict=True):
        read = parse(name)
        assert isinstance(read, TrtcName)
        assert str(read) == name
        assert (read.recording, read.uid or "", read.kind) == (P, facts.uid, Kind.FINISHED)
        assert read.source is Source(facts.source if facts.uid else "camera")
        assert (read.record_id or "", read.failover, read.prefix) == (record_id, None, "")
        alike = [f for f in files if (f.uid, f.uid and f.source) == (facts.uid, facts.uid and facts.source)]
        assert (read.index is None) == (len(alike) == 1)
        if facts.uid or record_id:
            assert parse_any(name) == read

"""Files that play by themselves: whose they are, which part, and when it began as far as names tell."""

from __future__ import annotations

import pytest

from pipeline.vendors import parse
from pipeline.vendors.base import Content, Ignored, Kind

SID = "38f8e3cfdc474cd56fc1ceba380d7e1a"
START_MS = 1_700_000_000_000


@pytest.mark.parametrize(
    ("key", "uid", "content", "index", "stamp_ms"),
    [
        pytest.param(
            "20055501_7__UserId_s_dXNlcl8wMQ..__UserId_e_main.mp4",
            "user_01",
            Content.BOTH,
            None,
            None,
            id="TRTC, a user whose file was not cut",
        ),
        pytest.param(
            "20055501_7__UserId_s_dXNlcl8wMQ..__UserId_e_main_2.mp4",
            "user_01",
            Content.BOTH,
            2,
            None,
            id="TRTC, a user's second part",
        ),
        pytest.param(
            "20055501_7__UserId_s_dXNlcl8wMQ..__UserId_e_main_1.aac",
            "user_01",
            Content.AUDIO,
            1,
            None,
            id="TRTC, sound of a user",
        ),
        pytest.param("20055501_7.mp4", None, Content.BOTH, None, None, id="TRTC, a mix"),
        pytest.param("20055501_7_1.mp4", None, Content.BOTH, 1, None, id="TRTC, a part of a mix"),
        pytest.param(
            "task_room_user_C_1700000000000_003600_45678903.mp4",
            "task_room_user",
            Content.BOTH,
            None,
            START_MS,
            id="Volcengine, a stream",
        ),
        pytest.param(
            "task_room_1700000000000_003600_45678903.mp4",
            None,
            Content.BOTH,
            None,
            START_MS,
            id="Volcengine, a mix",
        ),
        pytest.param(f"{SID}_math_0.mp4", None, Content.BOTH, 0, None, id="Agora, a mix"),
        pytest.param(f"{SID}_math_1.mp4", None, Content.BOTH, 1, None, id="Agora, a mix's second part"),
        pytest.param(f"{SID}_math_0.m4a", None, Content.AUDIO, 0, None, id="Agora, a delayed mix of sound"),
        pytest.param(
            f"{SID}_math__uid_s_7__uid_e_0.mp4", "7", Content.BOTH, 0, None, id="Agora, delayed transcoding"
        ),
        pytest.param(
            f"bak0_{SID}_math__uid_s_7__uid_e_1.mp4",
            "7",
            Content.BOTH,
            1,
            None,
            id="Agora, delayed transcoding, the second part after a change of server",
        ),
        pytest.param(
            "7_20231114221320000.mp4", "7", Content.BOTH, None, START_MS, id="on-premise 3.x, pictures"
        ),
        pytest.param(
            "7_20231114221320000.aac", "7", Content.AUDIO, None, START_MS, id="on-premise 3.x, sound"
        ),
        pytest.param("7_1700000000000.mp4", "7", Content.BOTH, None, START_MS, id="on-premise 4.x"),
    ],
)
def test_a_finished_file_tells_whose_it_is_which_part_and_when(
    key: str, uid: str | None, content: Content, index: int | None, stamp_ms: int | None
) -> None:
    name = parse(key)
    assert not isinstance(name, Ignored)
    assert (name.kind, name.uid, name.content) == (Kind.FINISHED, uid, content)
    assert (name.index, name.stamp_ms) == (index, stamp_ms)
    assert str(name) == key


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        pytest.param(f"{SID}_math.m3u8", Kind.INDEX, id="a playlist"),
        pytest.param(f"{SID}_math_20231114221320000.ts", Kind.SLICE, id="a slice"),
    ],
)
def test_the_hls_of_a_mix_is_no_finished_file(key: str, kind: Kind) -> None:
    name = parse(key)
    assert not isinstance(name, Ignored)
    assert (name.kind, name.uid, name.content) == (kind, None, Content.BOTH)

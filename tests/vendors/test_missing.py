"""What a listing and its playlists lack: the reasons to wait for a recording."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.documents import ROOT
from tests.vendors.test_inventory import agora, playlist, stock, trtc

if TYPE_CHECKING:
    from collections.abc import Mapping

A0, A1 = agora("audio", 0), agora("audio", 15_000)
V0 = agora("video", 0)
SOUND, PICTURES = agora("audio"), agora("video")
WHOLE: dict[str, int | str] = {
    SOUND: playlist(A0, A1),
    PICTURES: playlist(V0),
    A0: 188,
    A1: 188,
    V0: 188,
}
BOTH = trtc("audiovideo", 0)
FILE = "20055501_1042317788__UserId_s_YW5u__UserId_e_main"
SIZE = "#EXT-X-TRTC-FILE-ATTR:1768908600000,376"
SOLO = "uid_ann_20260120113000000.txt"
AAC = "ann_20260120113000000.aac"


def without(*keys: str, **changed: int | str) -> dict[str, int | str]:
    return {key: it for key, it in WHOLE.items() if key not in keys} | changed


CASES = [
    pytest.param(WHOLE, [], id="nothing"),
    pytest.param(without(A1), [f"slice {A1} is not there"], id="a slice"),
    pytest.param(WHOLE | {A1: 0}, [f"slice {A1} has 0 bytes"], id="all bytes of a slice"),
    pytest.param(
        WHOLE | {SOUND: playlist(A0, end=False)},
        [f"{SOUND}: it has no ENDLIST"],
        id="the end of a playlist, and a slice that it does not list yet",
    ),
    pytest.param(
        {SOUND: playlist(A0, A1, end=False), PICTURES: playlist(V0, end=False), A0: 188},
        [
            f"{SOUND}: it has no ENDLIST",
            f"{PICTURES}: it has no ENDLIST",
            f"slice {A1} is not there",
            f"slice {V0} is not there",
        ],
        id="everything at once",
    ),
    pytest.param(without(SOUND), ["there is no playlist for the audio of user 123"], id="a whole playlist"),
    pytest.param(
        {trtc("audiovideo"): playlist(SIZE, BOTH), BOTH: 188},
        [f"slice {BOTH} has 188 of 376 bytes"],
        id="bytes of a slice that two tracks share, told once",
    ),
    pytest.param({f"{FILE}.mp4": 10}, [], id="a finished file that was not cut: nothing"),
    pytest.param({f"{FILE}_1.mp4": 10, f"{FILE}_2.mp4": 10}, [], id="a finished file in parts: nothing"),
    pytest.param(
        {f"{FILE}_1.mp4": 10, f"{FILE}_3.mp4": 10},
        [f"part 2 of a finished file is not there ({FILE}_1.mp4)"],
        id="a part of a finished file",
    ),
    pytest.param({f"{FILE}.mp4": 0}, [f"slice {FILE}.mp4 has 0 bytes"], id="all of a finished file"),
    pytest.param(
        {
            f"{FILE}.mp4": 10,
            f"{FILE}_audio.m3u8": playlist(f"{FILE}_audio_20260120113000000.ts", end=False),
        },
        [],
        id="a playlist whose slices are not there, beside a finished file that is used: nothing",
    ),
    pytest.param(
        WHOLE | {f"{SOUND[:-5]}_1_0.m3u8": playlist(end=False)},
        [],
        id="an older copy of a playlist that is not used: nothing",
    ),
    pytest.param(
        {SOLO: f"0.000 {AAC} create\n10.000 {AAC} close\n", AAC: 100},
        [f"{SOLO}: there is no recording2-done.txt beside it"],
        id="the mark of the on-premise recorder",
    ),
    pytest.param(
        {SOLO: f"0.000 {AAC} create\n10.000 {AAC} close\n", AAC: 100, "recording2-done.txt": ""},
        [],
        id="the mark is there: nothing",
    ),
]


@pytest.mark.parametrize(("objects", "missing"), CASES)
def test_what_is_missing(objects: Mapping[str, int | str], missing: list[str]) -> None:
    assert list(stock(objects).missing) == missing


def test_a_playlist_of_a_composite_counts_only_where_the_composite_is_used() -> None:
    sid = "38f8e3cfdc474cd56fc1ceba380d7e1a"
    slice_ = f"{sid}_math_20260120113000000.ts"
    composite: dict[str, int | str] = {f"{sid}_math.m3u8": playlist(slice_, end=False), slice_: 188}
    assert list(stock(composite).missing) == [f"{sid}_math.m3u8: it has no ENDLIST"]
    assert stock(WHOLE | composite).missing == ()


def test_the_document_has_the_sentences() -> None:
    text = (
        (ROOT / "docs/inputs.md").read_text(encoding="utf-8").partition("## When is a recording complete?")[2]
    )
    promised = re.findall(r"^\|.*\| `(.*)` \|$", text.partition("## ")[0], re.MULTILINE)
    said = [sentence for case in CASES for sentence in case.values[1]]  # type: ignore[union-attr] # of a row
    assert len(promised) == 7
    for sentence in promised:
        pattern = re.escape(sentence).replace("…", ".*")
        assert any(re.search(pattern, each) for each in said), sentence
    for each in said:
        assert any(re.search(re.escape(sentence).replace("…", ".*"), each) for sentence in promised), each

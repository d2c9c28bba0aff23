"""What playlists of all vendors share: damaged text, unsafe names, bounds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PlaylistError, RecpipeError, UnsafeUriError
from pipeline.vendors import VENDORS, Vendor, agora
from pipeline.vendors.base import Playlist, Segment
from pipeline.vendors.playlists import MAX_BYTES, MAX_ENTRIES, MAX_LINES, duration_us
from tests.vendors.laws import patient

if TYPE_CHECKING:
    from collections.abc import Sequence

A = "sid_c_20190920125142289.ts"
B = "sid_c_20190920125157307.ts"
ONE = Segment(A, duration_us=15019000)
TWO = Segment(B, duration_us=12000000)

WRITERS = {name: vendor for name, vendor in VENDORS.items() if name != "agora_onpremise"}
"""The vendors that write playlists."""


def read(text: str) -> Playlist:
    return agora.read_playlist(text, "room/sid_c.m3u8")


@pytest.mark.parametrize(
    ("text", "segments", "ended"),
    [
        pytest.param(f"#EXTM3U\n#EXTINF:15.019\n{A}\n#EXT-X-ENDLIST\n", [ONE], True, id="no comma"),
        pytest.param(f"#EXTM3U\n#EXTINF:15.019,\n{A}\n#EXT-X-ENDLIST\n", [ONE], True, id="a comma"),
        pytest.param(f"#EXTM3U\n#EXTINF:12,a title, two\n{B}\n", [TWO], False, id="an integer and a title"),
        pytest.param(
            f"#EXTM3U\r\n\r\n#EXTINF:15.019,\r\n{A}\r\n#EXT-X-ENDLIST\r\n",
            [ONE],
            True,
            id="CRLF, blank lines",
        ),
        pytest.param(f"\ufeff#EXTM3U\n#EXTINF:15.019\n{A}\n", [ONE], False, id="a byte order mark"),
        pytest.param(f"\n \n\ufeff\n#EXTM3U\n#EXTINF:15.019\n{A}\n", [ONE], False, id="blank lines first"),
        pytest.param(
            f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:15.019\n{A}\n",
            [ONE],
            False,
            id="longer than its target",
        ),
        pytest.param(
            f"#EXTM3U\n#EXT-X-TARGETDURATION:x\n#EXT-X-KEY:METHOD\n#EXT-X-BYTERANGE\n#EXT-X-MAP:\n# comment\n"
            f"#EXT-X-PROGRAM-DATE-TIME:now\n#EXT-X-STREAM-INF:BANDWIDTH=x\n#EXTINF:15.019\n{A}\n",
            [ONE],
            False,
            id="tags of no use, damaged so that the library would stumble",
        ),
        pytest.param(
            f"#EXTM3U\n#EXT-X-DISCONTINUITY-SEQUENCE:4\n#EXTINF:15.019\n{A}\n#EXTINF:12\n"
            f"#EXT-X-DISCONTINUITY\n{B}\n",
            [ONE, Segment(B, duration_us=12000000, discontinuity=True)],
            False,
            id="a discontinuity after the length",
        ),
        pytest.param(f"#EXTM3U\n#EXTINF:15.019\n{A}", [ONE], False, id="no line end after a whole name"),
        pytest.param(
            f"#EXTM3U\n#EXTINF:15.019\n{A}\n#EXT-X-ENDLIST", [ONE], True, id="no line end after the end"
        ),
        pytest.param(f"#EXTM3U\n\xa0#EXT-X-VERSION:x\n#EXTINF:15.019\n{A}\n", [ONE], False, id="odd spaces"),
        pytest.param(f"#EXTM3U\n  \n#EXTINF:15.019\n \t\n{A}\n", [ONE], False, id="lines of blanks"),
        pytest.param(
            "#EXTM3U\n#EXTINF:12\nsid_a%23b_20190920125157307.ts",
            [Segment("sid_a%23b_20190920125157307.ts", duration_us=12000000)],
            False,
            id="a percent-encoded name stays as it is written",
        ),
        pytest.param("#EXTM3U", [], False, id="nothing but the first line"),
    ],
)
def test_a_playlist_is_read_without_a_note(text: str, segments: Sequence[Segment], *, ended: bool) -> None:
    assert read(text) == Playlist(tuple(segments), ended=ended)


def test_a_whole_last_name_may_be_percent_encoded_even_where_the_grammar_has_no_percent_sign() -> None:
    uri = "20055501_7__UserId_s_ZGVtb35%2Bfj8.__UserId_e_main_audio_20260120113037408.ts"
    playlist = VENDORS["trtc"].read_playlist(f"#EXTM3U\n#EXTINF:12,\n{uri}", "a.m3u8")
    assert playlist == Playlist((Segment(uri, duration_us=12000000),), ended=False)


CUT = "the last line is cut off and left out: "
UNUSED = "an EXTINF has no slice name after it and is left out: "
UNKNOWN = "a slice has no readable EXTINF, its length is unknown: "


@pytest.mark.parametrize(
    ("rest", "segments", "notes"),
    [
        pytest.param("#EXTINF:1", [], [CUT + "'#EXTINF:1'"], id="half a length"),
        pytest.param("#EXTINF:", [], [CUT + "'#EXTINF:'"], id="no length at all"),
        pytest.param("#EXT", [], [CUT + "'#EXT'"], id="half a tag"),
        pytest.param(
            "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRA",
            [],
            [CUT + "'#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRA'"],
            id="half a vendor tag",
        ),
        pytest.param(
            "#EXTINF:12\nsid_c_2019092012",
            [],
            [CUT + "'sid_c_2019092012'", UNUSED + "'#EXTINF:12'"],
            id="half a name",
        ),
        pytest.param(
            "#EXTINF:12\nsid_c_20190920125157307.m3u8",
            [],
            [CUT + "'sid_c_20190920125157307.m3u8'", UNUSED + "'#EXTINF:12'"],
            id="a last name that is no slice",
        ),
        pytest.param(
            "#EXTINF:12\n100_20190611073246073_av.mp4",
            [],
            [CUT + "'100_20190611073246073_av.mp4'", UNUSED + "'#EXTINF:12'"],
            id="a last name that is no input",
        ),
        pytest.param("#EXTINF:12\n", [], [UNUSED + "'#EXTINF:12'"], id="a length without its slice"),
        pytest.param(
            f"#EXTINF:9\n#EXTINF:12\n{B}\n",
            [TWO],
            [UNUSED + "'#EXTINF:9'"],
            id="a length whose slice is gone",
        ),
        pytest.param(f"{B}\n", [Segment(B)], [UNKNOWN + f"'{B}'"], id="a slice without a length"),
        pytest.param(f"#EXTINF:nan,\n{B}\n", [Segment(B)], [UNKNOWN + f"'{B}'"], id="a length that is none"),
        pytest.param(
            f"{B}\n{A}\n{B}\n",
            [Segment(B), Segment(A), Segment(B)],
            [UNKNOWN + f"'{B}' and 2 more"],
            id="many slices without a length are one note",
        ),
        pytest.param(
            "#EXTINF:12\n" + "x" * 500 + ".ts\n",
            [Segment("x" * 500 + ".ts", duration_us=12000000)],
            [],
            id="a name outside the grammar is the caller's to judge",
        ),
        pytest.param(
            "#" + "x" * 500,
            [],
            [CUT + "'#" + "x" * 119 + "'... (501 characters)"],
            id="a long line is shown in part",
        ),
    ],
)
def test_damage_costs_as_little_as_it_can_and_is_noted(
    rest: str, segments: Sequence[Segment], notes: Sequence[str]
) -> None:
    playlist = read(f"#EXTM3U\n#EXTINF:15.019\n{A}\n{rest}")
    assert playlist == Playlist((ONE, *segments), ended=False, notes=tuple(notes))


@pytest.mark.parametrize(
    ("value", "microseconds"),
    [
        ("15.019000", 15019000),
        ("10.0053,", 10005300),
        ("4.37792,", 4377920),
        ("0.0000005,", 1),
        ("0.0000004,", 0),
        ("9999999.9999999", 10_000_000_000_000),
        (" 6 , title", 6000000),
        ("6.", 6000000),
        ("", None),
        (".", None),
        ("-1", None),
        ("1e3", None),
        ("inf", None),
        ("10000000", None),
        ("١٢", None),
    ],
)
def test_a_length_is_read_exactly_or_not_at_all(value: str, microseconds: int | None) -> None:
    assert duration_us(value) == microseconds


@pytest.mark.parametrize("vendor", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("../secret.ts", "'../secret.ts'"),
        ("/etc/passwd", "'/etc/passwd'"),
        ("folder/a.ts", "'folder/a.ts'"),
        ("..\\secret.ts", "'..\\\\secret.ts'"),
        ("C:secret.ts", "'C:secret.ts'"),
        ("http://host/a.ts", "'http://host/a.ts'"),
        ("file:a.ts", "'file:a.ts'"),
        ("concat:a.ts|b.ts", "'concat:a.ts|b.ts'"),
        ("data:text;base64,AAAA", "'data:text;base64,AAAA'"),
        ("subfile,,start,0,end,0,,:a.ts", "'subfile,,start,0,end,0,,:a.ts'"),
        ("data%3Atext", "'data%3Atext'"),
        ("a\x00.ts", "'a\\x00.ts'"),
        ("a\x0bb.ts", "'a\\x00b.ts'"),
        ("a\x1b[2Jb.ts", "'a\\x1b[2Jb.ts'"),
        ("a\x85b.ts", "'a\\x00b.ts'"),
        ("a\u2028b.ts", "'a\\x00b.ts'"),
        ("a\x9bb.ts", "'a\\x9bb.ts'"),
        ("a%00.ts", "'a%00.ts'"),
        ("..%2fsecret.ts", "'..%2fsecret.ts'"),
        ("..%5Csecret.ts", "'..%5Csecret.ts'"),
        (".", "'.'"),
        ("..", "'..'"),
        ("%2e.", "'%2e.'"),
        ("/" + "x" * 5000, "'/" + "x" * 119 + "'... (5001 characters)"),
    ],
)
def test_a_line_that_leaves_the_folder_is_refused_by_name(vendor: Vendor, uri: str, shown: str) -> None:
    with pytest.raises(UnsafeUriError) as caught:
        vendor.read_playlist(f"#EXTM3U\n#EXTINF:1\n{uri}\n#EXT-X-ENDLIST\n", "room/evil.m3u8")
    assert str(caught.value) == (
        f"'room/evil.m3u8' lists {shown}, expected a bare file name in the playlist's own folder: "
        "do not use this playlist unless you trust where it comes from and have corrected the line"
    )


def test_a_tag_cannot_smuggle_in_a_line_of_its_own() -> None:
    text = f"#EXTM3U\n#EXT-X-TRTC-USER-ID:bob\u2028evil.ts\x85#EXTINF:1\x0bevil.ts\n#EXTINF:1\n{A}\n"
    assert [s.uri for s in VENDORS["trtc"].read_playlist(text, "a.m3u8").segments] == [A]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("\ufeff\n\n", id="blank"),
        pytest.param("<Error><Code>NoSuchKey</Code></Error>", id="a store's error page"),
        pytest.param("#EXTM3", id="half of the first line"),
        pytest.param("#EXTM3U8\n", id="another first line"),
        pytest.param("\x00\x47\x40\x11" * 500_000, id="2 MB of a slice"),
        pytest.param(" " * 2_000_000, id="2 MB of blanks"),
    ],
)
def test_what_is_no_playlist_is_refused_in_one_sentence_without_an_echo(text: str) -> None:
    begin = time.monotonic()
    with pytest.raises(PlaylistError) as caught:
        read(text)
    assert time.monotonic() - begin < 1
    assert str(caught.value) == (
        "'room/sid_c.m3u8' is no playlist, its first line is not #EXTM3U: download it again"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "#EXTM3U\n" + "x" * MAX_BYTES,
            "'room/sid_c.m3u8' has 67108872 bytes, more than the 67108864 of a playlist: check the file",
            id="more than 64 MB",
        ),
        pytest.param(
            "#EXTM3U\n" + "é" * (MAX_BYTES // 2),
            "'room/sid_c.m3u8' has 67108872 bytes, more than the 67108864 of a playlist: check the file",
            id="64 MB are bytes, not characters",
        ),
        pytest.param(
            "#EXTM3U\n" + "a.ts\n" * (MAX_ENTRIES + 1),
            "'room/sid_c.m3u8' lists more than 300000 slices: check the file",
            id="one slice too many",
        ),
        pytest.param(
            "#EXTM3U\n" + "#\n" * (MAX_LINES + 1),
            "'room/sid_c.m3u8' has more than 1800000 lines: check the file",
            id="lines that say nothing",
        ),
    ],
)
def test_a_playlist_over_the_bounds_is_refused(text: str, message: str) -> None:
    with pytest.raises(PlaylistError) as caught:
        read(text)
    assert str(caught.value) == message


def test_the_largest_playlist_is_read_in_bounded_time() -> None:
    text = "#EXTM3U\n" + f"#EXTINF:15.019\n{A}\n" * MAX_ENTRIES
    begin = time.monotonic()
    assert len(read(text).segments) == MAX_ENTRIES
    assert time.monotonic() - begin < 60


LINES = st.sampled_from(
    [
        "#EXTM3U",
        "#EXTINF:15.019",
        "#EXTINF:x,",
        "#EXT-X-DISCONTINUITY",
        "#EXT-X-ENDLIST",
        "#EXT-X-TARGETDURATION:x",
        "#EXT-X-PROGRAM-DATE-TIME:x",
        "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=VIDEO,TIME=20190920125142485",
        "#EXT-X-AGORA-ROTATE:WIDTH=640,HEIGHT=480,ROTATE=90,TIME=x",
        "#EXT-X-TRTC-FILE-ATTR:1768908622488,215448",
        "#EXT-X-TRTC-VIDEO-METADATA:WIDTH:640 HEIGHT:480 Codec:27",
        "#EXT-X-TRTC-USER-ID:bob",
        A,
        B,
        "../a.ts",
        "",
    ]
)


@patient
@given(
    st.sampled_from(sorted(WRITERS)),
    st.text() | st.lists(LINES | st.text(max_size=20), max_size=30).map("\n".join).map("#EXTM3U\n".__add__),
)
def test_any_text_is_a_playlist_of_bare_names_or_refused(vendor: str, text: str) -> None:
    try:
        playlist = WRITERS[vendor].read_playlist(text, "a.m3u8")
    except RecpipeError:
        return
    assert all(s.uri and "/" not in s.uri and s.uri == s.uri.strip() for s in playlist.segments)


@patient
@given(
    st.sampled_from(sorted(WRITERS)),
    st.integers(min_value=0),
)
def test_a_playlist_cut_anywhere_keeps_the_slices_before_the_cut(vendor: str, cut: int) -> None:
    lines = [f"#EXTINF:12\nsid_c_201909201251{second:02d}000.ts\n" for second in range(4)]
    names = [line.split("\n")[1] for line in lines]
    text = "#EXTM3U\n" + "".join(lines) + "#EXT-X-ENDLIST\n"
    part = text[: 8 + cut % (len(text) - 7)]
    playlist = WRITERS[vendor].read_playlist(part, "a.m3u8")
    whole = [name for name in names if f"{name}\n" in part]
    assert [s.uri for s in playlist.segments][: len(whole)] == whole
    assert len(playlist.segments) <= len(whole) + 1
    assert all(s.duration_us == 12000000 for s in playlist.segments)

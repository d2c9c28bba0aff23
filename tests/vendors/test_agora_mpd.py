"""Agora's MPD: what its converter looks for is found in any XML; nothing that it names leaves the folder."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PlaylistError, UnsafeUriError
from pipeline.vendors.agora import read_playlist
from pipeline.vendors.base import Content, Segment, Turn

KEY = "38f8e3cfdc474cd56fc1ceba380d7e1a_demo1__uid_s_58213__uid_e_av.mpd"
STEM = KEY.removesuffix("_av.mpd")
VIDEO, AUDIO = f"{STEM}_video_20240303101112131.webm", f"{STEM}_audio_20240303101112200.webm"
AT = 1_709_460_672_131


def mpd(*lines: str) -> str:
    return '<?xml version="1.0"?>\n<MPD type="static">\n' + "\n".join(lines) + "\n</MPD>\n"


@pytest.mark.parametrize(
    ("lines", "segments"),
    [
        pytest.param([], [], id="nothing in it"),
        pytest.param(
            ['<AdaptationSet contentType="video">', f'<SegmentURL media="{VIDEO}"/>'],
            [Segment(VIDEO)],
            id="a slice",
        ),
        pytest.param(
            [
                '<AdaptationSet mimeType="video/webm">',
                '<ExtDiscontinuity time="20240303101112131"/>',
                f'<SegmentURL media="{VIDEO}"/>',
                "</AdaptationSet>",
                '<AdaptationSet mimeType="audio/webm">',
                '<ExtDiscontinuity time="1709460672200"/>',
                f"<SegmentURL media='{AUDIO}'/>",
            ],
            [
                Segment(VIDEO, start_ms=AT, starts=True, content=Content.VIDEO),
                Segment(AUDIO, start_ms=AT + 69, starts=True, content=Content.AUDIO),
            ],
            id="both tracks, each with its start",
        ),
        pytest.param(
            [
                '<AdaptationSet contentType="video">',
                '<ExtRotate width="640" height="480" rotate="90" time="20240303101112131"/>',
                f'<SegmentURL media="{VIDEO}"/>',
            ],
            [Segment(VIDEO, turns=(Turn(90, AT, 640, 480),), width=640, height=480)],
            id="a rotation",
        ),
        pytest.param(
            ['<SegmentTemplate media="$Number$.webm"/>', f'<SegmentURL media="{AUDIO}"/>'],
            [Segment(AUDIO)],
            id="a template is no slice",
        ),
    ],
)
def test_what_is_in_an_mpd(lines: list[str], segments: list[Segment]) -> None:
    found = read_playlist(mpd(*lines), KEY)
    assert list(found.segments) == segments
    assert (found.ended, found.notes) == (True, ())


def test_an_mpd_that_is_cut_off_has_no_end() -> None:
    whole = mpd('<AdaptationSet contentType="video">', f'<SegmentURL media="{VIDEO}"/>')
    found = read_playlist(whole.removesuffix("</MPD>\n"), KEY)
    assert (len(found.segments), found.ended) == (1, False)


def test_what_is_odd_is_noted() -> None:
    found = read_playlist(mpd('<X width="0" height="480" rotate="90" time="1"/>'), KEY)
    assert found.notes == (
        (
            "a ROTATE tag has no quarter turn or no size and is left out: "
            '\'<X width="0" height="480" rotate="90" time="1"\''
        ),
    )


@pytest.mark.parametrize(
    "uri", ["../a.webm", "/etc/passwd", "http://host/a.webm", "concat:a|b", "a/b.webm", "&#47;etc&#47;passwd"]
)
def test_a_name_that_leaves_the_folder_is_refused_by_name(uri: str) -> None:
    with pytest.raises(UnsafeUriError, match="expected a bare file name"):
        read_playlist(mpd(f'<SegmentURL media="{uri}"/>'), KEY)


@pytest.mark.parametrize("text", ["", "#EXTM3U\n", "<html><body>no</body></html>", "\0" * 100])
def test_what_is_no_mpd_is_told(text: str) -> None:
    with pytest.raises(PlaylistError, match="is no MPD"):
        read_playlist(text, KEY)


def test_entities_are_never_expanded() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + mpd('<SegmentURL media="&b;.webm"/>')
    assert read_playlist(bomb, KEY).segments == ()


@given(st.text(max_size=400))
def test_any_text_in_it_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UnsafeUriError):
        read_playlist(mpd(text), KEY)

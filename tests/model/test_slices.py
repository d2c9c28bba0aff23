from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.model.slices import Format, Medium, Recording, Slice, State, with_known_forms
from tests.model.slicing import T0, pictures, piece, sound, time, user


@pytest.mark.parametrize(
    ("form", "text"),
    [
        pytest.param(Format("aac", rate=48000, channels=1), "aac 48000 Hz mono", id="mono"),
        pytest.param(Format("aac", rate=44100, channels=2), "aac 44100 Hz stereo", id="stereo"),
        pytest.param(Format("aac", rate=44100, channels=6), "aac 44100 Hz 6 ch", id="surround"),
        pytest.param(Format("hevc", 1280, 720), "hevc 1280x720", id="pictures"),
    ],
)
def test_codec_parameters_are_written_for_people(form: Format, text: str) -> None:
    assert str(form) == text


@pytest.mark.parametrize(
    ("line", "length_ms"),
    [
        pytest.param("0 0 10.24", 10_240, id="by its media"),
        pytest.param("0 0 10 missing", 10_000, id="by its playlist where there is no media"),
        pytest.param("0 0 45t missing", 1, id="by its playlist, half a millisecond rounded up"),
        pytest.param("0 0 10 missing unlisted", 0, id="unknown"),
    ],
)
def test_a_slice_has_a_length(line: str, length_ms: int) -> None:
    assert piece(line, Medium.VIDEO).length_ms() == length_ms


@pytest.mark.parametrize(
    ("line", "early"),
    [
        pytest.param("0 0 10", "0", id="as long as its playlist says"),
        pytest.param("0 0 10 extinf=9", "0", id="longer"),
        pytest.param("0 0 10 extinf=12", "0", id="2 s shorter"),
        pytest.param("0 0 10 extinf=12.0001", "2.0001", id="over 2 s shorter"),
        pytest.param("0 0 10 unlisted", "0", id="in no playlist"),
        pytest.param("0 0 10 missing", "0", id="not there"),
    ],
)
def test_a_slice_may_end_before_its_playlist_says(line: str, early: str) -> None:
    assert piece(line, Medium.VIDEO).ends_early() == time(early)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(["0 0 10 extinf=15", "15 15 10"], ["5"], id="the next slice begins where it should end"),
        pytest.param(["0 0 10 extinf=15", "13 13 10"], ["3"], id="the next slice begins before that"),
        pytest.param(["0 0 10 extinf=15", "12 12 10"], [], id="the next slice begins soon"),
        pytest.param(["0 0 10 extinf=15", "10 10 10"], [], id="the next slice begins at once"),
        pytest.param(["0 0 10 extinf=15", "40 40 10"], ["5"], id="the next slice begins much later"),
        pytest.param(["0 0 10 extinf=15"], ["5"], id="no other slice comes"),
        pytest.param(["0 0 10 extinf=12"], [], id="2 s are too little"),
        pytest.param(["0 0 10 missing extinf=15"], [], id="it is not there at all"),
    ],
)
def test_a_slice_is_cut_short_where_its_listed_length_is_true(lines: list[str], expected: list[str]) -> None:
    track = pictures(*lines)
    assert [(piece.key, early) for piece, early in track.cut_short()] == [
        ("v0.ts", time(e)) for e in expected
    ]
    assert replace(track, source="screen").cut_short() == ()


def test_a_stamp_is_of_the_first_access_unit_of_any_track() -> None:
    assert piece("1 0 10 after=0.5", Medium.VIDEO).stamped() == T0 + time("1.5")
    assert piece("1 0 10 missing", Medium.VIDEO).stamped() == T0 + time("1")


def test_usable_are_the_slices_whose_ends_are_known() -> None:
    track = sound("0 0 10.24", "10.24 0 10.24 empty", "20.48 0 10.24 unreadable", "31 31 10.24")
    assert [s.key for s in track.usable] == ["a0.ts", "a3.ts"]
    assert [s.state for s in track.slices] == [State.PRESENT, State.EMPTY, State.UNREADABLE, State.PRESENT]


def test_a_user_s_tracks_are_pictures_first() -> None:
    both = user(sound("0 0 10.24"), pictures("0 0 10"))
    assert [t.medium for t in both.tracks] == [Medium.VIDEO, Medium.AUDIO]
    assert [t.medium for t in user(sound("0 0 10.24")).tracks] == [Medium.AUDIO]


@pytest.mark.parametrize(("prefix", "title"), [("", "sid_room"), ("2026/math", "2026/math/sid_room")])
def test_a_recording_has_a_title(prefix: str, title: str) -> None:
    assert Recording("agora", prefix, "sid_room").title == title


def forms(*parameters: str, codec: str = "h264") -> tuple[Slice, ...]:
    """Slices with the named parameter sets; ``-`` begins without, ``missing`` is not there."""
    slices = []
    for number, name in enumerate(parameters):
        found = piece("0 0 10" + (" missing" if name == "missing" else ""), Medium.VIDEO, number)
        if found.ends is not None:
            of = Format(codec, parameters="") if name == "-" else Format("h264", 640, 480, parameters=name)
            found = replace(found, ends=replace(found.ends, form=of))
        slices.append(found)
    return tuple(slices)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("a b", "a b", id="each its own"),
        pytest.param("a - - b -", "a a a b b", id="those of the slice before"),
        pytest.param("- - a", "a a a", id="those of the next at the beginning"),
        pytest.param("- missing", "- missing", id="none anywhere"),
        pytest.param("a missing -", "a missing a", id="those before a missing slice"),
    ],
)
def test_parameter_sets_stay_in_force(before: str, after: str) -> None:
    assert with_known_forms(forms(*before.split())) == forms(*after.split())


def test_parameter_sets_are_not_those_of_another_codec() -> None:
    found = forms("a", "-", codec="hevc")
    assert with_known_forms(found) == found

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import CommandError
from pipeline.model import ticks
from pipeline.model.containers import Container
from pipeline.model.options import Align, By, Gaps, Missing, Moment, Options, Screen, Tracks, Verify
from pipeline.model.slices import Medium
from pipeline.model.stamps import stamp17

AT_MS = 1768908622488


def after(seconds: float) -> Moment:
    return Moment(round(seconds * ticks.TICKS), absolute=False)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("0", after(0), id="zero"),
        pytest.param("90", after(90), id="seconds"),
        pytest.param("90s", after(90), id="seconds with their unit"),
        pytest.param("+90", after(90), id="seconds with a sign"),
        pytest.param("1.5", after(1.5), id="tenths"),
        pytest.param("1.05", after(1.05), id="hundredths"),
        pytest.param("1.005", after(1.005), id="milliseconds"),
        pytest.param("1:30.5", after(90.5), id="minutes"),
        pytest.param("01:02:03.004", after(3723.004), id="hours"),
        pytest.param("+1:02:03", after(3723), id="as the manifest writes it"),
        pytest.param("100:00:00", after(360_000), id="days"),
        pytest.param("5:90", after(390), id="more seconds than a minute has"),
        pytest.param("20260120113022488", Moment(ticks.from_ms(AT_MS), absolute=True), id="a 17-digit stamp"),
        pytest.param(
            "2026-01-20T11:30:22.488Z", Moment(ticks.from_ms(AT_MS), absolute=True), id="an ISO time"
        ),
        pytest.param(
            "2026-01-20 19:30:22.488+08:00",
            Moment(ticks.from_ms(AT_MS), absolute=True),
            id="an ISO time of another zone",
        ),
        pytest.param(
            "2026-01-20T11:30:22.4889Z",
            Moment(ticks.from_ms(AT_MS), absolute=True),
            id="microseconds are cut off",
        ),
        pytest.param(
            "1969-12-31T23:59:59.999Z", Moment(-ticks.PER_MS, absolute=True), id="a time before the epoch"
        ),
    ],
)
def test_a_moment_is_read(text: str, moment: Moment) -> None:
    assert Moment.parse(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("soon", id="a word"),
        pytest.param("-5", id="a negative offset"),
        pytest.param("1.5.5", id="two points"),
        pytest.param("1:2:3:4", id="four parts"),
        pytest.param("1.2345", id="less than a millisecond"),
        pytest.param("٣", id="a digit of another script"),
        pytest.param("12345678", id="more seconds than a recording has"),
        pytest.param("2026-01-20T11:30:22.488", id="an ISO time without a zone"),
        pytest.param("2026-01-20", id="a day"),
        pytest.param("20261320113022488", id="a stamp of month 13"),
        pytest.param("2026-02-30T11:30:22Z", id="a day that does not exist"),
        pytest.param(" 90", id="a space"),
        pytest.param("9" * 5000, id="very many digits"),
        pytest.param("\x00", id="a control character"),
    ],
)
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(CommandError, match=r"is no moment: give seconds .* such as 2026-01-20T11:30:22.488Z"):
        Moment.parse(text)


@given(text=st.text(max_size=30))
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    try:
        moment = Moment.parse(text)
    except CommandError:
        return
    assert isinstance(moment.at, int)


@given(at_ms=st.integers(0, 253_402_300_799_999))
def test_stamps_and_iso_times_read_alike(at_ms: int) -> None:
    expected = Moment(ticks.from_ms(at_ms), absolute=True)
    assert Moment.parse(stamp17(at_ms)) == expected
    assert Moment.parse(ticks.iso(ticks.from_ms(at_ms))) == expected


@given(offset_ms=st.integers(0, 999 * 3_600_000))
def test_an_offset_survives_as_text(offset_ms: int) -> None:
    count = ticks.from_ms(offset_ms)
    assert Moment.parse(f"+{ticks.duration(count)}") == Moment(count, absolute=False)


def test_an_offset_counts_from_the_recording_s_start_and_a_time_does_not() -> None:
    assert after(90).utc(1000) == 1000 + 90 * ticks.TICKS
    assert Moment(5, absolute=True).utc(1000) == 5


@pytest.mark.parametrize(
    ("start", "end", "good"),
    [
        pytest.param(after(1), after(2), True, id="a second"),
        pytest.param(after(2), after(2), False, id="nothing"),
        pytest.param(after(2), after(1), False, id="backwards"),
        pytest.param(after(0), after(0), False, id="nothing at the beginning"),
        pytest.param(Moment(5, absolute=True), Moment(4, absolute=True), False, id="backwards in UTC"),
        pytest.param(
            Moment(5, absolute=True), after(0), True, id="not to be compared before the recording is known"
        ),
        pytest.param(None, after(1), True, id="an end only"),
        pytest.param(after(1), None, True, id="a start only"),
    ],
)
def test_an_end_lies_after_its_start(start: Moment | None, end: Moment | None, good: bool) -> None:  # noqa: FBT001 - a column of the table
    if good:
        assert Options(start=start, end=end).end == end
        return
    with pytest.raises(
        CommandError, match=re.escape("--end lies before --start: give an end that is later.")
    ):
        Options(start=start, end=end)


def test_a_container_of_sound_alone_means_sound_alone() -> None:
    assert Options(container=Container.M4A) == Options(container=Container.M4A, tracks=Tracks.AUDIO)
    with pytest.raises(CommandError, match="--container m4a has no pictures"):
        Options(container=Container.M4A, tracks=Tracks.VIDEO)


def test_options_are_written_down_in_full() -> None:
    options = Options(
        uids=("b", "a"),
        by=By.SESSION,
        tracks=Tracks.AUDIO,
        gaps=Gaps.DROP,
        screen=Screen.FILL,
        align=Align.RECORDING,
        missing=Missing.FAIL,
        start=after(1.5),
        end=Moment(ticks.from_ms(AT_MS), absolute=True),
        max_audio_edits=7,
        name="{uid}",
        verify=Verify.FAST,
    )
    assert options.as_text() == {
        "uids": "a b",
        "by": "session",
        "tracks": "audio",
        "container": "mp4",
        "gaps": "drop",
        "on_change": "fit",
        "screen": "fill",
        "mix": "",
        "loudness": "",
        "align": "recording",
        "missing": "fail",
        "start": "+0:01.500",
        "end": "2026-01-20T11:30:22.488Z",
        "max_audio_edits": "7",
        "name": "{uid}",
        "verify": "fast",
    }
    assert Options().as_text() == {
        "uids": "",
        "by": "user",
        "tracks": "av",
        "container": "mp4",
        "gaps": "hold",
        "on_change": "fit",
        "screen": "own",
        "mix": "",
        "loudness": "",
        "align": "user",
        "missing": "fill",
        "start": "",
        "end": "",
        "max_audio_edits": "60",
        "name": "",
        "verify": "full",
    }


def test_a_negative_number_of_edits_is_refused() -> None:
    with pytest.raises(CommandError, match="--max-audio-edits is below 0: give a number of frames an hour"):
        Options(max_audio_edits=-1)


def test_the_order_of_users_does_not_matter_and_their_ids_do() -> None:
    assert Options(uids=("a", "b")).as_text() == Options(uids=("b", "a")).as_text()
    assert Options(uids=("a b",)).as_text() != Options(uids=("a", "b")).as_text()


@pytest.mark.parametrize(
    ("tracks", "media"),
    [
        (Tracks.BOTH, (Medium.VIDEO, Medium.AUDIO)),
        (Tracks.AUDIO, (Medium.AUDIO,)),
        (Tracks.VIDEO, (Medium.VIDEO,)),
    ],
)
def test_tracks_stand_for_media(tracks: Tracks, media: tuple[Medium, ...]) -> None:
    assert tracks.media == media

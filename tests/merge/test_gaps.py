"""What is shown and heard while a user is absent: the last picture, black, nothing; and silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.errors import ExitCode
from pipeline.model.options import Gaps, Options
from tests import truth
from tests.merge.merging import (
    TICKS_A_MS,
    Merged,
    assert_beeps,
    assert_pictures,
    beeps_ms,
    first_and_end_ms,
    merge,
    pictures_ms,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.merge.conftest import Merging

BLACK = 20
"""Luma below this is black; the black of test pictures is 32."""

LONG = 3600 * 90_000
FILLED = {
    # fixture: (file ms where black begins, ms where it ends) as the scenarios' stretches say
    "camera-off-microphone-on": [(0, 200), (6000, 14_000), (20_000, 24_000)],
    "microphone-off-camera-on": [(0, 200)],
    "gap-of-two-hours": [(0, 200), (5000, 7_205_500)],
    "late-picture": [(0, 9000)],
    "rotation-90": [(0, 200)],
    "hevc": [(0, 300)],
    "b-frames": [(0, 500)],
    "ramp-up": [(0, 200)],
}


def blacks(result: Merged) -> list[tuple[int, int]]:
    """From and to, in ms of the file, of each stretch that shows black."""
    output = result.only
    shown: list[tuple[int, bool]] = []
    with av.open(str(result.file(output))) as container:
        for frame in container.decode(video=0):
            assert frame.pts is not None
            assert frame.time_base is not None
            luma = np.asarray(frame.to_ndarray(format="yuv420p")[: frame.height])
            shown.append((round(frame.pts * frame.time_base * 1000), int(luma.max()) < BLACK))
    ends = [*(at for at, _ in shown[1:]), output.duration // TICKS_A_MS]
    return [(at, end) for (at, black), end in zip(shown, ends, strict=True) if black]


@pytest.mark.parametrize("name", FILLED)
def test_black_is_shown_exactly_where_there_is_no_picture(name: str, merged: Merging, tmp_path: Path) -> None:
    result = merged(name, Options(gaps=Gaps.BLACK))
    assert result.code is ExitCode.GOOD
    found = blacks(result)
    assert len(found) == len(FILLED[name])
    for seen, told in zip(found, FILLED[name], strict=True):
        assert seen == pytest.approx(told, abs=22)  # silence ends on whole sound frames
    user = result.sender(result.only)
    assert_pictures(result, result.only, pictures_ms(result.made, user))
    if result.only.duration < LONG:  # of two hours test_truth decodes the sound
        assert_beeps(result, result.only, beeps_ms(result.made, user), tmp_path)
        truth.decodes_silently(result.file(result.only))
    told_fills = next(track.fills for track in result.only.tracks if track.medium == "video")
    assert sum(fill.count for fill in told_fills) == len(found)


@pytest.mark.parametrize("name", ["camera-off-microphone-on", "gap-of-two-hours", "hevc"])
def test_the_packets_copied_are_the_same_with_black_as_with_held_pictures(name: str, merged: Merging) -> None:
    held, black = merged(name), merged(name, Options(gaps=Gaps.BLACK))
    for one, two in zip(held.only.tracks, black.only.tracks, strict=True):
        assert (one.packets_out, one.dropped) == (two.packets_out, two.dropped)
        assert [span.at for span in one.spans] == [span.at for span in two.spans]


@pytest.mark.parametrize(
    ("name", "gaps", "length_ms"),
    [
        ("gap-of-two-hours", Gaps.HOLD, 7_210_000),
        ("gap-of-two-hours", Gaps.BLACK, 7_210_000),
        ("gap-of-two-hours", Gaps.DROP, 9700),
        ("camera-off-microphone-on", Gaps.DROP, 24_000),
    ],
)
def test_only_dropping_takes_time_out(name: str, gaps: Gaps, length_ms: int, merged: Merging) -> None:
    result = merged(name, Options(gaps=gaps))
    assert result.only.duration / TICKS_A_MS == pytest.approx(length_ms, abs=22)
    first, end = first_and_end_ms(result.made, result.sender(result.only))
    assert sum(piece.length for piece in result.only.map) == result.only.duration
    assert result.only.utc_zero_ms == pytest.approx(first, abs=1)
    last = result.only.map[-1]
    assert last.utc_ms + last.length / TICKS_A_MS == pytest.approx(end, abs=22)


MUTED = """
vendor = "agora"
start = 2026-03-02T09:00:00.250Z

[[users]]
uid = "7"
rate = {rate}
channels = {channels}
sound = [[0.0, 4.0], [9.37, 14.0]]
"""


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [16_000, 32_000, 44_100, 48_000])
def test_a_mute_is_silent_in_every_configuration(rate: int, channels: int, tmp_path: Path) -> None:
    made = make(parse(MUTED.format(rate=rate, channels=channels)), tmp_path / "in")
    result = merge(made, tmp_path / "out")
    assert_beeps(result, result.only, beeps_ms(made, result.sender(result.only)), tmp_path)
    truth.decodes_silently(result.file(result.only))
    loudest = 0.0
    with av.open(str(result.file(result.only))) as container:
        for frame in container.decode(audio=0):
            assert (frame.sample_rate, frame.layout.nb_channels) == (rate, channels)
            # The transforms overlap: a frame of 1024 samples fades on both sides of the mute.
            if frame.time is not None and 4.0 + 2048 / rate <= frame.time <= 9.37 - 3072 / rate:
                loudest = max(loudest, float(np.abs(frame.to_ndarray()).max()))
    assert loudest == 0.0

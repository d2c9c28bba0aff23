"""Outputs as the most used player plays them: where beeps are *heard*, whether seeks land, to the end.

Chromium counts samples and closes small holes, whatever time stamps say; so the place of a beep is measured
in what comes out of the element while it plays, against the element's own clock.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.demo.picture import read
from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.demo.sound import onsets
from tests.browser.chromium import BROWSER, Report, watch
from tests.merge.merging import Merged, beeps_ms, merge, pictures_ms
from tests.truth import without_bars

if TYPE_CHECKING:
    from pipeline.model.manifest import Output

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        BROWSER is None and os.environ.get("CI") != "true",
        reason="chromium is not installed (Debian: apt-get install chromium); CI must have it",
    ),
]

SCENARIO = """
vendor = "agora"
start = 2026-03-02T09:00:00.250Z

# Nothing special: what the other users are measured against.
[[users]]
uid = "1"
size = "160x120"
fps = 10
sound = [[0.0, 20.0]]
picture = [[0.0, 20.0]]

# Mutes of lengths that are no whole frames, and one that outlasts the pictures.
[[users]]
uid = "2"
size = "160x120"
fps = 10
sound = [[0.0, 3.0], [4.21, 6.01], [7.22, 9.03], [10.41, 13.0], [16.333, 20.0]]
picture = [[0.4, 13.0], [16.4, 20.0]]

# The microphone comes on 7.3 s after the camera.
[[users]]
uid = "3"
size = "160x120"
fps = 10
sound = [[7.3, 20.0]]
picture = [[0.0, 20.0]]

# WebRTC ramps up and down again: other sizes, which are re-encoded to fit.
[[users]]
uid = "4"
size = "240x180"
fps = 10
sound = [[0.0, 20.0]]
picture = [[0.0, 20.0]]
changes = [{ at = 4.0, size = "160x120" }, { at = 10.5, size = "320x240" }, { at = 12.0, size = "160x120" }]

# A phone that is held upright for a while.
[[users]]
uid = "5"
size = "160x120"
fps = 10
bframes = 2
sound = [[0.0, 20.0]]
picture = [[0.0, 20.0]]
changes = [{ at = 4.3, rotation = 90 }, { at = 11.7, rotation = 0 }]

# A browser: VP9 and Opus, which MP4 holds; he mutes, and turns his camera off.
[[users]]
uid = "6"
size = "160x120"
fps = 10
sound = [[0.0, 6.0], [8.5, 20.0]]
picture = [[0.2, 9.0], [12.0, 20.0]]
web = [[0.0, 20.0]]
web_codec = "vp9"

# Another browser: VP8, which becomes H.264; the recorder makes AAC of his sound.
[[users]]
uid = "7"
size = "160x120"
fps = 10
jitter_ms = 20
sound = [[0.0, 20.0]]
picture = [[0.2, 20.0]]
web = [[0.0, 20.0]]
web_sound = false
"""
RATE = 48_000
ALLOWED_MS = 10 + 512 * 1000 / RATE
"""By sample count: 10 ms and half an AAC frame."""
RESOLUTION_MS = 6
"""The element's clock moves in steps of the audio device's buffer; the median over a second is this good."""
AROUND_S = 0.5
SEEKS_S = (0.05, 5.05, 11.05, 14.55, 2.05, 17.95, 8.65, 4.15, 12.45, 16.25)


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Merged:
    """The outputs of the scenario above."""
    place = tmp_path_factory.mktemp("browser")
    return merge(make(parse(SCENARIO), place / "in"), place / "out")


@pytest.fixture(scope="module")
def report(call: Merged) -> Report:
    """What Chromium makes of them."""
    assert BROWSER is not None, "CI must have chromium"
    files = {output.file: call.file(output) for output in call.outputs}
    return watch(files, dict.fromkeys(files, SEEKS_S))


EVERYBODY = ["1", "2", "3", "4", "5", "6", "7"]


def _beeps_s(call: Merged, output: Output) -> list[float]:
    return [(at - output.utc_zero_ms) / 1000 for at in beeps_ms(call.made, call.sender(output))]


def _heard_s(report: Report, output: Output) -> list[float]:
    """Media seconds by the element's clock at which beeps came out."""
    found = report.found[output.file]
    clock = np.array([pair for pair in found["clock"] if pair[1] > 0])
    heard = []
    for onset in onsets(report.heard[output.file], RATE):
        at = (found["first"] + onset) / RATE
        near = clock[np.abs(clock[:, 0] - at) <= AROUND_S]
        heard.append(at + float(np.median(near[:, 1] - near[:, 0])))
    return heard


def _by_uid(call: Merged, uid: str) -> Output:
    return next(output for output in call.outputs if output.uid == uid)


def _latency_s(call: Merged, report: Report) -> float:
    """How much later than its clock the element sounds: measured where nothing is special."""
    plain = _by_uid(call, "1")
    return float(np.median(np.array(_heard_s(report, plain)) - np.array(_beeps_s(call, plain))))


@pytest.mark.parametrize("uid", EVERYBODY)
def test_every_beep_is_heard_at_its_place_while_it_plays(uid: str, call: Merged, report: Report) -> None:
    output = _by_uid(call, uid)
    expected, heard = _beeps_s(call, output), _heard_s(report, output)
    assert len(heard) == len(expected)
    off = 1000 * (np.array(heard) - np.array(expected) - _latency_s(call, report))
    assert np.abs(off).max() <= ALLOWED_MS + RESOLUTION_MS, f"beeps are off by {np.round(off, 1)} ms"


@pytest.mark.parametrize("uid", EVERYBODY)
def test_every_beep_is_decoded_at_its_place(uid: str, call: Merged, report: Report) -> None:
    output = _by_uid(call, uid)
    decoded = onsets(report.decoded[output.file], RATE) / RATE
    expected = _beeps_s(call, output)
    assert len(decoded) == len(expected)
    assert 1000 * np.abs(decoded - np.array(expected)).max() <= ALLOWED_MS


@pytest.mark.parametrize("uid", EVERYBODY)
def test_it_plays_to_its_end_without_an_error_in_its_length_and_size(
    uid: str, call: Merged, report: Report
) -> None:
    output = _by_uid(call, uid)
    found = report.found[output.file]
    assert found["error"] is None
    assert (found["width"], found["height"]) == (160, 120)
    assert found["duration"] == pytest.approx(output.duration / 90_000, abs=0.002)
    assert found["clock"][-1][1] == pytest.approx(found["duration"], abs=0.2)


@pytest.mark.parametrize("uid", EVERYBODY)
def test_it_is_fetched_by_ranges(uid: str, call: Merged, report: Report) -> None:
    assert report.ranges[_by_uid(call, uid).file] > 0


@pytest.mark.parametrize("uid", EVERYBODY)
def test_seeks_land_on_the_picture_of_that_moment(uid: str, call: Merged, report: Report) -> None:
    output = _by_uid(call, uid)
    sent = pictures_ms(call.made, call.sender(output))
    for look in report.found[output.file]["looks"]:
        assert look["at"] == pytest.approx(look["asked"], abs=0.001)
        coded = read(without_bars(np.array(look["luma"], dtype=np.uint8).reshape(120, 160)))
        moment = output.utc_zero_ms + look["asked"] * 1000
        before = bisect_right(sent, moment)
        if before:  # nothing is shown before the first picture
            assert coded is not None
            assert coded.at_ms == sent[before - 1]

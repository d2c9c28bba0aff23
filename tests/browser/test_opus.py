"""Sound of web senders, copied into MP4, as Chromium decodes it: by count, the encoder's delay taken off."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.demo.sound import onsets
from pipeline.job.merge import merge_all
from pipeline.model.options import Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests.browser.chromium import BROWSER, Report, watch
from tests.merge.web_sound import RATE, ZERO_MS, WebSound

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        BROWSER is None and os.environ.get("CI") != "true",
        reason="chromium is not installed (Debian: apt-get install chromium); CI must have it",
    ),
]
SOUND = WebSound(((0, 3_000), (4_210, 8_000)), channels=2)
ALLOWED_MS = 10 + 480 * 1000 / RATE
"""By sample count: 10 ms and half a packet of silence."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    assert BROWSER is not None, "CI must have chromium"
    place: Path = tmp_path_factory.mktemp("browser")
    SOUND.record(place / "in")
    (done,) = merge_all(Folder(place / "in"), place / "out", Options(), Limits())
    (output,) = done.manifest.outputs
    return watch({"sound": place / "out" / output.file}, {"sound": ()})


def test_every_beep_is_decoded_at_its_place(report: Report) -> None:
    expected = (np.array(SOUND.beeps_ms) - ZERO_MS) / 1000
    decoded = onsets(report.decoded["sound"], RATE) / RATE
    assert len(decoded) == len(expected)
    before = expected < 4
    assert np.abs(decoded - expected)[before].max() <= 0.001, "before the mute to a millisecond"
    assert np.abs(decoded - expected).max() * 1000 <= ALLOWED_MS


def test_it_plays_to_its_end_without_an_error(report: Report) -> None:
    found = report.found["sound"]
    assert found["error"] is None
    assert found["duration"] == pytest.approx(8.0, abs=0.03)

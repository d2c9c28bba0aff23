"""Sound that was encoded to fit, as Chromium decodes it: by count, the encoders' delays taken off."""

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
from tests.merge.changing_sound import ZERO_MS, Part, record

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        BROWSER is None and os.environ.get("CI") != "true",
        reason="chromium is not installed (Debian: apt-get install chromium); CI must have it",
    ),
]
RATE = 48_000
ALLOWED_MS = 10 + 512 * 1000 / RATE
"""By sample count: 10 ms and half an AAC frame."""
AAC, AAC_44, OPUS = "aac 48000 Hz mono", "aac 44100 Hz stereo", "opus 48000 Hz mono"
CALLS = {
    "encoded at the beginning": (Part(0, 3, AAC_44), Part(3, 8, AAC)),
    "encoded in the midst": (Part(0, 4, AAC), Part(4.3, 6, OPUS), Part(6.4, 9, AAC)),
    "encoded into Opus": (Part(0, 2, AAC_44), Part(2.5, 8, OPUS)),
}


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, dict[str, list[int]]]:
    assert BROWSER is not None, "CI must have chromium"
    files: dict[str, Path] = {}
    beeps: dict[str, list[int]] = {}
    for name, parts in CALLS.items():
        place = tmp_path_factory.mktemp("browser")
        recorded = record(parts, place / "in")
        (done,) = merge_all(Folder(recorded.place), place / "out", Options(), Limits())
        (output,) = done.manifest.outputs
        key = name.replace(" ", "-")
        files[key], beeps[name] = place / "out" / output.file, recorded.beeps_ms
    return watch(files, dict.fromkeys(files, ())), beeps


@pytest.mark.parametrize("name", CALLS)
def test_every_beep_is_decoded_at_its_place(name: str, heard: tuple[Report, dict[str, list[int]]]) -> None:
    report, beeps = heard
    expected = (np.array(beeps[name]) - ZERO_MS) / 1000
    key = name.replace(" ", "-")
    assert report.found[key]["error"] is None
    decoded = onsets(report.decoded[key], RATE) / RATE
    assert len(decoded) == len(expected)
    assert np.abs(decoded - expected).max() * 1000 <= ALLOWED_MS

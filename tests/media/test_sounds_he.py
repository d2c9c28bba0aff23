"""Sound that changes from or to HE-AAC, which its headers call AAC-LC of half the rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import pytest

from pipeline.demo.sound import beeps
from pipeline.media.encode import encode_sound
from pipeline.media.ts.writer import write_slice
from tests import truth
from tests.media.he_aac import CORE_RATE, DELAY, RATE, he_aac
from tests.media.remuxing import Copied, copy_of
from tests.media.ts_material import sound_pes

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 90_000


def he(first_s: int, seconds: int, channels: int) -> bytes:
    """A slice of HE-AAC that begins at a second and beeps at each, as one hears it."""
    count = seconds * CORE_RATE // 1024 * 1024
    start = first_s * CORE_RATE + 1024 + DELAY
    sound = beeps(start, count, CORE_RATE, 0, channels=channels, tone_hz=1000)
    coded = he_aac(encode_sound([sound], rate=CORE_RATE, channels=channels), channels=channels)
    return write_slice(sound_pes(list(coded), 10**7 + first_s * SECOND, rate=CORE_RATE))


def lc(first_s: int, seconds: int) -> bytes:
    count = seconds * RATE // 1024 * 1024
    sound = beeps(first_s * RATE + 1024, count, RATE, 0, channels=1, tone_hz=1000)
    return write_slice(
        sound_pes(list(encode_sound([sound], rate=RATE, channels=1)), 10**7 + first_s * SECOND)
    )


def assert_heard(made: Copied, expected: list[int], core: int, tmp: Path) -> None:
    assert truth.beeps_by_pts(made.path) == pytest.approx(expected, abs=0.001)
    assert truth.beeps_by_count(made.path, tmp) == pytest.approx(expected, abs=0.01 + 512 / core)
    truth.decodes_silently(made.path)
    assert made.problems() == ()


@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_encoded_into_he_aac_leaves_decoders_as_they_are(channels: int, tmp_path: Path) -> None:
    slices = [(he(0, 6, channels), 0), (lc(7, 3), 7 * SECOND), (he(11, 6, channels), 11 * SECOND)]
    made = copy_of(tmp_path, audio=slices)
    told = made.told("audio")
    assert (told.rate, told.channels, told.packets_encoded) == (CORE_RATE, channels, 141)
    with av.open(str(made.path)) as container:
        shapes = {(frame.sample_rate, frame.samples) for frame in container.decode(audio=0)}
    assert shapes == {(RATE, 2048)}
    assert_heard(made, [1, 2, 3, 4, 5, 8, 9, 12, 13, 14, 15, 16], CORE_RATE, tmp_path)


def test_he_aac_is_encoded_with_both_of_its_bands_heard_at_their_time(tmp_path: Path) -> None:
    made = copy_of(tmp_path, audio=[(lc(0, 5), 0), (he(6, 4, 1), 6 * SECOND), (lc(11, 5), 11 * SECOND)])
    told = made.told("audio")
    assert (told.rate, told.channels) == (RATE, 1)
    assert told.packets_encoded == told.packets_in - told.packets_out > 0
    assert_heard(made, [1, 2, 3, 4, 7, 8, 9, 12, 13, 14, 15], RATE, tmp_path)

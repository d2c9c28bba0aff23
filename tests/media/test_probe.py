from __future__ import annotations

import numpy as np
import pytest

from pipeline.media.aac import AdtsConfig
from pipeline.media.annexb import normalise
from pipeline.media.encode import AAC_FRAME, encode_sound
from pipeline.media.probe import Extension, extension, picture_size
from tests.media.he_aac import he_aac
from tests.media.listening import V1, V2, clip
from tests.media.mp4_material import sound
from tests.media.ts_material import Codec, coded_pictures


def sets_of(codec: Codec, size: tuple[int, int]) -> bytes:
    unit = normalise(coded_pictures(1, codec, 0, size)[0].data, codec)
    return b"".join(b"\0\0\0\1" + nal for nal in unit.parameter_sets)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("size", [(96, 64), (640, 360), (320, 180), (1280, 720), (178, 100)])
def test_parameter_sets_tell_the_size_with_cropping_done(codec: Codec, size: tuple[int, int]) -> None:
    assert picture_size(codec, sets_of(codec, size)) == size


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize(
    "sets", [b"", b"\0\0\0\1", b"\0\0\0\1\x67", b"junk" * 100, b"\0\0\0\1\x67" + b"\xff" * 50]
)
def test_what_is_no_parameter_set_has_no_size(codec: str, sets: bytes) -> None:
    assert picture_size(codec, sets) == (0, 0)


def test_a_cut_parameter_set_has_no_size_or_its_own() -> None:
    whole = sets_of("h264", (640, 360))
    for length in range(0, len(whole), 3):
        assert picture_size("h264", whole[:length]) in {(0, 0), (640, 360)}


@pytest.mark.parametrize(("name", "expected"), [(V1, Extension.SBR), (V2, Extension.PS)])
@pytest.mark.parametrize("begin", [0, 1, 33])
def test_what_extends_aac_is_seen_wherever_the_stream_begins(
    name: str, expected: Extension, begin: int
) -> None:
    blocks, config = clip(name)
    assert extension(config, blocks[begin : begin + 20]) is expected


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [22050, 48000])
def test_aac_lc_is_extended_by_nothing(rate: int, channels: int) -> None:
    blocks, config = sound(rate, channels, seconds=1)
    assert extension(config, blocks) is Extension.NONE


def test_the_core_of_v1_in_mono_is_not_taken_for_v2() -> None:
    coded = he_aac(
        encode_sound([np.zeros((1, 20 * AAC_FRAME), np.int16)], rate=24_000, channels=1), channels=1
    )
    assert extension(AdtsConfig(2, 6, 1), [each.block for each in coded]) is Extension.SBR


@pytest.mark.parametrize("blocks", [[], [b""], [b"\xff" * 40] * 3])
def test_what_is_no_aac_has_no_extension(blocks: list[bytes]) -> None:
    assert extension(AdtsConfig(2, 6, 1), blocks) is Extension.NONE

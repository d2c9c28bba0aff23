from __future__ import annotations

import pytest

from pipeline.media.annexb import normalise
from pipeline.media.probe import picture_size
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

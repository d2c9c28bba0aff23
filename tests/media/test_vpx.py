from __future__ import annotations

from io import BytesIO
from typing import Literal

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media.vpx import VpxFrame, is_key, read_frame, read_vp8, read_vp9
from tests.media.webm_material import GOP, SIZE, coded_pictures

VpxCodec = Literal["vp8", "vp9"]
CODECS: tuple[VpxCodec, ...] = ("vp8", "vp9")


@pytest.mark.parametrize("codec", CODECS)
def test_frames_of_libvpx_say_what_they_are(codec: VpxCodec) -> None:
    for number, coded in enumerate(coded_pictures(codec)):
        frame = read_frame(codec, coded.data)
        assert frame is not None
        assert frame.key is is_key(codec, coded.data) is coded.key is (number % GOP == 0)
        assert frame.shown
        assert (frame.width, frame.height) == (SIZE if frame.key else (0, 0))
        assert (frame.bit_depth, frame.subsampling) == (8, (True, True))


@pytest.mark.parametrize(
    ("pixels", "profile", "subsampling", "space"),
    [
        ("yuv420p", 0, (True, True), 0),
        ("yuv422p", 1, (True, False), 0),
        ("yuv440p", 1, (False, True), 0),
        ("yuv444p", 1, (False, False), 0),
        ("gbrp", 1, (False, False), 7),
    ],
)
def test_profiles_of_vp9_are_those_of_libvpx(
    pixels: str, profile: int, subsampling: tuple[bool, bool], space: int
) -> None:
    file = BytesIO()
    with av.open(file, "w", format="ivf") as out:
        stream = out.add_stream("libvpx-vp9", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 66, 34, pixels
        frame = av.VideoFrame.from_ndarray(np.zeros((34, 66, 3), np.uint8)).reformat(format=pixels)
        frame.pts = 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    found = read_vp9(file.getvalue()[32 + 12 :])  # behind the headers of file and frame
    assert found is not None
    assert (found.key, found.width, found.height) == (True, 66, 34)
    assert (found.profile, found.bit_depth, found.subsampling, found.colour_space) == (
        profile,
        8,
        subsampling,
        space,
    )


@pytest.mark.parametrize(
    ("data", "frame"),
    [
        ("100000 9d012a 4001 b400", VpxFrame(key=True, shown=True, width=320, height=180)),
        ("100000 9d012a 4041 b480", VpxFrame(key=True, shown=True, width=320, height=180)),  # to be scaled
        ("000000 9d012a 4001 b400", VpxFrame(key=True, shown=False, width=320, height=180)),
        ("110000", VpxFrame(key=False, shown=True)),
        ("170000", VpxFrame(key=False, shown=True, profile=3)),
        ("1f0000", None),
        ("100000 9d012b 4001 b400", None),
        ("100000 9d012a 4001 b4", None),
        ("100000 9d012a 0000 b400", None),
        ("1000", None),
        ("", None),
    ],
)
def test_headers_of_vp8_are_those_of_the_rfc(data: str, frame: VpxFrame | None) -> None:
    assert read_vp8(bytes.fromhex(data)) == frame


def _bits(*parts: tuple[int, int]) -> bytes:
    """Values of so many bits each, one after another."""
    text = "".join(f"{value:0{count}b}" for value, count in parts)
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")


SYNC, SIDES = (0x498342, 24), ((319, 16), (179, 16))


@pytest.mark.parametrize(
    ("data", "frame"),
    [
        (
            _bits((0b10_01_0_0_1_0, 8), SYNC, (0, 1), (5, 3), (1, 1), *SIDES),
            VpxFrame(True, True, 320, 180, 2, 10, (True, True), True, 5),
        ),
        (
            _bits((0b10_11_0_0_0_1_0, 9), SYNC, (1, 1), (2, 3), (0, 1), (0b10_0, 3), *SIDES),
            VpxFrame(True, True, 320, 180, 3, 12, (True, False), False, 2),
        ),
        (
            _bits((0b10_11_0_0_0_0_0, 9), SYNC, (0, 1), (7, 3), (0, 1), *SIDES),
            VpxFrame(True, False, 320, 180, 3, 10, (False, False), True, 7),
        ),
        (_bits((0b10_11_0_0_0_1_0, 9), SYNC, (1, 1), (2, 3), (0, 1), (0b11_0, 3), *SIDES), None),
        (_bits((0b10_11_1_0_0_1_0, 9), SYNC, (1, 1), (2, 3), (0, 1), (0b10_0, 3), *SIDES), None),
    ],
    ids=["10 bits", "4:2:2 of 12 bits", "RGB of 10 bits, hidden", "4:2:0 in profile 3", "reserved bit"],
)
def test_deeper_profiles_are_those_of_the_specification(data: bytes, frame: VpxFrame | None) -> None:
    assert read_vp9(data) == frame


@pytest.mark.parametrize(
    ("data", "frame"),
    [
        ("82 498342 00 13f0 0b30", VpxFrame(key=True, shown=True, width=320, height=180)),
        ("86", VpxFrame(key=False, shown=True)),
        ("84", VpxFrame(key=False, shown=False)),
        ("88", VpxFrame(key=False, shown=True)),  # shows a frame that is there already
        ("82 498343 00 13f0 0b30", None),
        ("82 498342 00 13f0 0b", None),
        ("42 498342 00 13f0 0b30", None),
        ("82 498342 e0 13f0 0b30", None),  # RGB in profile 0
        ("", None),
    ],
)
def test_headers_of_vp9_are_those_of_the_specification(data: str, frame: VpxFrame | None) -> None:
    assert read_vp9(bytes.fromhex(data)) == frame


@given(st.binary(max_size=24), st.sampled_from(CODECS))
def test_the_short_way_to_know_a_key_frame_is_the_long_one(data: bytes, codec: VpxCodec) -> None:
    frame = read_frame(codec, data)
    assert is_key(codec, data) is (frame is not None and frame.key)


@given(st.integers(0, 255), st.sampled_from(CODECS))
def test_so_it_is_for_every_first_byte(first: int, codec: VpxCodec) -> None:
    good = coded_pictures(codec)[0].data
    frame = read_frame(codec, bytes((first,)) + good[1:])
    assert is_key(codec, bytes((first,)) + good[1:]) is (frame is not None and frame.key)

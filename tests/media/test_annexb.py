from __future__ import annotations

import re
from struct import unpack
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media.annexb import AccessUnit, normalise
from tests.media.mp4_material import pictures

if TYPE_CHECKING:
    from pipeline.media.annexb import Codec

CODECS = pytest.mark.parametrize("codec", ["h264", "hevc"])


def lengths(payload: bytes) -> list[bytes]:
    """The NAL units of a payload, read the way an MP4 reader does."""
    nals, at = [], 0
    while at < len(payload):
        (size,) = unpack(">I", payload[at : at + 4])
        nals.append(payload[at + 4 : at + 4 + size])
        assert len(nals[-1]) == size
        at += 4 + size
    return nals


def reference(data: bytes, codec: Codec) -> AccessUnit:
    """The same by the book and slowly: ISO/IEC 14496-10 B.1, byte by byte."""
    starts = [at for at in range(len(data) - 2) if data[at : at + 3] == b"\0\0\1"]
    ends = [*starts[1:], len(data)][: len(starts)]
    nals = [data[begin + 3 : end] for begin, end in zip(starts, ends, strict=True)]
    nals = [re.sub(rb"\0+\Z", b"", nal) for nal in nals]
    kept: list[bytes] = []
    sets: list[bytes] = []
    key, begun = False, 0
    for nal in filter(None, nals):
        kind = nal[0] % 32 if codec == "h264" else nal[0] // 2 % 64
        if kind in ((9, 10, 11, 12) if codec == "h264" else (35, 36, 37, 38)):
            continue
        if kind in ((7, 8, 13, 15) if codec == "h264" else (32, 33, 34)):
            sets.append(nal)
            if codec == "hevc":
                continue
        kept.append(nal)
        if codec == "h264":
            key = key or kind == 5
            begun += kind in (1, 2, 5) and len(nal) > 1 and nal[1] >= 128
        else:
            key = key or 16 <= kind <= 21
            begun += kind < 32 and len(nal) > 2 and nal[2] >= 128
    payload = b"".join(len(nal).to_bytes(4, "big") + nal for nal in kept)
    before = data[: starts[0]] if starts else data
    return AccessUnit(payload, key, tuple(sets), begun, len(kept), len(before.rstrip(b"\0")))


pieces = st.one_of(
    st.sampled_from([b"\0", b"\0\0\1", b"\0\0\0\1", b"\0\0\3", b"\1", b"\x65\x88", b"\x09\xf0", b"\x41"]),
    st.integers(0, 255).map(lambda first: b"\0\0\1" + bytes([first])),
    st.binary(max_size=6),
)


@CODECS
@given(data=st.lists(pieces, max_size=40).map(b"".join))
def test_any_bytes_give_what_the_specification_says(codec: Codec, data: bytes) -> None:
    assert normalise(data, codec) == reference(data, codec)


@pytest.mark.parametrize("slices", [1, 3], ids=["one slice a picture", "three slices a picture"])
@CODECS
def test_real_access_units_are_one_picture_each_with_the_key_flags_of_ffmpeg(
    codec: Literal["h264", "hevc"], slices: int
) -> None:
    coded = pictures(codec, slices=slices)
    units = [normalise(data, codec) for data in coded.units]
    assert units == [reference(data, codec) for data in coded.units]
    assert {unit.pictures for unit in units} == {1}
    assert [unit.key for unit in units] == list(coded.keys)
    assert sum(coded.keys) == 2
    assert {bool(unit.parameter_sets) for unit in units if unit.key} == {True}
    assert max(unit.nal_units for unit in units) >= slices


@CODECS
def test_the_parameter_sets_of_the_extradata_are_those_in_band(codec: Literal["h264", "hevc"]) -> None:
    coded = pictures(codec)
    sets = normalise(coded.extradata, codec).parameter_sets
    assert len(sets) == (2 if codec == "h264" else 3)
    assert normalise(coded.units[0], codec).parameter_sets == sets


SPS, PPS, IDR, SLICE, SEI = (
    b"\x67\x64\x01",
    b"\x68\xeb\x02",
    b"\x65\x88\x84",
    b"\x41\x9a\x24",
    b"\x06\x05\x01\x80",
)
LATER_SLICE = b"\x41\x40\x24"


def annexb(*nals: bytes) -> bytes:
    return b"".join(b"\0\0\0\1" + nal for nal in nals)


@pytest.mark.parametrize(
    ("data", "kept", "key", "sets", "begun"),
    [
        pytest.param(annexb(b"\x09\xf0", SLICE), [SLICE], False, (), 1, id="a delimiter goes"),
        pytest.param(annexb(SLICE, b"\x0c\xff\xff\x80"), [SLICE], False, (), 1, id="filler goes"),
        pytest.param(annexb(SLICE, b"\x0a", b"\x0b"), [SLICE], False, (), 1, id="ends go"),
        pytest.param(annexb(SPS, PPS, SEI, IDR), [SPS, PPS, SEI, IDR], True, (SPS, PPS), 1, id="sets stay"),
        pytest.param(b"\0\0\1" + SLICE, [SLICE], False, (), 1, id="a start code of three bytes"),
        pytest.param(b"\0" * 9 + b"\1" + SLICE + b"\0" * 5, [SLICE], False, (), 1, id="zero bytes go"),
        pytest.param(annexb(SLICE, LATER_SLICE), [SLICE, LATER_SLICE], False, (), 1, id="two slices"),
        pytest.param(annexb(SLICE, SLICE), [SLICE, SLICE], False, (), 2, id="two pictures in one packet"),
        pytest.param(annexb(b"\x65"), [b"\x65"], True, (), 0, id="a slice of one byte begins nothing"),
        pytest.param(annexb(b"\x09\xf0"), [], False, (), 0, id="a delimiter alone is no picture"),
        pytest.param(annexb(SLICE[:2] + b"\0\0\3\0"), [SLICE[:2] + b"\0\0\3"], False, (), 1, id="03 stays"),
        pytest.param(b"", [], False, (), 0, id="nothing"),
    ],
)  # fmt: skip
def test_h264(data: bytes, kept: list[bytes], key: bool, sets: tuple[bytes, ...], begun: int) -> None:  # noqa: FBT001 - a column of the table
    unit = normalise(data, "h264")
    assert lengths(unit.payload) == kept
    assert unit[1:] == (key, sets, begun, len(kept), 0)


@pytest.mark.parametrize(("kind", "key"), [(kind, 16 <= kind <= 21) for kind in range(24)], ids=str)
def test_hevc_pictures_from_bla_to_cra_are_key_pictures(kind: int, *, key: bool) -> None:
    nal = bytes([kind << 1, 1, 0x80, 0x42])
    unit = normalise(annexb(b"\x46\x01\x50", b"\x40\x01\x0c", nal, b"\x4c\x01\xff"), "hevc")
    assert unit == AccessUnit(b"\0\0\0\4" + nal, key, (b"\x40\x01\x0c",), 1, 1, 0)


def test_bytes_before_the_first_start_code_are_counted() -> None:
    assert normalise(b"tail of another" + annexb(SLICE), "h264").skipped == 15
    assert normalise(b"no start code", "h264") == AccessUnit(b"", False, (), 0, 0, 13)

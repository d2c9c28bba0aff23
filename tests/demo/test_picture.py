from __future__ import annotations

import io

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.demo.picture import COLOURS, Coded, Plane, draw, read, turn
from pipeline.media.encode import VideoCodec, encode_pictures
from pipeline.media.ts.writer import Pes, StreamType, write_slice

START_MS = 1_772_442_000_250
STREAMS: dict[VideoCodec, StreamType] = {"h264": StreamType.H264, "hevc": StreamType.HEVC}


def _luma(picture: Plane) -> Plane:
    return picture[: picture.shape[0] * 2 // 3]


def _decoded(frame: av.VideoFrame) -> Plane:
    return _luma(np.asarray(frame.to_ndarray(format="yuv420p"), dtype=np.uint8))


@given(
    at_ms=st.integers(0, (1 << 44) - 1),
    user=st.integers(0, 255),
    size=st.sampled_from(
        [(160, 120), (120, 160), (320, 180), (178, 122), (1280, 720), (360, 640), (240, 240)]
    ),
)
def test_a_picture_reads_back_what_was_drawn(at_ms: int, user: int, size: tuple[int, int]) -> None:
    assert read(_luma(draw(at_ms, *size, COLOURS[0], user))) == Coded(at_ms, user)


@pytest.mark.parametrize("codec", STREAMS)
@pytest.mark.parametrize(
    ("size", "bit_rate"),
    [((160, 120), None), ((120, 160), None), ((320, 180), None), ((640, 360), 150_000), ((160, 120), 60_000)],
    ids=["the smallest", "portrait", "the demo's", "640x360 at 150 kbit/s", "the smallest at 60 kbit/s"],
)
def test_pictures_survive_the_encoder(codec: VideoCodec, size: tuple[int, int], bit_rate: int | None) -> None:
    width, height = size
    times = [START_MS + index * 67 for index in range(60)]
    coded = encode_pictures(
        [((at - START_MS) * 90, draw(at, width, height, COLOURS[1], 7)) for at in times],
        width=width,
        height=height,
        codec=codec,
        bframes=2,
        bit_rate=bit_rate,
    )
    units = [Pes(STREAMS[codec], each.data, each.pts_ticks, each.dts_ticks, each.key) for each in coded]
    with av.open(io.BytesIO(write_slice(units)), "r", "mpegts") as container:
        seen = [read(_decoded(frame)) for frame in container.decode(video=0)]
    assert seen == [Coded(at, 7) for at in times]


@pytest.mark.parametrize("factor", [0.5, 1.5, 2.0])
def test_a_scaled_picture_reads_the_same(factor: float) -> None:
    frame = av.VideoFrame.from_ndarray(draw(START_MS, 320, 180, COLOURS[2], 3), format="yuv420p")
    width, height = int(320 * factor), int(180 * factor)
    scaled = frame.reformat(width=width, height=height)
    assert read(_decoded(scaled)) == Coded(START_MS, 3)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_picture_is_unreadable_until_it_is_turned_back(quarters: int) -> None:
    upright = draw(START_MS, 320, 180, COLOURS[3], 9)
    turned = turn(upright, quarters)
    assert read(_luma(turned)) is None
    assert read(np.rot90(_luma(turned), -quarters)) == Coded(START_MS, 9)
    assert np.array_equal(turn(turned, -quarters), upright)


@pytest.mark.parametrize("level", [0, 16, 128, 235, 255])
def test_a_plain_picture_says_nothing(level: int) -> None:
    assert read(np.full((180, 320), level, dtype=np.uint8)) is None


@pytest.mark.parametrize("shape", [(1, 1), (4, 16), (10, 40)])
def test_a_picture_too_small_for_the_grid_says_nothing(shape: tuple[int, int]) -> None:
    assert read(np.zeros(shape, dtype=np.uint8)) is None


def test_one_wrong_cell_is_noticed() -> None:
    luma = _luma(draw(START_MS, 320, 180, COLOURS[0], 1)).copy()
    luma[:22, :20] = 255 - luma[:22, :20]
    assert read(luma) is None


@pytest.mark.parametrize(
    ("at_ms", "size", "user", "sentence"),
    [
        (0, (321, 180), 0, "even"),
        (0, (160, 118), 0, "at least 160x120"),
        (1 << 44, (160, 120), 0, "time of a picture"),
        (-1, (160, 120), 0, "time of a picture"),
        (0, (160, 120), 256, "user number"),
    ],
    ids=["odd side", "too small", "time too large", "negative time", "number too large"],
)
def test_what_cannot_be_drawn_is_refused(at_ms: int, size: tuple[int, int], user: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        draw(at_ms, *size, COLOURS[0], user)


def test_pictures_move_and_users_differ_in_colour() -> None:
    first, later = (draw(START_MS + ms, 320, 180, COLOURS[0], 1) for ms in (0, 500))
    assert not np.array_equal(first[100:180], later[100:180])
    other = draw(START_MS, 320, 180, COLOURS[1], 1)
    assert not np.array_equal(first[180:], other[180:])

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, cast

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.demo.picture import COLOURS, draw, read, turn
from pipeline.media.annexb import set_ids, with_start_codes
from pipeline.media.encode import CodedPicture, encode_pictures
from pipeline.media.pictures.fit import Fitter, black_picture, fitted_size
from pipeline.media.pictures.pieces import KEY_EVERY, Fitted, Pieces
from pipeline.model.shapes import Shape
from tests.truth import without_bars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.video.codeccontext import VideoCodecContext

STEP = 6000
FIRST_MS = 1_772_442_000_000


def coded(
    width: int, height: int, *, count: int = 12, bframes: int = 0, quarters: int = 0
) -> list[CodedPicture]:
    """Pictures whose time is their number, turned anticlockwise."""
    sides = (width, height) if quarters % 2 == 0 else (height, width)
    pictures = ((n * STEP, turn(draw(FIRST_MS + n, *sides, COLOURS[0], 1), quarters)) for n in range(count))
    return list(encode_pictures(pictures, width=width, height=height, bframes=bframes))


def fit(pictures: Sequence[CodedPicture], target: Shape, clockwise: int = 0) -> list[Fitted]:
    fitter = Fitter("h264", target, 1)
    made = [each for p in pictures for each in fitter.take(p.data, p.pts_ticks, clockwise)]
    made += fitter.end()
    assert fitter.undecoded == len(pictures) - len(made)
    return made


def decoded(fitted: Sequence[Fitted], codec: str = "h264") -> list[np.ndarray]:
    decoder = cast("VideoCodecContext", av.CodecContext.create(codec, "r"))
    frames = [frame for each in fitted for frame in decoder.decode(av.Packet(each.data))]
    frames += decoder.decode(None)
    return [np.asarray(f.to_ndarray(format="yuv420p")[: f.height], dtype=np.uint8) for f in frames]


@pytest.mark.parametrize(
    ("size", "quarters", "target", "shown"),
    [
        pytest.param((320, 180), 0, Shape("h264", 640, 360), (640, 360), id="larger"),
        pytest.param((640, 360), 0, Shape("h264", 320, 180), (320, 180), id="smaller"),
        pytest.param((320, 240), 0, Shape("h264", 640, 360), (480, 360), id="bars at the sides"),
        pytest.param((320, 180), 0, Shape("h264", 320, 320), (320, 180), id="bars above and below"),
        pytest.param((320, 180), 1, Shape("h264", 320, 180), (102, 180), id="upright in a lying frame"),
        pytest.param((320, 180), 3, Shape("h264", 180, 320), (180, 320), id="upright in an upright frame"),
        pytest.param((320, 180), 2, Shape("h264", 320, 180), (320, 180), id="upside down"),
        pytest.param((320, 180), 0, Shape("hevc", 640, 360), (640, 360), id="into HEVC"),
    ],
)
def test_pictures_are_turned_and_scaled_with_their_aspect_and_keep_their_times(
    size: tuple[int, int], quarters: int, target: Shape, shown: tuple[int, int]
) -> None:
    made = fit(coded(*size, quarters=quarters), target, clockwise=90 * quarters)
    assert [each.at for each in made] == [n * STEP for n in range(12)]
    assert made[0].key
    for number, luma in enumerate(decoded(made, target.codec)):
        assert luma.shape == (target.height, target.width)
        inner = without_bars(luma)
        assert inner.shape[::-1] == pytest.approx(shown, abs=1)
        says = read(inner)
        assert says is not None
        assert says.at_ms == FIRST_MS + number


def test_a_turned_target_shows_pictures_upright_after_its_own_turn() -> None:
    made = fit(coded(320, 180), Shape("h264", 180, 320, 90), clockwise=0)
    for number, luma in enumerate(decoded(made)):
        says = read(without_bars(np.rot90(luma, -1)))
        assert says is not None
        assert says.at_ms == FIRST_MS + number


def test_b_frames_come_out_in_order_of_time() -> None:
    made = fit(coded(320, 180, bframes=2), Shape("h264", 640, 360))
    assert [each.at for each in made] == [n * STEP for n in range(12)]


def test_pictures_that_refer_to_earlier_ones_are_decoded_once_these_were_seen() -> None:
    pictures = coded(320, 180)
    fitter = Fitter("h264", Shape("h264", 640, 360), 1)
    for p in pictures[:5]:
        fitter.prime(p.data, p.pts_ticks)
    made = [each for p in pictures[5:] for each in fitter.take(p.data, p.pts_ticks, 0)] + list(fitter.end())
    assert [each.at for each in made] == [n * STEP for n in range(5, 12)]
    assert fitter.undecoded == 0
    first = read(decoded(made)[0])
    assert first is not None
    assert first.at_ms == FIRST_MS + 5


def test_what_cannot_be_decoded_is_counted() -> None:
    pictures = coded(320, 180)
    spoilt = [*pictures[:3], CodedPicture(b"\0\0\0\1\x41", 3 * STEP, 3 * STEP, key=False), *pictures[4:]]
    made = fit(spoilt, Shape("h264", 640, 360))
    assert 3 * STEP not in [each.at for each in made]


def test_the_parameter_sets_have_the_identifier_asked_for() -> None:
    black = black_picture(Shape("h264", 640, 360), 5)
    assert set_ids(black.parameter_sets) == {5}
    (luma,) = decoded([Fitted(0, key=True, data=with_start_codes(black.payload))])
    assert int(luma.max()) <= 17


def in_pieces(steps: Sequence[int]) -> list[Fitted]:
    """The same grey picture again and again, at the file ticks given."""
    pieces = Pieces(Shape("h264", 320, 180), 0)
    grey = np.full((270, 320), 128, dtype=np.uint8)
    made: list[Fitted] = []
    for at in steps:
        picture = av.VideoFrame.from_ndarray(grey, format="yuv420p")
        picture.pts, picture.time_base = at, pieces.time_base
        pieces.put(picture)
        made += pieces.ready()
    return made + list(pieces.end())


@pytest.mark.parametrize("step", [KEY_EVERY // 60, KEY_EVERY // 30, KEY_EVERY // 2, KEY_EVERY, 3 * KEY_EVERY])
def test_pieces_leave_in_order_and_each_begins_with_a_key_frame(step: int) -> None:
    times = [n * step for n in range(1 + 5 * max(1, KEY_EVERY // step))]
    made = in_pieces(times)
    assert [each.at for each in made] == times
    assert [each.at for each in made if each.key] == [at for at in times if at % KEY_EVERY == 0]
    assert len(decoded(made)) == len(times)


def test_key_frames_that_follow_one_another_are_told_apart_by_their_idr_pic_id() -> None:
    # Of the same picture nothing else can differ (H.264 §7.4.3).
    slices = [each.data.rsplit(b"\0\0\1", 1)[1] for each in in_pieces([n * KEY_EVERY for n in range(6)])]
    assert all(one != other for one, other in pairwise(slices))


@given(*[st.integers(16, 4096)] * 2, *[st.integers(8, 2048).map(lambda half: 2 * half)] * 2)
def test_a_fitted_size_is_even_fits_and_touches_the_frame(
    width: int, height: int, most_width: int, most_height: int
) -> None:
    across, down = fitted_size(width, height, most_width, most_height)
    assert across % 2 == down % 2 == 0
    assert 2 <= across <= most_width
    assert 2 <= down <= most_height
    assert across >= most_width - 1 or down >= most_height - 1

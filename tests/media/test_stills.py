"""Which pictures are decoded for moments, and what comes out of the decoder: laws and real codecs."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange
from hypothesis import given
from hypothesis import strategies as st

from pipeline.demo.picture import draw, read, turn
from pipeline.media.stills.decode import StillDecoder, Taken, Unit, size_of
from pipeline.media.stills.window import EarlierError, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


STEP = 100
"""Ticks between pictures in these tests."""


class Written(StillDecoder):
    """Writes down what is decoded, and gives a picture as soon as it was fed."""

    def __init__(self) -> None:
        super().__init__("h264", None)
        self.groups: list[list[int]] = [[]]
        self.lone: list[int] = []
        self._open: list[tuple[int, int]] = []

    @property
    def busy(self) -> bool:
        return bool(self._open)

    def want(self, number: int, at: int) -> Iterator[Taken]:
        if at in self.groups[-1]:
            yield Taken(number, at, None)
        else:
            self._open.append((number, at))

    def feed(self, unit: Unit) -> Iterator[Taken]:
        self.groups[-1].append(unit.at)
        for number, at in [wanted for wanted in self._open if wanted[1] == unit.at]:
            self._open.remove((number, at))
            yield Taken(number, at, None)

    def drain(self) -> Iterator[Taken]:
        assert not self._open, "what is wanted was fed before"
        self.groups.append([])
        yield from ()

    def alone(self, number: int, unit: Unit) -> Taken | None:
        assert unit.key
        self.lone.append(unit.at)
        return Taken(number, unit.at, None)


@st.composite
def streams(draw_: st.DrawFn) -> list[Unit]:
    """Groups of pictures in decoding order: IPPP, or I and P before the B-pictures that are shown first."""
    units: list[Unit] = []
    shown = 10 * STEP
    for _ in range(draw_(st.integers(1, 6))):
        leading = draw_(st.integers(0, 2)) if units else 0  # B-pictures shown before the key frame
        order = [leading, *range(leading)]
        for _ in range(draw_(st.integers(0, 5))):
            between, base = draw_(st.integers(0, 2)), max(order) + 1
            order += [base + between, *range(base, base + between)]
        for place, number in enumerate(order):
            at = shown + number * STEP
            due = units[-1].due + STEP if units else shown - 2 * STEP
            units.append(Unit(at, min(at, due), place == 0, True, b"", 0))
        shown += len(order) * STEP
    return units


moments_of = st.lists(st.integers(8 * STEP, 60 * STEP), min_size=1, max_size=12, unique=True).map(sorted)


@given(streams(), moments_of)
def test_every_moment_gets_the_last_picture_that_is_not_later(units: list[Unit], moments: list[int]) -> None:
    decoder = Written()
    window = Window(list(enumerate(moments)), 0, decoder, whole=True)
    taken = {each.number: each.since for each in window.of(units)}
    for number, at in enumerate(moments):
        shown = [unit.at for unit in units if unit.at <= at]
        assert taken[number] == (max(shown) if shown else at)


@given(streams(), moments_of)
def test_decoding_begins_at_the_last_key_frame_and_goes_no_farther_than_is_needed(
    units: list[Unit], moments: list[int]
) -> None:
    decoder = Written()
    window = Window(list(enumerate(moments)), 0, decoder, whole=True)
    wanted = {each.since for each in window.of(units)}
    keys = {unit.at for unit in units if unit.key}
    for group in filter(None, decoder.groups):
        assert group[0] in keys, "nothing decodes but from a key frame on"
        assert len(set(group)) == len(group), "no picture is decoded twice in one go"
        assert group[-1] in wanted, "what comes behind the last picture that is wanted is not decoded"
        answered = [at for at in moments if max((u.at for u in units if u.at <= at), default=0) in group]
        assert not [key for key in keys if group[0] < key <= answered[0]], "a later key frame was there"


@given(streams(), moments_of, st.integers(1, 8))
def test_the_nearest_key_frame_is_decoded_alone_where_it_is_near(
    units: list[Unit], moments: list[int], steps: int
) -> None:
    decoder, nearest = Written(), steps * STEP
    window = Window(list(enumerate(moments)), nearest, decoder, whole=True)
    taken = {each.number: each.since for each in window.of(units)}
    keys = [unit.at for unit in units if unit.key]
    for number, at in enumerate(moments):
        distance = min(abs(key - at) for key in keys)
        if distance <= nearest:
            assert taken[number] in keys
            assert abs(taken[number] - at) == distance
        else:
            assert taken[number] == max((u.at for u in units if u.at <= at), default=at)


def test_a_moment_before_all_key_frames_asks_for_an_earlier_beginning() -> None:
    units = [Unit(n * STEP, n * STEP, n == 3, True, b"", 0) for n in range(1, 6)]
    with pytest.raises(EarlierError):
        list(Window([(0, 2 * STEP)], 0, Written(), whole=False).of(units))


def test_a_long_group_does_not_wait_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.media.stills.window.MOST_WAITING", 1000)
    decoder = Written()
    units = [Unit(n * STEP, n * STEP, n == 0, True, bytes(100), 0) for n in range(100)]
    fed: list[int] = []
    window = Window([(0, 95 * STEP)], 0, decoder, whole=True)
    for unit in window.of(_watched(units, fed, decoder)):
        assert unit.since == 95 * STEP
    assert max(fed) <= 12


def _watched(units: Sequence[Unit], waiting: list[int], decoder: Written) -> Iterator[Unit]:
    for number, unit in enumerate(units):
        waiting.append(number - len(decoder.groups[-1]))
        yield unit


def coded(
    width: int,
    height: int,
    *,
    bframes: int = 0,
    quarters: int = 0,
    aspect: Fraction | None = None,
    count: int = 12,
) -> list[Unit]:
    """H.264 of pictures that carry their time, 100 ms apart, in decoding order."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.thread_count = Fraction(1, 10), 1
    encoder.options = {"bf": str(bframes), "g": "100", "preset": "ultrafast", "b-pyramid": "0"}
    if aspect is not None:
        encoder.sample_aspect_ratio = aspect
    upright = (height, width) if quarters % 2 else (width, height)
    packets: list[Any] = []
    for number in range(count):
        drawn = turn(draw(number * 100, *upright, (128, 128), 1), quarters)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(drawn), format="yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [
        Unit(p.pts * 9000, p.dts * 9000, p.is_keyframe, True, bytes(p), 90 * quarters % 360) for p in packets
    ]


def decoded(units: Sequence[Unit], moments: Sequence[int], width: int | None = None) -> list[Taken]:
    window = Window(list(enumerate(moments)), 0, StillDecoder("h264", width), whole=True)
    return sorted(window.of(units), key=lambda taken: taken.number)


def says(taken: Taken) -> int | None:
    """The time in ms that a picture carries."""
    assert taken.still is not None
    pixels = np.frombuffer(taken.still.pixels, np.uint8).reshape(taken.still.height, taken.still.width, 3)
    told = read(pixels[:, :, 1])
    return None if told is None else told.at_ms


@pytest.mark.parametrize("bframes", [0, 1, 3])
def test_pictures_come_out_of_a_real_decoder_at_their_moments(bframes: int) -> None:
    moments = [n * 4500 for n in range(24)]
    taken = decoded(coded(320, 180, bframes=bframes), moments)
    assert [says(each) for each in taken] == [min(n // 2, 11) * 100 for n in range(24)]


@pytest.mark.parametrize(
    ("size", "quarters", "aspect", "width", "expected"),
    [
        pytest.param((320, 180), 0, None, None, (320, 180), id="as it was sent"),
        pytest.param((320, 180), 1, None, None, (180, 320), id="a quarter turned"),
        pytest.param((320, 180), 2, None, None, (320, 180), id="upside down"),
        pytest.param((320, 180), 3, None, 90 * 2, (180, 320), id="three quarters, scaled"),
        pytest.param((320, 180), 1, None, 120, (120, 214), id="the width is that of the upright picture"),
        pytest.param((240, 180), 0, Fraction(4, 3), None, (320, 180), id="pixels that are wide"),
        pytest.param((320, 120), 0, Fraction(1, 2), None, (320, 240), id="pixels that are high"),
        pytest.param((320, 240), 1, Fraction(4, 3), None, (240, 427), id="wide pixels, turned"),
        pytest.param((240, 180), 0, Fraction(4, 3), 160, (160, 90), id="wide pixels, scaled"),
    ],
)
def test_a_picture_has_the_size_in_which_it_is_looked_at(
    size: tuple[int, int],
    quarters: int,
    aspect: Fraction | None,
    width: int | None,
    expected: tuple[int, int],
) -> None:
    (taken,) = decoded(coded(*size, quarters=quarters, aspect=aspect), [45_000], width)
    assert taken.still is not None
    assert (taken.still.width, taken.still.height) == expected
    assert len(taken.still.pixels) == 3 * expected[0] * expected[1]
    assert says(taken) == 500


@pytest.mark.parametrize("space", ["bt709", "smpte170m"])
def test_colours_are_those_that_the_stream_tells(space: str) -> None:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 320, 180, "yuv420p"
    encoder.time_base, encoder.thread_count = Fraction(1, 10), 1
    encoder.options = {"colorspace": space, "crf": "10"}
    picture = np.full((270, 320), 81, dtype=np.uint8)  # pure red in BT.601: Y 81, Cb 90, Cr 240
    picture[180:225], picture[225:] = 90, 240
    packets = [
        *encoder.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")),
        *encoder.encode(None),
    ]
    (taken,) = decoded([Unit(0, 0, True, True, bytes(packets[0]), 0)], [0])
    assert taken.still is not None
    red, green, blue = (int(taken.still.pixels[n]) for n in range(3))
    assert red > 245
    assert green < 12 if space == "smpte170m" else green > 15
    assert blue < 12 or space == "bt709"


@pytest.mark.parametrize(("full", "expected"), [("tv", 255), ("pc", 235)])
def test_white_is_that_of_the_range_that_the_stream_tells(full: str, expected: int) -> None:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 320, 180, "yuv420p"
    encoder.time_base, encoder.thread_count = Fraction(1, 10), 1
    encoder.options = {"color_range": full, "crf": "10"}
    picture = np.full((270, 320), 128, dtype=np.uint8)
    picture[:180] = 235
    frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
    frame.color_range = ColorRange.JPEG if full == "pc" else ColorRange.MPEG
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    (taken,) = decoded([Unit(0, 0, True, True, bytes(packets[0]), 0)], [0])
    assert taken.still is not None
    assert abs(taken.still.pixels[0] - expected) <= 2


def test_instead_of_a_picture_that_does_not_decode_the_one_before_it_is_taken() -> None:
    units = coded(320, 180)
    spoilt = [u if u.at != 45_000 else u._replace(data=b"\0\0\0\1\x41") for u in units]
    (taken,) = decoded(spoilt, [45_000])
    assert says(taken) == 400


def test_where_nothing_decodes_there_is_no_picture() -> None:
    (taken,) = decoded([u._replace(data=b"\0\0\0\1\x41") for u in coded(320, 180)], [45_000])
    assert taken.still is None


def test_sizes_keep_the_aspect_and_are_even_where_they_are_scaled() -> None:
    assert size_of(641, 361, Fraction(1), None) == (641, 361)
    assert size_of(641, 361, Fraction(1), 320) == (320, 180)
    assert size_of(8, 8000, Fraction(1), 16) == (16, 16_000)
    assert size_of(8000, 8, Fraction(1), 16) == (16, 2)

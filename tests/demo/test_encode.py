from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pipeline.demo.picture import COLOURS, draw
from pipeline.demo.sound import beeps
from pipeline.media.encode import CodedPicture, VideoCodec, adts_header, encode_pictures, encode_sound

CODECS: tuple[VideoCodec, ...] = ("h264", "hevc")


def _encoded(codec: VideoCodec, bframes: int, times: list[int]) -> list[CodedPicture]:
    return list(
        encode_pictures(
            [(at, draw(at // 90, 160, 120, COLOURS[0], 1)) for at in times],
            width=160,
            height=120,
            codec=codec,
            bframes=bframes,
            gop_ticks=90_000,
        )
    )


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("bframes", [0, 1, 2, 3])
def test_pictures_keep_the_times_they_were_given(codec: VideoCodec, bframes: int) -> None:
    times = [90 * (1000 + index * 67 + index * 7919 % 20) for index in range(60)]
    coded = _encoded(codec, bframes, times)
    assert sorted(each.pts_ticks for each in coded) == times
    assert all(each.dts_ticks <= each.pts_ticks for each in coded)
    assert all(left.dts_ticks < right.dts_ticks for left, right in pairwise(coded))
    assert (coded[0].dts_ticks < coded[0].pts_ticks) is (bframes > 0)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("bframes", [0, 2])
def test_key_pictures_come_once_a_gop_and_close_what_was_before(codec: VideoCodec, bframes: int) -> None:
    coded = _encoded(codec, bframes, [index * 6000 for index in range(50)])
    keys = [index for index, each in enumerate(coded) if each.key]
    assert [coded[index].pts_ticks for index in keys] == [0, 90_000, 180_000, 270_000]
    for index in keys:
        assert all(each.pts_ticks < coded[index].pts_ticks for each in coded[:index])
        assert all(each.pts_ticks > coded[index].pts_ticks for each in coded[index + 1 :])


@pytest.mark.parametrize("codec", CODECS)
def test_access_units_begin_with_a_delimiter_and_keys_carry_parameter_sets(codec: VideoCodec) -> None:
    delimiter, sets = {"h264": (9, {7, 8}), "hevc": (35, {32, 33, 34})}[codec]
    for each in _encoded(codec, 0, [index * 6000 for index in range(20)]):
        starts = each.data.split(b"\x00\x00\x01")[1:]
        kinds = [unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F for unit in starts]
        assert kinds[0] == delimiter
        assert sets.issubset(kinds) is each.key


@pytest.mark.parametrize("codec", CODECS)
def test_encoding_twice_gives_the_same_bytes(codec: VideoCodec) -> None:
    times = [index * 6000 for index in range(30)]
    assert _encoded(codec, 2, times) == _encoded(codec, 2, times)
    sound = beeps(0, 48 * 1024, 48_000, 0, channels=2, tone_hz=1000)
    assert list(encode_sound([sound], rate=48_000, channels=2)) == list(
        encode_sound([sound[:, :1024], sound[:, 1024:]], rate=48_000, channels=2)
    )


def test_sound_positions_begin_with_the_priming() -> None:
    sound = beeps(0, 10 * 1024, 48_000, 0, channels=1, tone_hz=1000)
    frames = list(encode_sound([sound], rate=48_000, channels=1))
    assert [frame.position for frame in frames] == [index * 1024 for index in range(-1, 10)]


def test_the_adts_header_is_the_one_of_the_standard() -> None:
    # Written out bit by bit: sync, MPEG-4, LC, 48 kHz, mono, 200 bytes in all, variable rate, one block.
    bits = f"111111111111000101001100010000{200:013b}1111111111100"
    assert adts_header(193, 48_000, 1) == int(bits, 2).to_bytes(7, "big")


@pytest.mark.parametrize(
    ("count", "rate", "sentence"), [(1000, 48_000, "whole frames"), (1024, 47_000, "47000")]
)
def test_sound_that_adts_cannot_carry_is_refused(count: int, rate: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        list(encode_sound([np.zeros((1, count), dtype=np.int16)], rate=rate, channels=1))

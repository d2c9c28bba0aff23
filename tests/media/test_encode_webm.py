from __future__ import annotations

from typing import Literal

import av
import numpy as np
import pytest

from pipeline.demo.picture import COLOURS, Coded, draw, read
from pipeline.demo.sound import beeps, onsets
from pipeline.media.encode_webm import OPUS_FRAME, CodedFrame, encode_opus, encode_vpx
from tests.media.test_opus import decoded

VpxCodec = Literal["vp8", "vp9"]
CODECS: tuple[VpxCodec, ...] = ("vp8", "vp9")


def _encoded(codec: VpxCodec, times: list[int]) -> list[CodedFrame]:
    drawn = [(at, draw(at // 90, 160, 120, COLOURS[0], 1)) for at in times]
    return list(encode_vpx(drawn, width=160, height=120, codec=codec, gop_ticks=90_000))


@pytest.mark.parametrize("codec", CODECS)
def test_pictures_keep_the_times_they_were_given_and_can_be_read(codec: VpxCodec) -> None:
    times = [90 * (1000 + index * 67 + index * 7919 % 20) for index in range(60)]
    coded = _encoded(codec, times)
    assert [each.at_ticks for each in coded] == times
    decoder = av.CodecContext.create(codec, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    frames = [frame for each in coded for frame in decoder.decode(av.Packet(each.data))]
    frames += decoder.decode(None)
    shown = [read(frame.to_ndarray().astype(np.uint8)[:120]) for frame in frames]
    assert shown == [Coded(at // 90, 1) for at in times]


@pytest.mark.parametrize("codec", CODECS)
def test_key_frames_come_once_a_gop(codec: VpxCodec) -> None:
    coded = _encoded(codec, [index * 6000 for index in range(50)])
    assert [each.at_ticks for each in coded if each.key] == [0, 90_000, 180_000, 270_000]


def test_encoding_twice_gives_the_same_bytes() -> None:
    times = [index * 6000 for index in range(30)]
    for codec in CODECS:
        assert _encoded(codec, times) == _encoded(codec, times)
    sound = beeps(0, 48 * OPUS_FRAME, 48_000, 0, channels=2, tone_hz=1000)
    halves = [sound[:, : 24 * OPUS_FRAME], sound[:, 24 * OPUS_FRAME :]]
    assert encode_opus([sound], channels=2) == encode_opus(halves, channels=2)


@pytest.mark.parametrize("channels", [1, 2])
def test_sound_is_where_its_frames_say(channels: int) -> None:
    sound = beeps(0, 150 * OPUS_FRAME, 48_000, 0, channels=channels, tone_hz=1000)
    made = encode_opus([sound], channels=channels, start_ticks=900_000)
    assert len(made.frames) == 151
    first = made.frames[0].at_ticks
    assert first == 900_000 - made.head.pre_skip * 90_000 // 48_000
    assert [each.at_ticks for each in made.frames] == [first + 1800 * n for n in range(151)]
    heard = onsets(decoded([each.data for each in made.frames], channels)[0], 48_000)
    at = [first / 90 + sample / 48 for sample in heard]
    assert at == pytest.approx([10_000, 11_000, 12_000], abs=1)


def test_sound_of_no_whole_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="whole frames"):
        encode_opus([np.zeros((1, 1000), np.int16)], channels=1)

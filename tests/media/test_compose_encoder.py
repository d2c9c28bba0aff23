"""The encoder of composites: how often key frames come, what it is told, and encoders that are not there."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np
import pytest

from pipeline.errors import CommandError
from pipeline.layout.canvas import Canvas
from pipeline.layout.encoding import Encoding, VideoCodec
from pipeline.media.annexb import of_h264
from pipeline.media.compose.encoder import Encoder, check_encoder

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext

CANVAS = Canvas(160, 96)
PLAIN = "ultrafast"
"""Of small pictures x264's lookahead with AVX-512 decides otherwise each time; this preset has none."""


def frames(count: int) -> list[av.VideoFrame]:
    """Noise that moves, with a cut to another picture after each second of 15."""
    chance = np.random.default_rng(5)
    rows = CANVAS.height * 3 // 2
    scenes = [chance.integers(16, 236, (rows, CANVAS.width), dtype=np.uint8) for _ in range(count // 15 + 1)]
    return [
        av.VideoFrame.from_ndarray(np.roll(scenes[n // 15], n, axis=1), format="yuv420p")
        for n in range(count)
    ]


def encoded(encoding: Encoding, count: int = 45) -> list[Packet[Any]]:
    encoder = Encoder(encoding, CANVAS)
    return [*(packet for frame in frames(count) for packet in encoder.push(frame)), *encoder.end()]


def keys_of(packets: list[Packet[Any]]) -> list[int]:
    """Frames that are key frames."""
    return sorted(packet.pts or 0 for packet in packets if packet.is_keyframe)


def decoded(packets: list[Packet[Any]], codec: str) -> list[av.VideoFrame]:
    decoder = cast("VideoCodecContext", av.CodecContext.create(codec, "r"))
    out: list[av.VideoFrame] = []
    for packet in packets:
        own = av.Packet(bytes(packet))
        own.pts, own.dts, own.time_base = packet.pts, packet.dts, packet.time_base
        out += decoder.decode(own)
    return [*out, *decoder.decode(None)]


@pytest.mark.parametrize("codec", VideoCodec)
@pytest.mark.parametrize(
    ("fps", "gop_ms", "gop"), [(15, 1000, 15), (7, 1000, 7), (30, 500, 15), (15, 60_000, 900)]
)
def test_each_frame_comes_out_once_and_a_key_frame_once_a_gop_at_least(
    codec: VideoCodec, fps: int, gop_ms: int, gop: int
) -> None:
    packets = encoded(Encoding(fps=fps, gop_ms=gop_ms, codec=codec))
    assert sorted(packet.pts or 0 for packet in packets) == list(range(45))
    keys = keys_of(packets)
    assert keys[0] == 0
    assert all(after - key <= gop for key, after in pairwise([*keys, 45]))
    dts = [packet.dts or 0 for packet in packets]
    assert dts == sorted(set(dts))
    assert [frame.pts for frame in decoded(packets, codec)] == list(range(45))


@pytest.mark.parametrize("codec", VideoCodec)
def test_key_frames_are_closed(codec: VideoCodec) -> None:
    """All that is decoded behind one needs nothing of before it: players begin there."""
    packets = encoded(Encoding(gop_ms=1000, codec=codec))
    keys = keys_of(packets)
    assert len(keys) >= 3
    for at in keys:
        begin = next(n for n, packet in enumerate(packets) if packet.pts == at)
        assert min(packet.pts or 0 for packet in packets[begin:]) == at
        assert [frame.pts for frame in decoded(packets[begin:], codec)] == list(range(at, 45))


@pytest.mark.parametrize(("profile", "number"), [("baseline", 66), ("main", 77), ("high", 100)])
def test_the_profile_is_the_one_that_was_asked_for(profile: str, number: int) -> None:
    first = encoded(Encoding(profile=profile), 15)[0]
    sets = of_h264(bytes(first)).parameter_sets
    assert next(nal[1] for nal in sets if nal[0] & 31 == 7) == number


@pytest.mark.parametrize("codec", VideoCodec)
def test_the_stream_tells_what_colours_it_has(codec: VideoCodec) -> None:
    frame = decoded(encoded(Encoding(codec=codec), 15), codec)[0]
    assert (frame.format.name, frame.width, frame.height) == ("yuv420p", 160, 96)
    assert (int(frame.colorspace), int(frame.color_range)) == (6, 1)
    assert (int(frame.color_primaries), int(frame.color_trc)) == (6, 6)


@pytest.mark.parametrize("codec", VideoCodec)
def test_the_bit_rate_is_about_the_one_that_was_asked_for(codec: VideoCodec) -> None:
    for asked in (200_000, 800_000):
        size = sum(
            packet.size for packet in encoded(Encoding(codec=codec, bit_rate=asked, gop_ms=10_000), 90)
        )
        assert 0.5 * asked < size * 8 / 6 < 2 * asked


@pytest.mark.parametrize("codec", VideoCodec)
def test_a_lower_crf_takes_more_bytes_and_none_is_the_default(codec: VideoCodec) -> None:
    sizes = [
        sum(packet.size for packet in encoded(Encoding(codec=codec, crf=crf, preset=PLAIN), 15))
        for crf in (18, 30, 42, None)
    ]
    default = {VideoCodec.H264: 23, VideoCodec.HEVC: 26}[codec]
    assert sizes[0] > sizes[1] > sizes[2]
    assert sizes[3] == sum(
        packet.size for packet in encoded(Encoding(codec=codec, crf=default, preset=PLAIN), 15)
    )


def test_the_preset_is_the_one_that_was_asked_for() -> None:
    fast, slow = (encoded(Encoding(preset=preset), 15) for preset in ("ultrafast", "veryslow"))
    assert list(map(bytes, fast)) != list(map(bytes, slow))


def test_the_same_frames_give_the_same_bytes() -> None:
    one, other = (encoded(Encoding(preset=PLAIN), 20) for _ in range(2))
    assert list(map(bytes, one)) == list(map(bytes, other))


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        pytest.param(
            Encoding(encoder="x264"), "this PyAV has no encoder 'x264': leave --encoder out", id="unknown"
        ),
        pytest.param(
            Encoding(encoder="libx265"),
            "the encoder libx265 makes no h264: name one that does, or leave it out",
            id="of another codec",
        ),
        pytest.param(
            Encoding(encoder="libx264", codec=VideoCodec.HEVC), "libx264 makes no hevc", id="the other way"
        ),
        pytest.param(Encoding(encoder="aac"), "the encoder aac makes no h264", id="of sound"),
        pytest.param(
            Encoding(preset="warp"),
            "the encoder libx264 does not work here",
            id="a preset that is none",
        ),
        pytest.param(Encoding(profile="warp"), "the encoder libx264 does not work here", id="no profile"),
        pytest.param(
            Encoding(codec=VideoCodec.HEVC, preset="warp"),
            "the encoder libx265 does not work here",
            id="a preset that is none, of HEVC",
        ),
    ],
)
def test_what_cannot_encode_is_told_before_anything_is_decoded(encoding: Encoding, told: str) -> None:
    with pytest.raises(CommandError) as caught:
        check_encoder(encoding, CANVAS)
    assert told in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("codec", VideoCodec)
def test_what_can_encode_is_let_through(codec: VideoCodec) -> None:
    check_encoder(Encoding(codec=codec), CANVAS)
    check_encoder(Encoding(codec=codec, encoder={"h264": "libx264", "hevc": "libx265"}[codec]), CANVAS)


@pytest.mark.parametrize("codec", VideoCodec)
def test_a_codec_s_own_name_is_that_of_its_software(codec: VideoCodec) -> None:
    named, plain = (
        encoded(Encoding(codec=codec, encoder=name, crf=40, preset=PLAIN), 15) for name in (str(codec), "")
    )
    assert list(map(bytes, named)) == list(map(bytes, plain))


def test_a_hardware_encoder_works_or_says_clearly_that_it_does_not() -> None:
    encoding = Encoding(encoder="h264_nvenc")
    try:
        check_encoder(encoding, CANVAS)
    except CommandError as error:
        told = str(error)
        assert told.startswith(("the encoder h264_nvenc does not work here", "this PyAV has no encoder"))
        assert "--encoder" in told
        return
    assert len(encoded(encoding)) == 45

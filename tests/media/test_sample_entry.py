from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, Literal

import av
import numpy as np
import pytest

from pipeline.media.aac import AdtsConfig
from pipeline.media.annexb import normalise
from pipeline.media.mp4.reader import read_movie
from pipeline.media.probe import Extension
from pipeline.media.sample_entry import audio_entry, specific_config, video_entry
from pipeline.media.silence.frames import AAC_LC
from tests.media.mp4_material import pictures, sound

if TYPE_CHECKING:
    from pathlib import Path


def shaped_ts() -> BytesIO:
    """H.264 in MPEG-TS with pixels of 4:3 and BT.709 colours."""
    file = BytesIO()
    with av.open(file, "w", format="mpegts") as out:
        stream = out.add_stream("libx264", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        context = stream.codec_context
        context.sample_aspect_ratio = Fraction(4, 3)
        context.color_primaries = context.color_trc = context.colorspace = 1
        frame = av.VideoFrame.from_ndarray(np.zeros((180, 320, 3), np.uint8))
        frame.pts = 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    file.seek(0)
    return file


@pytest.mark.parametrize(
    ("codec", "entry", "record"),
    [("h264", b"avc1", b"avcC"), ("hevc", b"hvc1", b"hvcC")],
    ids=["H.264", "HEVC"],
)
def test_an_entry_carries_the_parameter_sets_of_the_stream(
    codec: Literal["h264", "hevc"], entry: bytes, record: bytes
) -> None:
    coded = pictures(codec)
    assert coded.entry[4:8] == entry
    assert int.from_bytes(coded.entry[:4], "big") == len(coded.entry)
    assert coded.entry[86 + 4 : 86 + 8] == record
    for nal in normalise(coded.extradata, codec).parameter_sets:
        assert len(nal).to_bytes(2, "big") + nal in coded.entry


def test_an_entry_is_the_same_every_time() -> None:
    with av.open(shaped_ts(), "r") as container:
        stream = container.streams.video[0]
        assert video_entry(stream) == video_entry(stream)


def test_an_entry_keeps_the_shape_of_pixels_and_the_colours() -> None:
    with av.open(shaped_ts(), "r") as container:
        entry = video_entry(container.streams.video[0])
    assert b"pasp" + (4).to_bytes(4, "big") + (3).to_bytes(4, "big") in entry
    assert b"colrnclx" + bytes([0, 1, 0, 1, 0, 1]) in entry


def test_a_codec_without_an_entry_here_is_refused() -> None:
    file = BytesIO()
    with av.open(file, "w", format="mpegts") as out:
        stream = out.add_stream("mpeg2video", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((180, 320, 3), np.uint8))
        frame.pts = 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    file.seek(0)
    with (
        av.open(file, "r") as container,
        pytest.raises(ValueError, match=r"H\.264 and HEVC have sample entries here, not mpeg2video"),
    ):
        video_entry(container.streams.video[0])


def test_a_stream_without_parameter_sets_is_refused() -> None:
    units = pictures(bframes=0).units[1:20]
    with (
        av.open(BytesIO(b"".join(units)), "r", format="h264") as container,
        pytest.raises(ValueError, match="the h264 stream carries no parameter sets"),
    ):
        video_entry(container.streams.video[0])


@pytest.mark.parametrize("channels", [1, 2], ids=["mono", "stereo"])
@pytest.mark.parametrize("rate", [16000, 44100, 48000, 96000], ids=lambda rate: f"{rate} Hz")
def test_the_audio_entry_says_what_that_of_ffmpeg_says(rate: int, channels: int, tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    layout = "stereo" if channels == 2 else "mono"
    with av.open(path, "w") as out:
        stream = out.add_stream("aac", rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((channels, 1024), np.float32), format="fltp", layout=layout
        )
        frame.sample_rate, frame.pts = rate, 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with path.open("rb") as file:
        theirs = read_movie(file, path.stat().st_size).tracks[0].sample_entry
    ours = audio_entry(sound(rate, channels)[1])
    assert ours[8:32] == theirs[8:32]  # version, channels, bits
    assert int.from_bytes(ours[32:34], "big") == (rate if rate <= 48000 else 0)
    specific = theirs.index(b"\x05\x80\x80\x80") + 5  # FFmpeg spends four bytes on the length
    assert ours[-5:-3] == theirs[specific : specific + 2]


def test_channels_in_the_stream_alone_are_refused() -> None:
    with pytest.raises(ValueError, match="program_config_element"):
        audio_entry(AdtsConfig(2, 3, 0))


HE = [
    pytest.param(AdtsConfig(2, 6, 2), Extension.SBR, "131056e598", id="v1 stereo"),
    pytest.param(AdtsConfig(2, 8, 1), Extension.SBR, "140856e5a8", id="v1 mono"),
    pytest.param(AdtsConfig(2, 7, 1), Extension.PS, "138856e5a54880", id="v2"),
]


@pytest.mark.parametrize(("config", "extension", "expected"), HE)
def test_he_aac_is_told_before_a_frame_tells_it(
    config: AdtsConfig, extension: Extension, expected: str
) -> None:
    specific = specific_config(config, extension)
    assert specific.hex() == expected
    assert specific.startswith(config.audio_specific_config), "players of AAC-LC read as far as they know"
    assert b"\x05" + bytes([len(specific)]) + specific in audio_entry(config, extension)
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = specific
    (frame,) = decoder.decode(av.Packet(AAC_LC[config.channels]))
    assert frame.sample_rate == 2 * config.sample_rate


@pytest.mark.parametrize(
    ("config", "extension"),
    [
        pytest.param(AdtsConfig(2, 3, 2), Extension.NONE, id="AAC-LC"),
        pytest.param(AdtsConfig(2, 2, 2), Extension.SBR, id="64 kHz doubled has no index"),
    ],
)
def test_what_need_not_or_cannot_be_told_is_not(config: AdtsConfig, extension: Extension) -> None:
    assert specific_config(config, extension) == config.audio_specific_config

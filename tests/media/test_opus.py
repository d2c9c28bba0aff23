from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media.encode_webm import Application, encode_opus
from pipeline.media.opus import MOST_SAMPLES, OpusHead, samples_of, silent_packet, silent_run

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 48_000
FRAME = 960
DECODERS = ("libopus", "opus")
SILK_BELOW = 16
"""Configurations below this have SILK (RFC 6716 3.1)."""


def decoded(packets: list[bytes], channels: int, decoder: str = "libopus") -> NDArray[np.float64]:
    """What a decoder makes of packets, from its first sample on; one row a channel, full scale 1."""
    context = av.CodecContext.create(decoder, "r")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate, context.layout = RATE, "mono" if channels == 1 else "stereo"
    context.extradata = OpusHead(channels, 0).write()
    pieces = []
    for packet in packets:
        for frame in context.decode(av.Packet(packet)):
            samples = frame.to_ndarray()
            if not frame.format.is_planar:
                samples = samples.reshape(-1, channels).T
            pieces.append(samples / 32768 if samples.dtype == np.int16 else samples)
    return np.concatenate(pieces, axis=1).astype(np.float64)


@pytest.mark.parametrize(
    ("application", "ms"),
    [("audio", ms) for ms in (2.5, 5, 10, 20, 40, 60)] + [("voip", ms) for ms in (10, 20, 40, 60)],
)
def test_the_first_byte_tells_what_a_decoder_gives(ms: float, application: Application) -> None:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE, "mono", av.AudioFormat("s16")
    encoder.bit_rate = 16_000
    encoder.options = {"application": application, "frame_duration": f"{ms:g}"}
    encoder.open()
    count = int(ms * 48)
    for number in range(8):
        noise = np.random.default_rng(number).normal(0, 3000, (1, count)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(noise, format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, number * count
        for packet in encoder.encode(frame):
            assert samples_of(bytes(packet)) == count == decoded([bytes(packet)], 1).shape[1]


# RFC 6716 table 2, and 3.2: one frame, two frames, the number in the second byte.
@pytest.mark.parametrize(
    ("packet", "samples"),
    [
        ("00", 480),
        ("08", 960),
        ("10", 1920),
        ("18", 2880),
        ("58", 2880),
        ("60", 480),
        ("68", 960),
        ("78", 960),
        ("80", 120),
        ("88", 240),
        ("f0", 480),
        ("f8", 960),
        ("f9", 1920),
        ("fa", 1920),
        ("fb06", 5760),
        ("8330", 5760),
        ("fb86", 5760),
        ("fb07", None),
        ("fb00", None),
        ("fb", None),
        ("1b03", None),
        ("", None),
    ],
)
def test_the_first_byte_tells_what_the_rfc_says(packet: str, samples: int | None) -> None:
    assert samples_of(bytes.fromhex(packet)) == samples


@given(st.binary(max_size=4))
def test_no_packet_is_longer_than_the_longest(data: bytes) -> None:
    assert (samples_of(data) or 1) <= MOST_SAMPLES


@pytest.mark.parametrize(
    "head",
    [
        OpusHead(1, 312),
        OpusHead(2, 65535, rate=16_000, gain=-256),
        OpusHead(6, 312, family=1, mapping=bytes((4, 2, 0, 4, 1, 2, 3, 5))),
    ],
)
def test_a_header_is_read_as_it_was_written(head: OpusHead) -> None:
    assert OpusHead.read(head.write()) == head
    assert OpusHead.read(head.write() + b"more") == head


def test_the_header_of_libopus_is_ours() -> None:
    head = encode_opus([np.zeros((2, FRAME), np.int16)], channels=2).head
    assert head == OpusHead(2, 312, rate=RATE)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_header_or_refused(data: bytes) -> None:
    for maybe in (data, b"OpusHead" + data):
        with suppress(ValueError):
            assert maybe.startswith(OpusHead.read(maybe).write()[:8])


@pytest.mark.parametrize(
    "data",
    [
        b"OpusHead",
        b"OpusTags" + bytes(20),
        b"OpusHead\x10\x01" + bytes(9),
        b"OpusHead\x01\x00" + bytes(9),
        b"OpusHead\x01\x03" + bytes(9),
        b"OpusHead\x01\x02" + bytes(8) + b"\x01\x01\x01\x00",
        b"OpusHead\x01\x01" + bytes(8) + b"\x01\x00\x00\x00",
    ],
)
def test_these_headers_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"Opus|mapping of family"):
        OpusHead.read(data)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("samples", [120, 240, 480, 960])
@pytest.mark.parametrize("channels", [1, 2])
def test_silence_is_digital_silence_and_as_long_as_said(channels: int, samples: int, decoder: str) -> None:
    packet = silent_packet(channels, samples)
    assert samples_of(packet) == samples
    heard = decoded([packet] * 50, channels, decoder)
    assert heard.shape == (channels, 50 * samples)
    assert not heard.any()


@pytest.mark.parametrize(("channels", "samples"), [(3, 960), (0, 960), (1, 1920), (2, 0)])
def test_silence_of_other_kinds_is_refused(channels: int, samples: int) -> None:
    with pytest.raises(ValueError, match="no silent Opus packet"):
        silent_packet(channels, samples)


def _tone(hertz: int) -> NDArray[np.int16]:
    at = np.arange(60 * FRAME)
    wave: NDArray[np.float64] = 16_000 * np.sin(2 * np.pi * hertz * at / RATE)
    return np.rint(wave).astype(np.int16)


def _loudest_high(samples: NDArray[np.float64], above: int) -> float:
    """The loudest moment of what lies above a frequency, in windows of 5 ms: a click has all frequencies."""
    window = np.hanning(240)
    frames = np.lib.stride_tricks.sliding_window_view(samples, 240)[::40] * window
    spectrum = np.abs(np.fft.rfft(frames, axis=1)) / window.sum() * 2
    return float(spectrum[:, above * 240 // RATE :].max())


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("hertz", [120, 440])
@pytest.mark.parametrize(
    ("application", "bit_rate"),
    [("audio", 48_000), ("lowdelay", 64_000), ("voip", 12_000), ("voip", 16_000), ("voip", 32_000)],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_silence_between_loud_frames_makes_no_click(
    channels: int, application: Application, bit_rate: int, hertz: int, decoder: str
) -> None:
    """Whole frames replaced in mid-tone: steps and high frequencies stay near those of the tone."""
    sound = np.tile(_tone(hertz), (channels, 1))
    made = encode_opus([sound], channels=channels, bit_rate=bit_rate, application=application)
    coded = [frame.data for frame in made.frames]
    silent = silent_run(coded[19], channels, 10)
    whole = decoded(coded, channels, decoder)[0]
    heard = decoded(coded[:20] + silent + coded[30:], channels, decoder)[0]
    assert len(heard) == len(whole)
    begin, end = 20 * FRAME, 30 * FRAME
    assert np.abs(heard[begin + 1440 : end]).max() < 1e-9  # it fades out within 30 ms
    assert np.abs(heard[end + 2 * FRAME : end + 20 * FRAME]).max() > 0.3  # and comes back
    if decoder == "opus" and coded[19][0] >> 3 < SILK_BELOW:
        return  # FFmpeg's own decoder conceals speech differently from run to run
    usual = np.abs(np.diff(whole[5 * FRAME : 50 * FRAME])).max()
    around = np.abs(np.diff(heard[begin - FRAME : end + 5 * FRAME])).max()
    assert around < 2.5 * usual  # without the fade 10 to 49 times
    assert _loudest_high(heard[begin - FRAME : end + 5 * FRAME], 4000) < 0.012


def test_without_a_frame_that_fades_speech_ends_in_a_click() -> None:
    """What `silent_run` is for, and that the measures above can see a click."""
    made = encode_opus([_tone(440)[None]], channels=1, bit_rate=12_000, application="voip")
    coded = [frame.data for frame in made.frames]
    heard = decoded(coded[:20] + [silent_packet(1)] * 10 + coded[30:], 1, "opus")[0]
    assert np.abs(np.diff(heard)).max() > 0.2
    assert _loudest_high(heard[19 * FRAME :], 4000) > 0.012


@pytest.mark.parametrize(
    ("before", "run"),
    [
        ("", ["f8fffe", "f8fffe"]),
        ("fc0102", ["f8fffe", "f8fffe"]),  # CELT fades by itself
        ("4807", ["48", "f8fffe"]),
        ("4c07", ["4c", "f8fffe"]),
        ("5b0201", ["48", "f8fffe"]),  # two of 60 ms: one of 20 ms of the same mode and band
        ("7001", ["78", "f8fffe"]),
    ],
)
def test_a_frame_without_data_comes_first_where_speech_was_coded(before: str, run: list[str]) -> None:
    assert [packet.hex() for packet in silent_run(bytes.fromhex(before), 1, 2)] == run
    assert silent_run(bytes.fromhex(before), 1, 0) == []
    assert [samples_of(packet) for packet in silent_run(bytes.fromhex(before), 1, 3)] == [FRAME] * 3

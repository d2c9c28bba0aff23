from __future__ import annotations

from io import BytesIO

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media.aac import AdtsConfig, AdtsSplit, split_adts
from tests.media.mp4_material import adts, adts_header, wrap

STEREO_48K = AdtsConfig(2, 3, 2)
MONO_16K = AdtsConfig(2, 8, 1)

configs = st.builds(AdtsConfig, st.integers(1, 4), st.integers(0, 12), st.integers(0, 7))
blocks = st.lists(st.binary(min_size=1, max_size=600), min_size=1, max_size=8)


def with_crc(config: AdtsConfig, block: bytes) -> bytes:
    return adts_header(config, 9 + len(block), crc=True) + b"\xaa\xbb" + block


def calm(size: int, seed: int) -> bytes:
    """Bytes among which nothing looks like a header."""
    return np.random.default_rng(seed).integers(0, 255, size, dtype=np.uint8).tobytes()


@given(configs, blocks)
def test_frames_that_follow_one_another_come_back_whole(config: AdtsConfig, raw: list[bytes]) -> None:
    assert split_adts(wrap(config, raw)) == AdtsSplit(raw, config, b"", 0, (), 0)


@given(configs, blocks)
def test_frames_with_a_crc_come_back_without_it(config: AdtsConfig, raw: list[bytes]) -> None:
    stream = b"".join(with_crc(config, block) for block in raw)
    assert split_adts(stream) == AdtsSplit(raw, config, b"", 0, (), 0)


@given(configs, blocks, st.data())
def test_a_stream_cut_anywhere_gives_the_same_frames_through_its_rests(
    config: AdtsConfig, raw: list[bytes], data: st.DataObject
) -> None:
    raw = [block.replace(b"\xff", b"\x7f") for block in raw]  # a chance header in a cut would be honest work
    stream = wrap(config, raw)
    cut = data.draw(st.integers(0, len(stream)))
    first = split_adts(stream[:cut])
    second = split_adts(first.rest + stream[cut:])
    assert first.frames + second.frames == raw
    assert (first.skipped, second.skipped, second.rest) == (0, 0, b"")


@given(st.binary(max_size=3000))
def test_any_bytes_are_accounted_for(data: bytes) -> None:
    split = split_adts(data)
    headers = len(data) - sum(map(len, split.frames)) - len(split.rest) - split.skipped
    assert 7 * len(split.frames) <= headers <= 9 * len(split.frames) or split.unsplit
    assert data.endswith(split.rest)
    assert len(split.rest) < 8191


@given(st.lists(st.sampled_from([b"\xff\xf1", b"\xff", b"P\x80", b"\0\x1f\xfc", b"a"]), max_size=300))
def test_bytes_that_resemble_headers_are_accounted_for(parts: list[bytes]) -> None:
    data = b"".join(parts)
    split = split_adts(data)
    assert sum(map(len, split.frames)) + len(split.rest) + split.skipped <= len(data)


def test_the_frames_of_a_real_encoder_are_those_ffmpeg_finds() -> None:
    stream = adts(44100, 1)
    with av.open(BytesIO(stream), "r", format="aac") as container:
        packets = [bytes(packet) for packet in container.demux() if packet.size]
    split = split_adts(stream)
    assert [packet[7:] for packet in packets] == split.frames
    assert split.config == AdtsConfig(2, 4, 1)
    assert split.config.sample_rate == 44100
    assert split.config.channels == 1


@pytest.mark.parametrize(
    ("before", "between", "after", "rest", "skipped"),
    [
        pytest.param(calm(50, 1), b"", b"", b"", 50, id="junk before the first frame is skipped"),
        pytest.param(b"", calm(50, 2), b"", b"", 50, id="junk between two frames is skipped"),
        pytest.param(b"", b"", calm(50, 3), b"", 50, id="junk after the last frame is skipped"),
        pytest.param(b"", bytes(3), b"", b"", 3, id="a few zero bytes between two frames are skipped"),
        pytest.param(b"", b"", b"\xff", b"\xff", 0, id="half a sync word at the end waits for more"),
        pytest.param(b"", b"", b"\xff\xf1\x4c", b"\xff\xf1\x4c", 0, id="half a header at the end waits"),
        pytest.param(b"\xff\xf1\x4c\x80\x01", b"", b"", b"", 5, id="half a header before a whole frame goes"),
    ],
)
def test_bytes_outside_frames(before: bytes, between: bytes, after: bytes, rest: bytes, skipped: int) -> None:
    raw = [calm(200, seed) for seed in range(4)]
    stream = before + wrap(STEREO_48K, raw[:2]) + between + wrap(STEREO_48K, raw[2:]) + after
    assert split_adts(stream) == AdtsSplit(raw, STEREO_48K, rest, skipped, (), 0)


def test_a_frame_that_lost_bytes_is_dropped_and_the_next_one_kept() -> None:
    raw = [calm(400, seed) for seed in range(5)]
    whole = wrap(STEREO_48K, raw)
    holed = whole[:500] + whole[684:]  # 184 bytes of the second frame: one TS packet
    split = split_adts(holed)
    assert split.frames == [raw[0], *raw[2:]]
    assert split.skipped == 407 - 184


def test_a_length_field_that_reaches_into_the_next_frame_costs_one_frame() -> None:
    raw = [calm(400, seed) for seed in range(5)]
    stream = bytearray(wrap(STEREO_48K, raw))
    stream[407 + 4] ^= 0x08
    split = split_adts(bytes(stream))
    assert split.frames == [raw[0], *raw[2:]]
    assert split.skipped == 407


def test_a_frame_after_a_lost_beginning_does_not_cost_the_frame_before_it() -> None:
    raw = [calm(400, seed) for seed in range(4)]
    whole = wrap(STEREO_48K, raw)
    split = split_adts(whole[:407] + whole[407 + 184 :])
    assert split.frames == [raw[0], *raw[2:]]
    assert split.skipped == 407 - 184


def test_a_damaged_frame_leaves_no_trace_of_its_configuration() -> None:
    raw = [calm(400, seed) for seed in range(3)]
    damaged = adts_header(MONO_16K, 100) + calm(20, 9)
    assert split_adts(damaged + wrap(STEREO_48K, raw)) == AdtsSplit(raw, STEREO_48K, b"", 27, (), 0)


def test_a_change_of_configuration_is_told_with_its_place() -> None:
    raw = [calm(100, seed) for seed in range(5)]
    stream = wrap(STEREO_48K, raw[:2]) + wrap(MONO_16K, raw[2:3]) + wrap(STEREO_48K, raw[3:])
    split = split_adts(stream)
    assert split == AdtsSplit(raw, STEREO_48K, b"", 0, ((2, MONO_16K), (3, STEREO_48K)), 0)


def test_several_blocks_in_a_frame_are_cut_where_the_header_says() -> None:
    raw = [calm(size, size) for size in (100, 50, 70)]
    body = b"".join(block + b"\xcc\xcc" for block in raw)
    positions = (102).to_bytes(2, "big") + (154).to_bytes(2, "big")
    frame = (
        adts_header(STEREO_48K, 7 + 4 + 2 + len(body), crc=True, blocks=3) + positions + b"\xaa\xbb" + body
    )
    last = calm(80, 80)
    assert split_adts(frame + wrap(STEREO_48K, [last])) == AdtsSplit([*raw, last], STEREO_48K, b"", 0, (), 0)


@pytest.mark.parametrize(
    ("positions", "crc"),
    [
        pytest.param(b"", False, id="without positions nobody knows where blocks begin"),
        pytest.param(b"\x03\x00\xaa\xbb", True, id="a position beyond the frame is refused"),
        pytest.param(b"\x00\x01\xaa\xbb", True, id="a position that leaves no block is refused"),
    ],
)
def test_several_blocks_that_cannot_be_cut_are_told(positions: bytes, *, crc: bool) -> None:
    body = positions + calm(150, 5)
    frame = adts_header(STEREO_48K, 7 + len(body), crc=crc, blocks=2) + body
    last = calm(80, 80)
    split = split_adts(frame + wrap(STEREO_48K, [last]))
    assert split == AdtsSplit([last], STEREO_48K, b"", len(frame), (), 1)


@pytest.mark.parametrize(
    ("object_type", "sampling_index", "channels"),
    [
        pytest.param(0, 3, 2, id="object type 0 is none"),
        pytest.param(5, 3, 2, id="object type 5 does not fit two bits"),
        pytest.param(2, 13, 2, id="sampling index 13 is reserved"),
        pytest.param(2, -1, 2, id="a sampling index is not negative"),
        pytest.param(2, 3, 8, id="channel configuration 8 does not fit three bits"),
    ],
)
def test_a_configuration_that_adts_cannot_say_does_not_exist(
    object_type: int, sampling_index: int, channels: int
) -> None:
    with pytest.raises(ValueError, match=r"^(ADTS|channel_configuration) "):
        AdtsConfig(object_type, sampling_index, channels)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param(AdtsConfig(2, 3, 2), "1190", id="LC 48 kHz stereo, as FFmpeg writes it"),
        pytest.param(AdtsConfig(2, 4, 1), "1208", id="LC 44.1 kHz mono, as FFmpeg writes it"),
        pytest.param(AdtsConfig(2, 8, 1), "1408", id="LC 16 kHz mono, as FFmpeg writes it"),
    ],
)
def test_the_audio_specific_config(config: AdtsConfig, expected: str) -> None:
    assert config.audio_specific_config.hex() == expected


@given(configs)
def test_the_audio_specific_config_reads_back(config: AdtsConfig) -> None:
    assert AdtsConfig.from_audio_specific_config(config.audio_specific_config) == config

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.demo.picture import COLOURS, draw
from pipeline.demo.sound import beeps
from pipeline.media.encode import AAC_FRAME, VideoCodec, encode_pictures, encode_sound
from pipeline.media.ts.writer import Continuity, Pes, StreamType, write_slice
from tests.truth import decodes_silently

if TYPE_CHECKING:
    from pathlib import Path

WRAP = 1 << 33
STREAMS: dict[VideoCodec, StreamType] = {"h264": StreamType.H264, "hevc": StreamType.HEVC}


def _video(start: int, codec: VideoCodec = "h264", bframes: int = 0) -> list[Pes]:
    drawn = [(start + index * 6000, draw(index * 67, 160, 120, COLOURS[0], 1)) for index in range(45)]
    coded = encode_pictures(drawn, width=160, height=120, codec=codec, bframes=bframes)
    return [Pes(STREAMS[codec], each.data, each.pts_ticks, each.dts_ticks, each.key) for each in coded]


def _audio(start: int) -> list[Pes]:
    sound = beeps(0, 140 * AAC_FRAME, 48_000, 0, channels=1, tone_hz=1000)
    frames = [each.header + each.block for each in encode_sound([sound], rate=48_000, channels=1)]
    return [
        Pes(StreamType.AAC, b"".join(frames[at : at + 8]), start + at * 1920, key=True)
        for at in range(0, len(frames), 8)
    ]


def _stamps(data: bytes) -> dict[str, list[tuple[int, int]]]:
    """(PTS, DTS) of all packets by kind of stream, modulo 2**33, as PyAV reads them."""
    found: dict[str, list[tuple[int, int]]] = {}
    with av.open(io.BytesIO(data), "r", "mpegts") as container:
        for packet in container.demux():
            if packet.size:
                assert packet.pts is not None
                assert packet.dts is not None
                found.setdefault(packet.stream.type, []).append((packet.pts % WRAP, packet.dts % WRAP))
    return found


@pytest.mark.parametrize("codec", STREAMS)
@pytest.mark.parametrize("bframes", [0, 2])
@pytest.mark.parametrize(
    "start",
    [0, 1, 126_000, 5_000_000_000, WRAP - 90_000, WRAP - 1],
    ids=["zero", "one", "FFmpeg's own", "beyond 32 bits", "wraps after a second", "wraps at once"],
)
def test_pyav_reads_exactly_the_stamps_that_were_chosen(
    tmp_path: Path, codec: VideoCodec, bframes: int, start: int
) -> None:
    video, audio = _video(start, codec, bframes), _audio(start)
    both = sorted(video + audio, key=lambda pes: pes.decode_ticks)
    expected_video = [(pes.pts_ticks % WRAP, pes.decode_ticks % WRAP) for pes in video]
    expected_audio = [((start + index * 1920) % WRAP,) * 2 for index in range(141)]
    for packets, expected in (
        (video, {"video": expected_video}),
        (audio, {"audio": expected_audio}),
        (both, {"video": expected_video, "audio": expected_audio}),
    ):
        data = write_slice(packets)
        assert _stamps(data) == expected
        path = tmp_path / "slice.ts"
        path.write_bytes(data)
        decodes_silently(path)


@given(st.lists(st.tuples(st.integers(0, 1500), st.booleans()), min_size=1, max_size=12), st.booleans())
def test_every_payload_length_fills_whole_packets_and_comes_back(
    sizes: list[tuple[int, bool]],
    pictures: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    stream = StreamType.H264 if pictures else StreamType.AAC
    made = [
        Pes(stream, bytes([index + 1]) * size, index * 3000, key=key)
        for index, (size, key) in enumerate(sizes)
    ]
    data = write_slice(made)
    assert len(data) % 188 == 0
    assert _payloads(data, 0x100) == [pes.payload for pes in made]


def _payloads(data: bytes, pid: int) -> list[bytes]:
    """PES payloads of one PID by a reader that knows only ISO/IEC 13818-1 2.4.3; checks the counters."""
    found: list[bytes] = []
    counter: int | None = None
    for at in range(0, len(data), 188):
        packet = data[at : at + 188]
        assert packet[0] == 0x47
        if (packet[1] & 0x1F) << 8 | packet[2] != pid:
            continue
        assert counter is None or packet[3] & 0x0F == (counter + 1) % 16
        counter = packet[3] & 0x0F
        body = packet[4:]
        if packet[3] & 0x20:
            body = body[1 + body[0] :]
        if packet[1] & 0x40:
            assert body[:3] == b"\x00\x00\x01"
            found.append(body[9 + body[8] :])
        else:
            found[-1] += body
    return found


def test_counters_restart_with_each_slice_or_go_on_through_all() -> None:
    packets = _audio(0)
    assert write_slice(packets) == write_slice(packets)
    going_on = Continuity()
    both = write_slice(packets, going_on) + write_slice(packets, going_on)
    assert _payloads(both, 0x100) == [pes.payload for pes in packets * 2]
    assert both != write_slice(packets) * 2


def test_no_packets_make_no_bytes() -> None:
    assert write_slice([]) == b""


def test_a_sound_packet_that_its_length_field_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="65535"):
        write_slice([Pes(StreamType.AAC, bytes(70_000), 0)])

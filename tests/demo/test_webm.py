from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from pipeline.demo.picture import Coded, read
from pipeline.demo.webm import OpusTrack, Sizes, VpxTrack, write_slice
from pipeline.media.encode_webm import CodedFrame
from pipeline.media.opus import OpusHead, silent_packet
from pipeline.media.webm import ebml
from tests.media.mp4_material import complaints
from tests.media.webm_material import CODECS, SIZE, STEP, Codec, coded_pictures, coded_sound, slice_of

if TYPE_CHECKING:
    from pathlib import Path

UNKNOWN = b"\x01\xff\xff\xff\xff\xff\xff\xff"


@pytest.mark.parametrize("sizes", Sizes)
@pytest.mark.parametrize("codec", CODECS)
def test_ffmpeg_decodes_a_slice_without_a_complaint(codec: Codec, sizes: Sizes, tmp_path: Path) -> None:
    path = tmp_path / "slice.webm"
    path.write_bytes(slice_of(codec, sizes, after=90_000))
    assert complaints(path) == ""


@pytest.mark.parametrize("codec", ["vp8", "vp9"])
def test_pictures_are_decoded_at_their_times(codec: Codec) -> None:
    with av.open(BytesIO(slice_of(codec, after=900)), "r", format="matroska") as container:
        frames = [(frame.time, frame.to_ndarray().astype(np.uint8)) for frame in container.decode(video=0)]
    assert [at for at, _ in frames] == pytest.approx([0.01 + n * 0.04 for n in range(60)])
    assert [read(picture[: SIZE[1]]) for _, picture in frames] == [Coded(n * 40, 1) for n in range(60)]


def test_sizes_are_told_or_not() -> None:
    known, unknown = slice_of("vp8"), slice_of("vp8", Sizes.UNKNOWN)
    assert UNKNOWN not in known
    clusters = unknown.count(ebml.CLUSTER.to_bytes(4, "big") + UNKNOWN)
    assert clusters == known.count(ebml.CLUSTER.to_bytes(4, "big")) == 3
    assert ebml.SEGMENT.to_bytes(4, "big") + UNKNOWN in unknown


def test_a_delay_that_is_not_told_is_not_added() -> None:
    sound = coded_sound()
    frames = [CodedFrame(frame.data, n * 1800, key=True) for n, frame in enumerate(sound.frames)]
    data = write_slice(OpusTrack(sound.head, delay=False), frames)
    with av.open(BytesIO(data), "r", format="matroska") as container:
        times = [packet.pts for packet in container.demux(audio=0) if packet.size]
    assert times == [n * 20 for n in range(121)]


@pytest.mark.parametrize(
    ("times", "sentence"), [([-STEP], "begins at 0 or later"), ([0, 90 * 32768], "no 16 bits for it")]
)
def test_times_that_no_block_can_hold_are_refused(times: list[int], sentence: str) -> None:
    data = coded_pictures("vp8")[1].data
    frames = [CodedFrame(data, at, key=False) for at in times]
    with pytest.raises(ValueError, match=sentence):
        write_slice(VpxTrack("vp8", *SIZE), frames, cluster_ticks=1 << 40)


@pytest.mark.parametrize(
    ("value", "data"), [(0, "80"), (126, "fe"), (127, "407f"), (16382, "7ffe"), (16383, "203fff")]
)
def test_sizes_are_as_short_as_they_can_be_and_never_the_unknown(value: int, data: str) -> None:
    assert ebml.vint_of(value).hex() == data
    assert ebml.vint(ebml.vint_of(value), 0)[0] == value


def test_a_header_says_what_was_given() -> None:
    frame = CodedFrame(silent_packet(2), 0, key=True)
    data = write_slice(OpusTrack(OpusHead(2, 3840)), [frame])
    with av.open(BytesIO(data), "r", format="matroska") as container:
        context = container.streams.audio[0].codec_context
        assert (context.sample_rate, context.channels) == (48_000, 2)
        assert context.extradata == OpusHead(2, 3840).write()

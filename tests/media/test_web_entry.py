from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from pipeline.demo.picture import read
from pipeline.demo.sound import onsets
from pipeline.media.encode_webm import encode_opus
from pipeline.media.mp4.reader import read_movie
from pipeline.media.mp4.writer import Edit, Mp4Writer, SampleTimes, TrackHeader
from pipeline.media.opus import OpusHead, silent_run
from pipeline.media.vpx import VpxFrame, read_vp9
from pipeline.media.web_entry import opus_entry, vp9_entry
from tests.media.mp4_material import chunk, complaints, decoded_sound
from tests.media.webm_material import SIZE, STEP, coded_pictures, coded_sound, muxed

if TYPE_CHECKING:
    from pathlib import Path

KEY = VpxFrame(key=True, shown=True, width=320, height=180)


def _theirs(data: bytes) -> bytes:
    """The sample entry that FFmpeg writes for the only track of a WebM file."""
    file = BytesIO()
    with av.open(BytesIO(data), "r", format="matroska") as source, av.open(file, "w", format="mp4") as out:
        copy = out.add_stream_from_template(source.streams[0])
        for packet in source.demux():
            if packet.size:
                packet.stream = copy
                out.mux(packet)
    return read_movie(file, len(file.getbuffer())).tracks[0].sample_entry


def _box(entry: bytes, kind: bytes) -> bytes:
    at = entry.index(kind)
    return entry[at + 4 : at - 4 + int.from_bytes(entry[at - 4 : at], "big")]


def test_the_entry_of_vp9_says_what_that_of_ffmpeg_says() -> None:
    frame = read_vp9(coded_pictures("vp9")[0].data)
    assert frame is not None
    ours, theirs = vp9_entry(frame, fps=25), _theirs(muxed("vp9"))
    assert ours[8:50] == theirs[8:50]  # up to the compressor's name
    assert ours[82:86] == theirs[82:86]
    assert _box(ours, b"vpcC") == _box(theirs, b"vpcC")


def test_the_entry_of_opus_says_what_that_of_ffmpeg_says() -> None:
    ours, theirs = opus_entry(coded_sound().head), _theirs(muxed("opus"))
    assert ours[4:36] == theirs[4:36]
    ours, theirs = _box(ours, b"dOps"), _box(theirs, b"dOps")
    assert ours == theirs[:2] + bytes(2) + theirs[4:], "all but the pre-skip"


@pytest.mark.parametrize(
    ("width", "height", "fps", "level"),
    [
        (160, 120, 15, 10),
        (320, 180, 30, 11),
        (640, 360, 30, 21),
        (1280, 720, 30, 31),
        (1920, 1080, 30, 40),
        (1920, 1080, 60, 41),
        (3840, 2160, 30, 50),
        (16384, 8704, 60, 62),
    ],
)
def test_the_level_follows_from_size_and_rate(width: int, height: int, fps: int, level: int) -> None:
    frame = VpxFrame(key=True, shown=True, width=width, height=height)
    assert _box(vp9_entry(frame, fps=fps), b"vpcC")[5] == level


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (VpxFrame(True, True, 64, 64, 0, 8, (True, True), False, 2), (0, 8, 1, 0, 1)),
        (VpxFrame(True, True, 64, 64, 1, 8, (False, False), True, 7), (1, 8, 3, 1, 0)),
        (VpxFrame(True, True, 64, 64, 1, 8, (True, False), False, 1), (1, 8, 2, 0, 5)),
        (VpxFrame(True, True, 64, 64, 2, 10, (True, True), True, 5), (2, 10, 1, 1, 9)),
        (VpxFrame(True, True, 64, 64, 3, 12, (False, False), False, 0), (3, 12, 3, 0, 2)),
    ],
)
def test_profile_depth_chroma_range_and_matrix_are_told(frame: VpxFrame, said: tuple[int, ...]) -> None:
    record = _box(vp9_entry(frame), b"vpcC")
    assert (record[4], record[6] >> 4, record[6] >> 1 & 7, record[6] & 1, record[9]) == said


@pytest.mark.parametrize(
    "frame",
    [
        VpxFrame(key=False, shown=True),
        VpxFrame(key=True, shown=True, width=65536, height=2),
        VpxFrame(key=True, shown=True, width=64, height=64, profile=1, subsampling=(False, True)),
    ],
)
def test_what_has_no_entry_is_refused(frame: VpxFrame) -> None:
    with pytest.raises(ValueError, match="VP9"):
        vp9_entry(frame)


def test_a_channel_mapping_is_copied() -> None:
    head = OpusHead(6, 312, family=1, mapping=bytes((4, 2, 0, 4, 1, 2, 3, 5)))
    entry = opus_entry(head)
    assert int.from_bytes(entry[24:26], "big") == 6
    assert _box(entry, b"dOps")[10:] == bytes((1, 4, 2, 0, 4, 1, 2, 3, 5))


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VP9 and Opus by our own MP4 writer; the sound's edit drops the pre-skip."""
    path = tmp_path_factory.mktemp("web") / "web.mp4"
    pictures, sound = coded_pictures("vp9"), coded_sound()
    frame = read_vp9(pictures[0].data)
    assert frame is not None
    headers = (
        TrackHeader("vide", 90_000, vp9_entry(frame, fps=25), "camera", *SIZE),
        TrackHeader("soun", 48_000, opus_entry(sound.head), "microphone"),
    )
    skip = sound.head.pre_skip
    count = len(sound.frames) * 960
    shown = np.arange(len(pictures), dtype=np.int64) * STEP
    heard = np.arange(len(sound.frames), dtype=np.int64) * 960
    edits = (Edit((count - skip) // 48, skip),)
    times = (
        SampleTimes(shown, len(pictures) * STEP, sync=np.array([each.key for each in pictures])),
        SampleTimes(heard, count, edits=edits),
    )
    with path.open("w+b") as file:
        writer = Mp4Writer(file, headers, reserve=20_000, creation_ms=0)
        for begin in range(0, 130, 10):
            for number, frames in enumerate((pictures, sound.frames)):
                chunk(writer, number, [each.data for each in frames[begin : begin + 10]])
        writer.finish(times)
    return path


def test_vp9_and_opus_in_our_mp4_decode_without_a_complaint(movie: Path) -> None:
    assert complaints(movie) == ""


def test_vp9_and_opus_in_our_mp4_have_their_sizes_and_times(movie: Path) -> None:
    with av.open(str(movie), "r") as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.width, video.height) == ("vp9", *SIZE)
        assert (audio.codec_context.codec.canonical_name, audio.rate, audio.channels) == ("opus", 48_000, 1)
        shown = [
            (frame.pts, read(frame.to_ndarray().astype(np.uint8)[: SIZE[1]]))
            for frame in container.decode(video)
        ]
    assert [(pts, coded and coded.at_ms) for pts, coded in shown] == [(n * STEP, n * 40) for n in range(60)]


def test_the_sound_of_our_mp4_is_heard_at_its_time(movie: Path) -> None:
    heard = onsets(decoded_sound(movie, 1)[0].astype(np.float64), 48_000)
    # Beeps are on whole seconds; the frames of the first 2.4 s are all there.
    assert [round(at / 48) for at in heard] == pytest.approx([0, 1000, 2000], abs=1)


def test_a_run_of_silence_in_our_mp4_decodes_without_a_complaint(tmp_path: Path) -> None:
    """Also the frame without data that begins it after speech."""
    tone = np.rint(16_000 * np.sin(np.arange(40 * 960) / 17)).astype(np.int16)[None]
    made = encode_opus([tone], channels=1, bit_rate=12_000, application="voip")
    coded = [frame.data for frame in made.frames]
    packets = coded[:20] + silent_run(coded[19], 1, 10) + coded[20:]
    assert len(packets[20]) == 1
    path = tmp_path / "silent.mp4"
    with path.open("w+b") as file:
        header = TrackHeader("soun", 48_000, opus_entry(made.head), "microphone")
        writer = Mp4Writer(file, [header], reserve=20_000, creation_ms=0)
        chunk(writer, 0, packets)
        writer.finish([SampleTimes(np.arange(len(packets), dtype=np.int64) * 960, len(packets) * 960)])
    assert complaints(path) == ""
    assert decoded_sound(path, 1).shape[1] >= len(packets) * 960 - made.head.pre_skip

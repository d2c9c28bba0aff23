from __future__ import annotations

from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, cast

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from pipeline.media.aac import FRAME_SAMPLES, AdtsConfig
from pipeline.media.annexb import normalise
from pipeline.media.mp4.dump import dump
from pipeline.media.mp4.reader import EditEntry, Movie, Track, read_movie
from pipeline.media.mp4.writer import Edit, Mp4Writer, SampleTimes, TrackHeader
from pipeline.media.sample_entry import audio_entry
from tests.media.mp4_material import (
    FPS,
    STEP,
    TICKS,
    chunk,
    complaints,
    decoded_sound,
    ffmpeg,
    pictures,
    sound,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Literal

    from numpy.typing import NDArray

    from pipeline.media.mp4.sink import Sink

CREATED_MS = 1_700_000_000_000
RESERVE = 20_000


def ramp(count: int, step: int) -> NDArray[np.int64]:
    return np.arange(count, dtype=np.int64) * step


@dataclass(frozen=True, slots=True)
class Film:
    """Tracks with their samples and times, ready to be written."""

    headers: tuple[TrackHeader, ...]
    samples: tuple[Sequence[bytes], ...]
    times: tuple[SampleTimes, ...]

    def write(
        self,
        sink: BinaryIO | Sink,
        *,
        reserve: int = RESERVE,
        many: int = 10,
        title: str = "",
        timescale: int = 1000,
    ) -> None:
        writer = Mp4Writer(
            sink,
            self.headers,
            reserve=reserve,
            creation_ms=CREATED_MS,
            title=title,
            movie_timescale=timescale,
        )
        for begin in range(0, max(map(len, self.samples)), many):
            for number, samples in enumerate(self.samples):
                chunk(writer, number, samples[begin : begin + many])
        writer.finish(self.times)

    def save(self, path: Path, *, reserve: int = RESERVE) -> Movie:
        with path.open("w+b") as file:
            self.write(file, reserve=reserve)
        with path.open("rb") as file:
            return read_movie(file, path.stat().st_size)


def picture_film(
    codec: Literal["h264", "hevc"] = "h264",
    *,
    bframes: int = 2,
    clockwise: int = 0,
    count: int = 50,
) -> Film:
    coded = pictures(codec, bframes=bframes, count=count)
    units = [normalise(data, codec) for data in coded.units]
    pts, dts = np.array(coded.pts, dtype=np.int64), np.array(coded.dts, dtype=np.int64)
    first = int(pts.min() - dts[0])
    times = SampleTimes(
        dts=dts - dts[0],
        end=int(dts[-1] - dts[0]) + STEP,
        cts=pts - dts,
        sync=np.array([unit.key for unit in units]),
        edits=(Edit(count * 1000 // FPS, first),),
    )
    header = TrackHeader("vide", TICKS, coded.entry, "Camera", 320, 180, clockwise)
    return Film((header,), ([unit.payload for unit in units],), (times,))


def sound_film(rate: int = 48000, channels: int = 2) -> Film:
    blocks, config = sound(rate, channels)
    times = SampleTimes(ramp(len(blocks), FRAME_SAMPLES), len(blocks) * FRAME_SAMPLES)
    return Film((TrackHeader("soun", rate, audio_entry(config), "Microphone"),), (blocks,), (times,))


def both(first: Film, second: Film) -> Film:
    return Film(first.headers + second.headers, first.samples + second.samples, first.times + second.times)


def in_file(path: Path, track: Track) -> list[bytes]:
    data = path.read_bytes()
    pairs = zip(track.offsets.tolist(), track.sizes.tolist(), strict=True)
    return [data[offset : offset + size] for offset, size in pairs]


def assert_read_back(path: Path, movie: Movie, film: Film) -> None:
    """What the reader finds is what was written."""
    for track, header, samples, times in zip(
        movie.tracks, film.headers, film.samples, film.times, strict=True
    ):
        assert (track.handler, track.timescale, track.name) == (header.handler, header.timescale, header.name)
        assert (track.width, track.height, track.clockwise) == (header.width, header.height, header.clockwise)
        assert track.sample_entry == header.sample_entry
        assert track.edits == tuple(EditEntry(edit.duration, edit.media_time) for edit in times.edits)
        assert np.array_equal(track.dts, times.dts)
        assert track.duration == times.end == int(track.durations.sum())
        assert np.array_equal(track.cts, np.zeros_like(times.dts) if times.cts is None else times.cts)
        assert np.array_equal(track.sync, np.ones(len(times.dts)) if times.sync is None else times.sync)
        assert in_file(path, track) == list(samples)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: picture_film(bframes=0), id="H.264 without B-pictures"),
        pytest.param(lambda: picture_film(bframes=2), id="H.264 with B-pictures"),
        pytest.param(lambda: picture_film("hevc"), id="HEVC with B-pictures"),
        pytest.param(sound_film, id="AAC stereo at 48 kHz"),
        pytest.param(lambda: sound_film(16000, 1), id="AAC mono at 16 kHz"),
        pytest.param(lambda: both(picture_film(), sound_film(44100, 1)), id="H.264 and AAC"),
    ],
)
def test_what_is_written_reads_back_and_three_readers_agree(make: Callable[[], Film], tmp_path: Path) -> None:
    film, path = make(), tmp_path / "film.mp4"
    movie = film.save(path)
    assert_read_back(path, movie, film)
    assert movie.moov_before_mdat
    assert movie.creation_ms == CREATED_MS
    assert complaints(path) == ""
    with av.open(path, "r") as container:
        for stream, samples, times in zip(container.streams, film.samples, film.times, strict=True):
            container.seek(0)
            packets = [packet for packet in container.demux(stream) if packet.size]
            assert [bytes(packet) for packet in packets] == list(samples)
            shift = times.edits[0].media_time if times.edits else 0
            assert [packet.dts for packet in packets] == (times.dts - shift).tolist()
            assert stream.duration == times.end
        for frame in container.decode(container.streams[0]):
            assert isinstance(frame, av.VideoFrame | av.AudioFrame)


def test_pictures_with_b_frames_are_shown_in_order_from_zero(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    picture_film().save(path)
    with av.open(path, "r") as container:
        shown = [frame.pts for frame in container.decode(video=0)]
    assert shown == [number * STEP for number in range(50)]


def test_a_late_picture_waits_for_its_empty_edit(tmp_path: Path) -> None:
    film, path = picture_film(), tmp_path / "film.mp4"
    (times,) = film.times
    film = replace(film, times=(replace(times, edits=(Edit(1500, -1), *times.edits)),))
    movie = both(film, sound_film()).save(path)
    assert movie.duration == movie.tracks[0].presented == 1500 + 2000
    assert complaints(path) == ""
    with av.open(path, "r") as container:
        shown = [frame.pts for frame in container.decode(video=0)]
    assert shown[0] == 1.5 * TICKS
    assert shown[-1] == 1.5 * TICKS + 49 * STEP


def test_a_held_picture_is_one_sample_of_thirty_seconds(tmp_path: Path) -> None:
    film, path = picture_film(bframes=0), tmp_path / "film.mp4"
    (times,) = film.times
    dts = times.dts + np.where(np.arange(50) >= 25, 30 * TICKS, 0)
    times = SampleTimes(dts, times.end + 30 * TICKS, sync=times.sync)
    movie = replace(film, times=(times,)).save(path)
    assert movie.tracks[0].durations[24] == 30 * TICKS + STEP
    assert movie.duration == 32_000
    assert complaints(path) == ""
    with av.open(path, "r") as container:
        shown = [frame.pts for frame in container.decode(video=0)]
    assert shown == dts.tolist()


@pytest.mark.parametrize("clockwise", [0, 90, 180, 270], ids=lambda turn: f"{turn} degrees clockwise")
def test_ffmpeg_turns_the_picture_as_the_header_says(clockwise: int, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    film = picture_film(clockwise=clockwise)
    film.save(path)
    told = ffmpeg("-i", str(path)).stderr.decode()
    turn = {0: "", 90: "rotation of -90.00", 180: "rotation of -180.00", 270: "rotation of 90.00"}[clockwise]
    assert (turn in told) if turn else ("displaymatrix" not in told)
    raw = ffmpeg("-v", "error", "-xerror", "-i", str(path), "-frames:v", "1", "-f", "yuv4mpegpipe", "-")
    size = b"W180 H320" if clockwise % 180 else b"W320 H180"
    assert size in raw.stdout[:40]
    upright = ffmpeg("-v", "error", "-noautorotate", "-i", str(path), "-frames:v", "1", *_GREY).stdout
    shown = ffmpeg("-v", "error", "-i", str(path), "-frames:v", "1", *_GREY).stdout
    stored = np.frombuffer(upright, dtype=np.uint8).reshape(180, 320)
    shape = (320, 180) if clockwise % 180 else (180, 320)
    assert np.array_equal(
        np.frombuffer(shown, dtype=np.uint8).reshape(shape), np.rot90(stored, -clockwise // 90)
    )


_GREY = ("-f", "rawvideo", "-pix_fmt", "gray", "-")


def test_sound_comes_out_sample_for_sample(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    film = sound_film(32000, 1)
    film.save(path)
    pcm = decoded_sound(path, 1)
    assert pcm.shape[1] == len(film.samples[0]) * FRAME_SAMPLES


ENTRY = audio_entry(AdtsConfig(2, 3, 2))
PICTURE_ENTRY = bytes.fromhex(
    "00000071617663310000000000000001000000000000000000000000000000000140 00b4"
    "004800000048000000000000000100000000000000000000000000000000000000000000000000000000000000000018ffff"
    "0000001b617663430142c01effe1000467 42c01e01000468ce3c80"
)


@dataclass(slots=True)
class Sparse:
    """A file that remembers large writes only as holes."""

    file: BinaryIO
    sizes: list[int] = field(default_factory=list)

    def write(self, data: bytes) -> int:
        self.sizes.append(len(data))
        if len(data) < 1 << 20:
            return self.file.write(data)
        self.file.seek(len(data) - 1, 1)
        self.file.write(b"\0")
        return len(data)

    def seek(self, at: int, whence: int = 0) -> int:
        return self.file.seek(at, whence)


def test_more_than_four_gigabytes_take_a_large_mdat_and_64_bit_offsets(tmp_path: Path) -> None:
    path, big = tmp_path / "large.mp4", bytes(64 << 20)
    count = 66
    header = TrackHeader("soun", 48000, ENTRY, "Sound")
    with path.open("w+b") as file:
        film = Film((header, header), ([big] * count, [b"end"]), (even(count), even(1)))
        film.write(cast("BinaryIO", Sparse(file)), many=1)
    size = path.stat().st_size
    with path.open("rb") as file:
        movie = read_movie(file, size)
        text = dump(file)
    assert size > 1 << 32
    assert f"mdat {count * len(big) + 3 + 16} (header 16)" in text
    first, second = movie.tracks
    assert first.sizes.tolist() == [len(big)] * count
    assert first.offsets[-1] > 1 << 32
    assert first.offsets[-1] + len(big) == size
    assert second.offsets.tolist() == [first.offsets[0] + len(big)]
    assert text.count("co64") == text.count("stco") == 1  # each track has the offsets it needs


def even(count: int, step: int = 1024) -> SampleTimes:
    return SampleTimes(ramp(count, step), count * step)


def test_a_moov_larger_than_its_reserve_moves_the_media_and_changes_nothing_else(tmp_path: Path) -> None:
    film = both(picture_film(), sound_film())
    roomy, tight = tmp_path / "roomy.mp4", tmp_path / "tight.mp4"
    film.save(roomy)
    movie = film.save(tight, reserve=100)
    assert_read_back(tight, movie, film)
    assert complaints(tight) == ""
    assert roomy.stat().st_size > tight.stat().st_size
    with tight.open("rb") as file:
        assert "free" not in dump(file)


def test_media_larger_than_the_copied_block_moves_whole() -> None:
    rng = np.random.default_rng(1)
    samples = [rng.bytes(1 << 20) for _ in range(10)]
    film = Film((TrackHeader("soun", 48000, ENTRY, ""),), (samples,), (even(10),))
    sink = BytesIO()
    film.write(sink, reserve=0, many=3)
    (track,) = read_movie(sink, len(sink.getvalue())).tracks
    data = sink.getvalue()
    pairs = zip(track.offsets.tolist(), track.sizes.tolist(), strict=True)
    assert [data[offset : offset + size] for offset, size in pairs] == samples


@pytest.mark.parametrize("spare", range(-9, 18))
def test_any_reserve_around_the_size_of_moov_gives_a_whole_file(spare: int) -> None:
    samples = [b"one", b"two", b"three"]
    film = Film((TrackHeader("soun", 48000, ENTRY, ""),), (samples,), (even(3),))
    exact = BytesIO()
    film.write(exact, reserve=0)
    moov = len(exact.getvalue()) - len(b"onetwothree") - 8 - 28  # ftyp of three brands
    sink = BytesIO()
    film.write(sink, reserve=moov - 8 + spare)
    data = sink.getvalue()
    (track,) = read_movie(sink, len(data)).tracks
    assert data.endswith(b"onetwothree")
    assert track.offsets[0] == len(data) - 11
    assert ("free" in dump(sink)) == (spare > 0)


def test_media_begins_where_the_reserve_says() -> None:
    sink = BytesIO()
    film = Film((TrackHeader("soun", 48000, ENTRY, ""),), ([b"sample"],), (even(1),))
    film.write(sink, reserve=5000)
    (track,) = read_movie(sink, len(sink.getvalue())).tracks
    assert track.offsets.tolist() == [28 + 5000 + 16]


@pytest.mark.parametrize(("count", "many"), [(1, 1), (500, 1), (500, 7), (2000, 50)])
def test_the_reserve_is_enough_for_the_worst_pictures(count: int, many: int) -> None:
    rng = np.random.default_rng(3)
    dts = np.cumsum(rng.integers(1, 9000, count)) - 1
    dts[0] = 0
    worst = SampleTimes(
        dts,
        int(dts[-1]) + 1,
        cts=rng.integers(0, 9000, count),
        sync=np.arange(count) > 0,
        edits=(Edit(500, -1), Edit(10_000_000, 0)),
    )
    headers = (TrackHeader("vide", TICKS, PICTURE_ENTRY, "Ünï" * 20, 320, 180),)
    film = Film(headers, ([bytes(number % 250 + 1) for number in range(count)],), (worst,))
    chunks = -(-count // many)
    reserve = Mp4Writer.reserve_for(headers, [count], [chunks], title="T" * 300)
    sink = BytesIO()
    film.write(sink, reserve=reserve, many=many, title="T" * 300)
    assert read_movie(sink, len(sink.getvalue())).tracks[0].offsets[0] == reserve + 16 + 32


def test_the_same_input_gives_the_same_bytes() -> None:
    first, second = BytesIO(), BytesIO()
    both(picture_film(), sound_film()).write(first, title="Room 7")
    both(picture_film(), sound_film()).write(second, title="Room 7")
    assert first.getvalue() == second.getvalue()


def test_the_boxes_of_a_film_with_everything(golden: Callable[[str, str], None]) -> None:
    dts = np.array([0, 3600, 7200, 10800, 14400 + 2_700_000], dtype=np.int64)
    picture = SampleTimes(
        dts,
        int(dts[-1]) + 3600,
        cts=np.array([7200, 10800, 3600, 7200, 7200], dtype=np.int64),
        sync=np.array([True, False, False, False, True]),
        edits=(Edit(45_000, -1), Edit(2_718_000, 7200)),
    )
    film = Film(
        (
            TrackHeader("vide", TICKS, PICTURE_ENTRY, "Camera of Zoë", 320, 180, 90),
            TrackHeader("soun", 48000, ENTRY, "Microphone"),
            TrackHeader("soun", 48000, ENTRY, "Second microphone"),
        ),
        ([b"i" * 500, b"p" * 60, b"b" * 20, b"b" * 20, b"i" * 480], [b"a" * 9] * 7, [b"c" * 6]),
        (picture, even(7), even(1)),
    )
    sink = BytesIO()
    film.write(sink, many=2, title="会议 7", timescale=TICKS, reserve=4000)
    golden("media/golden/film_with_everything.txt", dump(sink))
    movie = read_movie(sink, len(sink.getvalue()))
    assert movie.title == "会议 7"
    assert [track.enabled for track in movie.tracks] == [True, True, False]
    assert [track.alternate_group for track in movie.tracks] == [0, 2, 2]


def test_durations_beyond_32_bits_take_the_larger_boxes(golden: Callable[[str, str], None]) -> None:
    day = 86_400 * TICKS
    times = SampleTimes(
        ramp(2, day // 8 * 3), 3 * day // 4 + 1, edits=(Edit(1 << 32, -1), Edit(day, 1 << 31))
    )
    film = Film((TrackHeader("vide", TICKS, PICTURE_ENTRY, "", 320, 180),), ([b"1", b"2"],), (times,))
    sink = BytesIO()
    film.write(sink, timescale=TICKS, reserve=1000)
    golden("media/golden/durations_beyond_32_bits.txt", dump(sink))
    movie = read_movie(sink, len(sink.getvalue()))
    assert movie.duration == movie.tracks[0].presented == (1 << 32) + day
    assert movie.tracks[0].duration == 3 * day // 4 + 1


@st.composite
def sample_times(draw: st.DrawFn) -> SampleTimes:
    count = draw(st.integers(0, 40))
    if not count:
        return SampleTimes(ramp(0, 1), 0)
    few = st.sampled_from([1, 1024, 3600, (1 << 32) - 1])
    steps = draw(npst.arrays(np.int64, count, elements=few))
    ends = np.cumsum(steps)
    offsets = npst.arrays(np.int64, count, elements=st.sampled_from([0, 3600, (1 << 31) - 1]))
    return SampleTimes(
        ends - steps,
        int(ends[-1]),
        cts=draw(st.none() | offsets),
        sync=draw(st.none() | npst.arrays(np.bool_, count)),
        edits=draw(
            st.lists(st.builds(Edit, st.integers(0, 1 << 40), st.integers(-1, 1 << 40)), max_size=3).map(
                tuple
            )
        ),
    )


@given(
    times=st.lists(sample_times(), min_size=1, max_size=3),
    many=st.integers(1, 50),
    reserve=st.integers(0, 4000),
    sizes=st.lists(st.integers(0, 20), min_size=1, max_size=5),
    title=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
)
def test_any_times_read_back(
    times: list[SampleTimes], many: int, reserve: int, sizes: list[int], title: str
) -> None:
    samples = [[b"x" * sizes[at % len(sizes)] for at in range(len(track.dts))] for track in times]
    headers = tuple(TrackHeader("soun", 48000, ENTRY, title) for _ in times)
    sink = BytesIO()
    Film(headers, tuple(samples), tuple(times)).write(sink, reserve=reserve, many=many, title=title)
    movie = read_movie(sink, len(sink.getvalue()))
    assert movie.title == title
    for track, written, at in zip(movie.tracks, samples, times, strict=True):
        assert track.sizes.tolist() == [len(sample) for sample in written]
        assert track.dts.tolist() == at.dts.tolist()
        assert track.duration == at.end
        assert track.cts.tolist() == ([0] * len(written) if at.cts is None else at.cts.tolist())
        assert track.sync.tolist() == ([True] * len(written) if at.sync is None else at.sync.tolist())
        assert track.edits == tuple(EditEntry(edit.duration, edit.media_time) for edit in at.edits)
        presented = sum(edit.duration for edit in at.edits) if at.edits else -(-at.end * 1000 // 48000)
        assert track.presented == presented


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(lambda: SampleTimes(ramp(3, 5) + 1, 20), "decoded at 0", id="a first sample after zero"),
        pytest.param(lambda: SampleTimes(ramp(3, 0), 20), "rise strictly", id="two samples at one time"),
        pytest.param(lambda: SampleTimes(ramp(3, 5), 10), "rise strictly", id="an end at the last sample"),
        pytest.param(lambda: SampleTimes(ramp(2, 1 << 32), 1 << 33), "rise strictly", id="a sample of a day"),
        pytest.param(lambda: SampleTimes(ramp(0, 1), 5), "without samples", id="an end without samples"),
        pytest.param(
            lambda: SampleTimes(ramp(2, 1), 2, cts=ramp(3, 1)), "composition offsets", id="too many offsets"
        ),
        pytest.param(
            lambda: SampleTimes(ramp(2, 1), 2, cts=ramp(2, -1)), "composition offsets", id="a negative offset"
        ),
        pytest.param(
            lambda: SampleTimes(ramp(2, 1), 2, sync=np.ones(1, np.bool_)), "sync flags", id="too few flags"
        ),
        pytest.param(lambda: Edit(-1, 0), "negative", id="an edit of negative duration"),
        pytest.param(lambda: Edit(1, -2), "negative", id="an edit before the media"),
        pytest.param(lambda: TrackHeader("text", 1000, ENTRY, ""), "vide or soun", id="a text track"),
        pytest.param(lambda: TrackHeader("soun", 0, ENTRY, ""), "timescale", id="no ticks per second"),
        pytest.param(lambda: TrackHeader("soun", 1, ENTRY[:-1], ""), "whole box", id="a cut sample entry"),
        pytest.param(
            lambda: TrackHeader("vide", 1, ENTRY, "", 1 << 16, 2), "16 bits", id="a picture too wide"
        ),
        pytest.param(
            lambda: TrackHeader("vide", 1, ENTRY, "", clockwise=45), "turns by", id="an eighth of a turn"
        ),
        pytest.param(
            lambda: TrackHeader("soun", 1, ENTRY, "a\0b"), "zero byte", id="a zero byte in the name"
        ),
        pytest.param(
            lambda: Mp4Writer(BytesIO(), (), reserve=-1, creation_ms=0), "reserved", id="a negative reserve"
        ),
    ],
)
def test_what_no_mp4_can_hold_does_not_exist(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make()


def test_times_of_other_samples_are_refused() -> None:
    writer = Mp4Writer(BytesIO(), [TrackHeader("soun", 1, ENTRY, "")], reserve=0, creation_ms=0)
    chunk(writer, 0, [b"one"])
    with pytest.raises(ValueError, match="track 1 has 1 samples and 2 times"):
        writer.finish([even(2)])


def test_no_samples_are_no_chunk() -> None:
    sink = BytesIO()
    writer = Mp4Writer(sink, [TrackHeader("soun", 1, ENTRY, "")], reserve=0, creation_ms=0)
    chunk(writer, 0, [])
    writer.finish([even(0)])
    assert len(read_movie(sink, len(sink.getvalue())).tracks[0].chunk_counts) == 0

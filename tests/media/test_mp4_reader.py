from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from struct import pack
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.media.aac import AdtsConfig
from pipeline.media.annexb import normalise
from pipeline.media.mp4.dump import dump
from pipeline.media.mp4.reader import EditEntry, read_movie
from pipeline.media.mp4.writer import Edit, Mp4Writer, SampleTimes, TrackHeader
from pipeline.media.sample_entry import audio_entry
from tests.media.mp4_material import chunk, pictures

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = audio_entry(AdtsConfig(2, 3, 2))


def small_film() -> bytes:
    """A valid file with every table there is: offsets, sync samples, edits, sizes, two runs of chunks."""
    sink = BytesIO()
    header = TrackHeader("vide", 1000, ENTRY, "Name", 16, 16)
    writer = Mp4Writer(sink, [header, header], reserve=2000, creation_ms=0, title="T")
    samples = [bytes([at]) * (at + 1) for at in range(6)]
    for number in (0, 1):
        chunk(writer, number, samples[:2])
        chunk(writer, number, samples[2:4])
        chunk(writer, number, samples[4:5])
        chunk(writer, number, samples[5:])
    dts = np.array([0, 5, 10, 15, 20, 30], dtype=np.int64)
    cts = np.array([5, 10, 0, 0, 5, 0], dtype=np.int64)
    times = SampleTimes(dts, 40, cts, dts % 10 == 0, (Edit(10, -1), Edit(40, 5)))
    writer.finish([times, times])
    return sink.getvalue()


FILM = small_film()


def read(data: bytes) -> object:
    return read_movie(BytesIO(data), len(data))


def patch(kind: bytes, at: int, value: bytes) -> bytes:
    """The film with other bytes ``at`` bytes into the body of the first box of a type."""
    place = FILM.index(kind) + 4 + at
    return FILM[:place] + value + FILM[place + len(value) :]


def u32(value: int) -> bytes:
    return pack(">I", value)


def co64(offset: int) -> bytes:
    """The film with one chunk offset of 64 bits where four of 32 were; a free box fills the rest."""
    body = u32(0) + u32(1) + pack(">Q", offset)
    return patch(b"stco", -8, u32(24) + b"co64" + body + u32(8) + b"free")


def crowded() -> bytes:
    body = b"\0\0\0\x08free" * 1001
    return FILM[:28] + u32(8 + len(body)) + b"moov" + body


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(b"", "0 moov boxes", id="nothing"),
        pytest.param(b"junk", "4 bytes are left", id="four bytes"),
        pytest.param(FILM[:-1], "mdat: it ends at byte", id="a byte is missing at the end"),
        pytest.param(FILM[:900], "moov: it ends at byte 1[0-9]+ of a file of 900", id="moov is cut"),
        pytest.param(FILM + FILM, "2 moov boxes", id="two films in one file"),
        pytest.param(FILM + b"\0\0\0\x08moof", "fragmented", id="a fragment follows"),
        pytest.param(FILM + b"\0\0\0\x08free" * 1000, "more than 1000", id="a thousand boxes follow"),
        pytest.param(
            pack(">I4s", 5000, b"ftyp") + bytes(4992) + FILM[28:], "more than the 4096", id="a huge ftyp"
        ),
        pytest.param(patch(b"vmhd", -4, b"stbl"), "2 stbl", id="two of a table box"),
        pytest.param(FILM + b"\0\0\0\x07free", "a size of 7", id="a box smaller than its header"),
        pytest.param(FILM + pack(">I4sQ", 1, b"free", 12), "a size of 12", id="a large box too small"),
        pytest.param(FILM + b"\0\0\0\x01free", "8 bytes are left", id="a large box without its size"),
        pytest.param(patch(b"moov", 0, u32(1 << 30)), "moov/mvhd: it is", id="mvhd reaches out of moov"),
        pytest.param(patch(b"mvhd", -4, b"free"), "no mvhd", id="no mvhd"),
        pytest.param(patch(b"mvhd", 0, b"\2"), "version 2 is not one of 0, 1", id="an mvhd of version 2"),
        pytest.param(patch(b"mvhd", 12, u32(0)), "timescale of 0", id="a movie of no ticks per second"),
        pytest.param(patch(b"mdhd", 12, u32(0)), "timescale of 0", id="a track of no ticks per second"),
        pytest.param(patch(b"stsd", 4, u32(2)), "2 sample entries announced", id="two sample entries"),
        pytest.param(patch(b"stsz", 8, u32(1 << 31)), "are more than", id="two billion samples"),
        pytest.param(patch(b"stsz", 8, u32(7)), "7 entries take 28 bytes", id="sizes beyond the box"),
        pytest.param(patch(b"stsz", 8, u32(5)), "cover 6 samples where the track has 5", id="a size too few"),
        pytest.param(patch(b"stts", 4, u32(99)), "99 entries take 792 bytes", id="stts beyond its box"),
        pytest.param(patch(b"stts", 8, u32(0xFFFFFFFF)), "its runs cover", id="four billion times"),
        pytest.param(patch(b"ctts", 8, u32(0)), "ctts: its runs cover 5", id="an offset too few"),
        pytest.param(patch(b"stss", 8, u32(0)), "do not rise", id="a sync sample before the first"),
        pytest.param(patch(b"stss", 12, u32(1)), "do not rise", id="the same sync sample twice"),
        pytest.param(
            patch(b"stss", 16, u32(7)), "do not rise from 1 to 6", id="a sync sample after the last"
        ),
        pytest.param(patch(b"stsc", 8, u32(2)), "do not rise from 1 to 4", id="chunks without a first"),
        pytest.param(patch(b"stsc", 20, u32(9)), "do not rise from 1 to 4", id="more chunks than offsets"),
        pytest.param(patch(b"stsc", 12, u32(0)), "a chunk holds samples", id="a chunk of nothing"),
        pytest.param(
            patch(b"stsc", 12, u32(3)), "hold 8 samples where the track has 6", id="too full chunks"
        ),
        pytest.param(patch(b"stsc", 16, u32(2)), "one sample entry", id="a chunk of another sample entry"),
        pytest.param(patch(b"stsc", -4, b"free"), "no stsc", id="no stsc"),
        pytest.param(patch(b"stco", -4, b"free"), "0 of stco and co64", id="no chunk offsets"),
        pytest.param(patch(b"stco", 8, u32(4)), "not inside the mdat", id="a chunk in ftyp"),
        pytest.param(
            patch(b"stco", 20, u32(len(FILM) - 5)), "not inside the mdat", id="a chunk over the end"
        ),
        pytest.param(patch(b"stco", 20, u32(0xFFFFFFFF)), "not inside the mdat", id="a chunk outside"),
        pytest.param(patch(b"elst", 4, u32(3)), "elst: 0 bytes are left", id="an edit too many"),
        pytest.param(patch(b"elst", 4, u32(1 << 31)), "more than the 10000", id="two billion edits"),
        pytest.param(patch(b"elst", 16, u32(0x20000)), "rate 2", id="an edit at double speed"),
        pytest.param(patch(b"elst", 12, u32(0xFFFFFFFE)), "no edit that is played", id="an edit from -2"),
        pytest.param(patch(b"hdlr", 24, b"\xff"), "not UTF-8", id="a name that is no text"),
        pytest.param(co64(1 << 63), "beyond 2\\*\\*63", id="an offset of 64 bits and no sign"),
        pytest.param(crowded(), "more than 1000 boxes are in it", id="a moov of a thousand boxes"),
        pytest.param(patch(b"free", -8, u32(9)), r"\w+: |more than 1000", id="boxes out of step"),
    ],
)
def test_an_impossible_file_is_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        read(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(FILM[: FILM.index(b"stsd") + 2], id="cut in a header"),
        pytest.param(b"\0\0\0\x0cmoov\0\0\0\x05", id="a child too small"),
        pytest.param(FILM + b"\0\0\0\x08free" * 1000, id="too many boxes"),
        pytest.param(
            b"".join(pack(">I4s", 8 * (20 - at), b"moov") for at in range(20)), id="nested too deep"
        ),
    ],
)
def test_a_dump_of_an_impossible_file_is_one_sentence(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"bytes|boxes|nested"):
        dump(BytesIO(data))


@settings(max_examples=400)
@given(st.data())
def test_whatever_bytes_change_the_reader_and_the_dump_answer_or_say_why(data: st.DataObject) -> None:
    film = bytearray(FILM)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 1700))
        film[at : at + 4] = data.draw(st.sampled_from([bytes(4), b"\xff" * 4, b"\0\0\0\1", b"\x7f"]))
    film = film[: data.draw(st.integers(0, len(film) + 500))]
    for tell in (read, lambda changed: dump(BytesIO(changed))):
        try:
            tell(bytes(film))
        except ValueError as error:
            assert str(error)  # noqa: PT017 - either outcome is right, another exception is not


@given(st.binary(max_size=200))
def test_noise_is_no_film(noise: bytes) -> None:
    with pytest.raises(ValueError, match=r"bytes|boxes|size|ends|fragmented"):
        read(noise)


def test_a_file_that_shrinks_while_it_is_read_is_told() -> None:
    class Shrinking(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 100))

    with pytest.raises(ValueError, match=r"moov: the file gave 100 of its \d+ bytes"):
        read_movie(Shrinking(FILM), len(FILM))


def by_ffmpeg(path: Path, options: dict[str, str]) -> None:
    """The same media through FFmpeg's muxer: a file that our writer had no hand in."""
    with av.open(path, "w", format="mp4", options=options) as out:
        picture = out.add_stream("libx264", rate=25)
        assert isinstance(picture, av.VideoStream)
        picture.width, picture.height, picture.pix_fmt = 320, 180, "yuv420p"
        voice = out.add_stream("aac", rate=48000, layout="stereo")
        assert isinstance(voice, av.AudioStream)
        out.metadata["title"] = "Tïtle"
        for number in range(50):
            image = av.VideoFrame.from_ndarray(np.full((180, 320, 3), number, np.uint8))
            image.pts = number
            out.mux(picture.encode(image))
        out.mux(picture.encode(None))
        for number in range(94):
            tone = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
            tone.sample_rate, tone.pts = 48000, number * 1024
            out.mux(voice.encode(tone))
        out.mux(voice.encode(None))


@pytest.mark.parametrize(
    ("options", "front"),
    [
        pytest.param({}, False, id="moov at the end"),
        pytest.param({"movflags": "faststart"}, True, id="moov in front"),
        pytest.param({"movflags": "negative_cts_offsets"}, False, id="negative composition offsets"),
    ],
)
def test_a_file_of_ffmpeg_reads_as_ffmpeg_reads_it(
    options: dict[str, str], *, front: bool, tmp_path: Path
) -> None:
    path = tmp_path / "film.mp4"
    by_ffmpeg(path, options)
    with path.open("rb") as file:
        movie = read_movie(file, path.stat().st_size)
        assert dump(file).startswith("ftyp ")
    assert movie.moov_before_mdat == front
    assert movie.title == "Tïtle"
    data = path.read_bytes()
    with av.open(path, "r", options={"ignore_editlist": "1"}) as container:
        assert len(movie.tracks) == len(container.streams) == 2
        for stream, track in zip(container.streams, movie.tracks, strict=True):
            container.seek(0)
            packets = [packet for packet in container.demux(stream) if packet.size]
            assert stream.time_base == Fraction(1, track.timescale)
            first = packets[0].dts or 0
            assert [(packet.dts or 0) - first for packet in packets] == track.dts.tolist()
            offsets = [(packet.pts or 0) - (packet.dts or 0) for packet in packets]
            assert np.ptp(np.array(offsets) - track.cts) == 0
            assert [packet.is_keyframe for packet in packets] == track.sync.tolist()
            pairs = zip(track.offsets.tolist(), track.sizes.tolist(), strict=True)
            assert [data[offset : offset + size] for offset, size in pairs] == [bytes(p) for p in packets]
    assert movie.tracks[0].edits
    assert all(isinstance(edit, EditEntry) for edit in movie.tracks[0].edits)


def test_a_long_table_is_cut_short_in_the_dump() -> None:
    sink = BytesIO()
    writer = Mp4Writer(sink, [TrackHeader("soun", 1000, ENTRY, "")], reserve=2000, creation_ms=0)
    chunk(writer, 0, [bytes(at % 3 + 1) for at in range(100)])
    writer.finish([SampleTimes(np.arange(100), 100)])
    assert " and 36 more\n" in dump(sink)


def test_access_units_keep_their_bytes_through_the_file(tmp_path: Path) -> None:
    coded = pictures("hevc")
    samples = [normalise(unit, "hevc").payload for unit in coded.units]
    path = tmp_path / "film.mp4"
    with path.open("w+b") as file:
        writer = Mp4Writer(
            file, [TrackHeader("vide", 90_000, coded.entry, "", 320, 180)], reserve=0, creation_ms=0
        )
        chunk(writer, 0, samples)
        writer.finish([SampleTimes(np.arange(50) * 3600, 180_000)])
    with av.open(path, "r") as container:
        assert [bytes(packet) for packet in container.demux(video=0) if packet.size] == samples

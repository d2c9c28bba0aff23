"""A sink that neither seeks nor reads gets the bytes that a file gets."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from io import BytesIO, FileIO
from typing import TYPE_CHECKING, BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media.mp4.dump import dump
from pipeline.media.mp4.reader import read_movie
from pipeline.media.mp4.writer import TrackHeader
from tests.media.test_mp4_writer import ENTRY, Film, both, even, picture_film, sound_film

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
ZEROS = bytes(64 * MIB)
SMALL = b"a sample!"


@dataclass(slots=True)
class OneWay:
    """Takes bytes once, in their order."""

    before: bytes | None = None
    after: list[bytes] = field(default_factory=list)

    def media(self, data: bytes) -> None:
        assert self.before is None
        self.after.append(data)

    def head(self, data: bytes) -> None:
        assert self.before is None
        self.before = data

    def whole(self) -> bytes:
        assert self.before is not None
        return b"".join((self.before, *self.after))


@pytest.mark.parametrize(
    "reserve",
    [
        pytest.param(20_000, id="room to spare"),
        pytest.param(100, id="moov outgrows its reserve"),
        pytest.param(0, id="no reserve"),
    ],
)
def test_a_film_is_the_same_in_both(reserve: int) -> None:
    film = both(picture_film(), sound_film())
    file, sink = BytesIO(), OneWay()
    film.write(file, reserve=reserve, title="Room 7")
    film.write(sink, reserve=reserve, title="Room 7")
    assert sink.whole() == file.getvalue()
    data = sink.whole()
    for track, samples in zip(read_movie(file, len(data)).tracks, film.samples, strict=True):
        pairs = zip(track.offsets.tolist(), track.sizes.tolist(), strict=True)
        assert [data[at : at + size] for at, size in pairs] == list(samples)


@given(
    samples=st.lists(st.binary(max_size=30), max_size=40),
    many=st.integers(1, 10),
    reserve=st.integers(0, 1200),
)
def test_any_samples_are_the_same_in_both(samples: list[bytes], many: int, reserve: int) -> None:
    film = Film((TrackHeader("soun", 48000, ENTRY, ""),), (samples,), (even(len(samples)),))
    file, sink = BytesIO(), OneWay()
    film.write(file, reserve=reserve, many=many)
    film.write(sink, reserve=reserve, many=many)
    assert sink.whole() == file.getvalue()


@dataclass(slots=True)
class Counting:
    """Keeps the head and how much came after it."""

    before: bytes = b""
    after: int = 0

    def media(self, data: bytes) -> None:
        self.after += len(data)

    def head(self, data: bytes) -> None:
        self.before = data


class Holes:
    """An unbuffered file in which long stretches of zeros are holes, which are not read either."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    def seek(self, at: int) -> int:
        return self._file.seek(at)

    def write(self, data: bytes) -> int:
        if len(data) < MIB or not data.endswith(bytes(len(SMALL))):
            return self._file.write(data)
        self._file.seek(len(data) - 1, os.SEEK_CUR)
        return self._file.write(b"\0") + len(data) - 1

    def read(self, size: int) -> bytes:
        at = self._file.tell()
        begins = os.lseek(self._file.fileno(), at, os.SEEK_DATA)
        self._file.seek(at)
        if begins < at + size - 1:
            return self._file.read(size)
        self._file.seek(at + size)
        return ZEROS[:size]


NEAR = [
    pytest.param(0, -1, "stco", 8, id="all chunks begin below 4 GiB"),
    pytest.param(0, 0, "co64", 8, id="moov moves the last chunk to 4 GiB"),
    pytest.param(1 << 20, 0, "co64", 8, id="a chunk at 4 GiB with room to spare"),
    pytest.param(0, 500, "co64", 8, id="the media alone is smaller than 4 GiB"),
    pytest.param(0, 1 << 16, "co64", 16, id="the media alone is larger than 4 GiB"),
]


@pytest.mark.parametrize(("reserve", "beyond", "offsets", "header"), NEAR)
def test_less_than_a_moov_below_4_gib_both_get_the_same_offsets(
    tmp_path: Path, reserve: int, beyond: int, offsets: str, header: int
) -> None:
    before = (1 << 32) + beyond - _start_of(reserve) - 63 * len(ZEROS)
    film = _film([*[ZEROS] * 63, bytes(before), SMALL])
    sink = Counting()
    film.write(sink, reserve=reserve, many=1)
    path = tmp_path / "near.mp4"
    with path.open("w+b", buffering=0) as file:
        film.write(cast("BinaryIO", Holes(file)), reserve=reserve, many=1)
    with path.open("rb") as file:
        assert file.read(len(sink.before)) == sink.before
        assert path.stat().st_size == len(sink.before) + sink.after
        (track,) = read_movie(file, path.stat().st_size).tracks
        text = dump(file)
        file.seek(int(track.offsets[-1]))
        assert file.read() == SMALL
    assert track.offsets[0] == len(sink.before)
    assert (track.offsets[1:] - track.offsets[:-1]).tolist() == track.sizes[:-1].tolist()
    assert f"{offsets} " in text
    assert f"(header {header})" in text


def _film(samples: list[bytes]) -> Film:
    return Film((TrackHeader("soun", 48000, ENTRY, "Sound"),), (samples,), (even(len(samples)),))


def _start_of(reserve: int) -> int:
    """Where the media of a film of 65 chunks begins as long as 32 bits hold its offsets."""
    sink = Counting()
    _film([bytes(MIB)] * 64 + [SMALL]).write(sink, reserve=reserve, many=1)
    return len(sink.before)

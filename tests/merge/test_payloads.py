"""Not a byte of a picture or of sound changes on its way: both ends are taken apart by other code."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pipeline.demo.scenario import Track
from tests.ts_unwrapper import unwrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.demo.made import MadeUser
    from tests.merge.conftest import Merging
    from tests.merge.merging import Merged

WHOLE = (
    "audio-only",
    "audiovideo-trtc",
    "b-frames",
    "duplicate-slice",
    "hevc",
    "late-picture",
    "late-sound",
    "mute-and-rejoin",
    "no-playlist",
    "plain-agora",
    "plain-trtc",
    "pts-restarts",
    "pts-wraps",
    "rotation-90",
    "screen-trtc",
    "short-camera-off",
    "stereo-44100",
    "unlisted-slice",
    "video-only",
)
CONTAINERS = {b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0}
HANDLERS = {b"vide": "video", b"soun": "audio"}


class Mp4Track(NamedTuple):
    """A track by its boxes (ISO/IEC 14496-12 8.4.3, 8.6, 8.7)."""

    medium: str
    entry: bytes
    samples: list[bytes]


def _boxes(data: bytes, prefix: tuple[bytes, ...] = ()) -> Iterator[tuple[tuple[bytes, ...], bytes]]:
    at = 0
    while at < len(data):
        size, kind, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        assert head <= size <= len(data) - at
        yield (*prefix, kind), data[at + head : at + size]
        if kind in CONTAINERS:
            yield from _boxes(data[at + head : at + size], (*prefix, kind))
        at += size


def _numbers(data: bytes, width: int = 4) -> list[int]:
    return [int.from_bytes(data[at : at + width], "big") for at in range(0, len(data), width)]


def walk(data: bytes) -> list[Mp4Track]:
    """The tracks of an MP4 with every sample's bytes."""
    tables: list[dict[bytes, bytes]] = []
    for path, body in _boxes(data):
        if path[-1] == b"trak":
            tables.append({})
        elif tables:
            tables[-1][path[-1]] = body
    return [_track(data, table) for table in tables]


def _track(data: bytes, table: dict[bytes, bytes]) -> Mp4Track:
    count = int.from_bytes(table[b"stsz"][8:12], "big")
    one_size = int.from_bytes(table[b"stsz"][4:8], "big")
    sizes = [one_size] * count if one_size else _numbers(table[b"stsz"][12:])
    offsets = _numbers(table[b"stco"][8:]) if b"stco" in table else _numbers(table[b"co64"][8:], 8)
    rows = _numbers(table[b"stsc"][8:])
    per_chunk = dict(zip(rows[0::3], rows[1::3], strict=True))
    samples: list[bytes] = []
    many = 0
    for chunk, offset in enumerate(offsets, start=1):
        many = per_chunk.get(chunk, many)
        at = offset
        for _ in range(many):
            size = sizes[len(samples)]
            samples.append(data[at : at + size])
            at += size
    assert len(samples) == count
    return Mp4Track(HANDLERS[table[b"hdlr"][8:12]], table[b"stsd"][12:16], samples)


def _sent(result: Merged, user: MadeUser, medium: str) -> list[bytes]:
    tracks = (Track.AUDIO if medium == "audio" else Track.VIDEO, Track.BOTH)
    slices = [piece for track in tracks for piece in user.track(track)]
    return [u.payload for s in slices for u in unwrap((result.made.place / s.name).read_bytes(), medium)]


@pytest.mark.parametrize("name", WHOLE)
def test_every_payload_is_in_the_file_byte_for_byte_and_in_order(name: str, merged: Merging) -> None:
    result = merged(name)
    for output in result.outputs:
        user = result.sender(output)
        found = walk(result.file(output).read_bytes())
        assert [track.medium for track in found] == [track.medium for track in output.tracks]
        for told, track in zip(output.tracks, found, strict=True):
            sent = _sent(result, user, told.medium)
            assert sent
            filled = {n for fill in told.fills for n in range(fill.first, fill.first + fill.count)}
            copied = [sample for n, sample in enumerate(track.samples) if n not in filled]
            assert copied == sent
            assert told.payload_sha256 == hashlib.sha256(b"".join(sent)).hexdigest()
            assert (told.packets_in, told.packets_out, told.dropped) == (len(sent), len(sent), ())
            assert len({track.samples[n] for n in filled}) <= 1, "silence is one frame again and again"


@pytest.mark.parametrize(
    ("name", "entry"), [("plain-agora", b"avc1"), ("hevc", b"hvc1"), ("audio-only", b"mp4a")]
)
def test_the_sample_entry_is_the_usual_one_of_the_codec(name: str, entry: bytes, merged: Merging) -> None:
    result = merged(name)
    assert walk(result.file(result.outputs[0]).read_bytes())[0].entry == entry


@pytest.mark.parametrize("name", ["b-frames", "late-picture", "stereo-44100", "mute-and-rejoin", "hevc"])
def test_the_movie_lasts_as_long_as_the_manifest_says(name: str, merged: Merging) -> None:
    result = merged(name)
    data = result.file(result.only).read_bytes()
    (mvhd,) = (body for path, body in _boxes(data) if path == (b"moov", b"mvhd"))
    assert mvhd[0] == 0, "version 0 has 32-bit times"
    timescale, duration = _numbers(mvhd[12:20])
    assert duration * 90_000 == result.only.duration * timescale

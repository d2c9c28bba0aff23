from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.demo.webm import OpusTrack, Sizes, VpxTrack, write_slice
from pipeline.media.encode_webm import CodedFrame
from pipeline.media.opus import OpusHead, silent_packet
from pipeline.media.unreadable import Unreadable
from pipeline.media.webm import ebml
from pipeline.media.webm.ebml import element
from pipeline.media.webm.ends import WebmEnds, look
from tests.media.webm_material import (
    CODECS,
    SIZE,
    STEP,
    Codec,
    at_times,
    coded_pictures,
    coded_sound,
    ends,
    muxed,
    slice_of,
    taken,
)

CLUSTER = ebml.CLUSTER.to_bytes(4, "big")
KEY = coded_pictures("vp8", 10)[0].data
OTHER = coded_pictures("vp8", 10)[1].data


class Counting(BytesIO):
    """A file that counts the bytes read from it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.bytes += len(data)
        return data


@pytest.mark.parametrize("sizes", Sizes)
@pytest.mark.parametrize("codec", ["vp8", "vp9"])
@pytest.mark.parametrize("after", [0, 90 * 1234567])
def test_pictures_say_where_they_begin_and_end(codec: Codec, sizes: Sizes, after: int) -> None:
    found = ends(slice_of(codec, sizes, after))
    assert (found.first, found.last, found.span, found.step) == (after, after + 59 * STEP, 60 * STEP, STEP)
    assert (found.key, found.width, found.height) == (True, *SIZE)
    assert (found.cut, found.damaged, found.track.codec) == (False, False, codec)


@pytest.mark.parametrize("sizes", Sizes)
def test_sound_says_where_it_begins_and_ends(sizes: Sizes) -> None:
    found = ends(slice_of("opus", sizes))
    assert (found.first, found.last, found.span) == (-585, -585 + 120 * 1800, 121 * 1800)
    assert (found.step, found.key, found.cut, found.damaged) == (1800, True, False, False)
    assert (found.track.rate, found.track.channels, found.track.pre_skip) == (48_000, 1, 312)
    assert (found.track.delay_ns, found.track.pre_roll_ns) == (6_500_000, 80_000_000)
    assert found.track.private == coded_sound().head.write()


@pytest.mark.parametrize("live", ["0", "1"], ids=["finished", "live"])
@pytest.mark.parametrize("codec", CODECS)
def test_files_of_the_muxer_of_ffmpeg_say_what_all_their_packets_say(codec: Codec, live: str) -> None:
    data = muxed(codec, {"live": live, "cluster_time_limit": "900"})
    found, packets = ends(data), taken(data)[0]
    assert (found.first, found.last) == (packets[0].ticks, packets[-1].ticks)
    assert (found.width, found.height) == ((0, 0) if codec == "opus" else SIZE)
    assert not found.cut
    assert not found.damaged


LONG = 4800
TEN_MS = 10_000_000


def _long(sizes: Sizes, cluster_ticks: int) -> bytes:
    """Five minutes of pictures of 3 kB, 15 a second, times in units of 10 ms."""
    noise = np.random.default_rng(3).bytes(3000)
    frames = [CodedFrame((OTHER if n else KEY) + noise, n * 6000, not n) for n in range(LONG)]
    track = VpxTrack("vp8", *SIZE)
    return write_slice(track, frames, sizes=sizes, cluster_ticks=cluster_ticks, scale_ns=TEN_MS)


@pytest.mark.parametrize("sizes", Sizes)
def test_a_look_reads_kilobytes_of_a_long_slice(sizes: Sizes) -> None:
    data = _long(sizes, 90_000)
    file = Counting(data)
    found = look(file, len(data))
    assert isinstance(found, WebmEnds)
    assert (found.first, found.step) == (0, 6300)  # 66.7 ms, rounded
    assert abs(found.last - (LONG - 1) * 6000) <= 450
    assert file.bytes < len(data) // 50


def test_a_slice_of_one_cluster_is_walked_whole_with_little_memory() -> None:
    data = _long(Sizes.UNKNOWN, 1 << 60)[:-100]
    file = Counting(data)
    found = look(file, len(data))
    assert isinstance(found, WebmEnds)
    assert found.last == taken(data)[0][-1].ticks
    assert found.cut
    assert file.bytes < 2 * len(data)


@pytest.mark.parametrize("codec", CODECS)
def test_a_slice_that_is_cut_off_says_so_and_ends_with_its_last_whole_frame(codec: Codec) -> None:
    data = slice_of(codec)
    whole = taken(data)[0]
    size = data.index(whole[-1].data) + len(whole[-1].data) - 1
    found = ends(data[:size])
    assert found.cut
    assert found.last == whole[-2].ticks
    assert found.first == whole[0].ticks


def test_a_slice_that_begins_without_a_key_frame_has_the_size_of_its_header() -> None:
    found = ends(write_slice(VpxTrack("vp9", 640, 360), coded_pictures("vp9")[3:20]))
    assert (found.key, found.width, found.height) == (False, 640, 360)


def test_the_size_of_a_key_frame_goes_before_that_of_the_header() -> None:
    found = ends(write_slice(VpxTrack("vp8", 640, 360), coded_pictures("vp8")))
    assert (found.key, found.width, found.height) == (True, *SIZE)


def test_one_frame_has_a_length_that_is_a_guess_or_its_own() -> None:
    picture = ends(write_slice(VpxTrack("vp8", *SIZE), coded_pictures("vp8")[:1]))
    assert (picture.span, picture.step) == (6000, 6000)
    frame = CodedFrame(silent_packet(1, 480), 900, key=True)
    sound = ends(write_slice(OpusTrack(OpusHead(1, 0), delay=False), [frame]))
    assert (sound.first, sound.span, sound.step) == (900, 900, 900)


def test_damage_near_the_end_is_told() -> None:
    data = slice_of("vp8")
    at = data.index(taken(data)[0][-3].data)
    found = ends(data[: at - 6] + bytes(2) + data[at - 4 :])
    assert found.damaged
    assert found.last == 59 * STEP


HEAD = slice_of("opus")[: slice_of("opus").index(CLUSTER)]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is no WebM (no EBML header)"),
        (b"G" + bytes(187), "it is no WebM (no EBML header)"),
        (b"<!DOCTYPE html><p>no", "it is an HTML or XML page, probably a download that was refused"),
        (HEAD[:20], "it ends within its WebM header"),
        (HEAD[:100], "it ends within its WebM header"),
        (HEAD, "it holds no packet of this track"),
        (HEAD.replace(b"OpusHead", b"OpusTail"), "its Opus header is none"),
        (
            HEAD.replace(b"A_OPUS", b"A_AAC!"),
            "its codec is 'A_AAC!': only VP8, VP9 and Opus are known in WebM",
        ),
        (HEAD.replace(b"webm", b"weba"), "it is 'weba' in EBML, not WebM"),
        (
            HEAD.replace(bytes.fromhex("2ad7b1830f4240"), bytes.fromhex("2ad7b183000000")),
            "its WebM header is damaged",
        ),
        (
            HEAD[: HEAD.index(b"\x16\x54\xae\x6b")] + element(ebml.CLUSTER, b"\xe7\x81\0"),
            "its WebM header is damaged",
        ),
        (element(ebml.EBML, bytes(2000000)), "its WebM header is damaged"),
    ],
)
def test_what_is_no_slice_says_why(data: bytes, why: str) -> None:
    assert look(BytesIO(data), len(data)) == Unreadable(why)


def test_a_track_that_is_compressed_is_refused() -> None:
    at = HEAD.index(b"\x86\x86A_OPUS")
    entry, tracks = HEAD.rindex(b"\xae", 0, at), HEAD.index(b"\x16\x54\xae\x6b")
    encodings = element(ebml.CONTENT_ENCODINGS, b"")
    inner = element(ebml.TRACK_ENTRY, HEAD[entry + 2 :] + encodings)
    data = HEAD[:tracks] + element(ebml.TRACKS, inner) + slice_of("opus")[len(HEAD) :]
    assert look(BytesIO(data), len(data)) == Unreadable("its track is compressed or encrypted")


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_mutated_slices_raise_nothing(draw: st.DataObject) -> None:
    data = bytearray(slice_of(draw.draw(st.sampled_from(CODECS)), draw.draw(st.sampled_from(list(Sizes)))))
    for _ in range(draw.draw(st.integers(1, 5))):
        at = draw.draw(st.one_of(st.integers(0, 300), st.integers(0, len(data) - 1)))
        data[at : at + 1] = draw.draw(st.binary(max_size=9))
    found = look(BytesIO(data), len(data))
    assert isinstance(found, Unreadable) or (found.span > 0 and found.step > 0 and found.first <= found.last)


@given(st.binary(max_size=500))
@settings(max_examples=200, deadline=None)
def test_random_bytes_raise_nothing(noise: bytes) -> None:
    for data in (noise, HEAD + noise, HEAD[:60] + noise):
        assert isinstance(look(BytesIO(data), len(data)), (Unreadable, WebmEnds))


def test_times_that_jump_back_make_no_negative_length() -> None:
    frames = [*at_times(coded_pictures("vp8")[:5], 900_000), *coded_pictures("vp8")[:1]]
    found = ends(write_slice(VpxTrack("vp8", *SIZE), frames))
    assert found.first == 900_000
    assert found.span > 0

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.demo.webm import OpusTrack, Sizes, VpxTrack, write_slice
from pipeline.media.opus import OpusHead, silent_packet
from pipeline.media.webm import ebml
from pipeline.media.webm.blocks import MOST_PLACES, Damage, packets
from pipeline.media.webm.ebml import element, unsigned_of
from tests.media.webm_material import (
    CODECS,
    SIZE,
    Codec,
    at_times,
    coded_pictures,
    demuxed,
    frames_of,
    muxed,
    slice_of,
    taken,
    track_of,
)

GOOD = Damage()
HALF_MS = 45
CLUSTER = ebml.CLUSTER.to_bytes(4, "big")
CLUSTER_HEAD = 12  # ID and size


@pytest.mark.parametrize("sizes", Sizes)
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("after", [585, 90 * 1234567, 90 * (1 << 40)], ids=["0", "20 min", "long"])
def test_every_frame_comes_as_it_was_written(codec: Codec, sizes: Sizes, after: int) -> None:
    found, damage = taken(slice_of(codec, sizes, after))
    frames = at_times(frames_of(codec), after)
    assert damage == GOOD
    assert [(p.data, p.key) for p in found] == [(f.data, f.key) for f in frames]
    assert max(abs(p.ticks - f.at_ticks) for p, f in zip(found, frames, strict=True)) <= HALF_MS


@pytest.mark.parametrize("codec", CODECS)
def test_finer_time_scales_make_finer_times(codec: Codec) -> None:
    found, _ = taken(slice_of(codec, after=777, scale_ns=100_000))
    frames = at_times(frames_of(codec), 777)
    assert max(abs(p.ticks - f.at_ticks) for p, f in zip(found, frames, strict=True)) <= 5


@pytest.mark.parametrize("sizes", Sizes)
@pytest.mark.parametrize("codec", CODECS)
def test_ffmpeg_reads_the_same_from_our_writer(codec: Codec, sizes: Sizes) -> None:
    data = slice_of(codec, sizes, after=900)
    found, _ = taken(data)
    theirs = demuxed(data)
    assert [p.data for p in found] == [payload for _, payload in theirs]
    # FFmpeg subtracts CodecDelay in whole milliseconds.
    assert all(abs(p.ticks - ms * 90) <= HALF_MS for p, (ms, _) in zip(found, theirs, strict=True))


@pytest.mark.parametrize("live", ["0", "1"], ids=["finished", "live"])
@pytest.mark.parametrize("codec", CODECS)
def test_files_of_the_muxer_of_ffmpeg_are_read_as_ffmpeg_reads_them(codec: Codec, live: str) -> None:
    data = muxed(codec, {"live": live, "cluster_time_limit": "900"})
    found, damage = taken(data)
    theirs = demuxed(data)
    assert damage == GOOD
    assert len(found) == (121 if codec == "opus" else 60)
    assert [p.data for p in found] == [payload for _, payload in theirs]
    assert all(abs(p.ticks - ms * 90) <= HALF_MS for p, (ms, _) in zip(found, theirs, strict=True))


def test_padding_at_the_end_is_told() -> None:
    found, _ = taken(muxed("opus"))
    assert not any(p.discard_ns for p in found[:-1])
    # 121 frames hold 120 less 200 samples, and the encoder's delay of 312.
    assert found[-1].discard_ns == pytest.approx((960 + 200 - 312) * 1e9 / 48_000, abs=1)


def _one_block(kind: int, *body: bytes, scale: int = 1_000_000) -> bytes:
    """A slice of Opus whose only cluster, at 1 s, holds this element."""
    data = write_slice(OpusTrack(OpusHead(1, 0), delay=False), [], scale_ns=scale)
    cluster = element(ebml.CLUSTER, element(ebml.TIMESTAMP, unsigned_of(1000)), element(kind, *body))
    whole = data.index(ebml.SEGMENT.to_bytes(4, "big"))
    segment = data[whole + 4 :]
    _, start, _ = ebml.vint(segment, 0)
    return data[:whole] + element(ebml.SEGMENT, segment[start:], cluster)


A, B, C = silent_packet(1), silent_packet(1, 480) + bytes(300), silent_packet(1, 240)
LACED = {
    "none": (0x00, A, [A]),
    "xiph": (0x02, bytes((2, 3, 255, len(B) - 255)) + A + B + C, [A, B, C]),
    "fixed": (0x04, b"\2" + A * 3, [A, A, A]),
    "ebml": (0x06, b"\2\x83" + (0x4000 + 300 + 8191).to_bytes(2, "big") + A + B + C, [A, B, C]),
    "one lace": (0x04, b"\0" + B, [B]),
}


@pytest.mark.parametrize("group", [False, True], ids=["SimpleBlock", "BlockGroup"])
@pytest.mark.parametrize("name", LACED)
def test_laces_are_split_and_placed_by_their_lengths(name: str, group: bool) -> None:  # noqa: FBT001 - a table
    flags, body, frames = LACED[name]
    block = b"\x81\0\x05" + bytes((flags,)) + body
    kind, inner = (ebml.BLOCK_GROUP, element(ebml.BLOCK, block)) if group else (ebml.SIMPLE_BLOCK, block)
    found, damage = taken(_one_block(kind, inner))
    assert damage == GOOD
    assert [p.data for p in found] == frames
    lengths = {A: 1800, B: 900, C: 450}
    at = 1005 * 90
    for packet in found:
        assert packet.ticks == at
        at += lengths[packet.data]


@pytest.mark.parametrize(
    ("flags", "body"),
    [
        (0x04, b"\2" + A * 3 + b"x"),
        (0x02, b"\xff" + b"\xff" * 40),
        (0x02, b"\1\x09" + A),
        (0x06, b"\2\x83\x80" + A * 2),
        (0x06, b"\2\x00" + A * 2),
        (0x02, b"\1"),
        (0x00, b""),
    ],
)
def test_laces_that_do_not_fit_are_damage(flags: int, body: bytes) -> None:
    block = b"\x81\0\x05" + bytes((flags,)) + body
    assert taken(_one_block(ebml.SIMPLE_BLOCK, block)) == ([], Damage(places=1, bytes=len(block)))


def test_blocks_of_other_tracks_are_counted() -> None:
    found, damage = taken(_one_block(ebml.SIMPLE_BLOCK, b"\x82\0\0\0" + A))
    assert (found, damage) == ([], Damage(foreign=1))


@pytest.mark.parametrize("sizes", Sizes)
@pytest.mark.parametrize("codec", CODECS)
def test_a_slice_that_is_cut_anywhere_gives_what_is_whole(codec: Codec, sizes: Sizes) -> None:
    data = slice_of(codec, sizes)
    whole, _ = taken(data)
    first = data.index(whole[0].data) + len(whole[0].data)
    ended = [end for end, _ in _ends(data)]
    for size in range(first, len(data), max(1, len(data) // 300)):
        found, damage = taken(data[:size])
        assert found == whole[: len(found)]
        assert len(found) == sum(end <= size for end in ended)
        assert damage.places == 0
        assert damage.cut or (sizes is Sizes.UNKNOWN and damage == GOOD)


def _ends(data: bytes) -> list[tuple[int, bytes]]:
    """Where each frame ends in the file."""
    found, at = [], 0
    for packet in taken(data)[0]:
        at = data.index(packet.data, at) + len(packet.data)
        found.append((at, packet.data))
    return found


@pytest.mark.parametrize("codec", CODECS)
def test_damage_costs_what_it_hits_and_is_counted(codec: Codec) -> None:
    data = slice_of(codec)
    whole, _ = taken(data)
    ended = _ends(data)
    for number in range(5, 50, 7):
        at = ended[number][0]  # the ID of the next block
        hurt = data[:at] + b"\0\0" + data[at + 2 :]
        found, damage = taken(hurt)
        lost = [packet for packet in whole if packet not in found]
        assert [packet for packet in whole if packet in found] == found
        if data[at : at + 1] == b"\xa3":
            assert lost == [whole[number + 1]]
            assert damage == Damage(places=1, bytes=ended[number + 1][0] - at)
        else:  # the header of a cluster
            assert lost[0] == whole[number + 1]
            assert damage.places == 1
            assert damage.bytes >= sum(len(packet.data) for packet in lost)


@pytest.mark.parametrize("codec", CODECS)
def test_after_damage_no_block_is_taken_for_one_of_another_cluster(codec: Codec) -> None:
    """Where sizes are unknown only a cluster tells the time."""
    data = slice_of(codec, Sizes.UNKNOWN)
    whole, _ = taken(data)
    true = {packet.data: packet for packet in whole}
    for at in range(data.index(CLUSTER) + 20, len(data) - 20, 97):
        found, damage = taken(data[:at] + bytes(16) + data[at + 16 :])
        assert all(
            abs(packet.ticks - true[packet.data].ticks) == 0 for packet in found if packet.data in true
        )
        if len(found) < len(whole):
            assert damage.places + damage.cut > 0


def test_a_cluster_that_lies_about_its_size_does_not_swallow_the_next() -> None:
    data = slice_of("vp8")
    at = data.index(CLUSTER)
    size, end, _ = ebml.vint(data, at + 4)
    longer = (size + 5000 | 1 << 7 * 8).to_bytes(8, "big")
    found, damage = taken(data[: at + 4] + longer + data[end:])
    assert found == taken(data)[0]
    assert (damage.places, damage.bytes, damage.cut) == (1, 0, False)


def test_a_slice_after_which_another_was_appended_goes_on() -> None:
    first, second = slice_of("vp8"), slice_of("vp8", Sizes.UNKNOWN, 900_000)
    for data in (first + second, second + first):
        found, damage = taken(data)
        assert len(found) == 120
        assert damage == GOOD


def test_another_track_that_was_appended_is_told() -> None:
    first, second = slice_of("vp8"), slice_of("opus")
    found, damage = taken(first + second)
    assert len(found) == 60
    assert damage == Damage(places=1, bytes=len(second), foreign=1)


def test_a_frame_that_is_said_to_be_key_and_is_not_is_none() -> None:
    frames = [replace(frame, key=True) for frame in coded_pictures("vp8", 10)]
    found, _ = taken(write_slice(VpxTrack("vp8", *SIZE), frames))
    assert [packet.key for packet in found] == [True, *[False] * 9]


def test_a_header_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="no WebM"):
        packets(BytesIO(b"nothing of the kind"), 19)


def test_a_file_that_shrinks_while_it_is_read_is_an_error_of_reading() -> None:
    data = slice_of("vp8")
    with pytest.raises(OSError, match="it ends after"):
        list(packets(BytesIO(data[:-500]), len(data)))


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_mutated_slices_raise_nothing_and_account_for_no_byte_twice(draw: st.DataObject) -> None:
    codec = draw.draw(st.sampled_from(CODECS))
    data = bytearray(slice_of(codec, draw.draw(st.sampled_from(list(Sizes)))))
    start = data.index(CLUSTER)
    for _ in range(draw.draw(st.integers(1, 4))):
        at = draw.draw(st.integers(start + CLUSTER_HEAD, len(data) - 1))
        piece = draw.draw(st.binary(min_size=1, max_size=40))
        if draw.draw(st.booleans()):
            data[at : at + len(piece)] = piece
        else:
            del data[at : at + len(piece)]
    found, damage = taken(bytes(data))
    assert sum(len(packet.data) for packet in found) + damage.bytes <= len(data) - start


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_random_clusters_raise_nothing(noise: bytes) -> None:
    head = write_slice(track_of("opus"), [], sizes=Sizes.UNKNOWN)
    opened = head + element(ebml.CLUSTER, element(ebml.TIMESTAMP, b"\1"), size=ebml.UNKNOWN)
    found, damage = taken(opened + noise)
    assert sum(len(p.data) for p in found) + damage.bytes <= len(noise) + 20


@given(st.binary(max_size=300), st.integers(0, 200))
@settings(max_examples=300, deadline=None)
def test_random_headers_raise_what_is_promised(noise: bytes, keep: int) -> None:
    data = slice_of("opus")[:keep] + noise
    with suppress(ValueError):
        list(packets(BytesIO(data), len(data)))


def test_the_first_cluster_may_be_damaged_too() -> None:
    data = slice_of("vp8")
    at = data.index(CLUSTER)
    found, damage = taken(data[:at] + b"\0" + data[at + 1 :])
    assert found == [p for p in taken(data)[0] if p.ticks >= 90_000]
    assert damage == Damage(places=1, bytes=data.index(CLUSTER, at + 1) - at)


@pytest.mark.parametrize(
    "sea",
    [b"\xec\x80", b"\xa3", b"\xa3\x80", CLUSTER, b"\xa3\x81\x81", b"\xa0\x80", ebml.EBML.to_bytes(4, "big")],
    ids=bytes.hex,
)
def test_a_sea_of_elements_without_a_frame_is_left_early(sea: bytes) -> None:
    head = write_slice(track_of("opus"), [], sizes=Sizes.UNKNOWN)
    opened = head + element(ebml.CLUSTER, element(ebml.TIMESTAMP, b"\1"), size=ebml.UNKNOWN)
    found, damage = taken(opened + sea * (4_000_000 // len(sea)))
    assert found == []
    assert 0 < damage.places + damage.cut <= MOST_PLACES + 3
    assert damage.bytes > 3_000_000

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.media.ts.packets import PACKET
from pipeline.media.ts.stream import SliceStream
from pipeline.model.slices import Ends, Medium, Slice, State
from tests.media.ts_material import (
    Files,
    coded_pictures,
    ends,
    joined,
    picture_pes,
    picture_slice,
    slice_of,
    sound_slice,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def pieces_of(files: Files, *, whole: dict[str, tuple[int, int]] | None = None) -> list[Slice]:
    """Slices of these files; of those in ``whole`` only that part is whole packets."""
    bare = ends(picture_slice(0, 2), Medium.VIDEO)
    return [
        Slice(
            key,
            len(data),
            State.PRESENT,
            0,
            "name",
            ends=replace(bare, whole=(whole or {}).get(key)),
        )
        for key, data in files.data.items()
    ]


def drain(stream: SliceStream, size: int = 1000) -> list[bytes]:
    blocks = []
    while block := stream.read(size):
        blocks.append(block)
    return blocks


def packets(count: int, fill: int) -> bytes:
    return (b"\x47" + bytes([fill]) * (PACKET - 1)) * count


def test_slices_are_read_as_one_stream_with_one_file_open_at_a_time() -> None:
    files = Files({"a": packets(30, 1), "b": packets(1, 2), "c": packets(12, 3)})
    stream = SliceStream(files.open, pieces_of(files))
    assert b"".join(drain(stream)) == b"".join(files.data.values())
    assert (files.most_open, files.open_now) == (1, 0)
    assert stream.position == 43 * PACKET
    assert stream.read(1000) == b""


def test_nothing_is_opened_before_it_is_needed_and_nothing_is_left_open() -> None:
    files = Files({"a": packets(30, 1), "b": packets(30, 2)})
    stream = SliceStream(files.open, pieces_of(files))
    assert files.open_now == 0
    stream.read(PACKET)
    assert files.open_now == 1
    stream.close()
    stream.close()
    assert files.open_now == 0


def test_only_whole_packets_are_read() -> None:
    data = {"a": b"junk" + packets(5, 1) + b"\x47half", "b": packets(3, 2) + b"rest"}
    whole = {"a": (4, 4 + 5 * PACKET), "b": (0, 3 * PACKET)}
    files = Files(data)
    stream = SliceStream(files.open, pieces_of(files, whole=whole))
    blocks = drain(stream, 2 * PACKET + 7)
    assert b"".join(blocks) == packets(5, 1) + packets(3, 2)
    assert [len(block) // PACKET for block in blocks] == [2, 2, 1, 2, 1]


def test_a_slice_that_grew_since_it_was_looked_at_is_read_as_far_as_was_seen() -> None:
    files = Files({"a": packets(5, 1), "b": packets(2, 2)})
    pieces = pieces_of(files)
    files.data["a"] += packets(9, 9)
    assert b"".join(drain(SliceStream(files.open, pieces))) == packets(5, 1) + packets(2, 2)


@pytest.mark.parametrize("size", [1, PACKET - 1, PACKET, PACKET + 1])
def test_at_least_a_packet_is_read(size: int) -> None:
    files = Files({"a": packets(2, 1)})
    assert len(SliceStream(files.open, pieces_of(files)).read(size)) == PACKET


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(1, 6), min_size=1, max_size=6),
    sizes=st.lists(st.integers(1, 2000), min_size=1, max_size=5),
)
def test_every_byte_that_was_read_is_of_the_slice_that_is_told(
    counts: list[int], sizes: Sequence[int]
) -> None:
    files = Files({f"{n}": packets(count, n) for n, count in enumerate(counts)})
    stream = SliceStream(files.open, pieces_of(files))
    at = turn = 0
    while block := stream.read(sizes[turn % len(sizes)]):
        assert {stream.slice_at(at), stream.slice_at(at + len(block) - 1)} == {block[1]}
        at += len(block)
        turn += 1
    assert at == stream.position == sum(counts) * PACKET


def test_what_begins_a_pes_packet_is_counted() -> None:
    files = Files({"a": picture_slice(0, 20), "b": picture_slice(0, 7)})
    pieces = [slice_of(key, data, Medium.VIDEO) for key, data in files.data.items()]
    found: Ends = ends(files.data["a"], Medium.VIDEO)
    stream = SliceStream(files.open, pieces, found.pid)
    drain(stream, 4096)
    assert stream.starts_seen == 27
    assert stream.breaks == {}
    other = SliceStream(files.open, pieces, 0x1FF)
    drain(other)
    assert other.starts_seen == 0


def test_continuity_counters_that_go_on_or_begin_anew_are_no_break() -> None:
    coded = coded_pictures(120)
    going_on = joined(picture_pes(coded[:15], 0), picture_pes(coded[15:30], 90_000))
    anew = [picture_slice(0, 15), picture_slice(0, 15)]
    for slices in (going_on, anew):
        files = Files(dict(zip("ab", slices, strict=True)))
        pieces = [slice_of(key, data, Medium.VIDEO) for key, data in files.data.items()]
        stream = SliceStream(files.open, pieces, 0x100)
        drain(stream, 4096)
        assert stream.breaks == {}


@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        pytest.param(lambda d: d[: 20 * PACKET] + d[21 * PACKET :], 1, id="a packet that is missing"),
        pytest.param(
            lambda d: d[: 20 * PACKET] + d[20 * PACKET : 21 * PACKET] + d[20 * PACKET :],
            0,
            id="a packet that comes twice",
        ),
        pytest.param(
            lambda d: d[: 20 * PACKET] + b"\0" + d[20 * PACKET + 1 :], 2, id="a sync byte that is lost"
        ),
    ],
)
def test_damage_is_counted_by_slice(change: Callable[[bytes], bytes], breaks: int) -> None:
    good = sound_slice(0, 200)
    files = Files({"a": good, "b": change(good)})
    pieces = [replace(slice_of(key, good, Medium.AUDIO), size=len(data)) for key, data in files.data.items()]
    stream = SliceStream(files.open, pieces, 0x100)
    drain(stream, 4096)
    assert stream.breaks == ({1: breaks} if breaks else {})


def test_a_slice_that_is_gone_ends_the_stream_and_is_named() -> None:
    files = Files({"a": packets(2, 1), "b": packets(2, 2)})
    pieces = pieces_of(files)
    del files.data["b"]
    stream = SliceStream(files.open, pieces)
    assert b"".join(drain(stream)) == packets(2, 1)
    assert isinstance(stream.failure, FileNotFoundError)
    assert stream.failure.filename == "b"
    assert files.open_now == 0

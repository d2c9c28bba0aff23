from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media.ts.packets import PACKET, aligned, in_step, runs


def packets(count: int, first: int = 0) -> bytes:
    return b"".join(b"\x47" + bytes([n % 60]) * (PACKET - 1) for n in range(first, first + count))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(packets(5), [(0, 940)], id="in step"),
        pytest.param(packets(5) + b"\x47half", [(0, 940)], id="half a packet at the end"),
        pytest.param(b"junk" + packets(5), [(4, 944)], id="bytes in front"),
        pytest.param(packets(3) + b"xyz" + packets(3, 3), [(0, 564), (567, 1131)], id="bytes in between"),
        pytest.param(packets(3)[:-50] + packets(3, 3), [(0, 564), (702, 1078)], id="bytes missing"),
        pytest.param(bytes(1000), [], id="no sync byte"),
        pytest.param(packets(1), [(0, 188)], id="one packet"),
    ],
)
def test_packets_are_found_again(data: bytes, found: list[tuple[int, int]]) -> None:
    assert list(runs(data)) == found
    assert aligned(data) == b"".join(data[a:b] for a, b in found)


@given(st.binary(max_size=3000))
def test_whatever_comes_gives_whole_packets_in_order(data: bytes) -> None:
    before = 0
    for begin, end in runs(data):
        assert before <= begin < end <= len(data)
        assert (end - begin) % PACKET == 0
        assert in_step(data[begin:end])
        before = end


@given(st.integers(3, 20), st.integers(1, 20), st.binary(max_size=400).filter(lambda b: 0x47 not in b))
def test_no_packet_is_lost_to_bytes_between_packets(before: int, after: int, junk: bytes) -> None:
    data = packets(before) + junk + packets(after, before)
    assert aligned(data) == packets(before + after)

from __future__ import annotations

import pytest

from pipeline.demo.cut import Unit, cut, decoding_order, first_pts, packets
from pipeline.demo.scenario import Pts
from pipeline.media.ts.writer import StreamType

SECOND = 90_000
SOUND_HOLE = 15 * SECOND


def _sound(from_s: float, to_s: float) -> list[Unit]:
    """Frames of a tenth of a second, so that times are easy to read."""
    times = range(round(from_s * 10), round(to_s * 10))
    return [
        Unit("aac", b"s", at * 9000, at * 9000, (at + 1) * 9000, key=True, opens=at == times[0])
        for at in times
    ]


def _pictures(from_s: int, to_s: int, gop_s: int = 2) -> list[Unit]:
    """Two pictures a second."""
    times = range(from_s * 2, to_s * 2)
    return [
        Unit(
            "h264",
            b"p",
            at * 45_000,
            at * 45_000,
            (at + 1) * 45_000,
            key=(at - times[0]) % (2 * gop_s) == 0,
            opens=at == times[0],
        )
        for at in times
    ]


def _both(*units: Unit) -> list[Unit]:
    return sorted(units, key=decoding_order)


@pytest.mark.parametrize(
    ("units", "hole", "starts_s"),
    [
        (_sound(0, 40), SOUND_HOLE, [0, 15, 30]),
        (_sound(0, 10) + _sound(14, 20), SOUND_HOLE, [0, 15]),
        (_sound(0, 10) + _sound(25, 30), SOUND_HOLE, [0, 25]),
        (_sound(0, 10) + _sound(14, 20), 0, [0, 14]),
        (_sound(0, 4) + _sound(20, 24), SOUND_HOLE, [0, 20]),
        (_sound(0, 4) + _sound(4, 8), 0, [0]),
        (_pictures(0, 40), 0, [0, 16, 32]),
        (_pictures(0, 40, gop_s=15), 0, [0, 15, 30]),
        (_pictures(0, 40, gop_s=60), 0, [0]),
        (_pictures(0, 5) + _pictures(6, 10), SOUND_HOLE, [0, 6]),
        (_both(*_sound(0, 40), *_pictures(0, 40)), 0, [0, 16, 32]),
        (_both(*_sound(0, 40), *_pictures(4, 10)), 0, [0, 4, 19, 34]),
        ([], 0, []),
    ],
    ids=[
        "sound is cut at the first frame that is late enough",
        "a short hole stays inside a slice of sound",
        "sound after a hole begins a slice when the old one is full",
        "a recorder that shows holes cuts at once",
        "sound that stays away longer begins a slice",
        "stretches that touch have no hole",
        "pictures are cut at the first key picture that is late enough",
        "a key picture exactly at the limit is late enough",
        "without a key picture nothing is cut",
        "pictures that come back begin a slice",
        "in merged slices the key picture decides",
        "in merged slices sound decides while no pictures run",
        "nothing makes no slice",
    ],
)
def test_slices_begin_where_the_recorder_cuts(units: list[Unit], hole: int, starts_s: list[int]) -> None:
    slices = list(cut(units, 15 * SECOND, hole))
    assert [each[0].at_ticks for each in slices] == [start * SECOND for start in starts_s]
    assert [unit for each in slices for unit in each] == units


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(Pts.CONTINUE, 100 + 20 * SECOND), (Pts.RESTART, 100)],
    ids=["stamps go on", "stamps restart"],
)
def test_the_first_stamp_follows_the_policy(policy: Pts, expected: int) -> None:
    units = _sound(20, 22)
    assert first_pts(units, policy, 100) == expected
    assert packets(units, policy, 100)[0].pts_ticks == expected


def test_the_first_stamp_has_33_bits() -> None:
    assert first_pts(_sound(1, 2), Pts.CONTINUE, (1 << 33) - 1) == SECOND - 1


def test_sound_is_packed_by_eight_and_never_across_a_hole() -> None:
    made = packets(_sound(0, 1) + _sound(3, 4.2), Pts.CONTINUE, 0)
    assert [len(pes.payload) for pes in made] == [8, 2, 8, 4]
    assert [pes.pts_ticks for pes in made] == [0, 72_000, 270_000, 342_000]


def test_merged_packets_are_in_decoding_order() -> None:
    made = packets(_both(*_sound(0, 4), *_pictures(0, 4)), Pts.CONTINUE, 0)
    assert [pes.decode_ticks for pes in made] == sorted(pes.decode_ticks for pes in made)
    assert {pes.stream for pes in made} == {StreamType.AAC, StreamType.H264}

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline.media.annexb import normalise
from pipeline.media.tally import Surprise
from pipeline.media.ts.writer import Pes, StreamType, write_slice
from pipeline.model import ticks
from pipeline.model.options import Gaps, Options
from pipeline.model.plan import Cut
from pipeline.model.slices import Medium
from tests.media.remuxing import copied, copy_of, utc
from tests.media.ts_material import (
    GOP,
    STEP,
    Codec,
    Files,
    both_slice,
    coded_pictures,
    joined,
    picture_pes,
    picture_slice,
    sound_slice,
    user_of,
    without_pts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.media.encode import CodedPicture

CODED = coded_pictures(8 * GOP)
SECOND = ticks.TICKS


def units(pictures: Sequence[CodedPicture], codec: Codec = "h264") -> list[bytes]:
    """What must stand in the file: the NAL units of each picture with their lengths."""
    return [normalise(p.data, codec).payload for p in pictures]


@pytest.mark.parametrize(("codec", "bframes"), [("h264", 0), ("h264", 2), ("hevc", 0)])
def test_every_picture_is_copied_to_its_place(tmp_path: Path, codec: Codec, bframes: int) -> None:
    coded = coded_pictures(8 * GOP, codec, bframes)[: 3 * GOP]
    made = copy_of(tmp_path, video=[(write_slice(picture_pes(coded, 12_345, codec)), 0)])
    assert made.samples("video") == units(coded, codec)
    assert made.at("video") == [p.pts_ticks - min(q.pts_ticks for q in coded) for p in coded]
    assert made.problems() == ()
    told = made.told("video")
    assert (told.packets_in, told.packets_out, told.dropped, told.dts_moved) == (3 * GOP, 3 * GOP, (), 0)
    assert made.losses == []


@pytest.mark.parametrize(
    "firsts",
    [
        pytest.param((0, SECOND), id="PTS that go on"),
        pytest.param((77, 77), id="PTS that begin anew"),
        pytest.param((ticks.WRAP - SECOND, 0), id="PTS that wrap"),
    ],
)
def test_slices_of_a_run_are_one_span(tmp_path: Path, firsts: tuple[int, int]) -> None:
    slices = joined(*(picture_pes(CODED[n * GOP : (n + 1) * GOP], first) for n, first in enumerate(firsts)))
    made = copy_of(tmp_path, video=[(slices[0], 0), (slices[1], SECOND)])
    assert made.at("video") == [n * STEP for n in range(2 * GOP)]
    (span,) = made.told("video").spans
    assert (span.first, span.packets, span.at, span.until) == (0, 2 * GOP, 0, 2 * SECOND)
    assert made.problems() == ()


def test_a_gap_is_held_by_the_picture_before_it(tmp_path: Path) -> None:
    made = copy_of(
        tmp_path,
        video=[(picture_slice(0, GOP), 0), (picture_slice(5 * SECOND, GOP, skip=GOP), 5 * SECOND)],
    )
    assert made.at("video")[GOP - 1 : GOP + 1] == [(GOP - 1) * STEP, 5 * SECOND]
    assert [(s.at, s.first, s.packets, s.why) for s in made.told("video").spans] == [
        (0, 0, GOP, "first slice"),
        (5 * SECOND, GOP, GOP, "after a gap"),
    ]
    assert made.problems() == ()


def test_late_pictures_have_an_empty_edit_before_them(tmp_path: Path) -> None:
    made = copy_of(
        tmp_path, video=[(picture_slice(2 * SECOND), 2 * SECOND)], audio=[(sound_slice(0, 240), 0)]
    )
    assert made.at("video")[0] == 2 * SECOND
    assert made.output.av_offset_ms == -2000
    assert made.problems() == ()


def test_the_last_picture_lasts_to_the_end_of_the_sound(tmp_path: Path) -> None:
    made = copy_of(tmp_path, video=[(picture_slice(0, GOP), 0)], audio=[(sound_slice(0, 240), 0)])
    assert made.made.duration == 240 * 1920
    assert made.told("video").end == 240 * 1920
    assert made.problems() == ()


def run_from(skip: int, count: int, first: int) -> bytes:
    return picture_slice(first, count, skip=skip)


def test_after_a_hole_pictures_before_the_next_key_frame_are_dropped(tmp_path: Path) -> None:
    made = copy_of(
        tmp_path, video=[(run_from(0, GOP, 0), 0), (run_from(GOP + 5, 2 * GOP, 5 * SECOND), 5 * SECOND)]
    )
    assert made.dropped("video") == {"before the first key frame": 10}
    assert made.samples("video") == units([*CODED[:GOP], *CODED[2 * GOP : 3 * GOP + 5]])
    assert made.at("video")[GOP] == 5 * SECOND + 10 * STEP
    assert made.losses == ["10 pictures before the first key frame dropped"]
    assert made.problems() == ()


def test_where_no_key_frame_comes_pictures_are_kept_and_flagged(tmp_path: Path) -> None:
    made = copy_of(
        tmp_path,
        video=[(run_from(0, GOP, 0), 0), (run_from(GOP + 1, GOP - 1, 5 * SECOND), 5 * SECOND)],
    )
    assert made.dropped("video") == {}
    assert made.told("video").packets_out == 2 * GOP - 1
    assert [entry.what for entry in made.made.entries] == [
        "no key frame within 10 s: pictures kept that may not decode"
    ]


def test_a_key_frame_over_ten_seconds_away_is_not_waited_for(tmp_path: Path) -> None:
    late = CODED[1:GOP]
    far = 10 * SECOND + STEP
    pes = [Pes(StreamType.H264, p.data, n * STEP) for n, p in enumerate(late)]
    pes += picture_pes(CODED[GOP : 2 * GOP], far)
    made = copy_of(tmp_path, video=[(run_from(0, GOP, 0), 0), (write_slice(pes), 60 * SECOND)])
    assert made.dropped("video") == {}
    assert made.samples("video") == units([*CODED[:GOP], *late, *CODED[GOP : 2 * GOP]])
    assert [entry.sort for entry in made.made.entries] == ["note"]


def test_without_a_hole_a_slice_may_begin_with_any_picture(tmp_path: Path) -> None:
    slices = joined(picture_pes(CODED[:20], 0), picture_pes(CODED[20:40], 20 * STEP))
    made = copy_of(tmp_path, video=[(slices[0], 0), (slices[1], 20 * STEP // 90 * 90)])
    assert made.samples("video") == units(CODED[:40])
    assert made.losses == []
    assert made.problems() == ()


def test_a_last_picture_that_is_cut_off_is_dropped(tmp_path: Path) -> None:
    whole = picture_slice(0, 2 * GOP)
    made = copy_of(tmp_path, video=[(whole[:-100], 0)])
    assert made.dropped("video") == {"cut off": 1}
    assert made.samples("video") == units(CODED[: 2 * GOP - 1])
    assert made.problems() == ()


def test_an_overlap_is_cut_from_the_earlier_run(tmp_path: Path) -> None:
    files = Files({"a.ts": picture_slice(0, 2 * GOP), "b.ts": picture_slice(500_000_000, 2 * GOP)})
    made = copied(tmp_path, files, user_of(files, [("a.ts", 0), ("b.ts", SECOND)]))
    assert made.dropped("video") == {"overlap": GOP}
    assert made.samples("video") == units([*CODED[:GOP], *CODED[: 2 * GOP]])
    assert made.problems() == ()


def test_a_slice_inside_a_longer_one_is_left_out(tmp_path: Path) -> None:
    files = Files({"a.ts": picture_slice(0, 4 * GOP), "b.ts": picture_slice(500_000_000, GOP)})
    made = copied(tmp_path, files, user_of(files, [("a.ts", 0), ("b.ts", SECOND)]))
    assert made.dropped("video") == {}
    assert made.samples("video") == units(CODED[: 4 * GOP])
    assert made.problems() == ()


def test_a_cut_leaves_out_what_lies_outside(tmp_path: Path) -> None:
    files = Files({"a.ts": picture_slice(0, 4 * GOP)})
    cut = Cut(utc(SECOND), utc(3 * SECOND))
    made = copied(tmp_path, files, user_of(files, [("a.ts", 0)]), cuts={("ann", "camera"): cut})
    assert made.dropped("video") == {"outside the cut": 2 * GOP}
    assert made.samples("video") == units(CODED[GOP : 3 * GOP])
    assert made.at("video")[0] == 0
    assert made.made.duration == 2 * SECOND
    assert made.problems() == ()


def test_dropped_time_is_not_in_the_file(tmp_path: Path) -> None:
    files = Files({"a.ts": picture_slice(0, GOP), "b.ts": picture_slice(60 * SECOND, GOP)})
    user = user_of(files, [("a.ts", 0), ("b.ts", 60 * SECOND)])
    made = copied(tmp_path, files, user, options=Options(gaps=Gaps.DROP))
    assert made.at("video")[GOP] == SECOND
    assert made.made.duration == 2 * SECOND
    assert made.problems() == ()


def test_a_rotation_is_in_the_display_matrix(tmp_path: Path) -> None:
    files = Files({"a.ts": picture_slice(0, GOP)})
    user = user_of(files, [("a.ts", 0)])
    assert user.video is not None
    turned = tuple(replace(s, clockwise=90) for s in user.video.slices)
    made = copied(tmp_path, files, replace(user, video=replace(user.video, slices=turned)))
    assert made.track("video").clockwise == 90
    assert made.problems() == ()


OTHER_SIZE = coded_pictures(GOP, "h264", 0, (128, 96))
OTHER_HEVC = coded_pictures(GOP, "hevc", 2)


@pytest.mark.parametrize(
    ("pes", "what"),
    [
        pytest.param(
            [*picture_pes(CODED[:GOP], 0), *picture_pes(OTHER_SIZE, SECOND)],
            r"the pictures change from 96x64 to 128x96 inside v0\.ts",
            id="another size",
        ),
        pytest.param(
            [
                *picture_pes(coded_pictures(8 * GOP, "hevc")[:GOP], 0, "hevc"),
                *picture_pes(OTHER_HEVC, SECOND, "hevc"),
            ],
            r"the HEVC parameter sets change in v0\.ts, and hvc1 has one set",
            id="other HEVC parameter sets",
        ),
        pytest.param(
            [Pes(StreamType.H264, CODED[0].data + CODED[1].data, 0, key=True)],
            r"v0\.ts has several pictures in one PES packet",
            id="two pictures in a PES",
        ),
    ],
)
def test_what_the_ends_of_a_slice_did_not_show_is_a_surprise(
    tmp_path: Path, pes: list[Pes], what: str
) -> None:
    with pytest.raises(Surprise, match=what):
        copy_of(tmp_path, video=[(write_slice(pes), 0)])


def test_a_packet_without_a_picture_is_dropped_and_told(tmp_path: Path) -> None:
    pes = picture_pes(CODED[: 2 * GOP], 0)
    pes[7] = Pes(StreamType.H264, b"\0\0\0\1\x09\xf0\0\0\0\1\x06\x05\x01\x41\x80", 7 * STEP)
    made = copy_of(tmp_path, video=[(write_slice(pes), 0)])
    assert made.dropped("video") == {"no picture in it": 1}
    assert made.losses == ["a packet with no picture in it dropped"]
    assert made.problems() == ()


def test_a_picture_without_a_time_stamp_is_dropped_and_told(tmp_path: Path) -> None:
    made = copy_of(tmp_path, video=[(without_pts(picture_slice(0, 2 * GOP), 20), 0)])
    assert made.dropped("video") == {"no time stamp": 1}
    assert made.samples("video") == units([*CODED[:20], *CODED[21 : 2 * GOP]])
    assert made.losses == ["a packet with no time stamp dropped"]
    assert made.problems() == ()


def test_pictures_whose_dts_do_not_rise_are_moved_by_a_tick(tmp_path: Path) -> None:
    pes = [
        Pes(StreamType.H264, p.data, n * STEP, 0 if n < 3 else (n - 3) * STEP, key=p.key)
        for n, p in enumerate(CODED[:GOP])
    ]
    made = copy_of(tmp_path, video=[(write_slice(pes), 0)])
    assert made.told("video").dts_moved > 0
    assert made.at("video") == [n * STEP for n in range(GOP)]
    assert made.problems() == ()


def test_media_that_the_ends_promise_and_that_does_not_come_is_a_loss(tmp_path: Path) -> None:
    files = Files({"a.ts": picture_slice(0, 2 * GOP), "b.ts": picture_slice(2 * SECOND, 2 * GOP)})
    user = user_of(files, [("a.ts", 0), ("b.ts", 2 * SECOND)])
    pid = user.tracks[0].usable[0].ends
    assert pid is not None
    emptied = bytearray(files.data["b.ts"])
    for at in range(0, len(emptied), 188):
        if (emptied[at + 1] & 0x1F) << 8 | emptied[at + 2] == pid.pid:
            emptied[at + 1 : at + 3] = b"\x1f\xff"  # a null packet
    files.data["b.ts"] = bytes(emptied)
    made = copied(tmp_path, files, user)
    assert made.told("video").packets_out == 2 * GOP
    assert made.losses == ["0:02.000 that its slices promise did not come out of them"]


def test_only_pictures_are_looked_for_in_a_slice_of_both(tmp_path: Path) -> None:
    data = both_slice(9000, 4500, 2 * GOP)
    made = copy_of(tmp_path, video=[(data, 0)], audio=[(data, 0)])
    assert made.output.av_offset_ms == -50
    assert made.samples("video") == units(CODED[: 2 * GOP])
    assert made.problems() == ()
    assert made.track("video").timescale == SECOND
    assert [t.medium for t in made.made.tracks] == [Medium.VIDEO, Medium.AUDIO]

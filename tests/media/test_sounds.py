from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.media.aac import AdtsConfig
from pipeline.media.silence import silent_frames
from pipeline.media.tally import Surprise
from pipeline.media.ts.writer import Pes, StreamType, write_slice
from pipeline.model import ticks
from pipeline.model.manifest import Fill
from pipeline.model.options import Gaps, Options
from pipeline.model.plan import Cut
from tests.media.remuxing import Copied, copied, copy_of, utc
from tests.media.ts_material import (
    FRAME,
    GOP,
    Files,
    coded_sound,
    joined,
    picture_slice,
    sound_pes,
    sound_slice,
    user_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.media.encode import CodedSound

SECOND = ticks.TICKS
CODED = coded_sound(480)
(SILENCE,) = silent_frames(AdtsConfig(2, 3, 1), 1)
LONG = 120 * FRAME
"""A slice of 120 frames: 2.56 s."""


def blocks(sound: Sequence[CodedSound]) -> list[bytes]:
    return [s.block for s in sound]


def places(first: int, count: int) -> list[int]:
    return [first + n * FRAME for n in range(count)]


@pytest.mark.parametrize(
    ("rate", "channels", "group"),
    [(48_000, 1, 8), (48_000, 2, 1), (44_100, 1, 8), (16_000, 2, 3)],
)
def test_every_frame_is_copied_to_its_place(tmp_path: Path, rate: int, channels: int, group: int) -> None:
    data = sound_slice(12_345, 100, rate=rate, channels=channels, group=group)
    made = copy_of(tmp_path, audio=[(data, 0)])
    assert made.samples("audio") == blocks(coded_sound(480, rate, channels)[:100])
    assert made.at("audio") == [ticks.ticks_of(n * 1024, rate) for n in range(100)]
    assert made.problems() == ()
    told = made.told("audio")
    assert (told.packets_in, told.packets_out, told.inserted, told.dropped) == (100, 100, 0, ())
    assert (told.rate, told.channels, told.timescale) == (rate, channels, rate)


@pytest.mark.parametrize(
    "firsts",
    [
        pytest.param((0, LONG), id="PTS that go on"),
        pytest.param((77, 77), id="PTS that begin anew"),
        pytest.param((ticks.WRAP - LONG, 0), id="PTS that wrap"),
        pytest.param((ticks.WRAP - LONG // 2, LONG // 2), id="PTS that wrap inside a slice"),
        pytest.param((0, LONG + 800), id="PTS that are off by less than 9 ms"),
    ],
)
def test_slices_of_a_run_go_on_by_their_count(tmp_path: Path, firsts: tuple[int, int]) -> None:
    slices = joined(*(sound_pes(CODED[n * 120 : (n + 1) * 120], first) for n, first in enumerate(firsts)))
    made = copy_of(tmp_path, audio=[(slices[0], 0), (slices[1], LONG)])
    assert made.samples("audio") == blocks(CODED[:240])
    assert made.at("audio") == places(0, 240)
    (span,) = made.told("audio").spans
    assert (span.first, span.packets, span.at, span.until) == (0, 240, 0, 240 * FRAME)
    assert made.problems() == ()


@pytest.mark.parametrize(("late", "count"), [(1500, 1), (1920, 1), (2700, 1), (3000, 2)])
def test_a_hole_of_about_a_frame_is_filled_though_no_slice_tells_it(
    tmp_path: Path, late: int, count: int
) -> None:
    slices = joined(sound_pes(CODED[:120], 0), sound_pes(CODED[120:240], LONG + late))
    made = copy_of(tmp_path, audio=[(slices[0], 0), (slices[1], LONG)])
    assert made.samples("audio") == [*blocks(CODED[:120]), *[SILENCE] * count, *blocks(CODED[120:240])]
    assert made.at("audio")[120 + count] == LONG + late
    assert made.told("audio").fills == (Fill(120, count),)
    assert made.problems() == ()


def test_a_hole_is_filled_with_silence(tmp_path: Path) -> None:
    start = 10 * LONG + 90
    made = copy_of(
        tmp_path,
        audio=[(sound_slice(0, 120), 0), (sound_slice(start, 120, skip=120), start)],
    )
    assert made.samples("audio") == [*blocks(CODED[:120]), *[SILENCE] * 1080, *blocks(CODED[120:240])]
    assert made.at("audio")[1200] == start
    told = made.told("audio")
    assert told.fills == (Fill(120, 1080),)
    assert [(s.at, s.first, s.packets, s.why) for s in told.spans] == [
        (0, 0, 120, "first slice"),
        (start, 1200, 120, "after a gap"),
    ]
    assert made.problems() == ()


def test_late_sound_has_silence_from_file_zero(tmp_path: Path) -> None:
    made = copy_of(
        tmp_path, video=[(picture_slice(0, 2 * GOP), 0)], audio=[(sound_slice(SECOND, 48), SECOND)]
    )
    assert made.samples("audio")[:47] == [SILENCE] * 47
    assert made.at("audio")[0] == 0
    assert made.at("audio")[47] == SECOND
    assert made.output.av_offset_ms == 1000
    assert made.problems() == ()


def test_sound_that_is_late_by_less_than_half_a_frame_has_an_empty_edit(tmp_path: Path) -> None:
    made = copy_of(tmp_path, video=[(picture_slice(0, 2 * GOP), 0)], audio=[(sound_slice(900, 48), 900)])
    assert made.samples("audio")[0] == CODED[0].block
    assert made.at("audio")[0] == 900
    assert made.output.av_offset_ms == 10
    assert made.problems() == ()


def test_silence_goes_on_as_long_as_there_are_pictures(tmp_path: Path) -> None:
    made = copy_of(tmp_path, video=[(picture_slice(0, 4 * GOP), 0)], audio=[(sound_slice(0, 48), 0)])
    told = made.told("audio")
    assert told.fills == (Fill(48, 4 * SECOND // FRAME - 48),)
    assert 0 <= 4 * SECOND - told.end < FRAME
    assert made.problems() == ()


def with_pes(*changes: tuple[int, int]) -> bytes:
    """Ten PES packets of 8 frames; those of the given numbers are moved by so many ticks."""
    pes = sound_pes(CODED[:80], 0)
    moved = dict(changes)
    return write_slice(
        [
            Pes(StreamType.AAC, p.payload, p.pts_ticks + moved.get(n, 0) + 10**8, key=True)
            for n, p in enumerate(pes)
        ]
    )


def test_time_stamps_that_jitter_inside_a_slice_move_nothing(tmp_path: Path) -> None:
    made = copy_of(tmp_path, audio=[(with_pes((3, 2000), (4, -2000), (5, 2880)), 0)])
    assert made.at("audio") == places(0, 80)
    assert made.problems() == ()


def test_a_hole_inside_a_slice_is_filled(tmp_path: Path) -> None:
    ahead = 100 * FRAME
    made = copy_of(tmp_path, audio=[(with_pes(*((n, ahead) for n in range(5, 10))), 0)])
    assert made.samples("audio") == [*blocks(CODED[:40]), *[SILENCE] * 100, *blocks(CODED[40:80])]
    assert [s.why for s in made.told("audio").spans] == ["first slice", "gap"]
    assert made.problems() == ()


@pytest.mark.parametrize(
    ("late", "told"),
    [
        pytest.param([(5, 300 * SECOND)], "time stamps of sound", id="one stamp minutes late"),
        pytest.param([(5, -300 * SECOND)], "time stamps of sound", id="one stamp minutes early"),
        pytest.param([(5, 4 * SECOND)], "a time stamp of sound", id="one stamp some seconds late"),
        pytest.param([(5, -SECOND)], "a time stamp of sound", id="one stamp a second early"),
        pytest.param(
            [(n, -11 * SECOND - 40 * FRAME) for n in range(5, 10)], "time stamps of sound", id="a reset"
        ),
    ],
)
def test_sound_goes_on_by_its_count_where_time_stamps_cannot_be_true(
    tmp_path: Path, late: list[tuple[int, int]], told: str
) -> None:
    made = copy_of(tmp_path, audio=[(with_pes(*late), 0)])
    assert made.samples("audio") == blocks(CODED[:80])
    assert made.at("audio") == places(0, 80)
    assert [(e.sort, e.what) for e in made.made.entries] == [
        ("repair", f"{told} in it cannot be true; it goes on by its count")
    ]
    assert made.problems() == ()


def test_frames_that_repeat_time_are_dropped_and_told(tmp_path: Path) -> None:
    back = -3 * FRAME
    made = copy_of(tmp_path, audio=[(with_pes(*((n, back) for n in range(5, 10))), 0)])
    assert made.dropped("audio") == {"time stamp goes backward": 3}
    assert made.samples("audio") == [*blocks(CODED[:40]), *blocks(CODED[43:80])]
    assert made.at("audio") == places(0, 77)
    assert [(e.sort, e.what) for e in made.made.entries] == [
        ("repair", "3 sound frames that repeat time dropped")
    ]
    assert made.problems() == ()


def test_a_whole_block_that_repeats_time_is_dropped(tmp_path: Path) -> None:
    pes = sound_pes(CODED[:80], 10**7)
    made = copy_of(tmp_path, audio=[(write_slice([*pes[:5], *pes[3:]]), 0)])
    assert made.dropped("audio") == {"time stamp goes backward": 16}
    assert made.samples("audio") == blocks(CODED[:80])
    assert made.problems() == ()


def torn(data: bytes, cuts: Sequence[int]) -> list[Pes]:
    """An ADTS stream cut into PES packets at any byte, with the PTS of the first frame that begins there."""
    lengths = [len(s.header) + len(s.block) for s in CODED[:80]]
    starts = [sum(lengths[:n]) for n in range(80)]
    edges = [0, *cuts, len(data)]
    out = []
    for begin, end in pairwise(edges):
        first = next(n for n, start in enumerate(starts) if start >= begin)
        out.append(Pes(StreamType.AAC, data[begin:end], first * FRAME, key=True))
    return out


@pytest.mark.parametrize("cuts", [[600], [2000], [2000, 4001], [500, 1000, 1500, 2000, 2500]])
def test_frames_that_lie_in_two_pes_packets_are_put_together(tmp_path: Path, cuts: list[int]) -> None:
    """A PTS is of the first access unit that begins in its PES packet (ISO/IEC 13818-1 2.4.3.7)."""
    data = b"".join(s.header + s.block for s in CODED[:80])
    made = copy_of(tmp_path, audio=[(write_slice(torn(data, cuts)), 0)])
    assert made.samples("audio") == blocks(CODED[:80])
    assert made.at("audio") == places(0, 80)
    assert made.losses == []
    assert made.problems() == ()


def test_a_last_frame_that_is_cut_off_is_dropped_and_told(tmp_path: Path) -> None:
    data = sound_slice(0, 48)
    made = copy_of(tmp_path, audio=[(data[: len(data) // 188 * 188 - 188 * 2], 0)])
    told = made.told("audio")
    assert made.dropped("audio") == {"cut off": 1}
    assert told.packets_out < 48
    assert made.samples("audio") == blocks(CODED[: told.packets_out])
    assert made.losses == ["its last sound frame is cut off; dropped"]
    assert made.problems() == ()


def test_a_frame_that_is_cut_off_does_not_spoil_the_next_slice(tmp_path: Path) -> None:
    first = sound_slice(0, 120)
    made = copy_of(
        tmp_path, audio=[(first[: len(first) - 188 * 2], 0), (sound_slice(LONG, 120, skip=120), LONG)]
    )
    out = made.samples("audio")
    assert out[-120:] == blocks(CODED[120:240])
    assert made.at("audio")[-120] == LONG
    assert made.dropped("audio") == {"cut off": 1}
    assert made.problems() == ()


def test_bytes_that_are_no_sound_are_dropped_and_told(tmp_path: Path) -> None:
    pes = sound_pes(CODED[:80], 0)
    pes[5] = Pes(StreamType.AAC, b"\x12" * 99 + pes[5].payload, pes[5].pts_ticks, key=True)
    made = copy_of(tmp_path, audio=[(write_slice(pes), 0)])
    assert made.samples("audio") == blocks(CODED[:80])
    assert made.losses == ["99 bytes of sound are no AAC; dropped"]
    assert made.problems() == ()


@pytest.mark.parametrize(
    ("pes", "what"),
    [
        pytest.param(
            [*sound_pes(CODED[:80], 0), *sound_pes(coded_sound(480, 48_000, 2)[:16], 80 * FRAME)],
            r"the sound changes from 48000 Hz 1 ch to 48000 Hz 2 ch inside a0\.ts",
            id="other channels",
        ),
        pytest.param(
            [*sound_pes(CODED[:80], 0), *sound_pes(coded_sound(480, 44_100)[:16], 80 * FRAME)],
            r"the sound changes from 48000 Hz 1 ch to 44100 Hz 1 ch inside a0\.ts",
            id="another sampling rate",
        ),
    ],
)
def test_what_the_ends_of_a_slice_did_not_show_is_a_surprise(
    tmp_path: Path, pes: list[Pes], what: str
) -> None:
    with pytest.raises(Surprise, match=what):
        copy_of(tmp_path, audio=[(write_slice(pes), 0)])


def test_what_does_not_decode_where_sound_is_encoded_is_silent_and_told(tmp_path: Path) -> None:
    other = list(coded_sound(480, 44_100, 2)[:80])
    for number in (20, 21, 50):
        other[number] = replace(other[number], block=b"\x55" * len(other[number].block))
    slices = [sound_slice(0, 120), write_slice(sound_pes(other, 10**6, rate=44_100))]
    made = copy_of(tmp_path, audio=[(slices[0], 0), (slices[1], LONG)])
    told = made.told("audio")
    assert (told.packets_in, told.packets_out, told.packets_encoded) == (200, 120, 77)
    assert made.dropped("audio") == {"could not be decoded": 3}
    assert made.losses == ["3 sound frames could not be decoded to be re-encoded; silence instead"]
    assert made.samples("audio")[:120] == blocks(CODED[:120])
    assert told.samples_encoded == -(-80 * 1024 * 48_000 // (1024 * 44_100))
    assert made.problems() == ()


def test_an_overlap_of_under_80_ms_moves_the_later_run(tmp_path: Path) -> None:
    late = LONG - 50 * 90
    made = copy_of(
        tmp_path, audio=[(sound_slice(0, 120), 0), (sound_slice(10**9, 120, skip=120), late - late % 90)]
    )
    assert made.samples("audio") == blocks(CODED[:240])
    assert made.at("audio") == places(0, 240)
    assert made.problems() == ()


def test_a_larger_overlap_is_cut_from_the_earlier_sound_at_a_whole_frame(tmp_path: Path) -> None:
    late = 100 * FRAME + 870
    files = Files({"a.ts": sound_slice(0, 120), "b.ts": sound_slice(10**9, 120, skip=120)})
    made = copied(tmp_path, files, user_of(files, audio=[("a.ts", 0), ("b.ts", late - late % 90)]))
    assert made.dropped("audio") == {"overlap": 20}
    assert made.samples("audio") == [*blocks(CODED[:100]), *blocks(CODED[120:240])]
    assert made.at("audio")[100] == late - late % 90
    assert made.problems() == ()


def test_a_cut_leaves_out_what_lies_outside(tmp_path: Path) -> None:
    files = Files({"a.ts": sound_slice(0, 480)})
    cut = Cut(utc(100 * FRAME), utc(200 * FRAME))
    made = copied(tmp_path, files, user_of(files, audio=[("a.ts", 0)]), cuts={("ann", "camera"): cut})
    assert made.dropped("audio") == {"outside the cut": 380}
    assert made.samples("audio") == blocks(CODED[100:200])
    assert made.at("audio") == places(0, 100)
    assert made.problems() == ()


def test_dropped_time_is_not_in_the_file(tmp_path: Path) -> None:
    files = Files({"a.ts": sound_slice(0, 120), "b.ts": sound_slice(60 * SECOND, 120, skip=120)})
    user = user_of(files, audio=[("a.ts", 0), ("b.ts", 60 * SECOND)])
    made = copied(tmp_path, files, user, options=Options(gaps=Gaps.DROP))
    assert made.samples("audio") == blocks(CODED[:240])
    assert made.at("audio") == places(0, 240)
    assert made.problems() == ()


def test_a_run_begins_after_the_counted_end_of_the_one_before(tmp_path: Path) -> None:
    """The second slice's PTS go back by 1.4 frames, which the count overlooks; the plan's end does not."""
    seam = 48 * FRAME - 2700
    files = Files(
        {
            "a.ts": sound_slice(0, 48),
            "b.ts": sound_slice(seam, 48, skip=48),
            "c.ts": sound_slice(seam + 48 * FRAME, 48, skip=96),
        }
    )
    places_of = [("a.ts", 0), ("b.ts", seam), ("c.ts", seam + 48 * FRAME)]
    made = copied(tmp_path, files, user_of(files, audio=places_of, tagged={"c.ts"}))
    assert made.told("audio").packets_in == 144
    assert_in_order(made)
    assert made.problems() == ()


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 900, 1920, 2880, 2970, 3870, -900, -1980, -4500, -9000, 90_000]),
        st.integers(1, 60),
        st.booleans(),
    ),
    min_size=1,
    max_size=7,
)


def chain(steps: list[tuple[int, int, bool]]) -> list[tuple[bytes, int]]:
    """Slices that begin so many ticks after the one before has ended; their PTS go on or begin anew."""
    slices = []
    after, end, skip = -90, 0, 0
    for gap, count, anew in steps:
        after = max(after + 90, end + gap) // 90 * 90
        slices.append((sound_slice(0 if anew else after + 10**7, count, skip=skip), after))
        end = after + count * FRAME
        skip += count
    return slices


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@example(steps=[(0, 3, False), (-1980, 1, False), (900, 4, True), (-9000, 1, True)])
@example(steps=[(0, 1, True), (-1980, 3, False), (-9000, 1, True)])
@example(steps=[(0, 3, False), (-1980, 47, False), (-1980, 47, False)])
def test_any_chain_of_slices_gives_a_good_file_in_which_every_frame_is_accounted_for(
    tmp_path: Path, steps: list[tuple[int, int, bool]]
) -> None:
    made = copy_of(tmp_path, audio=chain(steps))
    told = made.told("audio")
    inside = {p.piece.key for run in made.plan.audio.inside for p in run.placed} if made.plan.audio else set()
    used = (count for number, (_, count, _) in enumerate(steps) if f"a{number}.ts" not in inside)
    assert told.packets_in == sum(used)
    assert_in_order(made)
    assert made.problems() == ()


def assert_in_order(made: Copied) -> None:
    """Every sample is an input frame, each at most once and in order, or silence."""
    order = {s.block: n for n, s in enumerate(CODED)}
    numbers = [order[sample] for sample in made.samples("audio") if sample != SILENCE]
    assert numbers == sorted(set(numbers))


FORMS = st.sampled_from([(48_000, 1), (48_000, 1), (44_100, 2), (16_000, 1)])


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, forms=st.lists(FORMS, min_size=7, max_size=7))
@example(steps=[(0, 1, False), (0, 1, False), (0, 1, False)], forms=[(48_000, 1), (44_100, 2)] * 4)
@example(steps=[(0, 30, False), (-9000, 2, True), (900, 30, False)], forms=[(48_000, 1), (16_000, 1)] * 4)
def test_any_chain_of_configurations_gives_a_good_file_in_which_every_frame_is_accounted_for(
    tmp_path: Path, steps: list[tuple[int, int, bool]], forms: list[tuple[int, int]]
) -> None:
    slices = []
    after, end, skip = -90, 0, 0
    for (gap, count, anew), (rate, channels) in zip(steps, forms, strict=False):
        after = max(after + 90, end + gap) // 90 * 90
        first = 0 if anew else after + 10**7
        slices.append((sound_slice(first, count, skip=skip, rate=rate, channels=channels), after))
        end = after + ticks.ticks_of(count * 1024, rate)
        skip += count
    made = copy_of(tmp_path, audio=slices)
    told = made.told("audio")
    dropped = sum(made.dropped("audio").values())
    assert told.packets_in == told.packets_out + told.packets_encoded + dropped
    assert made.problems() == ()

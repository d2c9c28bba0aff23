from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from time import process_time
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.model import ticks
from pipeline.model.slices import Medium, Track, User
from pipeline.model.timeline import ABSENT, Placed, Run, TrackTime, UserTime, arrange, links
from tests.model.laws import patient
from tests.model.slicing import (
    FRAME,
    PICTURE,
    T0,
    as_text,
    at,
    form,
    pictures,
    piece,
    sound,
    steady,
    time,
    user,
    with_pts,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SOUND_FROM, PICTURE_FROM = "0", "0.2"
PLAIN = user(
    sound(*steady(4, "15.04", SOUND_FROM, pts="100")), pictures(*steady(4, "15", PICTURE_FROM, pts="100.2"))
)
"""Four slices of 705 sound frames and four of 225 pictures, which begin 200 ms later."""


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(PLAIN, id="PTS go on from slice to slice"),
        pytest.param(
            with_pts(PLAIN, lambda _, medium, __: 7000 if medium is Medium.AUDIO else 25_000),
            id="PTS restart in every slice",
        ),
        pytest.param(
            with_pts(PLAIN, lambda n, medium, pts: 1000 * n if medium is Medium.AUDIO else pts - time("100")),
            id="PTS restart in every slice of sound only, each at another count",
        ),
        pytest.param(with_pts(PLAIN, lambda _, __, pts: pts + 5_123_456_789), id="PTS begin anywhere"),
        pytest.param(
            with_pts(PLAIN, lambda _, __, pts: pts - time("130")), id="PTS wrap in the third slice of each"
        ),
        pytest.param(
            with_pts(PLAIN, lambda _, __, pts: pts - time("100.1")),
            id="PTS wrap in the first slice of sound, before the pictures begin",
        ),
        pytest.param(
            with_pts(PLAIN, lambda _, __, pts: pts - time("160.17")),
            id="PTS wrap in the pictures and no longer in the sound",
        ),
    ],
)
def test_pts_may_behave_as_they_like(found: User, golden: Callable[[str, str], None]) -> None:
    golden("model/golden/plain.txt", as_text(arrange(found)))


def switch(*, agora: bool = True) -> User:
    """A resolution switch with a hole of 0.357 s, as in Agora's sample of a playlist of pictures."""
    return user(
        sound(*steady(3, "15.04"), agora=agora),
        pictures(
            "0.196 0.196 6.332+1t-1t START",
            "6.885 6.885 17.442 BREAK size=1280x720",
            "24.327 24.327 33.326 BREAK",
            agora=agora,
        ),
    )


def holes(hole: str, *, agora: bool, back: str = "") -> User:
    """Sound with a hole in its middle."""
    return user(sound("0 0 15.04", f"15.04+{hole} 15.04+{hole} 15.04 {back}", agora=agora))


CASES = {
    "start tag": user(sound("0 0 10.24", "10.24 10.24 10.24 START", "20.48 20.48 10.24")),
    "discontinuity tag": user(pictures("0 0 10", "10 10 10 BREAK", "20 20 10")),
    "parameter change": switch(),
    "other pid": user(sound("0 0 10.24 pid=256", "10.24 10.24 10.24 pid=257")),
    "slice missing": user(sound("0 0 10.24", "10.24 10.24 10.24 missing", "20.48 20.48 10.24")),
    "two slices empty": user(
        pictures("0 0 10", "10 0 10 empty", "20 0 10 empty", "30 30 10", "40 40 10 missing", "50 50 10")
    ),
    "slice unreadable and restarting pts": user(
        sound("0 0 10.24", "10.24 0 10.24 unreadable", "20.48 0 10.24")
    ),
    "first and last slice missing": user(
        sound("0 0 10.24 missing", "10.24 10.24 10.24", "20.48 0 10.24 missing")
    ),
    "slice unlisted": user(
        sound("0 0 10.24", "10.24 10.24 10.24 unlisted", "40 40 10.24 unlisted", agora=True)
    ),
    "sound gap of one frame": user(sound("0 0 480f", "10.261 481f 480f")),
    "sound gap of one and a half frames": user(sound("0 0 480f", "10.272 481.5f 480f")),
    "sound gap of over one and a half frames": user(sound("0 0 480f", "10.272 481.5f+1t 480f")),
    "sound gap of two frames": user(sound("0 0 480f", "10.282 482f 480f")),
    "picture gap of 250 ms": user(pictures("0 0 10", "10.25 10.25 10")),
    "picture gap of over 250 ms": user(pictures("0 0 10", "10.25 10.25+1t 10")),
    "picture gap of three slow frames": user(pictures("0 0 10 fps=5", "10.6 10.6 10 fps=5")),
    "picture gap of over three slow frames": user(pictures("0 0 10 fps=5", "10.6 10.6+1t 10 fps=5")),
    "overlap of 80 ms": user(sound("0 0 10.24", "10.16 10.16 10.24 START", "40 40 10.24 START")),
    "overlap of over 80 ms": user(sound("0 0 10.24", "10.159 10.159 10.24 START", "40 40 10.24 START")),
    "overlaps one after another": user(
        pictures("0 0 5", "4.95 4.95 5 START", "9.9 9.9 5 START", "14.85 14.85 5 START", "30 30 5 START")
    ),
    "run inside another": user(pictures("0 0 30", "10 500 5", "29 29 10 START")),
    "run inside another from its beginning": user(sound("0 500 5", "0 0 10.24", "10.24 10.24 10.24")),
    "run that reaches out of another": user(pictures("0 0 30", "10 500 20.5", "40 40 10 START")),
    "run inside a hole of another": user(pictures("0 0 10", "12 500 5", "20 20 10")),
    "stamps jitter": user(
        sound(
            "0.030 0 10.24",
            "10.210 10.24 10.24",
            "20.500 20.48 10.24",
            "30.690 30.72 10.24",
            "40.960 40.96 9",
        )
    ),
    "one stamp five seconds wrong": user(
        sound("0 0 10.24", "10.24 10.24 10.24", "25.480 20.48 10.24", "30.72 30.72 10.24"),
        pictures(*steady(4, "10", "0.1", pts="0.1")),
    ),
    "clock 200 ppm fast": user(
        pictures(*[f"{n * 60 + n * 12 / 1000} {n * 60} 60" for n in range(61)]),
        sound(*[f"{n * 96 + n * 96 // 5 / 1000} {n * 96} 96" for n in range(39)]),
    ),
    "reset that matches its length": user(
        sound("0 0 10.24", "10.32 0 10.24", "20.48 0 10.24"), pictures("0 0 10", "10.08 0 10", "20.1 0 10")
    ),
    "reset that does not match": user(
        sound("0 0 10.24", "10.321 0 10.24"), pictures("0 0 10", "10.081 0 10")
    ),
    "reset of very short slices": user(sound(*[f"{n * 96 / 1000} 0 0.096" for n in range(4)])),
    "stamps creep away from restarting sound": user(
        sound("0 0 10.24", "10.28 0 10.24", "20.56 0 10.24", "30.84 0 10.24")
    ),
    "clocks 150 ms apart": user(sound("0 0 10.24"), pictures("0.2 0.35 10")),
    "clocks over 150 ms apart": user(sound("0 0 10.24"), pictures("0.2 0.351 10")),
    "clocks far apart": user(
        sound(*steady(3, "10.24", pts="7000")), pictures(*steady(3, "10", "0.2", pts="55000"))
    ),
    "both counted from zero": user(sound(*steady(3, "10.24")), pictures(*steady(3, "10", "0.12"))),
    "both counted from zero at one time": user(
        sound(*steady(3, "10.24")), pictures(*steady(3, "10", "0.001"))
    ),
    "hole of 15 s": user(sound("0 0 15.04", "30.04 30.04 15.04 START")),
    "hole of over 15 s": user(sound("0 0 15.04", "30.041 30.041 15.04 START")),
    "hole of 30 s in sound with pictures in it": user(
        sound("0 0 15.04", "45.04 45.04 15.04 START"), pictures("20 20 12", "32 32 5 missing")
    ),
    "slice lost inside a long hole": user(sound("0 0 15.04", "27 27 5 missing", "45 45 15.04")),
    "Agora hole without START": holes("15", agora=True),
    "Agora hole without START under 15 s": holes("14.999", agora=True),
    "Agora hole with START": holes("20", agora=True, back="START"),
    "TRTC hole": holes("20", agora=False),
    "pictures stand still to the end of the slice": user(pictures("0 0 10 extinf=11.5", "11.5 11.5 10")),
    "pictures stop and come back later": user(pictures("0 0 10 extinf=11.5", "13 13 10")),
    "pictures end 2 s before their playlist says": user(pictures("0 0 10 extinf=12", "12 12 10")),
    "pictures end over 2 s before their playlist says": user(pictures("0 0 10 extinf=12.1", "12.1 12.1 10")),
    "sound ends over 2 s before its playlist says": user(sound("0 0 10.24 extinf=15", "15 15 10.24")),
    "a screen stands still": user(pictures("0 0 10 extinf=60", "60 60 10"), source="screen"),
    "a length that is not true": user(sound("0 0 10.24 extinf=15", "10.24 10.24 10.24 START")),
    "slice cut off": user(pictures("0 0 8 cut", "10 10 10")),
    "two media in a file": user(
        sound("0 100 10.24 after=0.5"), pictures("0 99.5 10", "10 109.5 10", "20 119.5 10")
    ),
    "pictures only": user(pictures("0 0 10")),
    "nothing to read": user(sound("0 0 10.24 missing"), pictures("0 0 10 empty")),
    "sound that cannot be read": user(sound("0 0 10.24 unreadable"), pictures("0 0 10")),
}


@pytest.mark.parametrize("name", CASES)
def test_the_timeline_of(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"model/golden/{name.replace(' ', '-')}.txt", as_text(arrange(CASES[name])))


def test_a_few_slices_of_sound_share_the_drifting_clock_of_many_pictures() -> None:
    drifting = pictures(*[f"{n * 60 + n * 12 / 1000} {n * 60} 60" for n in range(61)])
    few = sound(*[f"{n * 480 + n * 96 / 1000} {n * 480} 96" for n in range(8)])
    found = arrange(user(few, drifting))
    assert found is not None
    assert found.shared
    assert found.audio is not None
    assert [run.start for run in found.audio.runs] == [
        T0 + time(f"{n * 480}") * 5001 // 5000 for n in range(8)
    ]


@pytest.mark.parametrize(
    ("off_ms", "fps"),
    [
        pytest.param(-79, 15, id="early by over a picture"),
        pytest.param(-40, 15, id="early by less than a picture"),
        pytest.param(40, 15, id="late by less than a picture"),
        pytest.param(79, 30, id="late by over two pictures"),
    ],
)
def test_restarting_pictures_do_not_go_backwards_because_their_stamps_jitter(off_ms: int, fps: int) -> None:
    found = arrange(
        user(pictures(f"0 0 10 fps={fps}", f"{off_ms * 90}t+10 0 10 fps={fps}", f"20 0 10 fps={fps}"))
    )
    assert found is not None
    (run,) = found.tracks[0].runs
    for before, after in pairwise(run.placed):
        last_picture = before.end - ticks.TICKS // fps
        assert after.at > last_picture


STATES = [*["present"] * 8, "missing", "empty", "unreadable"]
TAGS = [*[""] * 5, "START", "BREAK", "cut", "pid=300", "unlisted"]
HOLES = st.sampled_from(
    [0, 0, 0, 1, -1, 79, -79, -81, -400, 250, 300, 1500, 15_000, 15_001, 40_000]
) | st.integers(-20_000, 60_000)


@st.composite
def tracks(draw: st.DrawFn, medium: Medium) -> Track:
    """Slices in the order of their stamps, as an inventory gives them; PTS go on or begin anew."""
    step_ms = 64 if medium is Medium.AUDIO else 200
    slices, at_ms, media_ms = [], draw(st.integers(0, 2000)), draw(st.integers(0, 2000))
    for number in range(draw(st.integers(0, 7))):
        length_ms = step_ms * draw(st.integers(1, 200))
        listed_ms = max(0, length_ms + draw(st.sampled_from([0, 0, 0, 1000, 5000, -5000])))
        words = (
            f"{draw(st.sampled_from(STATES))} {draw(st.sampled_from(TAGS))} fps=5 extinf={listed_ms * 90}t"
        )
        stamp_ms = at_ms + draw(st.sampled_from([0, 0, 0, 30, -30]))
        slices.append(piece(f"{stamp_ms * 90}t {media_ms * 90}t {length_ms * 90}t {words}", medium, number))
        hole_ms = draw(HOLES)
        at_ms += length_ms + hole_ms
        media_ms = (
            max(0, media_ms + length_ms + hole_ms)
            if draw(st.booleans())
            else draw(st.integers(0, 9) | st.just(0))
        )
    slices.sort(key=lambda s: (s.stamp_ms, s.key))
    return Track("ann", "camera", medium, tuple(slices), marks_returns=draw(st.booleans()))


USERS = st.builds(
    lambda audio, video: User("ann", "camera", audio, video),
    st.none() | tracks(Medium.AUDIO),
    st.none() | tracks(Medium.VIDEO),
)


@patient
@given(found=USERS, by=st.integers(0, ticks.WRAP - 1))
def test_adding_to_every_pts_changes_nothing(found: User, by: int) -> None:
    assert as_text(arrange(with_pts(found, lambda _, __, pts: pts + by))) == as_text(arrange(found))


@patient
@given(found=USERS, by_ms=st.integers(-(10**12), 10**12))
def test_adding_to_every_stamp_moves_everything_by_it(found: User, by_ms: int) -> None:
    def later(track: Track | None) -> Track | None:
        slices = (replace(s, stamp_ms=s.stamp_ms + by_ms) for s in (track.slices if track else ()))
        return replace(track, slices=tuple(slices)) if track else None

    moved = arrange(replace(found, audio=later(found.audio), video=later(found.video)))
    still = arrange(found)
    assert everything(moved, -ticks.from_ms(by_ms)) == everything(still, 0)


def everything(found: UserTime | None, by: int) -> list[object]:
    """All that a timeline says, its times moved by ``by``."""
    out: list[object] = []
    for track in found.tracks if found else ():
        out += [(p.at + by, p.end + by, p.slope_ppb) for run in track.runs for p in run.placed]
        out += [(p.at + by, p.piece.key) for run in track.inside for p in run.placed]
        out += [(run.why, run.clock, run.moved, run.until and run.until + by) for run in track.runs]
        out += [(gap.start + by, gap.end + by, gap.lost, gap.why) for gap in track.gaps]
        out += [(c.media, c.utc + by, c.slope_ppb, c.uncertainty_ms, c.stamps) for c in track.clocks]
    return [*out, *((a + by, b + by) for a, b in (found.sessions if found else ())), found and found.shared]


THREE_AT_ONCE = user(sound("0 0 10.24", "10.2 10.2 10.24 START", "10.21 500 10.24 START"))
"""The second run moves by 40 ms, past the beginning of the third."""


@patient
@given(found=USERS)
@example(found=THREE_AT_ONCE)
def test_runs_never_overlap(found: User) -> None:
    placed = arrange(found)
    for track in placed.tracks if placed else ():
        for run in track.runs:
            assert run.start <= run.end
        for before, after in pairwise(track.runs):
            assert before.end <= after.start


@patient
@given(found=USERS)
def test_every_usable_slice_is_placed_exactly_once(found: User) -> None:
    placed = arrange(found)
    runs = [run for t in (placed.tracks if placed else ()) for run in (*t.runs, *t.inside)]
    keys = [p.piece.key for run in runs for p in run.placed]
    assert sorted(keys) == sorted(s.key for track in found.tracks for s in track.usable)


@patient
@given(found=USERS)
@example(found=CASES["run inside another"])
@example(found=THREE_AT_ONCE)
def test_where_a_slice_has_media_some_run_shows_it(found: User) -> None:
    placed = arrange(found)
    for track in placed.tracks if placed else ():
        for run in (*track.runs, *track.inside):
            uncovered = run.start
            for shown in track.runs:
                if shown.start <= uncovered:
                    uncovered = max(uncovered, shown.end)
            assert uncovered >= run.placed[-1].end


@patient
@given(found=USERS)
def test_gaps_lie_between_runs_and_are_longer_than_what_is_no_gap(found: User) -> None:
    placed = arrange(found)
    for track in placed.tracks if placed else ():
        between = {(before.end, after.start) for before, after in pairwise(track.runs)}
        sound = track.medium is Medium.AUDIO
        for gap in track.gaps:
            assert (gap.start, gap.end) in between
            assert gap.end - gap.start > (FRAME * 3 // 2 if sound else ticks.from_ms(250))


@patient
@given(found=USERS)
def test_sessions_are_over_15_s_apart_and_hold_every_run(found: User) -> None:
    placed = arrange(found)
    if placed is None:
        assert not any(track.usable for track in found.tracks)
        return
    for (_, end), (start, _) in pairwise(placed.sessions):
        assert start - end > ABSENT
    for track in placed.tracks:
        for run in track.runs:
            assert any(start <= run.start and run.end <= end for start, end in placed.sessions)


@pytest.mark.parametrize("medium", list(Medium))
def test_a_user_s_start_and_end_are_those_of_his_media(medium: Medium) -> None:
    found = arrange(PLAIN)
    assert found is not None
    assert (found.start, found.end) == (T0, T0 + time("60.2"))
    track = next(t for t in found.tracks if t.medium is medium)
    assert track.form == form(medium)
    assert track.uncertainty_ms == 1
    assert track.runs[0].step == (FRAME if medium is Medium.AUDIO else PICTURE)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("{0}t {0}t 8f", id="a gap after every slice"),
        pytest.param("{0}t {1}t 8f", id="a reset that matches nothing in every slice"),
        pytest.param("{0}t {0}t 8f START", id="a START tag before every slice"),
    ],
)
def test_very_many_slices_take_bounded_time(line: str) -> None:
    many = sound(*(line.format(n * ticks.TICKS, n * 7919 % ticks.TICKS) for n in range(3000)))
    before = process_time()
    arrange(user(many))
    assert process_time() - before < 3


def test_a_slice_without_ends_has_no_length_and_is_in_no_run() -> None:
    bare = piece("0 0 10 missing", Medium.AUDIO)
    placed = Placed(bare, T0)
    assert placed.end == T0
    assert placed.utc(12345) == T0
    good = links.chain(sound("0 0 10.24"), (0, T0))[0]
    with pytest.raises(AssertionError, match=r"^a0\.ts$"):
        links._link(good, bare, "")
    run = Run((placed,), "first slice", 0)
    assert run.step == 1
    with pytest.raises(AssertionError, match=r"^a0\.ts$"):
        _ = TrackTime(Medium.AUDIO, (run,), (), ()).form


@pytest.mark.parametrize(
    ("pts", "utc"),
    [
        pytest.param(0, "0", id="the first picture"),
        pytest.param(
            ticks.WRAP - 3000, "0-3000t", id="a picture presented before the first, across the wrap"
        ),
        pytest.param(90_000, "1", id="a second later"),
    ],
)
def test_a_pts_has_a_place_on_utc(pts: int, utc: str) -> None:
    found = arrange(user(pictures("0 0 10")))
    assert found is not None
    assert at(found.tracks[0].runs[0].placed[0].utc(pts)) == at(T0 + time(utc))


def test_a_slope_stretches_what_lies_inside_a_slice() -> None:
    placed = Placed(piece("0 0 10", Medium.VIDEO), T0, slope_ppb=200_000)
    assert placed.end - T0 == 900_180
    assert placed.utc(450_000) - T0 == 450_090

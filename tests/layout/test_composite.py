"""The plan of a composite: frames, pieces, parts, names, and what a person is told of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import CommandError
from pipeline.layout.canvas import Box, Canvas, Place
from pipeline.layout.composed import composed
from pipeline.layout.composite import HALVED, ComposeOptions
from pipeline.layout.encoding import Encoding, SoundEncoding, VideoCodec
from pipeline.layout.looks import CameraOff, Cell, ClockMark, Corner, Image, ImageMark, Label, Looks, TextMark
from pipeline.layout.stage import Turn
from pipeline.layout.streams import NOBODY, Choice, Streams, Who
from pipeline.model import ticks
from pipeline.model.options import Moment, Verify
from pipeline.vendors.layouts import CUSTOM, Wish
from tests.layout.staging import CANVAS, asked, at, second, senders
from tests.model.laws import patient

if TYPE_CHECKING:
    from pipeline.layout.composing import Composing
    from pipeline.layout.composite import CompositePlan

LINES = ("ann v 0-60 a 0-60", "bob v 10-100 a 12-100", "ann:screen v 20-30")
RATES = (7, 15, 24, 30, 60)
STAMP = "20260120113000000"


def options(composing: Composing | None = None, **more: object) -> ComposeOptions:
    return replace(ComposeOptions(composing=composing or asked()), **more)  # type: ignore[arg-type] # its fields


def plans(wanted: ComposeOptions, *lines: str, turns: tuple[Turn, ...] = ()) -> list[CompositePlan]:
    return composed("call", senders(*(lines or LINES)), wanted, turns)


def only(wanted: ComposeOptions, *lines: str) -> CompositePlan:
    (found,) = plans(wanted, *lines)
    return found


def cut(start: str, end: str) -> dict[str, Moment]:
    return {"start": Moment.parse(start), "end": Moment.parse(end)}


def encoded(**fields: object) -> Composing:
    return replace(asked(), encoding=replace(Encoding(), **fields))  # type: ignore[arg-type] # its fields


@patient
@given(st.sampled_from(RATES), st.integers(1, 100_000))
def test_frames_stand_on_the_grid_of_their_rate_and_fill_the_file(fps: int, length_ms: int) -> None:
    plan = only(options(encoded(fps=fps), **cut("0", f"{length_ms / 1000:.3f}")))
    assert plan.duration == length_ms * ticks.PER_MS
    assert plan.at(0) == 0
    assert plan.at(plan.frames - 1) < plan.duration <= plan.at(plan.frames)
    for frame in {1, plan.frames // 2, plan.frames - 1}:
        exact = Fraction(frame * ticks.TICKS, fps)
        assert 0 <= exact - plan.at(frame) < 1
        assert plan.utc(frame) == at(0) + plan.at(frame)


@patient
@given(
    st.sampled_from(RATES),
    st.integers(100, 60_000),
    st.sampled_from([0, 1, 1000, 30_000]),
    st.integers(1, 100_000),
)
def test_pieces_are_whole_gops_and_part_the_frames(
    fps: int, gop_ms: int, chunk_ms: int, length_ms: int
) -> None:
    wanted = options(
        encoded(fps=fps, gop_ms=gop_ms), chunk_ms=chunk_ms, **cut("0", f"{length_ms / 1000:.3f}")
    )
    plan = only(wanted)
    assert [chunk.number for chunk in plan.chunks] == list(range(len(plan.chunks)))
    assert [n for c in plan.chunks for n in range(c.first, c.end)] == list(range(plan.frames))
    assert all(chunk.first < chunk.end for chunk in plan.chunks)
    gop = (encoded(fps=fps, gop_ms=gop_ms).encoding or Encoding()).gop
    assert all(chunk.first % gop == 0 for chunk in plan.chunks)
    if not chunk_ms:
        assert len(plan.chunks) == 1
    ends = 2 * HALVED if len(plan.chunks) > HALVED + 1 else 1
    for chunk in plan.chunks[:-ends]:
        off = abs(Fraction(1000 * (chunk.end - chunk.first), fps) - chunk_ms)
        assert off <= Fraction(1000 * gop, fps)


def test_the_last_pieces_of_a_long_call_are_half_as_long() -> None:
    plan = only(options(encoded(fps=15)), "ann v 0-300")
    seconds = [(chunk.end - chunk.first) // 15 for chunk in plan.chunks]
    assert seconds == [32, 32, 32, 32, 32, 32, 32, 16, 16, 16, 16, 12]


@pytest.mark.parametrize(
    ("gop_ms", "fps", "frames"),
    [(4000, 15, 60), (4000, 7, 28), (100, 7, 1), (100, 15, 1), (1050, 20, 21), (60_000, 60, 3600)],
)
def test_a_key_frame_comes_at_least_so_often(gop_ms: int, fps: int, frames: int) -> None:
    assert Encoding(fps=fps, gop_ms=gop_ms).gop == frames


@pytest.mark.parametrize("fps", RATES)
def test_a_frame_shows_the_shot_of_its_instant(fps: int) -> None:
    plan = only(options(encoded(fps=fps)))
    assert len(plan.shots) > 4
    for before, after in pairwise(plan.shots):
        first = next(n for n in range(plan.frames) if plan.shot_at(n) is after)
        assert plan.shot_at(first - 1) is before
        assert plan.utc(first - 1) < after.start <= plan.utc(first)


@pytest.mark.parametrize(
    ("typed", "start", "end"),
    [
        ({}, "0", "100"),
        (cut("10", "20"), "10", "20"),
        (cut("2026-01-20T11:30:10Z", "2026-01-20T11:30:20.5Z"), "10", "20.5"),
        (cut("2026-01-20T11:00:00Z", "2026-01-20T12:00:00Z"), "0", "100"),
        ({"start": Moment.parse("90")}, "90", "100"),
    ],
    ids=["all", "from the first media", "by UTC", "further than there is media", "only a start"],
)
def test_a_part_is_cut_where_it_was_asked_for(typed: dict[str, Any], start: str, end: str) -> None:
    plan = only(options(**typed))
    (piece,) = plan.pieces
    assert (piece.start, piece.end, piece.at, plan.zero) == (at(start), at(end), 0, at(start))
    assert plan.shots[0].start == at(start)
    assert plan.file == f"call_{STAMP[:-5]}{int(float(start)) % 60:02}000_composite".replace(
        "1130", f"11{30 + int(float(start)) // 60}", 1
    )


def test_nothing_left_is_told() -> None:
    with pytest.raises(CommandError, match="--start and --end leave nothing of the recording: give a time"):
        plans(options(start=Moment.parse("100")))


@pytest.mark.parametrize(
    ("composing", "told"),
    [
        (asked(streams=Streams(drawn=NOBODY, heard=NOBODY)), "nobody of call takes part"),
        (asked(streams=Streams(drawn=Choice(only=(Who("zoe"),)), heard=NOBODY)), "nobody of call takes part"),
        (replace(asked(streams=Streams(heard=NOBODY)), encoding=None), "nobody of call is heard"),
    ],
    ids=["nobody at all", "somebody who is not in it", "a file of sound of nobody"],
)
def test_who_chooses_nobody_is_told(composing: Composing, told: str) -> None:
    with pytest.raises(CommandError, match=told):
        plans(options(composing))


def test_a_part_in_which_nobody_is_there_is_a_part_too() -> None:
    found = plans(options(replace(asked(), most_ms=20_000)), "ann v 0-10", "bob v 70-80")
    assert [len(p.tiles) for p in found] == [1, 0, 0, 1]
    assert [p.frames for p in found] == [300] * 4


def test_a_longest_duration_makes_files_that_follow_one_another() -> None:
    found = plans(options(replace(asked(), most_ms=40_000)))
    assert [(second(p.zero), second(p.pieces[-1].end)) for p in found] == [
        ("0", "40"),
        ("40", "80"),
        ("80", "100"),
    ]
    assert [p.file for p in found] == [
        f"call_{STAMP}_composite_0",
        "call_20260120113040000_composite_1",
        "call_20260120113120000_composite_2",
    ]
    assert [p.shots[0].start for p in found] == [p.zero for p in found]
    assert [{tile.uid for tile in p.tiles} for p in found] == [{"ann", "bob"}, {"ann", "bob"}, {"bob"}]
    assert [len(plans(options(replace(asked(), most_ms=ms)))) for ms in (99_998, 99_999, 100_000)] == [
        2,
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("name", "most_ms", "files"),
    [
        ("", None, [f"call_{STAMP}_composite"]),
        ("show", None, ["show"]),
        ("show", 50_000, ["show_0", "show_1"]),
        ("{recording}{kind}", 50_000, ["call_composite_0", "call_composite_1"]),
        ("a{{kind}}", 50_000, ["a%7Bkind%7D_0", "a%7Bkind%7D_1"]),
        ("{utc}", None, [STAMP]),
        ("{uid}", None, ["mix"]),
        ("a/b", None, ["a%2Fb"]),
    ],
    ids=[
        "of our own",
        "a word",
        "a word and a number",
        "the kind has the number",
        "braces",
        "UTC",
        "no user",
        "safe",
    ],
)
def test_files_are_named(name: str, most_ms: int | None, files: list[str]) -> None:
    assert [p.file for p in plans(options(replace(asked(), most_ms=most_ms), name=name))] == files


def test_a_file_of_sound_has_no_frames() -> None:
    plan = only(options(replace(asked(), encoding=None)))
    assert (plan.file, plan.frames, plan.chunks, plan.shots, plan.tiles, plan.pictures) == (
        f"call_{STAMP}_mix",
        0,
        (),
        (),
        (),
        False,
    )
    assert [speaker.uid for speaker in plan.speakers] == ["ann", "bob"]
    assert (plan.rate, plan.channels, plan.bit_rate) == (48_000, 2, 128_000)


def test_a_file_of_pictures_has_no_sound() -> None:
    plan = only(options(replace(asked(), sound=None)))
    assert (plan.speakers, plan.mix, plan.rate, plan.channels, plan.bit_rate) == ((), None, 0, 0, 0)
    assert plan.frames == 1500


def test_where_nobody_is_heard_there_is_no_sound() -> None:
    assert only(options(), "ann v 0-10").mix is None
    assert only(options(asked(streams=Streams(heard=NOBODY)))).mix is None


def test_who_is_heard_and_who_is_drawn_are_two_things() -> None:
    streams = Streams(drawn=Choice(only=(Who("bob"),)), heard=Choice(but=(Who("bob"),)))
    plan = only(options(asked(streams=streams)))
    assert [tile.uid for tile in plan.tiles] == ["bob"]
    assert [speaker.uid for speaker in plan.speakers] == ["ann"]
    assert len(plan.tracks) == 2


def test_nothing_of_it_is_copied() -> None:
    plan = only(options())
    assert (plan.composed, plan.streamable, plan.pictures) == (True, False, True)
    assert options().composes


def said(plan: CompositePlan) -> dict[str, str]:
    return {decision.what: decision.why for decision in plan.decisions}


def test_a_person_is_told_what_is_done_and_why() -> None:
    assert said(only(options(asked("auto")))) == {
        "compose 5 scenes on 640x360 at 15 fps": "layout auto",
        "encode h264 crf 23 preset veryfast": "a composite is a new picture",
        "in 4 pieces of up to 32 s": "they are made side by side",
        "mix the sound of ann, bob": "everybody is heard at his UTC",
        "encode aac 48000 Hz stereo at 128 kb/s": "a sum is encoded anew",
        "limit peaks to -1 dBTP": "they may come out louder than full scale",
    }


def test_other_wishes_are_told() -> None:
    composing = replace(
        asked("floating", "agora", main=Who("zoe")),
        encoding=Encoding(fps=7, bit_rate=500_000, codec=VideoCodec.HEVC, encoder="hevc_nvenc"),
        sound=SoundEncoding(16_000, 1, 32_000, -16, asked="HE-AAC v2"),
    )
    told = said(only(options(composing, **cut("0", "10"))))
    assert told == {
        "compose 1 scene on 640x360 at 7 fps": "layout floating of agora",
        "arrange them approximately": "no page tells row when nobody is large as if somebody were (inferred)",
        "encode hevc_nvenc 500 kb/s preset veryfast": "a composite is a new picture",
        "mix the sound of ann": "everybody is heard at his UTC",
        "encode aac 16000 Hz mono at 32 kb/s": "a sum is encoded anew",
        "AAC-LC in place of HE-AAC v2": "FFmpeg's encoder writes no other profile",
        "limit peaks to -1 dBTP": "they may come out louder than full scale",
        "bring it to -16 LUFS": "it was asked for",
    }


def test_who_is_left_out_is_told_with_when_and_for_how_long() -> None:
    many = [f"u{n:02} v {n}-{30 if n == 3 else 100}" for n in range(18)]
    (only_one,) = (
        what + ", " + why
        for what, why in said(only(options(asked("best-fit", "agora")), *many)).items()
        if what.startswith("leave")
    )
    assert only_one == (
        "leave camera of u17 out of the picture for 0:13.000, first from 11:30:17.000, "
        "the layout has 17 regions for 18"
    )


def test_a_large_composite_is_estimated_to_take_longer_and_more_room() -> None:
    small, large = (only(options(asked(canvas=canvas))).estimate for canvas in (CANVAS, Canvas(1920, 1080)))
    assert small.seconds < large.seconds
    assert small.size < large.size
    assert small.memory < large.memory


def test_only_the_speaker_layout_follows_speech() -> None:
    assert options(asked("speaker")).follows_speech
    assert not options(asked("auto")).follows_speech
    lines = ("ann v 0-60", "bob v 0-60")
    found = plans(options(asked("speaker")), *lines, turns=(Turn(at(30), "bob"),))
    assert [second(shot.start) for shot in found[0].shots] == ["0", "30"]


ZERO, HALF = Fraction(0), Fraction(1, 2)
LEFT = Cell(Place(Box(ZERO, ZERO, HALF, Fraction(1))))


def with_cell(cell: Cell) -> Composing:
    return replace(asked(), layout=Wish(CUSTOM, places=(cell.place,)), cells=(cell,))


DIFFERENT = {
    "nothing special": options(),
    "another layout": options(asked("auto")),
    "of a vendor": options(asked("grid", "trtc")),
    "another size": options(asked(canvas=Canvas(1280, 720))),
    "another colour": options(asked(canvas=Canvas(640, 360, "#ffffff"))),
    "somebody large": options(asked("auto", main=Who("ann"))),
    "his screen large": options(asked("auto", main=Who("ann", "screen"))),
    "not all drawn": options(asked(streams=Streams(drawn=Choice(but=(Who("ann"),))))),
    "not all heard": options(asked(streams=Streams(heard=Choice(but=(Who("ann"),))))),
    "a region": options(with_cell(LEFT)),
    "a round region": options(with_cell(replace(LEFT, radius=Fraction(1, 10)))),
    "somebody's region": options(with_cell(replace(LEFT, who=Who("ann")))),
    "a colder frame rate": options(encoded(fps=7)),
    "a bit rate": options(encoded(bit_rate=500_000)),
    "a preset": options(encoded(preset="medium")),
    "a mono mix": options(replace(asked(), sound=SoundEncoding(channels=1))),
    "no sound": options(replace(asked(), sound=None)),
    "no pictures": options(replace(asked(), encoding=None)),
    "parts": options(replace(asked(), most_ms=1000)),
    "black": options(asked(camera_off=CameraOff.BLACK)),
    "longer on": options(asked(linger_ms=3500)),
    "labels": options(asked(label=Label())),
    "names": options(asked(names=(("ann", "Ann"),))),
    "a logo": options(asked(marks=(ImageMark("x.png", 0, 0, 2, 2),))),
    "a text": options(asked(marks=(TextMark("x", 0, 0),))),
    "a clock": options(asked(marks=(ClockMark(Corner.TOP),))),
    "a clock elsewhere": options(asked(marks=(ClockMark(Corner.TOP, 480),))),
    "an image": options(asked(image=Image("x.png"))),
    "a backdrop": options(asked(backdrop=Image("x.png"))),
    "the image's file": options(asked(image=Image("x.png")), files=(("x.png", "/a/x.png"),)),
    "another file": options(asked(image=Image("x.png")), files=(("x.png", "/b/x.png"),)),
    "a font": options(fonts=("a.ttf",)),
    "other pieces": options(chunk_ms=10_000),
    "a cut": options(start=Moment.parse("5")),
    "one user": options(uids=("ann",)),
    "no check": options(verify=Verify.OFF),
}


def test_options_that_differ_are_told_apart_in_the_manifest() -> None:
    for (one, left), (other, right) in combinations(DIFFERENT.items(), 2):
        assert left.as_text() != right.as_text(), f"{one} reads as {other}"


def test_options_that_are_equal_read_alike() -> None:
    assert asked(image=Image("x")) is not asked(image=Image("x"))
    assert options(asked(image=Image("x"))).as_text() == options(asked(image=Image("x"))).as_text()
    assert all(isinstance(value, str) for found in DIFFERENT.values() for value in found.as_text().values())
    assert Looks() == Looks(names=())

"""The scene over time: who joins, leaves, turns a camera off, shares a screen; as text and by an oracle."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.layout.canvas import Box, Mode, Place
from pipeline.layout.looks import CameraOff, Cell, Image
from pipeline.layout.speaking import Shown
from pipeline.layout.stage import Turn, staged, turns_of
from pipeline.layout.streams import ALL, NOBODY, SCREEN, Choice, Streams, Who
from pipeline.model import ticks
from pipeline.vendors.layouts import CUSTOM, Wish
from pipeline.vendors.requests import parse_request
from tests.layout.staging import CANVAS, asked, at, named, second, senders, shots, told
from tests.model.laws import patient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.layout.canvas import Canvas
    from pipeline.layout.composing import Composing
    from pipeline.layout.scene import Scene, Seat
    from pipeline.layout.stage import Shot


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(("ann v 0-60",), ["0: ann", "60: nobody"], id="one from the first to the last picture"),
        pytest.param(
            ("ann v 0-60", "bob v 10-30"),
            ["0: ann", "10: ann, bob", "30: ann", "60: nobody"],
            id="one joins and leaves",
        ),
        pytest.param(
            ("zoe v 0-60", "bob v 10-60", "ann v 20-60"),
            ["0: zoe", "10: zoe, bob", "20: zoe, bob, ann", "60: nobody"],
            id="the order of joining and no other",
        ),
        pytest.param(
            ("zoe v 0-60", "bob v 0-60", "ann v 0-60"),
            ["0: ann, bob, zoe", "60: nobody"],
            id="of those who join at once the order of their ids",
        ),
        pytest.param(
            ("ann v 0-10 30-60", "bob v 5-60"),
            ["0: ann", "5: ann, bob", "10: bob", "30: bob, ann", "60: nobody"],
            id="who was away for over 15 s joins anew, behind the others",
        ),
        pytest.param(
            ("ann v 0-10 25-60", "bob v 5-60"),
            ["0: ann", "5: ann, bob", "10.9333: ann avatar, bob", "25: ann, bob", "60: nobody"],
            id="who was away for 15 s keeps his place",
        ),
        pytest.param(
            ("ann v 0-20 20.8-60",), ["0: ann", "60: nobody"], id="a gap that ends before it counts is none"
        ),
        pytest.param(
            ("ann v 0-20 20.8-60", "bob v 5-60"),
            ["0: ann", "5: ann, bob", "60: nobody"],
            id="nor beside others",
        ),
        pytest.param(
            ("ann v 0-20 21-60",),
            ["0: ann", "20.9333: ann avatar", "21: ann", "60: nobody"],
            id="a longer gap begins a second behind the last picture",
        ),
        pytest.param(
            ("ann v 0-20 25-60",),
            ["0: ann", "20.9333: ann avatar", "25: ann", "60: nobody"],
            id="and ends with the next picture",
        ),
        pytest.param(
            ("ann v 5-60 a 0-60",), ["0: ann avatar", "5: ann", "60: nobody"], id="a camera that comes late"
        ),
        pytest.param(
            ("ann v 0-20 a 0-60",),
            ["0: ann", "20.9333: ann avatar", "60: nobody"],
            id="a camera that ends before the sound",
        ),
        pytest.param(
            ("ann v 0-60 a 0-20",), ["0: ann", "60: nobody"], id="a microphone that ends changes nothing"
        ),
        pytest.param(
            ("ann v 0-10 a 0-10 40-60",),
            ["0: ann", "10: nobody", "40: ann avatar", "60: nobody"],
            id="who comes back without a camera",
        ),
        pytest.param(
            ("ann v 40-60 a 0-10 39-60",),
            ["0: ann avatar", "10: nobody", "39: ann avatar", "40: ann", "60: nobody"],
            id="who comes back with a camera",
        ),
        pytest.param(
            ("ann v 0-10/extinf=14 20-60",),
            ["0: ann", "14: ann avatar", "20: ann", "60: nobody"],
            id="a picture that stands still to its slice's listed end is shown so long",
        ),
        pytest.param(
            ("ann v 0-60", "ann:screen v 10-20 30-40"),
            [
                "0: ann",
                "10: ann, ann:screen",
                "20: ann",
                "30: ann, ann:screen",
                "40: ann",
                "60: nobody",
            ],
            id="a screen comes and goes with its pictures",
        ),
        pytest.param(
            ("ann v 0-60", "ann:screen v 10-20/extinf=30"),
            ["0: ann", "10: ann, ann:screen", "40: ann", "60: nobody"],
            id="a screen that stands still is there to its listed end",
        ),
        pytest.param(
            ("ann v 0-60", "ann:screen v 10-20 20.8-30"),
            ["0: ann", "10: ann, ann:screen", "30: ann", "60: nobody"],
            id="a short gap of a screen is none",
        ),
        pytest.param(
            ("ann v 0-60", "ann:screen v 10-20 24-30", "bob v 15-60"),
            [
                "0: ann",
                "10: ann, ann:screen",
                "15: ann, ann:screen, bob",
                "20: ann, bob",
                "24: ann, bob, ann:screen",
                "30: ann, bob",
                "60: nobody",
            ],
            id="a screen that comes back does so behind the others, however soon",
        ),
        pytest.param(
            ("ann a 0-60", "bob a 10-60"),
            ["0: ann avatar", "10: ann avatar, bob avatar", "60: nobody"],
            id="sound alone",
        ),
    ],
)
def test_people_come_and_go(lines: tuple[str, ...], expected: list[str]) -> None:
    assert told(shots(asked(), *lines)) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(("ann v 0-60", "bob a 0-60"), ["0: ann", "60: nobody"], id="who never has a camera"),
        pytest.param(
            ("ann v 5-60 a 0-60",), ["0: ann avatar", "5: ann", "60: nobody"], id="not one who has it later"
        ),
        pytest.param(
            ("ann v 0-10 a 0-10 40-60",), ["0: ann", "10: nobody"], id="who has none in one of two stays"
        ),
    ],
)
def test_without_a_region_for_sound_alone_it_depends_on_the_stay(
    lines: tuple[str, ...], expected: list[str]
) -> None:
    assert told(shots(asked(sound_only=False), *lines)) == expected


FACES = [
    pytest.param(CameraOff.HOLD, "nothing", "held", id="hold: the last picture, before the first nothing"),
    pytest.param(CameraOff.BLACK, "black", "black", id="black"),
    pytest.param(CameraOff.AVATAR, "avatar", "avatar", id="avatar"),
    pytest.param(CameraOff.NOTHING, "nothing", "nothing", id="nothing"),
]


@pytest.mark.parametrize(("rule", "before", "after"), FACES)
def test_what_the_region_of_a_camera_that_is_off_shows(rule: CameraOff, before: str, after: str) -> None:
    found = shots(asked(camera_off=rule), "ann v 5-20 30-60 a 0-60")
    assert told(found) == [
        f"0: ann {before}",
        "5: ann",
        f"20.9333: ann {after}",
        "30: ann",
        "60: nobody",
    ]


def test_pictures_of_an_earlier_stay_are_not_held() -> None:
    found = shots(asked(camera_off=CameraOff.HOLD), "ann v 0-10 50-60 a 0-10 40-60")
    assert told(found) == ["0: ann", "10: nobody", "40: ann nothing", "50: ann", "60: nobody"]
    assert [second(role.since) for shot in found for role in shot.roles] == ["0", "40", "40"]


def test_a_camera_that_is_off_keeps_its_region() -> None:
    found = shots(asked(), "ann v 0-20 30-60", "bob v 0-60")
    assert [shot.scene.regions for shot in found[1:-1]] == [found[0].scene.regions] * 2


@pytest.mark.parametrize(
    ("linger_ms", "off"),
    [(1000, "20.9333"), (3500, "23.4333"), (2000, "21.9333"), (0, "20")],
    ids=["a second", "Agora's 3.5 s", "two seconds", "at once, but the last picture is shown whole"],
)
def test_how_long_a_camera_counts_as_on_behind_its_last_picture(linger_ms: int, off: str) -> None:
    found = shots(asked(linger_ms=linger_ms), "ann v 0-20 30-60")
    assert told(found) == ["0: ann", f"{off}: ann avatar", "30: ann", "60: nobody"]


def test_a_request_of_agora_waits_three_and_a_half_seconds_and_holds_the_last_picture() -> None:
    asked_for = parse_request('{"clientRequest": {"recordingConfig": {"transcodingConfig": {}}}}', "x", "")
    found = shots(asked_for.composing, "ann v 0-20 23.2-40 50-60 a 0-60")
    assert told(found) == ["0: ann", "43.4333: ann held", "50: ann", "60: nobody"]


ALL_IMAGES: dict[str, Any] = {
    "image": Image("default"),
    "images": ((Who("ann", "camera"), Image("ann")), (Who("b", begins=True), Image("b*"))),
}


@pytest.mark.parametrize(
    ("line", "expected"),
    [("ann", "ann ann"), ("bob", "bob b*"), ("cid", "cid default")],
    ids=["his own", "of all whose ids begin so", "everybody's"],
)
def test_which_image_a_camera_that_is_off_shows(line: str, expected: str) -> None:
    found = shots(asked(camera_off=CameraOff.HOLD, **ALL_IMAGES), f"{line} v 5-60 a 0-60")
    assert told(found)[:2] == [f"0: {expected}", f"5: {line}"]


def quarter(column: int, row: int, **more: object) -> Cell:
    half = Fraction(1, 2)
    place = Place(Box(column * half, row * half, half, half))
    return replace(Cell(place), **more)  # type: ignore[arg-type] # fields of `Cell`


def custom(*cells: Cell, **looks: object) -> Composing:
    wish = Wish(CUSTOM, places=tuple(cell.place for cell in cells))
    return replace(asked(**looks), layout=wish, cells=cells)  # type: ignore[arg-type] # fields of `Looks`


def test_the_image_of_a_region_comes_before_that_of_its_user() -> None:
    composing = custom(quarter(0, 0, image=Image("cell")), quarter(1, 0), **ALL_IMAGES)
    assert told(shots(composing, "ann a 0-60", "bob a 5-60"))[:2] == ["0: ann cell", "5: ann cell, bob b*"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param(
            (quarter(0, 0), quarter(1, 0)),
            {"0": {0: "ann"}, "5": {0: "ann", 1: "bob"}, "20": {0: "bob", 1: "cid"}},
            id="nobody's regions fill in the order of joining, and the others move up",
        ),
        pytest.param(
            (quarter(0, 0, who=Who("cid")), quarter(1, 0)),
            {"0": {1: "ann"}, "5": {1: "ann"}, "10": {0: "cid", 1: "ann"}, "20": {0: "cid", 1: "bob"}},
            id="somebody's region waits for him",
        ),
        pytest.param(
            (quarter(0, 0), quarter(1, 0, who=Who("ann")), quarter(0, 1)),
            {"0": {1: "ann"}, "5": {0: "bob", 1: "ann"}, "10": {0: "bob", 1: "ann", 2: "cid"}},
            id="who has a region of his own gets no other one",
        ),
        pytest.param(
            (quarter(0, 0, who=Who("ann", SCREEN)), quarter(1, 0)),
            {"0": {1: "ann"}, "20": {1: "bob"}},
            id="a region for a screen is none for a camera",
        ),
    ],
)
def test_custom_regions(cells: tuple[Cell, ...], expected: dict[str, dict[int, str]]) -> None:
    found = shots(custom(*cells), "ann v 0-20", "bob v 5-60", "cid v 10-60")
    shown = {
        second(shot.start): {region.cell: shot.role(region).uid for region in shot.scene.regions}
        for shot in found
    }
    assert {moment: cells for moment, cells in shown.items() if moment in expected} == expected


def test_a_custom_region_keeps_its_own_mode() -> None:
    fit = Place(Box(Fraction(0), Fraction(0), Fraction(1), Fraction(1)), Mode.FIT)
    found = shots(custom(Cell(fit), mode=Mode.STRETCH), "ann v 0-60")
    assert [region.mode for region in found[0].scene.regions] == [Mode.FIT]


@pytest.mark.parametrize("mode", Mode)
def test_a_mode_that_was_asked_for_is_that_of_every_region(mode: Mode) -> None:
    found = shots(asked("floating", "agora", mode=mode), "ann v 0-60", "bob v 5-60")
    assert {region.mode for shot in found for region in shot.scene.regions} == {mode}


@pytest.mark.parametrize(
    ("layout", "vendor", "expected"),
    [
        pytest.param("floating", "agora", ["ann", "ann, bob", "ann, bob, *cid", "ann, bob"], id="floating"),
        pytest.param("vertical", "agora", ["ann", "ann, bob", "ann, bob, *cid", "ann, bob"], id="vertical"),
        pytest.param("grid", "trtc", ["ann", "ann, bob", "ann, bob, cid", "ann, bob"], id="grid: ignored"),
        pytest.param("auto", "", ["ann", "ann, bob", "ann, bob, *cid", "ann, bob"], id="auto"),
        pytest.param("speaker", "", ["ann", "*ann, bob", "ann, bob, *cid", "*ann, bob"], id="speaker"),
    ],
)
def test_who_is_named_large_is_so_while_he_is_there(layout: str, vendor: str, expected: list[str]) -> None:
    found = shots(asked(layout, vendor, main=Who("cid")), "ann v 0-60", "bob v 5-60", "cid v 10-30")
    assert [line.partition(": ")[2] for line in told(found)] == [*expected, "nobody"]


def test_while_he_who_is_named_large_is_away_the_background_shows() -> None:
    lines = ("ann v 0-60", "cid v 10-30")
    for layout in ("floating", "vertical"):
        away, there, again = shots(asked(layout, "agora", main=Who("cid")), *lines)[:3]
        (alone,) = away.scene.regions
        assert alone.w * alone.h < CANVAS.width * CANVAS.height // 4
        assert away.scene.regions == again.scene.regions
        assert away.scene.approximate
        assert len(there.scene.regions) == 2


def test_a_named_screen_is_not_the_camera_of_its_user() -> None:
    composing = asked("floating", "trtc", main=Who("ann", SCREEN))
    found = shots(composing, "ann v 0-60", "ann:screen v 10-20", "bob v 0-60")
    assert told(found) == ["0: ann, bob", "10: ann, bob, *ann:screen", "20: ann, bob", "60: nobody"]


def test_the_screen_layout_makes_a_shared_screen_large_at_its_instants() -> None:
    found = shots(asked("screen"), "ann v 0-60", "bob v 0-60", "bob:screen v 10-20")
    assert told(found) == ["0: *ann, bob", "10: ann, bob, *bob:screen", "20: *ann, bob", "60: nobody"]


TURNS = (Turn(at(12), "bob"), Turn(at(14), ""), Turn(at(20), "ann", screen=True), Turn(at(30), "zoe"))


def test_whoever_speaks_is_large() -> None:
    lines = ("ann v 0-60", "bob v 5-60", "ann:screen v 20-26")
    assert told(shots(asked("speaker"), *lines, turns=TURNS)) == [
        "0: ann",
        "5: *ann, bob",
        "12: ann, *bob",
        "14: *ann, bob",
        "20: ann, bob, *ann:screen",
        "26: *ann, bob",
        "60: nobody",
    ]


@pytest.mark.parametrize(
    "composing",
    [asked("floating", "trtc"), asked("speaker", main=Who("ann"))],
    ids=["another layout", "somebody was named"],
)
def test_turns_change_nothing_elsewhere(composing: Composing) -> None:
    lines = ("ann v 0-60", "bob v 5-60")
    assert shots(composing, *lines, turns=TURNS) == shots(composing, *lines)


def test_turns_are_counted_from_the_first_level() -> None:
    shown = [Shown(0, ""), Shown(400, "ann"), Shown(2500, "ann", screen=True)]
    assert turns_of(shown, at(3)) == (
        Turn(at(3), ""),
        Turn(at("3.4"), "ann"),
        Turn(at("5.5"), "ann", screen=True),
    )


def test_who_is_over_the_limit_moves_in_when_one_leaves() -> None:
    many = [f"u{n:02} v {n}-{30 if n == 3 else 100}" for n in range(18)]
    found = {second(shot.start): line for shot, line in _with_text(shots(asked("best-fit", "agora"), *many))}
    others = [f"u{n:02}" for n in range(17) if n != 3]
    assert found["17"] == f"{', '.join(f'u{n:02}' for n in range(17))}, (u17)"
    assert found["30"] == f"{', '.join(others)}, u17"


def _with_text(found: tuple[Shot, ...]) -> list[tuple[Shot, str]]:
    return [(shot, line.partition(": ")[2]) for shot, line in zip(found, told(found), strict=True)]


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (ALL, "ann, ann:screen, bob, bobby"),
        (NOBODY, "nobody"),
        (Choice(only=(Who("bob"),)), "bob"),
        (Choice(only=(Who("bob", begins=True),)), "bob, bobby"),
        (Choice(only=(Who("ann", SCREEN),)), "ann:screen"),
        (Choice(but=(Who("ann"),)), "bob, bobby"),
        (Choice(only=(Who("bob", begins=True),), but=(Who("bob"),)), "bobby"),
    ],
    ids=["all", "nobody", "one", "a beginning", "a screen", "not one", "a beginning, not one"],
)
def test_whose_pictures_take_part(drawn: Choice, expected: str) -> None:
    lines = ("ann v 0-60", "ann:screen v 0-60", "bob v 0-60", "bobby v 0-60")
    composing = asked(streams=Streams(drawn=drawn, heard=NOBODY))
    assert told(shots(composing, *lines))[0] == f"0: {expected}"


def test_who_is_heard_changes_nothing_of_the_picture() -> None:
    lines = ("ann v 0-60 a 0-60", "bob v 0-60")
    for heard in (ALL, NOBODY, Choice(only=(Who("bob"),))):
        assert shots(asked(streams=Streams(heard=heard)), *lines) == shots(asked(), *lines)


def test_a_picture_that_changes_its_shape_changes_the_scene_where_shapes_count() -> None:
    line = "ann v 0-30/becomes=10:240x320/turns=20:90"
    seats = {second(s.start): s.scene.seats[0] for s in shots(asked("auto"), line) if s.scene.seats}
    assert {moment: (seat.width, seat.height) for moment, seat in seats.items()} == {
        "0": (640, 480),
        "10": (240, 320),
        "20": (320, 240),
    }
    areas = [shot.scene.regions[0].w for shot in shots(asked("auto"), line)[:-1]]
    assert areas == [480, 270, 480]


def test_a_part_begins_with_what_is_shown_then() -> None:
    lines = ("ann v 0-20 30-60", "bob v 5-40")
    found = shots(asked(), *lines, start=25, end=35)
    assert told(found) == ["25: ann avatar, bob", "30: ann, bob"]


def test_an_empty_time_has_one_empty_shot() -> None:
    assert told(shots(asked(), "ann v 0-10", start=20, end=30)) == ["20: nobody"]
    assert told(staged((), asked(), at(0), at(10))) == ["0: nobody"]


UNIT = 18_000
"""0.2 s in ticks: three pictures."""
Stretches = tuple[tuple[int, int], ...]


@st.composite
def stretches_of(draw: st.DrawFn) -> Stretches:
    """Stretches in units, in order; often so close that gaps are short, sometimes so far that stays end."""
    out, end = [], draw(st.integers(0, 40))
    for _ in range(draw(st.integers(1, 4))):
        start = end + draw(st.one_of(st.integers(1, 12), st.integers(13, 74), st.integers(76, 120)))
        end = start + draw(st.integers(1, 60))
        out.append((start, end))
    return tuple(out)


@st.composite
def people(draw: st.DrawFn) -> dict[tuple[str, str], tuple[Stretches, Stretches]]:
    """Streams: their pictures and their sound."""
    out: dict[tuple[str, str], tuple[Stretches, Stretches]] = {}
    for uid in draw(st.lists(st.sampled_from("abcde"), min_size=1, max_size=4, unique=True)):
        kind = draw(st.sampled_from(["both", "pictures", "sound"]))
        pictures = draw(stretches_of()) if kind != "sound" else ()
        out[uid, "camera"] = pictures, draw(stretches_of()) if kind != "pictures" else ()
        if draw(st.booleans()):
            out[uid, SCREEN] = draw(stretches_of()), ()
    return out


def lines_of(found: dict[tuple[str, str], tuple[Stretches, Stretches]]) -> list[str]:
    out = []
    for (uid, source), (pictures, sound) in found.items():
        words = [uid if source == "camera" else f"{uid}:screen"]
        for letter, stretches in (("v", pictures), ("a", sound)):
            if stretches:
                words += [letter, *(f"{a / 5:g}-{b / 5:g}" for a, b in stretches)]
        out.append(" ".join(words))
    return out


class Oracle:
    """Who is there at a moment and what he shows, asked of the stretches alone; times in ticks from 0."""

    def __init__(
        self, found: dict[tuple[str, str], tuple[Stretches, Stretches]], linger_ms: int, *, sound_only: bool
    ) -> None:
        self._found, self._linger, self._sound_only = found, linger_ms * 90, sound_only

    def at(self, moment: int, rule: CameraOff) -> list[str]:
        there = []
        for (uid, source), (pictures, sound) in self._found.items():
            shown = self._on(pictures, moment, gone=source == SCREEN)
            if source == SCREEN:
                if shown is not None:
                    there.append((shown, uid, source, f"{uid}:screen"))
                continue
            stay = self._stay([*pictures, *sound], moment)
            if stay is None:
                continue
            if not self._sound_only and not any(stay[0] <= a * UNIT < stay[1] for a, _ in pictures):
                continue
            if shown is not None:
                face = ""
            elif rule is not CameraOff.HOLD:
                face = f" {rule}"
            else:
                seen = any(stay[0] <= a * UNIT <= moment for a, _ in pictures)
                face = " held" if seen else " nothing"
            there.append((stay[0], uid, source, f"{uid}{face}"))
        return [text for *_, text in sorted(there)]

    def _on(self, pictures: Stretches, moment: int, *, gone: bool) -> int | None:
        """Where the pictures began that count as shown then; None if none do, ``gone`` at once."""
        before = [(a * UNIT, b * UNIT) for a, b in pictures if a * UNIT <= moment]
        if not before:
            return None
        after = next((a * UNIT for a, _ in pictures if a * UNIT > moment), None)
        if not self._covered(before[-1][1], after, moment, gone=gone):
            return None
        begun = before[-1][0]
        for (_, end), (start, _) in reversed(list(pairwise(before))):
            if not self._covered(end, start, start - 1):
                break
            begun = next(a for a, b in before if b == end)
        return begun

    def _covered(self, end: int, following: int | None, moment: int, *, gone: bool = False) -> bool:
        """Whether a picture still counts as shown, of a stretch that ended before the next one began."""
        off = max(end, end - 6000 + self._linger)
        if following is not None and (following - end <= 22_500 or (gone and following <= off)):
            return True
        return moment < (end if gone else off)

    @staticmethod
    def _stay(stretches: list[tuple[int, int]], moment: int) -> tuple[int, int] | None:
        """The stay that holds a moment: no silence of over 15 s inside."""
        parts = [(a * UNIT, b * UNIT) for a, b in stretches]
        start = end = -1
        for a, b in sorted(parts):
            if start < 0 or a - end > 15 * ticks.TICKS:
                if start <= moment < end:
                    break
                start, end = a, b
            end = max(end, b)
        return (start, end) if start <= moment < end else None


@patient
@given(people(), st.sampled_from([0, 200, 1000, 3500]), st.sampled_from(CameraOff), st.booleans(), st.data())
def test_every_instant_is_as_the_stretches_alone_say(
    found: dict[tuple[str, str], tuple[Stretches, Stretches]],
    linger_ms: int,
    rule: CameraOff,
    sound_only: bool,  # noqa: FBT001 - drawn
    data: st.DataObject,
) -> None:
    composing = asked(linger_ms=linger_ms, camera_off=rule, sound_only=sound_only)
    begin = data.draw(st.integers(0, 200)) * UNIT
    end = begin + data.draw(st.integers(1, 2000)) * UNIT
    made = staged(senders(*lines_of(found)), composing, at(0) + begin, at(0) + end)
    starts = [shot.start for shot in made]
    assert starts == sorted(set(starts))
    assert starts[0] == at(0) + begin
    assert starts[-1] < at(0) + end
    assert all((a.scene, a.roles) != (b.scene, b.roles) for a, b in pairwise(made))
    oracle = Oracle(found, linger_ms, sound_only=sound_only)
    edges = {moment for shot in made for moment in (shot.start - at(0), shot.start - at(0) - 1)}
    edges |= set(data.draw(st.lists(st.integers(begin, end - 1), max_size=20)))
    for moment in sorted(edge for edge in edges if begin <= edge < end):
        shot = next(shot for shot in reversed(made) if shot.start - at(0) <= moment)
        assert [named(role) for role in shot.roles] == oracle.at(moment, rule), moment
        wanted = composing.layout.arranged(composing.canvas, shot.scene.seats, None)
        assert shot.scene == wanted


@patient
@given(people(), st.data())
def test_a_part_is_what_the_whole_shows_then(
    found: dict[tuple[str, str], tuple[Stretches, Stretches]], data: st.DataObject
) -> None:
    times = senders(*lines_of(found))
    whole = staged(times, asked(), at(0), at(200))
    begin = at(0) + data.draw(st.integers(0, 999)) * UNIT
    part = staged(times, asked(), begin, at(200))
    first = next(shot for shot in reversed(whole) if shot.start <= begin)
    assert part[0] == replace(first, start=begin)
    assert part[1:] == tuple(shot for shot in whole if shot.start > begin)


class Asking:
    """A layout that remembers for whom it was asked."""

    def __init__(self) -> None:
        self._wish = Wish("grid")
        self.name, self.vendor = self._wish.name, self._wish.vendor
        self.asked: list[tuple[Seat, ...]] = []

    def arranged(
        self, canvas: Canvas, seats: Sequence[Seat], large: int | None, *, absent: bool = False
    ) -> Scene:
        self.asked.append(tuple(seats))
        return self._wish.arranged(canvas, seats, large, absent=absent)


def test_the_layout_is_asked_once_for_the_same_people_however_often_cameras_go_off() -> None:
    """Arranging costs more than all else of a shot: an hour of flickering cameras took a minute."""
    flickering = " ".join(f"{n}-{n + 2}" for n in range(0, 400, 4))
    layout = Asking()
    found = shots(replace(asked(), layout=layout), f"ann v {flickering} a 0-400", "ben a 200-400")
    assert len(found) > 150
    assert [[seat.name for seat in seats] for seats in layout.asked] == [["ann"], ["ann", "ben"], []]

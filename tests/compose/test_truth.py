"""The truth read back from composites: who is seen where, at which time, and who is heard.

Pictures carry their time and their user's number, sound beeps on each whole second, each user in a tone of
his own. Who must be seen is told by a model that knows the recording alone (`tests.compose.stage_model`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from pipeline.api import merge
from pipeline.demo.recorder import make
from pipeline.demo.scenario import Source
from pipeline.demo.scenario_toml import parse
from pipeline.layout.canvas import Box, Canvas, Mode, Place, Region
from pipeline.layout.composing import Composing
from pipeline.layout.composite import ComposeOptions
from pipeline.layout.encoding import Encoding
from pipeline.layout.looks import CameraOff, Cell, Looks
from pipeline.layout.streams import Choice, Streams, Who
from pipeline.media.compose.board import colour
from pipeline.model.options import Moment
from pipeline.vendors.layouts import Wish
from tests.compose.calls import MERGED, ROOM, TORN, WEB
from tests.compose.seeing import Drawn, frames, readable, wrong
from tests.compose.stage_model import CLOCK_MS, Present, Stage
from tests.merge.merging import TICKS_A_SECOND, beeps_ms, utc_ms
from tests.merge.tones import onsets, samples

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.demo.made import Made
    from pipeline.model.manifest import Output

BACKGROUND = "#204060"
CANVAS = Canvas(640, 360, BACKGROUND)
NEAR_MS = 10
"""How far a beep may be from its second."""
EXCLUDED = Streams(drawn=Choice(but=(Who("fay"),)), heard=Choice(but=(Who("ben"),)))


def _cell(
    box: tuple[float, float, float, float], mode: Mode, z: int, who: Who | None, opacity: int = 255
) -> Cell:
    return Cell(Place(Box(*map(Fraction, box)), mode, z, opacity), who)


CELLS = (
    _cell((0.5, 0, 0.5, 0.5), Mode.STRETCH, 1, Who("ann", "camera")),
    _cell((0.75, 0.25, 0.25, 0.25), Mode.FIT, 3, Who("cat")),  # before the lower half of ann
    _cell((0.5, 0, 0.25, 0.25), Mode.FIT, 0, None),  # hidden behind ann
    _cell((0, 0, 0.5, 0.5), Mode.FIT, 0, Who("ann", "screen")),
    _cell((0, 0.5, 0.5, 0.5), Mode.FIT, 2, Who("ben")),
    _cell((0.5, 0.5, 0.25, 0.25), Mode.FIT, 5, Who("eve"), 160),
    _cell((0.75, 0.5, 0.25, 0.25), Mode.FIT, 0, None, 100),
)


@dataclass(frozen=True)
class Case:
    """A composite and what it is made of.

    Attributes:
        call: the recording.
        wish: the layout.
        looks: everything besides.
        main: who is large.
        cells: of a custom layout.
        streams: who takes part.
        between: seconds from its beginning at which the composite begins and ends.
        fps: of it.
        hidden: streams of which nothing can be read.
    """

    call: str
    wish: Wish
    looks: Looks
    main: Who | None = None
    cells: tuple[Cell, ...] = ()
    streams: Streams = field(default_factory=Streams)
    between: tuple[str, str] | None = None
    fps: int = 15
    hidden: frozenset[str] = frozenset()

    @property
    def options(self) -> ComposeOptions:
        """What is asked for."""
        encoding = Encoding(fps=self.fps, crf=20)
        composing = Composing(
            CANVAS, self.wish, self.streams, self.main, self.cells, self.looks, encoding, sound=None
        )
        start, end = map(Moment.parse, self.between) if self.between else (None, None)
        return ComposeOptions(composing=composing, start=start, end=end)

    def stage(self, made: Made) -> Stage:
        """The truth about who is drawn."""
        but = [who.uid for who in self.streams.drawn.but]
        return Stage(made, self.looks.linger_ms, sound_only=self.looks.sound_only, but=but)

    def regions(self, there: list[Present]) -> list[Region]:
        """Where they stand, the hindmost first."""
        seats = [present.seat for present in there]
        if self.cells:
            return self._own(there)
        main = self.main
        large = next((n for n, s in enumerate(seats) if main and main.admits(s.name, s.source)), None)
        scene = self.wish.arranged(CANVAS, seats, large, absent=main is not None and large is None)
        return [replace(region, mode=self.looks.mode or region.mode) for region in scene.regions]

    def _own(self, there: list[Present]) -> list[Region]:
        """Those who have a region of their own are in it, the others take the free ones as they joined."""
        owned = [cell.who for cell in self.cells if cell.who]
        free = [
            n for n, p in enumerate(there) if not any(w.admits(p.seat.name, p.seat.source) for w in owned)
        ]
        found = []
        for cell in self.cells:
            who = cell.who
            mine = [n for n, p in enumerate(there) if who and who.admits(p.seat.name, p.seat.source)]
            taken = mine[:1] if who else [free.pop(0)] if free else []
            found += [CANVAS.region(n, cell.place) for n in taken]
        return sorted(found, key=lambda region: region.z)


FIT = Looks(mode=Mode.FIT)
CASES = {
    "grid, avatars": Case("room", Wish("grid"), FIT),
    "floating, one is large while he is there, black": Case(
        "room", Wish("floating"), replace(FIT, camera_off=CameraOff.BLACK), main=Who("ben")
    ),
    "a screen is large, the last picture held, from in between": Case(
        "room", Wish("screen"), replace(FIT, camera_off=CameraOff.HOLD), between=("9.37", "33.1")
    ),
    "best fit at 24 fps, only who sends pictures": Case(
        "room", Wish("best-fit"), replace(FIT, camera_off=CameraOff.NOTHING, sound_only=False), fps=24
    ),
    "the largest area, without one of them": Case("room", Wish("auto"), Looks(), streams=EXCLUDED),
    "regions of our own, some transparent": Case(
        "room",
        Wish("custom", places=tuple(cell.place for cell in CELLS)),
        Looks(),
        cells=CELLS,
        hidden=frozenset({"camera of fay"}),
    ),
    "sound and pictures in the same slices": Case("merged", Wish("grid"), FIT),
    "slices are gone, cut off and overwritten, avatars": Case("torn", Wish("grid"), FIT),
    "slices are gone, cut off and overwritten, the last picture held": Case(
        "torn", Wish("auto"), Looks(camera_off=CameraOff.HOLD)
    ),
    "from browsers and phones, Agora's vertical, black after 3.5 s": Case(
        "web",
        Wish("vertical", "agora"),
        replace(FIT, camera_off=CameraOff.BLACK, linger_ms=3500),
    ),
    "from browsers and phones, the largest area": Case("web", Wish("auto"), Looks()),
}


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """The recordings."""
    place = tmp_path_factory.mktemp("calls")
    return {
        name: make(parse(text), place / name)
        for name, text in (("room", ROOM), ("torn", TORN), ("merged", MERGED), ("web", WEB))
    }


def composite(made: Made, options: ComposeOptions, place: Path) -> tuple[Path, Output]:
    """The one file of a composite."""
    (done,) = merge(made.place, place, options)
    (output,) = done.manifest.outputs
    assert output.verdict.good, output.verdict.problems
    assert bool(done.manifest.losses) == bool(made.scenario.faults)
    return place / output.file, output


@pytest.mark.parametrize("name", CASES)
def test_every_frame_shows_who_is_there_and_what_he_showed_then(
    name: str, calls: dict[str, Made], tmp_path: Path
) -> None:
    case = CASES[name]
    made = calls[case.call]
    path, output = composite(made, case.options, tmp_path)
    stage, behind = case.stage(made), colour(BACKGROUND)[0]
    places: dict[object, list[Region]] = {}

    def due(ms: float) -> list[Drawn]:
        there = stage.at(ms)
        key = tuple(present.seat for present in there)
        if key not in places:
            places[key] = case.regions(there)
        return [Drawn(region, there[region.seat], case.looks.camera_off, behind) for region in places[key]]

    bad: list[tuple[float, list[str]]] = []
    count: Counter[str] = Counter()
    shown = 0
    for at, luma, blue in frames(path):
        utc = utc_ms(output, at * TICKS_A_SECOND)
        drawn = due(utc)
        said = wrong(luma, blue, drawn, BACKGROUND)
        # A clock that is followed leaves a few milliseconds, by which a change may be in the next frame.
        if said and all(wrong(luma, blue, due(utc + off), BACKGROUND) for off in (-CLOCK_MS, CLOCK_MS)):
            bad.append((at, said))
        count += Counter(each.name for n, each in enumerate(drawn) if readable(each, drawn[n + 1 :]))
        shown += 1
    assert bad == []
    assert shown == -(-output.duration * case.fps // TICKS_A_SECOND)
    assert count.keys() == expected_streams(made, case)
    assert min(count.values()) > 2 * case.fps, "somebody was hardly ever looked at"


def expected_streams(made: Made, case: Case) -> set[str]:
    """Whose pictures must have been read."""
    sent = {(u.user.uid, u.user.source) for u in made.users if u.pictures_ms}
    drawn = {(uid, source) for uid, source in sent if case.streams.drawn.admits(uid, source)}
    return {f"{Source(source).value} of {uid}" for uid, source in drawn} - case.hidden


@pytest.mark.parametrize(
    ("call", "streams"),
    [("room", Streams()), ("room", EXCLUDED), ("torn", Streams())],
    ids=["everybody", "without one", "with slices gone"],
)
def test_everybody_is_heard_at_his_time_and_nobody_else(
    call: str, streams: Streams, calls: dict[str, Made], tmp_path: Path
) -> None:
    made = calls[call]
    small = Encoding(fps=1)
    composing = Composing(CANVAS, Wish("grid"), streams, encoding=small)
    path, output = composite(made, ComposeOptions(composing=composing), tmp_path)
    sound = samples(path)[0]
    for user in made.users:
        if user.user.source is Source.SCREEN:
            continue  # it would be heard in the tone of another
        found = [utc_ms(output, at * TICKS_A_SECOND) for at, _ in onsets(sound, user)]
        heard = streams.heard.admits(user.user.uid, user.user.source)
        assert [round(at / 1000) * 1000 for at in found] == (beeps_ms(made, user) if heard else [])
        assert max((abs(at - round(at / 1000) * 1000) for at in found), default=0) <= NEAR_MS

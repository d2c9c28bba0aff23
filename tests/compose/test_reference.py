"""Frames before they are encoded, against a graph of FFmpeg's own filters: how pictures lie in their regions.

The graph is built with ffmpeg-python and run by another FFmpeg; it knows nothing of how a composite is drawn.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import ffmpeg
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
import pytest

from pipeline.api import plan
from pipeline.demo.picture import COLOURS, draw
from pipeline.demo.recorder import make
from pipeline.demo.scenario import Track
from pipeline.demo.scenario_toml import parse
from pipeline.drawing.studio import Studio
from pipeline.layout.canvas import OPAQUE, WHOLE, Box, Canvas, Mode, Place, Region
from pipeline.layout.composing import Composing
from pipeline.layout.composite import ComposeOptions, CompositePlan
from pipeline.layout.fill import MOST_CUT, Rect
from pipeline.layout.looks import Cell, Looks
from pipeline.media.compose.feed import Feed
from pipeline.media.compose.painter import Painter
from pipeline.sources.folder import Folder
from pipeline.vendors.layouts import Wish
from tests.compose.similarity import ssim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.demo.made import Made
    from pipeline.layout.scene import Seat

Plane = npt.NDArray[np.uint8]
LEAST = 0.98
"""SSIM of every region of every frame."""
MOST_OFF = 1
"""Levels by which brightness and colour of a region may be off on the whole."""
FPS, FRAMES = 15, 30
BACKGROUND = "#204060"
CANVAS = Canvas(640, 360, BACKGROUND)
CALL = """
vendor = "trtc"
start = 2026-03-02T09:00:00.250Z
slice_seconds = 60

[[users]]
uid = "ann"
size = "640x360"
picture = [[0.0, 3.0]]

[[users]]
uid = "ben"
size = "320x240"
picture = [[0.0, 3.0]]

[[users]]
uid = "cat"
size = "180x320"
picture = [[0.0, 3.0]]

[[users]]
uid = "dan"
size = "320x180"
picture = [[0.0, 3.0]]
"""


def _cell(
    box: tuple[float, float, float, float],
    mode: Mode = Mode.CROP,
    z: int = 0,
    opacity: int = OPAQUE,
    crop: Box = WHOLE,
) -> Cell:
    return Cell(Place(Box(*map(Fraction, box)), mode, z, opacity), crop=crop)


@dataclass(frozen=True)
class Case:
    """A scene that stands still."""

    layout: str = "grid"
    mode: Mode | None = None
    cells: tuple[Cell, ...] = ()

    @property
    def options(self) -> ComposeOptions:
        """What is asked for."""
        wish = Wish(self.layout, places=tuple(cell.place for cell in self.cells))
        composing = Composing(CANVAS, wish, cells=self.cells, looks=Looks(mode=self.mode), sound=None)
        return ComposeOptions(composing=composing)


CORNER = Box(Fraction(1, 4), Fraction(1, 8), Fraction(1, 2), Fraction(3, 4))
CASES = {
    "a grid that is filled, what is too much cut off": Case(mode=Mode.CROP),
    "a grid that pictures are fitted into": Case(mode=Mode.FIT),
    "a grid that pictures are stretched to": Case(mode=Mode.STRETCH),
    "a grid where a fifth is cut off and the rest is stretched": Case(mode=Mode.SMART),
    "small ones over a large one": Case("floating"),
    "small ones beside a large one": Case("vertical"),
    "the largest area": Case("auto"),
    "regions that overlap, the larger z in front": Case(
        "custom",
        cells=(
            _cell((0.25, 0.25, 0.5, 0.5), Mode.CROP, 3),
            _cell((0, 0, 0.5, 0.5), Mode.STRETCH, 1),
            _cell((0.5, 0.5, 0.5, 0.5), Mode.FIT, 4),
            _cell((0, 0, 1, 1), Mode.CROP, 0),
        ),
    ),
    "regions that shine through": Case(
        "custom",
        cells=(
            _cell((0, 0, 0.75, 0.75), Mode.CROP, 0),
            _cell((0.5, 0.5, 0.5, 0.5), Mode.STRETCH, 1, 128),
            _cell((0, 0.5, 0.25, 0.5), Mode.FIT, 2, 64),
            _cell((0.25, 0.25, 0.5, 0.5), Mode.CROP, 3, 200),
        ),
    ),
    "parts of pictures": Case(
        "custom",
        cells=(
            _cell((0, 0, 0.5, 0.5), Mode.FIT, crop=CORNER),
            _cell((0.5, 0, 0.5, 0.5), Mode.CROP, crop=CORNER),
            _cell((0, 0.5, 0.5, 0.5), Mode.STRETCH, crop=CORNER),
            _cell((0.5, 0.5, 0.3, 0.4), Mode.FIT, crop=CORNER),
        ),
    ),
}


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Four cameras that are on together, their pictures at the same times."""
    return make(parse(CALL), tmp_path_factory.mktemp("reference") / "call")


def planned(made: Made, case: Case) -> CompositePlan:
    """The composite, which is one scene."""
    (found,) = plan(made.place, case.options)
    (output,) = found.outputs
    assert isinstance(output, CompositePlan)
    assert len(output.shots) == 1
    return output


def painted(made: Made, output: CompositePlan) -> Iterator[Plane]:
    """The frames as they would go to the encoder, of shape (height * 3 / 2, width)."""
    opened = Folder(made.place).open
    feeds = {
        (tile.uid, tile.source): Feed(tile.video, opened, output.zero, output.utc(FRAMES))
        for tile in output.tiles
    }
    painter = Painter(output, Studio({}), lambda uid, source, _: feeds[uid, source])
    for number in range(FRAMES):
        yield np.array(painter.frame(number).to_ndarray(format="yuv420p"), np.uint8)
    for feed in feeds.values():
        feed.close()


def reference(made: Made, case: Case, output: CompositePlan) -> list[Plane]:
    """The same of what FFmpeg's own filters make."""
    scene = output.shots[0].scene
    size = f"{CANVAS.width}x{CANVAS.height}"
    picture = ffmpeg.input(f"color=c={BACKGROUND.replace('#', '0x')}:s={size}:r={FPS}", f="lavfi")
    for region in sorted(scene.regions, key=lambda region: region.z):
        (piece,) = made.user(scene.seats[region.seat].name).track(Track.VIDEO)
        shown = ffmpeg.input(str(made.place / piece.name)).filter("setpts", f"N/{FPS}/TB")
        crop = case.cells[region.cell].crop if region.cell is not None else WHOLE
        shown = _filled(shown, scene.seats[region.seat], region, crop)
        if region.opacity != OPAQUE:
            shown = shown.filter("format", "yuva420p").filter("lut", a=region.opacity)
        x = f"{region.x}+2*round(({region.w}-overlay_w)/4)"
        y = f"{region.y}+2*round(({region.h}-overlay_h)/4)"
        picture = ffmpeg.overlay(picture, shown, x=x, y=y)
    sink = picture.output("pipe:", format="rawvideo", pix_fmt="yuv420p", vframes=FRAMES)
    command = sink.global_args("-v", "error", "-nostdin").compile(cmd=imageio_ffmpeg.get_ffmpeg_exe())
    done = subprocess.run(command, capture_output=True, check=True)
    return list(np.frombuffer(done.stdout, np.uint8).reshape(FRAMES, CANVAS.height * 3 // 2, CANVAS.width))


def _filled(shown: Any, seat: Seat, region: Region, crop: Box) -> Any:
    """The part of a picture that is shown, scaled; sides and places are the nearest even ones."""
    wide, high = seat.width * crop.w, seat.height * crop.h
    w, h = Fraction(region.w), Fraction(region.h)
    if region.mode is Mode.FIT:
        w, h = min(w, h * wide / high), min(h, w * high / wide)
    if region.mode in {Mode.CROP, Mode.SMART}:
        least = 1 - MOST_CUT if region.mode is Mode.SMART else 0
        cut = wide * least, high * least
        wide, high = max(cut[0], min(wide, high * w / h)), max(cut[1], min(high, wide * h / w))
    across, down = (crop.x + crop.w / 2) * seat.width, (crop.y + crop.h / 2) * seat.height
    part = [_even(wide), _even(high)]
    part += [_even(across - Fraction(part[0], 2)), _even(down - Fraction(part[1], 2))]
    return shown.filter("crop", *part).filter("scale", _even(w), _even(h), flags="bicubic")


def _even(side: Fraction) -> int:
    return 2 * int(side / 2 + Fraction(1, 2))


@pytest.mark.parametrize("name", CASES)
def test_every_region_looks_as_ffmpeg_would_draw_it(name: str, call: Made) -> None:
    case = CASES[name]
    output = planned(call, case)
    regions = output.shots[0].scene.regions
    assert len(regions) == len(call.users)
    everything = Rect(0, 0, CANVAS.width, CANVAS.height)
    rects = [everything, *(Rect(r.x, r.y, r.w, r.h) for r in regions)]
    alike: dict[Rect, float] = dict.fromkeys(rects, 1.0)
    off: dict[Rect, float] = dict.fromkeys(rects, 0.0)
    for ours, theirs in zip(painted(call, output), reference(call, case, output), strict=True):
        for rect in rects:
            first, second = planes(ours, rect), planes(theirs, rect)
            alike[rect] = min(alike[rect], ssim(first[0], second[0]))
            off[rect] = max(off[rect], *map(far, first, second))
    assert min(alike.values()) >= LEAST, alike
    assert max(off.values()) <= MOST_OFF, off


def planes(frame: Plane, rect: Rect) -> tuple[Plane, Plane, Plane]:
    """Y, U and V in a part of a frame."""
    colours = frame[CANVAS.height :].reshape(2, CANVAS.height // 2, CANVAS.width // 2)
    half = slice(rect.y // 2, rect.bottom // 2), slice(rect.x // 2, rect.right // 2)
    return frame[rect.y : rect.bottom, rect.x : rect.right], colours[0][half], colours[1][half]


def far(ours: Plane, theirs: Plane) -> float:
    """How many levels two planes are apart on the whole."""
    return float(np.abs(ours.astype(np.int16) - theirs).mean())


PICTURE = draw(1_772_442_000_250, 320, 180, COLOURS[0], 7)[:180]


def test_a_picture_is_as_itself() -> None:
    assert ssim(PICTURE, PICTURE) == pytest.approx(1)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(np.roll(PICTURE, 1, axis=1), id="shifted by a pixel"),
        pytest.param(draw(1_772_442_000_317, 320, 180, COLOURS[0], 7)[:180], id="of the next moment"),
        pytest.param(draw(1_772_442_000_250, 320, 180, COLOURS[0], 8)[:180], id="of somebody else"),
        pytest.param(PICTURE // 2, id="darker"),
        pytest.param(np.full_like(PICTURE, 16), id="black"),
    ],
)
def test_another_picture_is_told_apart(other: Plane) -> None:
    assert ssim(PICTURE, other) < LEAST

"""What is drawn besides pictures, frame by frame: each of it once, however often the scene changes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from PIL import Image

from pipeline.drawing.studio import Studio
from pipeline.layout.canvas import Canvas
from pipeline.layout.composed import composed
from pipeline.layout.composite import ComposeOptions
from pipeline.layout.looks import CameraOff, ImageMark, Label, TextMark
from pipeline.media.compose.painter import Painter
from tests.layout.staging import asked, senders

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.layout.canvas import Region
    from pipeline.media.compose.sprite import Sprite

CANVAS = Canvas(320, 180)
LOGO, TEXT = ImageMark("logo.png", 10, 10, 20, 20), TextMark("room", 200, 10)


class Counting(Studio):
    """A studio that counts what it is asked to draw."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__(files)
        self.drawn: Counter[object] = Counter()

    def label(self, name: str, label_: Label, region: Region) -> Sprite | None:
        self.drawn[name, region.w] += 1
        return super().label(name, label_, region)

    def mark(self, mark: ImageMark | TextMark, canvas: Canvas) -> Sprite | None:
        self.drawn[mark] += 1
        return super().mark(mark, canvas)


def test_names_and_watermarks_are_drawn_once_though_the_scene_changes(tmp_path: Path) -> None:
    """A logo that is a large photo takes longer to read than a second of the composite to make."""
    Image.new("RGB", (40, 40), "#ff0000").save(tmp_path / "logo.png")
    looks = asked(canvas=CANVAS, camera_off=CameraOff.BLACK, label=Label(), marks=(LOGO, TEXT))
    times = senders("ann a 0-40", "ben a 5-10", "ben:screen v 20-25")
    (plan,) = composed("call", times, ComposeOptions(composing=looks))
    studio = Counting({"logo.png": str(tmp_path / "logo.png")})
    painter = Painter(plan, studio, lambda *_: None)
    logos = {
        painter.frame(n).to_ndarray(format="rgb24")[20, 20].tolist()[0] > 200 for n in range(plan.frames)
    }
    assert len(plan.shots) > 3
    assert logos == {True}
    assert {LOGO, TEXT} < set(studio.drawn)
    assert set(studio.drawn.values()) == {1}

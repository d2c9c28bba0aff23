"""The plan of a composite: its shots, its frames, the pieces it is made in, who is drawn and who is heard.

Pictures are made in pieces that know nothing of one another, so that several processes, or several machines,
make them side by side and a run that was stopped goes on. Where a piece begins follows from the plan alone.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.layout.canvas import Canvas
from pipeline.layout.composing import told
from pipeline.layout.looks import Looks
from pipeline.layout.stage import SPEAKER
from pipeline.model import ticks
from pipeline.model.options import Options
from pipeline.model.plan import OutputPlan

if TYPE_CHECKING:
    from pipeline.layout.composing import Composing
    from pipeline.layout.encoding import Encoding, SoundEncoding
    from pipeline.layout.looks import Cell
    from pipeline.layout.stage import Shot
    from pipeline.model.timeline import TrackTime

CHUNK_MS = 30_000
"""Pictures are made in pieces of about so long: decoding up to the first one of a piece is done twice."""
HALVED = 3
"""So many pieces at the end of a long file are half as long: who makes the last one does it alone."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Frames of a composite that are made together: ``first`` up to ``end``."""

    number: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Tile:
    """The pictures of somebody on the stage."""

    uid: str
    source: str
    video: TrackTime


@dataclass(frozen=True, slots=True)
class CompositePlan(OutputPlan):
    """A composite to make; what is heard stands in ``speakers``.

    Attributes:
        canvas: what is drawn on.
        shots: the stage over time, from file zero on.
        tiles: whose pictures are on the stage at any time.
        cells: of a custom layout.
        looks: what is drawn besides.
        encoding: of the pictures; None in a file of sound.
        mix: of the sound; None in a file without.
        files: where the images are that requests name: reference and path.
        fonts: paths of fonts that come first.
        chunk_frames: frames of a piece; 0 for all in one.
    """

    canvas: Canvas = field(default_factory=lambda: Canvas(2, 2))
    shots: tuple[Shot, ...] = ()
    tiles: tuple[Tile, ...] = ()
    cells: tuple[Cell, ...] = ()
    looks: Looks = field(default_factory=Looks)
    encoding: Encoding | None = None
    mix: SoundEncoding | None = None
    files: tuple[tuple[str, str], ...] = ()
    fonts: tuple[str, ...] = ()
    chunk_frames: int = 0

    @property
    def tracks(self) -> tuple[TrackTime, ...]:
        """What goes in: the pictures of everybody on the stage, then the sound."""
        return (*(tile.video for tile in self.tiles), *(speaker.audio for speaker in self.speakers))

    @property
    def composed(self) -> bool:
        """As `OutputPlan.composed`."""
        return True

    @property
    def pictures(self) -> bool:
        """Whether the file has any."""
        return self.encoding is not None

    @property
    def streamable(self) -> bool:
        """Nothing of it is copied."""
        return False

    @property
    def scratch(self) -> int:
        """As `OutputPlan.scratch`: its pieces."""
        return self.estimate.size if self.encoding else 0

    @property
    def channels(self) -> int:
        """Of the sound."""
        return self.mix.channels if self.mix else 0

    @property
    def bit_rate(self) -> int:
        """Bits a second of the sound."""
        return self.mix.bit_rate if self.mix else 0

    @property
    def rate(self) -> int:
        """Samples a second of the sound."""
        return self.mix.rate if self.mix else 0

    @property
    def frames(self) -> int:
        """How many pictures it has: as many as begin before its end."""
        if self.encoding is None:
            return 0
        return -(-self.duration * self.encoding.fps // ticks.TICKS)

    def utc(self, frame: int) -> int:
        """UTC ticks at which a frame is shown."""
        return self.zero + self.at(frame)

    def at(self, frame: int) -> int:
        """File ticks at which a frame is shown."""
        fps = self.encoding.fps if self.encoding else 1
        return frame * ticks.TICKS // fps

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """The pieces in which its pictures are made, in order."""
        size = self.chunk_frames or max(1, self.frames)
        starts = list(range(0, self.frames, size))
        if len(starts) > HALVED + 1:
            gop = self.encoding.gop if self.encoding else 1
            half = size // gop // 2 * gop or size
            starts = sorted({*starts, *(at + half for at in starts[-HALVED:] if at + half < self.frames)})
        ends = [*starts[1:], self.frames]
        return tuple(Chunk(n, first, end) for n, (first, end) in enumerate(zip(starts, ends, strict=False)))

    def shot_at(self, frame: int) -> Shot:
        """The shot that a frame shows."""
        return self.shots[bisect_right(self.shots, self.utc(frame), key=lambda shot: shot.start) - 1]


@dataclass(frozen=True, slots=True)
class ComposeOptions(Options):
    """What a composite is asked for, beside what every merge is.

    Attributes:
        composing: the picture and the mix.
        files: the paths of images that it names, by what names them.
        folder: of the job, below which all other images lie.
        outside: ``files`` may lie anywhere, because a person typed them.
        fonts: paths of fonts that come before those of the machine.
        chunk_ms: about how long pieces are; 0 for one.
        shots: the stage over time as somebody has changed it; None for what the recording and the layout say.
    """

    composing: Composing | None = None
    files: tuple[tuple[str, str], ...] = ()
    folder: str = "."
    outside: bool = True
    fonts: tuple[str, ...] = ()
    chunk_ms: int = CHUNK_MS
    shots: tuple[Shot, ...] | None = None

    @property
    def composes(self) -> bool:
        """As `Options.composes`."""
        return True

    @property
    def follows_speech(self) -> bool:
        """The layout shows large whoever speaks."""
        return self.composing is not None and self.composing.layout.name == SPEAKER

    def as_text(self) -> dict[str, str]:
        """As `Options.as_text`."""
        plain = Options.as_text(self)
        own = {"compose": _as_json(self.composing), "chunk": f"{self.chunk_ms} ms"}
        if self.files:
            own["images"] = _as_json(self.files)
        if self.fonts:
            own["fonts"] = _as_json(self.fonts)
        if self.shots is not None:
            own["shots"] = _as_json(self.shots)
        return {**plain, **own}


def _as_json(value: object) -> str:
    return json.dumps(told(value), ensure_ascii=False, sort_keys=True)

"""The plan of a composite: its shots, its frames, the pieces it is made in, who is drawn and who is heard.

Pictures are made in pieces that know nothing of one another, so that several processes, or several machines,
make them side by side and a run that was stopped goes on. Where a piece begins follows from the plan alone.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.layout.canvas import Canvas
from pipeline.layout.composing import told
from pipeline.layout.encoding import CRF
from pipeline.layout.looks import Looks
from pipeline.layout.stage import SPEAKER, Face, staged
from pipeline.model import ticks
from pipeline.model.containers import Container
from pipeline.model.decisions import Decision, Piece
from pipeline.model.estimate import MEMORY, Estimate
from pipeline.model.mixing import MIX, Speaker
from pipeline.model.options import Options
from pipeline.model.outputs import fill
from pipeline.model.plan import OutputPlan
from pipeline.model.stamps import stamp17

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.layout.composing import Composing
    from pipeline.layout.encoding import Encoding, SoundEncoding
    from pipeline.layout.looks import Cell
    from pipeline.layout.scene import Scene
    from pipeline.layout.stage import Shot, Turn
    from pipeline.model.timeline import TrackTime, UserTime

CHUNK_MS = 30_000
"""Pictures are made in pieces of about so long: decoding up to the first one of a piece is done twice."""
LEAST_PART = ticks.PER_MS
"""Of a file that goes on where another may be no longer: less than this stays with the one before."""
_NAME = "{recording}_{utc}{kind}"
_SECOND = 1000
DECODED_PIXELS, DRAWN_PIXELS = 250_000_000, 30_000_000
"""Pixels that one core decodes, and scales and encodes, a second; as measured, rounded down."""
SOUND_A_SECOND = 100
"""Seconds of sound of one user that one core decodes and adds up a second, rounded down."""


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
        starts = range(0, self.frames, size)
        return tuple(Chunk(n, first, min(first + size, self.frames)) for n, first in enumerate(starts))

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


def composed(
    recording: str, times: Sequence[UserTime], options: ComposeOptions, turns: Sequence[Turn] = ()
) -> list[CompositePlan]:
    """The composites of a recording: one, or several where a file may only be so long.

    Args:
        recording: its name.
        times: its users on UTC.
        options: what is asked for.
        turns: who speaks when, where the layout follows that.

    Raises:
        CommandError: nothing is left between ``--start`` and ``--end``, nobody takes part, or the layout
            cannot be drawn.
    """
    composing = options.composing
    if composing is None:
        raise AssertionError("composing is what makes the options those of a composite")
    first, last = min(time.start for time in times), max(time.end for time in times)
    start = options.start.utc(first) if options.start else first
    end = options.end.utc(first) if options.end else last
    start, end = max(start, first), min(end, last)
    if start >= end:
        raise CommandError(
            "--start and --end leave nothing of the recording: give a time between its first and last media."
        )
    most = ticks.from_ms(composing.most_ms) if composing.most_ms else end - start
    begins = [at for at in range(start, end, most) if at == start or end - at > LEAST_PART]
    parts = list(zip(begins, [*begins[1:], end], strict=True))
    plans = [
        _plan(
            recording,
            times,
            options,
            turns,
            composing=composing,
            piece=Piece(*part, 0),
            number=number if len(parts) > 1 else None,
        )
        for number, part in enumerate(parts)
    ]
    if not any(plan.speakers or any(shot.roles for shot in plan.shots) for plan in plans):
        what = "takes part" if composing.encoding else "is heard"
        raise CommandError(
            f"nobody of {recording} {what}: the request or the options choose users who are not in it, "
            "or who send nothing of what was asked for."
        )
    return plans


def _plan(
    recording: str,
    times: Sequence[UserTime],
    options: ComposeOptions,
    turns: Sequence[Turn],
    *,
    composing: Composing,
    piece: Piece,
    number: int | None,
) -> CompositePlan:
    shots = _shots(times, options, composing, piece, turns) if composing.encoding else ()
    faces = {
        (role.uid, role.source)
        for shot in shots
        for region in shot.scene.regions
        if (role := shot.role(region)).face in {Face.LIVE, Face.HELD}
    }
    tiles = tuple(
        Tile(time.uid, time.source, time.video)
        for time in times
        if time.video is not None and (time.uid, time.source) in faces
    )
    heard = composing.streams.heard if composing.sound else None
    speakers = tuple(
        Speaker(time.uid, time.source, time.audio)
        for time in times
        if heard and time.audio is not None and heard.admits(time.uid, time.source)
    )
    part = "" if number is None else f"_{number}"
    kind = "composite" if composing.encoding else "mix"
    values = {
        "uid": MIX,
        "screen": "",
        "utc": stamp17(ticks.to_ms(piece.start)),
        "kind": f"_{kind}{part}",
        "recording": recording,
    }
    plan = CompositePlan(
        file=fill(options.name or _NAME, values)
        + (part if options.name and "{kind}" not in options.name.replace("{{", "") else ""),
        uid=MIX,
        source=MIX,
        zero=piece.start,
        pieces=(piece,),
        video=None,
        audio=None,
        shape=None,
        sound=None,
        max_audio_edits=options.max_audio_edits,
        odd=(),
        black=False,
        shared_clock=True,
        decisions=(),
        estimate=Estimate(0, 0, 0),
        container=Container.MP4 if composing.encoding else Container.M4A,
        speakers=speakers if composing.sound else (),
        loudness=composing.sound.loudness if composing.sound else None,
        canvas=composing.canvas,
        shots=shots,
        tiles=tiles,
        cells=composing.cells,
        looks=composing.looks,
        encoding=composing.encoding,
        mix=composing.sound if speakers else None,
        files=options.files,
        fonts=options.fonts,
        chunk_frames=_chunk_frames(composing.encoding, options.chunk_ms),
    )
    said = tuple(_decisions(plan, composing))
    return replace(plan, decisions=said, estimate=_estimate(plan))


def _shots(
    times: Sequence[UserTime],
    options: ComposeOptions,
    composing: Composing,
    piece: Piece,
    turns: Sequence[Turn],
) -> tuple[Shot, ...]:
    """The stage over the time of a file."""
    if options.shots is None:
        return staged(times, composing, piece.start, piece.end, turns)
    before = [shot for shot in options.shots if shot.start <= piece.start]
    if not before:
        raise CommandError("the first shot begins after the file: give one from its beginning on.")
    inside = (shot for shot in options.shots if piece.start < shot.start < piece.end)
    return (replace(before[-1], start=piece.start), *inside)


def _chunk_frames(encoding: Encoding | None, chunk_ms: int) -> int:
    """Frames of a piece: whole GOPs, about ``chunk_ms`` long."""
    if encoding is None or not chunk_ms:
        return 0
    gop = gop_frames(encoding)
    return gop * max(1, round(Fraction(chunk_ms * encoding.fps, _SECOND * gop)))


def gop_frames(encoding: Encoding) -> int:
    """Frames from key frame to key frame."""
    return max(1, encoding.gop_ms * encoding.fps // _SECOND)


def _decisions(plan: CompositePlan, composing: Composing) -> Iterator[Decision]:
    """What is done, and why, in the order a person would tell it."""
    encoding, mix = plan.encoding, plan.mix
    layout = f"{composing.layout.name} of {composing.layout.vendor}".removesuffix(" of ")
    if encoding is not None:
        many = f"{len(plan.shots)} scene{'s' if len(plan.shots) != 1 else ''}"
        yield Decision(f"compose {many} on {plan.canvas} at {encoding.fps} fps", f"layout {layout}")
        approximate = dict.fromkeys(str(known) for shot in plan.shots for known in shot.scene.inferred)
        if approximate:
            yield Decision("arrange them approximately", f"no page tells {', '.join(approximate)}")
        yield from _left_out(plan)
        how = f"{encoding.bit_rate // 1000} kb/s" if encoding.bit_rate else f"crf {crf_of(encoding)}"
        codec = encoding.encoder or encoding.codec
        yield Decision(f"encode {codec} {how} preset {encoding.preset}", "a composite is a new picture")
        if len(plan.chunks) > 1:
            seconds = plan.chunk_frames // encoding.fps
            yield Decision(f"in {len(plan.chunks)} pieces of {seconds} s", "they are made side by side")
    if mix is not None:
        who = ", ".join(speaker.uid for speaker in plan.speakers)
        yield Decision(f"mix the sound of {who}", "everybody is heard at his UTC")
        channels = "stereo" if mix.channels > 1 else "mono"
        yield Decision(
            f"encode aac {mix.rate} Hz {channels} at {mix.bit_rate // 1000} kb/s", "a sum is encoded anew"
        )
        if mix.asked:
            yield Decision("AAC-LC in place of " + mix.asked, "FFmpeg's encoder writes no other profile")
        yield Decision("limit peaks to -1 dBTP", "they may come out louder than full scale")
        if mix.loudness is not None:
            yield Decision(f"bring it to {mix.loudness} LUFS", "it was asked for")


def crf_of(encoding: Encoding) -> int:
    """The constant quality that is encoded with where there is no bit rate."""
    return CRF[encoding.codec] if encoding.crf is None else encoding.crf


def _left_out(plan: CompositePlan) -> Iterator[Decision]:
    """Who is there and not seen, and when."""
    ends = [*(shot.start for shot in plan.shots[1:]), plan.pieces[-1].end]
    hidden: dict[tuple[str, str], list[tuple[int, int, Scene]]] = {}
    for shot, end in zip(plan.shots, ends, strict=True):
        for seat in shot.scene.left_out:
            role = shot.roles[seat]
            hidden.setdefault((role.uid, role.source), []).append((shot.start, end, shot.scene))
    for (uid, source), stretches in hidden.items():
        total = ticks.duration(sum(end - start for start, end, _ in stretches))
        scene = stretches[0][2]
        why = f"the layout has {len(scene.regions)} regions for {len(scene.seats)}"
        from_ = ticks.clock(stretches[0][0])
        yield Decision(f"leave {source} of {uid} out of the picture for {total}, first from {from_}", why)


def _estimate(plan: CompositePlan) -> Estimate:
    """What it takes: decoding all that is seen, drawing and encoding every frame, the mix."""
    seconds = 0.5
    size = 100_000
    if plan.encoding is not None:
        area = plan.canvas.width * plan.canvas.height
        seconds += plan.frames * area / DRAWN_PIXELS
        for tile in plan.tiles:
            form, step = tile.video.form, tile.video.runs[0].step
            shown = sum(
                max(0, min(r.end, plan.pieces[-1].end) - max(r.start, plan.zero)) for r in tile.video.runs
            )
            seconds += shown // max(1, step) * form.width * form.height / DECODED_PIXELS
        bits = plan.encoding.bit_rate or area * plan.encoding.fps // 10
        size += plan.duration * bits // 8 // ticks.TICKS
    sounding = sum(run.end - run.start for s in plan.speakers for run in s.audio.runs) / ticks.TICKS
    seconds += sounding / SOUND_A_SECOND
    size += int(plan.duration / ticks.TICKS * plan.bit_rate / 8)
    memory = MEMORY + plan.canvas.width * plan.canvas.height * 20
    memory += sum(20 * tile.video.form.width * tile.video.form.height for tile in plan.tiles)
    return Estimate(round(seconds, 1), size, memory)

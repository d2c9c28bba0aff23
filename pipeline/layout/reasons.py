"""Why a composite is made as it is, in sentence parts, and what it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.decisions import Decision
from pipeline.model.estimate import MEMORY, Estimate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.layout.composing import Composing
    from pipeline.layout.composite import CompositePlan
    from pipeline.layout.scene import Scene

DECODED_PIXELS, DRAWN_PIXELS = 250_000_000, 30_000_000
"""Pixels that one core decodes, and scales and encodes, a second; as measured, rounded down."""
SOUND_A_SECOND = 100
"""Seconds of sound of one user that one core decodes and adds up a second, rounded down."""


def decisions_of(plan: CompositePlan, composing: Composing) -> Iterator[Decision]:
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
        how = f"{encoding.bit_rate // 1000} kb/s" if encoding.bit_rate else f"crf {encoding.quality}"
        codec = encoding.encoder or encoding.codec
        yield Decision(f"encode {codec} {how} preset {encoding.preset}", "a composite is a new picture")
        if len(plan.chunks) > 1:
            seconds = plan.chunk_frames // encoding.fps
            yield Decision(f"in {len(plan.chunks)} pieces of up to {seconds} s", "they are made side by side")
    if mix is not None:
        who = ", ".join(speaker.uid for speaker in plan.speakers)
        yield Decision(f"mix the sound of {who or 'nobody'}", "everybody is heard at his UTC")
        channels = "stereo" if mix.channels > 1 else "mono"
        yield Decision(
            f"encode aac {mix.rate} Hz {channels} at {mix.bit_rate // 1000} kb/s", "a sum is encoded anew"
        )
        if mix.asked:
            yield Decision("AAC-LC in place of " + mix.asked, "FFmpeg's encoder writes no other profile")
        yield Decision("limit peaks to -1 dBTP", "they may come out louder than full scale")
        if mix.loudness is not None:
            yield Decision(f"bring it to {mix.loudness} LUFS", "it was asked for")


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


def estimate_of(plan: CompositePlan) -> Estimate:
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

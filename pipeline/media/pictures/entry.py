"""The sample entry of a track of pictures: by the first key frame of its shape, or by the encoder alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from pipeline.media import vpx
from pipeline.media.annexb import set_ids
from pipeline.media.pictures.bitstream import VPX, bitstream
from pipeline.media.runs import open_run
from pipeline.media.sample_entry import entry_of
from pipeline.media.tally import Surprise
from pipeline.model import ticks
from pipeline.model.shapes import Shape, shapes_of
from pipeline.model.slices import Medium

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.media.annexb import AccessUnit
    from pipeline.model.plan import OutputPlan
    from pipeline.model.timeline import TrackTime

FARTHEST_AHEAD = 10 * ticks.TICKS
_MOST_SETS = 32
"""H.264 sequence parameter sets have identifiers below this (ISO/IEC 14496-10 7.4.2.1.1)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How the pictures of a track are described, and what is encoded into it.

    Attributes:
        sample_entry: the box.
        sets_id: identifier of the parameter sets of what is encoded (H.264).
        lead: ticks by which pictures are decoded earlier than they are shown.
        black: the payload of a black key frame; empty if nothing is encoded.
    """

    sample_entry: bytes
    sets_id: int = 0
    lead: int = 0
    black: bytes = b""


@dataclass(frozen=True, slots=True)
class _First:
    """A key frame of the track's shape, its payload without parameter sets, ticks it is decoded early."""

    unit: AccessUnit
    bare: bytes
    lead: int


def entry(output: OutputPlan, shape: Shape, track: TrackTime, open_slice: Callable[[str], BinaryIO]) -> Entry:
    """The entry of pictures of one shape; parameter sets of what will be re-encoded stand in it too.

    Raises:
        Surprise: no slice holds a key frame of that shape, though one should.
        OSError: a slice cannot be read.
    """
    first = _first_key(shape, track, open_slice)
    if shape.codec in VPX:
        return _vpx_entry(output, shape, track, first)
    sets = first.unit.parameter_sets if first else ()
    payload = first.bare if first else b""
    sets_id, black = 0, b""
    if output.encodes:
        if shape.codec == "h264":
            sets_id = min(set(range(1, _MOST_SETS)) - set_ids(sets))
        made = _black(shape, sets_id)
        black, payload = made.payload, payload or bitstream(shape.codec).bare(made)
        sets += made.parameter_sets
    if not sets:
        raise _missing(output, shape)
    stream = b"".join(b"\0\0\0\1" + nal for nal in sets) + bitstream(shape.codec).decodable(payload)
    try:
        box = entry_of(shape.codec, stream, in_band=output.in_band)
    except ValueError as error:
        raise Surprise(f"{output.uid} has {error}") from error
    return Entry(box, sets_id, first.lead if first else 0, black)


def _vpx_entry(output: OutputPlan, shape: Shape, track: TrackTime, first: _First | None) -> Entry:
    black = _black(shape, 0).payload if output.encodes else b""
    frame = vpx.read_frame(shape.codec, first.bare if first else black)
    if frame is None:
        raise _missing(output, shape)
    from pipeline.media.web_entry import vp8_entry, vp9_entry

    if shape.codec == "vp8":
        return Entry(vp8_entry(frame), black=black)
    step = track.runs[0].step
    try:
        return Entry(vp9_entry(frame, fps=max(1, round(ticks.TICKS / step))), black=black)
    except ValueError as error:
        raise Surprise(f"{output.uid} has {error}") from error


def _black(shape: Shape, sets_id: int) -> AccessUnit:
    from pipeline.media.pictures.fit import black_picture  # encoders are needed only here

    return black_picture(shape, sets_id)


def _missing(output: OutputPlan, shape: Shape) -> Surprise:
    return Surprise(f"no picture of {output.uid} has the parameter sets of {shape}")


def _first_key(shape: Shape, track: TrackTime, open_slice: Callable[[str], BinaryIO]) -> _First | None:
    """The first key frame that tells the size of the shape; None where no slice has the shape."""
    stream = bitstream(shape.codec)
    for placed in (p for run in track.runs for p in run.placed):
        if not any(each == shape for _, each in shapes_of(placed)):
            continue
        packets = open_run(open_slice, [placed.piece], Medium.VIDEO)
        try:
            for pts, dts, _, data, _ in packets:
                unit = stream.unit(data)
                if stream.announces(unit) and stream.size(unit) == (shape.width, shape.height):
                    return _First(unit, stream.bare(unit), ahead(pts, dts))
        finally:
            packets.close()
    return None


def ahead(pts: int | None, dts: int | None) -> int:
    """Ticks by which an access unit is decoded before it is shown; 0 where that makes no sense."""
    early = 0 if pts is None or dts is None else ticks.forward(pts, dts)
    return early if 0 <= early <= FARTHEST_AHEAD else 0

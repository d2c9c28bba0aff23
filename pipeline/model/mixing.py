"""Sound that is encoded: whose it is, what is done with it and why; and the mix of all users as one file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.containers import Container
from pipeline.model.decisions import Decision, Piece
from pipeline.model.options import Gaps, Options
from pipeline.model.outputs import fill
from pipeline.model.stamps import stamp17

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.model.estimate import Estimate
    from pipeline.model.plan import OutputPlan
    from pipeline.model.timeline import TrackTime

MIX = "mix"
"""In place of a user and a source where an output is of all of them."""
ENCODED_RATE = 48_000
"""Samples a second of encoded sound."""
BIT_RATES = {1: 96_000, 2: 160_000}
"""Bits a second of encoded sound by channels: speech and music sound as they were sent."""
ENCODED_A_SECOND = 40
"""Seconds of sound that one core decodes, adds up and encodes a second, rounded down."""
DECODED_A_SECOND = 150
"""Seconds of sound that one core decodes and measures a second, rounded down."""
_NAME = "{recording}_{utc}{kind}"


@dataclass(frozen=True, slots=True)
class Speaker:
    """Whose sound goes into an output that is encoded."""

    uid: str
    source: str
    audio: TrackTime


def encoded(draft: OutputPlan, options: Options) -> OutputPlan:
    """The plan of one user's file, whose sound is encoded if the options ask for it."""
    if not options.encodes_sound or draft.audio is None or draft.refusal:
        return draft
    speakers = (Speaker(draft.uid, draft.source, draft.audio),)
    return _sounding(replace(draft, speakers=speakers), options)


def mixed(drafts: Sequence[OutputPlan], options: Options, recording: str) -> list[OutputPlan]:
    """One plan in place of those of all users; who is refused stays by himself."""
    refused = [draft for draft in drafts if draft.refusal]
    heard = [draft for draft in drafts if not draft.refusal]
    speakers = tuple(Speaker(d.uid, d.source, d.audio) for d in heard if d.audio is not None)
    if not speakers:
        return refused
    zero = min(draft.zero for draft in heard)
    pieces = _pieces([piece for draft in heard for piece in draft.pieces], options.gaps)
    values = {"uid": MIX, "screen": "", "utc": stamp17(ticks.to_ms(zero)), "kind": "_mix"}
    who = ", ".join(speaker.uid for speaker in speakers)
    many = f"{len(speakers)} user{'s' if len(speakers) > 1 else ''}"
    said = [Decision(f"mix the sound of {many} ({who})", "--mix")]
    if len(pieces) > 1:
        said.append(Decision(f"drop the time between {len(pieces)} sessions", "--gaps drop"))
    whole = replace(
        heard[0],
        file=fill(options.name or _NAME, {**values, "recording": recording}),
        uid=MIX,
        source=MIX,
        zero=zero,
        pieces=pieces,
        audio=None,
        shared_clock=True,
        decisions=tuple(said),
        speakers=speakers,
    )
    return [_sounding(whole, options), *refused]


def _pieces(pieces: Iterable[Piece], gaps: Gaps) -> tuple[Piece, ...]:
    """The time in which anybody is there; without --gaps drop all of it from the first to the last."""
    out: list[Piece] = []
    for start, end in sorted((piece.start, piece.end) for piece in pieces):
        if out and (gaps is not Gaps.DROP or start <= out[-1].end):
            out[-1] = replace(out[-1], end=max(out[-1].end, end))
        else:
            out.append(Piece(start, end, out[-1].file_end if out else 0))
    return tuple(out)


def _sounding(output: OutputPlan, options: Options) -> OutputPlan:
    """With what is done to encode it."""
    output = replace(output, loudness=options.loudness)
    codec = "mp3" if options.container is Container.MP3 else "aac"
    channels = "stereo" if output.channels > 1 else "mono"
    why = "a sum is encoded anew" if options.mix else "--loudness changes every sample"
    if codec == "mp3":
        why = "MP3 holds nothing else"
    said = [
        Decision(f"encode {codec} 48000 Hz {channels} at {output.bit_rate // 1000} kb/s", why),
        Decision("limit peaks to -1 dBTP", "they may come out louder than full scale"),
    ]
    if options.loudness is not None:
        said.append(Decision(f"bring it to {options.loudness} LUFS", f"--loudness {options.loudness}"))
    return replace(output, decisions=(*output.decisions, *said), estimate=_estimate(output))


def _estimate(output: OutputPlan) -> Estimate:
    length = output.duration / ticks.TICKS
    sounding = sum(run.end - run.start for s in output.speakers for run in s.audio.runs) / ticks.TICKS
    seconds = 0.3 + length / ENCODED_A_SECOND + sounding / DECODED_A_SECOND
    if output.loudness is not None:
        seconds += (length + sounding) / DECODED_A_SECOND
    return replace(
        output.estimate, seconds=round(seconds, 1), size=int(length * output.bit_rate / 8) + 10_000
    )

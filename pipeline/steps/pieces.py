"""Pieces of a composite: where they are made, which of them are finished, and what came out of them all."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pipeline import __version__
from pipeline.media.compose.chunk import Decoded
from pipeline.media.remux import Remuxed
from pipeline.media.tally import UNDECODED, fits
from pipeline.model import ticks
from pipeline.model.ledger import Entry, Sort
from pipeline.model.manifest import Dropped, OutputTrack, Span, Transcoded, track_of
from pipeline.model.slices import Medium
from pipeline.steps.props import contents

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.layout.composite import CompositePlan
    from pipeline.media.compose.artist import Artist
    from pipeline.media.compose.join import Joined
    from pipeline.sources.protocol import Source


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where the pieces of a composite are made.

    Attributes:
        plan: the composite.
        source: where its slices are.
        artist: draws what is not recorded.
        folder: of the pieces.
        identity: of the work, as `identity_of` tells it.
    """

    plan: CompositePlan
    source: Source
    artist: Artist
    folder: Path
    identity: str

    def file(self, name: str) -> Path:
        """A finished piece."""
        return self.folder / f"{name}.mp4"

    def told(self, name: str) -> dict[str, Any] | None:
        """What was noted of a piece when it was finished; None where it is not."""
        try:
            told = json.loads((self.folder / f"{name}.json").read_text("utf-8"))
            with self.file(name).open("rb") as file:
                same = hashlib.file_digest(file, "sha256").hexdigest() == told["sha256"]
        except (OSError, ValueError, KeyError):
            return None
        return told if same and told["of"] == self.identity else None

    def finish(self, name: str, made: Path, told: dict[str, Any]) -> None:
        """Give a piece its name; its note is written last."""
        with made.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        made.replace(self.file(name))
        note = self.folder / f".{name}.json"
        note.write_text(json.dumps({**told, "of": self.identity, "sha256": digest}), "utf-8")
        note.replace(self.folder / f"{name}.json")


def identity_of(plan: CompositePlan) -> str:
    """The same for the same work only: the plan, what its images and fonts hold, and what makes it.

    Where files of images and fonts lie does not matter: another host may have them elsewhere. Long for a
    long call, whose plan has all its slices: it is asked for once.
    """
    bare = replace(plan, files=tuple((ref, "") for ref, _ in plan.files), fonts=("",) * len(plan.fonts))
    digest = hashlib.sha256(repr(bare).encode("utf-8", "surrogatepass"))
    digest.update(f"recpipe {__version__}, PyAV {version('av')}".encode())
    digest.update(contents([*(path for _, path in plan.files), *plan.fonts]).encode())
    return digest.hexdigest()


def described(
    plan: CompositePlan, joined: Joined, told: Sequence[dict[str, Any]], sound: dict[str, Any] | None
) -> Remuxed:
    """What came out, for the manifest.

    Args:
        plan: the composite.
        joined: what was copied into the file.
        told: the notes of the pieces of its pictures.
        sound: the note of its sound; None for none.
    """
    decoded = [Decoded(**each) for piece in told for each in piece["decoded"]]
    packets = sum(each.packets for each in decoded)
    lost = sum(each.undecoded for each in decoded)
    dropped = (Dropped(UNDECODED, lost),) if lost else ()
    video = OutputTrack(
        medium=Medium.VIDEO,
        codec=str(plan.encoding.codec) if plan.encoding else "",
        timescale=ticks.TICKS,
        packets_in=packets,
        packets_out=0,
        inserted=0,
        dropped=dropped,
        payload_sha256=joined.pictures,
        spans=_spans(plan, packets - lost),
        fills=(),
        clocks=tuple(fit for tile in plan.tiles for fit in fits(tile.video)),
        end=plan.duration,
        width=plan.canvas.width,
        height=plan.canvas.height,
        transcoded=Transcoded(packets - lost, joined.frames, ()),
    )
    tracks: tuple[OutputTrack, ...] = (video,)
    entries = tuple(_entries(plan, decoded))
    if sound is not None:
        tracks = (*tracks, track_of(sound["track"]))
        entries = (*entries, *map(_entry, sound["entries"]))
    return Remuxed(tracks, entries, plan.duration)


def _entry(document: dict[str, Any]) -> Entry:
    return Entry(**{**document, "sort": Sort(document["sort"])})


def _spans(plan: CompositePlan, packets: int) -> tuple[Span, ...]:
    """The pieces, so that both sides of each join are decoded; what was decoded counts in the first."""
    ends = [*(plan.at(chunk.first) for chunk in plan.chunks[1:]), plan.duration]
    return tuple(
        Span(
            ticks.to_ms(plan.utc(chunk.first)),
            plan.at(chunk.first),
            end,
            chunk.first,
            0 if chunk.number else packets,
            "a piece of the composite",
        )
        for chunk, end in zip(plan.chunks, ends, strict=True)
    )


def _entries(plan: CompositePlan, decoded: Sequence[Decoded]) -> list[Entry]:
    """What could not be decoded, a line for each stream."""
    lost: Counter[tuple[str, str]] = Counter()
    keys: dict[tuple[str, str], str] = {}
    for each in decoded:
        if each.undecoded:
            lost[each.uid, each.source] += each.undecoded
            keys[each.uid, each.source] = each.key
    entry = Entry(Sort.LOSS, "", start_ms=ticks.to_ms(plan.zero), track=Medium.VIDEO)
    return [
        replace(
            entry,
            what=f"{many} pictures could not be decoded; the one before is shown",
            uid=uid,
            key=keys[uid, source],
        )
        for (uid, source), many in sorted(lost.items())
    ]

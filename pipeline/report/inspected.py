"""An inspection as lines and as a document."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.model.inspection import Presence
from pipeline.model.ledger import Sort
from pipeline.report.chart import chart
from pipeline.report.ledgers import entry_lines
from pipeline.report.words import (
    Screen,
    between,
    columns,
    count,
    indented,
    length,
    moment,
    size,
    visible,
    whose,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.model.inspection import Inspection, SeenRecording, SeenUser

MOST_HOLES = 200
VENDORS = {
    "agora": "Agora",
    "agora_onpremise": "Agora on-premise",
    "trtc": "TRTC",
    "volcengine": "Volcengine",
}


def inspection_document(inspection: Inspection) -> dict[str, Any]:
    """What ``inspect --json`` prints: the value itself."""
    return asdict(inspection)


def inspection_lines(inspection: Inspection, screen: Screen) -> Iterator[str]:
    """What ``inspect`` prints: for each recording users, chart, holes, losses and notes."""
    for number, recording in enumerate(inspection.recordings):
        if number:
            yield ""
        yield from _recording(recording, screen)
    if inspection.notes:
        yield ""
        yield "Belongs to no recording:"
        yield from indented(entry_lines(inspection.notes, Sort.NOTE))


def _recording(recording: SeenRecording, screen: Screen) -> Iterator[str]:
    vendor = VENDORS.get(recording.vendor, visible(recording.vendor))
    yield f"{vendor} recording {visible(recording.title)}"
    yield (
        f"{moment(recording.start_ms)} to {moment(recording.end_ms)}"
        f" ({length(recording.end_ms - recording.start_ms)}), {count(len(recording.users), 'user')},"
        f" {count(recording.slices, 'slice')}, {size(recording.size)}"
    )
    yield ""
    yield from columns([_HEAD, *(row for user in recording.users for row in _rows(user))], most=48)
    yield ""
    yield from chart(recording, screen)
    yield from _holes(recording)
    for sort, title in ((Sort.LOSS, "Losses:"), (Sort.REPAIR, "Repairs:"), (Sort.NOTE, "Notes:")):
        lines = list(entry_lines(recording.ledger, sort))
        if lines:
            yield ""
            yield title
            yield from indented(lines)


_HEAD = ("user", "track", "codec", "slices", "size", "there for", "there from - to (UTC)")


def _rows(user: SeenUser) -> Iterator[tuple[str, ...]]:
    """A row per track; the user's name and stays stand in the first."""
    name = whose(user.uid) + (f" ({visible(user.source)})" if user.source != "camera" else "")
    stays = ", ".join(between(stay.start_ms, stay.end_ms) for stay in user.sessions) or "nothing can be read"
    for number, track in enumerate(user.tracks):
        yield (
            "" if number else name,
            visible(track.medium),
            visible(" -> ".join(track.codecs)) or "unreadable",
            f"{track.slices:,}",
            size(track.size),
            length(track.present_ms),
            "" if number else stays,
        )


def _holes(recording: SeenRecording) -> Iterator[str]:
    rows = [
        (
            between(hole.start_ms, hole.end_ms),
            length(hole.end_ms - hole.start_ms),
            f"{whose(user.uid)} {visible(track.medium)}",
            ("lost: " if hole.presence is Presence.LOST else "") + visible(hole.why),
        )
        for user in recording.users
        for track in user.tracks
        for hole in track.holes
    ]
    if rows:
        yield ""
        yield "Holes:"
        yield from indented(columns(rows[:MOST_HOLES], most=32))
    if len(rows) > MOST_HOLES:
        yield f"  and {count(len(rows) - MOST_HOLES, 'hole')} more"

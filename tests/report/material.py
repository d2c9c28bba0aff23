"""Values made by hand, for golden texts that no codec can change."""

from __future__ import annotations

from pipeline.model.inspection import (
    Inspection,
    Presence,
    SeenRecording,
    SeenTrack,
    SeenUser,
    Session,
    Stretch,
)
from pipeline.model.ledger import Entry, Sort

START = 1_772_442_000_250
HOSTILE = "张三\x1b[31m[red]\u202e"


def track(medium: str, *stretches: tuple[int, int, Presence]) -> SeenTrack:
    """A track whose stretches are given in ms since the start."""
    return SeenTrack(
        medium,
        ("h264 640x360",) if medium == "video" else ("aac 48000 Hz mono",),
        3,
        1_234_567,
        4,
        tuple(Stretch(START + a, START + b, presence, WHY[presence]) for a, b, presence in stretches),
    )


WHY = {Presence.PRESENT: "", Presence.ABSENT: "muted, off or away", Presence.LOST: "1 slice missing"}


def recording() -> SeenRecording:
    """Two users and a screen; a mute, a loss of 20 ms, a user whose slices are all lost."""
    ann = SeenUser(
        "ann",
        "camera",
        (Session(START, START + 60_000),),
        True,
        (
            track("video", (0, 30_000, Presence.PRESENT), (30_000, 30_020, Presence.LOST)),
            track(
                "audio",
                (0, 10_000, Presence.PRESENT),
                (10_000, 20_000, Presence.ABSENT),
                (20_000, 60_000, Presence.PRESENT),
            ),
        ),
    )
    screen = SeenUser(
        "ann",
        "screen",
        (Session(START + 5000, START + 5100),),
        True,
        (track("video", (5000, 5100, Presence.PRESENT)),),
    )
    lost = SeenUser(HOSTILE, "camera", (), False, (track("audio", (40_000, 60_000, Presence.LOST)),))
    ledger = (
        Entry(
            Sort.LOSS,
            "slice a.ts has 0 bytes; left out",
            "ann",
            "video",
            START + 30_000,
            START + 30_020,
            "a.ts",
        ),
        Entry(Sort.ABSENCE, "no sound", "ann", "audio", START + 10_000, START + 20_000),
        Entry(Sort.NOTE, "ignored: no stamp", key="odd\nname.ts"),
    )
    return SeenRecording(
        "agora", "2026/03", "abc_room", START, START + 60_000, 15, 6_172_835, (ann, screen, lost), ledger
    )


def inspection() -> Inspection:
    """The recording, and an object that belongs to none."""
    return Inspection((recording(),), (Entry(Sort.NOTE, "no recording's name", key="thumbs.db"),))

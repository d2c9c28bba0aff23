"""A plan over a store reads little, says how much, and is the plan of a folder as far as that tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.job.look import plan_all
from pipeline.model import ticks
from pipeline.model.ledger import Sort
from pipeline.model.options import Options
from pipeline.sources.bucket import Bucket
from pipeline.sources.folder import Folder
from pipeline.storage.memory import MemoryStore
from tests.sources.stored import put_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.made import Made
    from pipeline.model.plan import Plan

A_RUN = 64 << 10
"""What may be read of each run and of each tagged change."""
CLOSE = ticks.TICKS // 2
"""How far stamps and listed lengths may put the end of what was not looked at."""
FIXTURES = [
    "plain-agora",
    "plain-trtc",
    "pts-restarts",
    "pts-wraps",
    "mute-and-rejoin",
    "ramp-up",
    "portrait",
    "rotation-changes",
    "missing-slice",
    "empty-slice",
    "random-slice",
    "screen-and-camera",
    "web-native-switch",
    "video-only",
    "audiovideo-trtc",
]


def plans(made: Made, *, deep: bool = False) -> tuple[Plan, Plan, int, int]:
    """The plans of the folder and of the store, how much was read, how much of it in playlists."""
    store = MemoryStore()
    put_all(made.place, store)
    source = Bucket("memory", store)
    (local,) = plan_all(Folder(made.place), Options(), deep=deep)[1]
    (stored,) = plan_all(source, Options(), deep=deep)[1]
    playlists = sum(s.size for s in store.list("") if s.key.endswith((".m3u8", ".mpd")))
    return local.plan, stored.plan, source.read, playlists


@pytest.mark.parametrize("name", FIXTURES)
def test_the_plan_of_a_store_makes_the_files_of_the_folder(name: str, made: Callable[[str], Made]) -> None:
    local, stored, _, _ = plans(made(name))
    assert [(o.file, o.uid, o.source, o.refusal) for o in stored.outputs] == [
        (o.file, o.uid, o.source, o.refusal) for o in local.outputs
    ]
    for ours, theirs in zip(stored.outputs, local.outputs, strict=True):
        assert ours.duration == pytest.approx(theirs.duration, abs=CLOSE)
        assert [t.form.codec for t in ours.tracks] == [t.form.codec for t in theirs.tracks]
        assert ours.reads == pytest.approx(theirs.reads, rel=0.2)


@pytest.mark.parametrize("name", FIXTURES)
def test_no_more_is_read_than_64_kib_of_each_run_and_change(name: str, made: Callable[[str], Made]) -> None:
    local, stored, read, playlists = plans(made(name))
    tracks = [t for user in stored.recording.users for t in user.tracks]
    begins = sum(len(t.runs) for output in local.outputs for t in output.tracks)
    changes = sum(bool(s.turns or s.opens or s.state != "present") for t in tracks for s in t.slices)
    assert read - playlists <= A_RUN * (begins + 2 * changes)
    (note,) = [e for e in stored.ledger if e.sort is Sort.NOTE and e.what.startswith("planned after")]
    assert f"reading {read / 1000:.0f} kB; the slices have" in note.what


def test_no_loss_is_told_of_a_shared_slice_from_before_the_camera_was_on(made: Callable[[str], Made]) -> None:
    local, stored, _, _ = plans(made("audiovideo-trtc"))
    told = [e for e in stored.ledger if not e.what.startswith("planned after")]
    assert told == list(local.ledger)


def test_a_long_recording_is_planned_by_a_small_part_of_it(made: Callable[[str], Made]) -> None:
    _, _, read, _ = plans(made("clock-fast"))
    store = MemoryStore()
    put_all(made("clock-fast").place, store)
    assert read < sum(stat.size for stat in store.list("")) / 4


def test_deep_reads_everything_and_says_so(made: Callable[[str], Made]) -> None:
    local, stored, read, _ = plans(made("ramp-up-in-slices"), deep=True)
    assert stored.outputs == local.outputs
    assert read > sum(output.reads for output in stored.outputs)


def test_the_plan_of_a_folder_tells_nothing_of_reading(made: Callable[[str], Made]) -> None:
    local, *_ = plans(made("plain-agora"))
    assert not [entry for entry in local.ledger if "planned after" in entry.what]

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import BusyError, ExitCode, InputError, RecpipeError
from pipeline.model.ledger import Entry, Sort
from pipeline.model.manifest import Published, Refusal
from pipeline.model.summary import (
    MOST_KINDS,
    OTHERS,
    Failure,
    Lost,
    State,
    Summary,
    failed,
    summary_of,
)
from tests.outcomes import MISSING, ORIGIN, START, manifest, output, slice_lost

if TYPE_CHECKING:
    from pipeline.model.manifest import Manifest

REFUSED = Refusal("bob", "camera", "the sound has 6 channels: only mono and stereo can be merged yet")
ABSENCE = Entry(Sort.ABSENCE, "no sound", "ann", "audio", START, START + 5000)
NOTE = Entry(Sort.NOTE, "ignored: no stamp in its name or tags", key="odd.ts")

STATES = [
    pytest.param(manifest(output()), State.DONE, "", id="all of it came out"),
    pytest.param(manifest(output(), ledger=(ABSENCE, NOTE)), State.DONE, "", id="absences are no loss"),
    pytest.param(manifest(output(), ledger=(slice_lost(1),)), State.PARTIAL, "", id="a slice is lost"),
    pytest.param(manifest(output(), refused=(REFUSED,)), State.PARTIAL, "", id="a user is refused"),
    pytest.param(
        manifest(output(), output("bob", "moov stands after the media")),
        State.PARTIAL,
        "",
        id="a file of two failed its verification",
    ),
    pytest.param(
        manifest(output("bob", "moov stands after the media"), refused=(REFUSED,)),
        State.FAILED,
        "all files failed their verification: bob_20260302090000250_av.mp4: moov stands after the media.",
        id="the only file failed its verification",
    ),
    pytest.param(
        manifest(refused=(REFUSED,), ledger=(slice_lost(1, "bob"),)),
        State.FAILED,
        "all users are refused: user bob: the sound has 6 channels: only mono and stereo can be merged yet.",
        id="the only user is refused",
    ),
    pytest.param(manifest(), State.FAILED, "no file came out of the recording.", id="nothing came out"),
]


@pytest.mark.parametrize(("made", "state", "sentence"), STATES)
def test_the_state_says_whether_all_some_or_nothing_came_out(
    made: Manifest, state: State, sentence: str
) -> None:
    summary = summary_of(made, place="vod:room7")
    assert summary.state is state
    assert (summary.failure.sentence if summary.failure else "") == sentence
    assert bool(summary.outputs) == (state is not State.FAILED)
    assert summary.refused == made.refused


def test_what_failed_has_the_exit_code_of_the_command() -> None:
    codes = [s.failure.exit_code for p in STATES if (s := summary_of(p.values[0], place="x")).failure]  # type: ignore[arg-type] # of a row
    assert codes == [ExitCode.VERIFICATION, ExitCode.USAGE, ExitCode.INPUT]


@pytest.mark.parametrize(
    "error", [InputError("no slice can be used."), BusyError("the store is busy.")], ids=str
)
def test_an_error_is_told_as_the_command_tells_it(error: RecpipeError) -> None:
    summary = failed(error, recording=None, place="vod:room7")
    assert summary.state is State.FAILED
    assert summary.failure == Failure(str(error), int(error.exit_code), type(error).__name__)
    assert (summary.recording, summary.outputs, summary.revision) == (None, (), 1)


def test_an_output_is_told_with_the_media_that_it_became() -> None:
    published = (Published("tencent", "528", "https://vod.example.com/528.mp4"),)
    made = manifest(replace(output(), published=published), output("bob"))
    summary = summary_of(replace(made, revision=3), place="vod:room7")
    ann, bob = summary.outputs
    assert (ann.file, ann.uid, ann.source, ann.container) == (output().file, "ann", "camera", "mp4")
    assert (ann.size, ann.sha256, ann.etag) == (602_300, "cd" * 32, "ef" * 16)
    assert (ann.duration_ms, ann.utc_zero_ms, ann.good) == (60_000, START, True)
    assert (ann.published, bob.published) == (published, ())
    assert (summary.place, summary.revision, summary.recording) == ("vod:room7", 3, ORIGIN)


def told(*ledger: Entry) -> Summary:
    return summary_of(manifest(output(), ledger=ledger), place="x")


def test_losses_are_counted_by_kind_whatever_the_object_and_the_numbers_in_them() -> None:
    damaged = [
        Entry(Sort.LOSS, f"{n} PES packets are damaged and could not be read; dropped", "ann", "audio", START)
        for n in (1, 20, 3_000)
    ]
    summary = told(slice_lost(1), slice_lost(2), slice_lost(5, "bob"), *damaged, ABSENCE)
    assert summary.losses == (
        Lost(f"slice … {MISSING}", 3, 30_000),
        Lost("… PES packets are damaged and could not be read; dropped", 3, 0),
    )
    assert summary.lost_ms == 30_000


def test_a_slice_and_the_hole_that_it_leaves_are_one_loss_of_time() -> None:
    lost = slice_lost(1)
    hole = replace(lost, what="no picture (1 slice missing); filled with the last picture held", key="")
    summary = told(lost, hole)
    assert [kind.ms for kind in summary.losses] == [10_000, 10_000]
    assert summary.lost_ms == 10_000


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("the pictures are h264 1280x720", "the pictures are h264 …"),
        ("4.123 that its slices promise did not come out", "… that its slices promise did not come out"),
        ("ends 1:02:03.004, which is early", "ends …, which is early"),
        ("part 2 of a finished file is not there", "part … of a finished file is not there"),
    ],
)
def test_numbers_make_no_kind_of_their_own(what: str, kind: str) -> None:
    assert [lost.what for lost in told(Entry(Sort.LOSS, what)).losses] == [kind]


def test_of_very_many_kinds_the_smallest_are_counted_together() -> None:
    words = [f"{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(3 * MOST_KINDS)]
    entries = [
        Entry(Sort.LOSS, f"odd {word}", "ann", "video", START + 1000 * n, START + 1000 * n + n)
        for n, word in enumerate(words)
    ]
    losses = told(*entries).losses
    assert len(losses) == MOST_KINDS
    assert losses[0] == Lost(f"odd {words[-1]}", 1, len(words) - 1)
    assert losses[-1].what == OTHERS
    assert sum(lost.count for lost in losses) == len(words)
    assert sum(lost.ms for lost in losses) == told(*entries).lost_ms


spans = st.tuples(st.integers(0, 200), st.integers(0, 50), st.sampled_from(["audio", "video"]))


@given(st.lists(spans, max_size=12))
def test_no_time_of_a_track_counts_twice(found: list[tuple[int, int, str]]) -> None:
    entries = [Entry(Sort.LOSS, "x", "ann", track, at, at + length) for at, length, track in found]
    truth = {(track, ms) for at, length, track in found for ms in range(at, at + length)}
    assert told(*entries).lost_ms == len(truth)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"state": State.FAILED}, id="failed without a reason"),
        pytest.param({"failure": Failure("x.", 4)}, id="a reason without having failed"),
        pytest.param({"revision": 0}, id="a revision before the first"),
        pytest.param({"state": State.FAILED, "failure": Failure("x.", 4)}, id="outputs of what failed"),
    ],
)
def test_a_summary_that_contradicts_itself_cannot_be(wrong: dict[str, object]) -> None:
    good = summary_of(manifest(output()), place="x")
    with pytest.raises(ValueError, match=r"^(a summary tells a failure|revisions are counted)"):
        replace(good, **wrong)  # type: ignore[arg-type] # of a table

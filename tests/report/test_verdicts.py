"""The texts of plan, merge and verify, from values made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.errors import ExitCode
from pipeline.model.decisions import Decision, Piece
from pipeline.model.estimate import Estimate
from pipeline.model.ledger import Entry, Sort
from pipeline.model.manifest import Manifest, Origin, Output, Refusal, Verdict
from pipeline.model.options import Options
from pipeline.model.plan import OutputPlan, Plan
from pipeline.model.slices import Recording
from pipeline.model.verification import Checked, Verification
from pipeline.report.ledgers import MOST_LINES, entry_lines, tally
from pipeline.report.merged import Merged, merged_document, merged_lines
from pipeline.report.planned import plan_document, plan_lines, whole
from pipeline.report.verified import verification_document, verification_lines
from tests.report.material import HOSTILE, START

if TYPE_CHECKING:
    from collections.abc import Callable

LOSS = Entry(Sort.LOSS, "slice a.ts has 0 bytes; left out", "ann", "video", START, START + 10_000, "a.ts")
GOOD = Verdict("full", 31, 203)
BAD = Verdict("full", 31, 0, ("video: 9 samples instead of 10", "its end lies at 0:01 instead of 0:02"))


def _output(uid: str, verdict: Verdict) -> Output:
    return Output(
        file=f"{len(uid)}.mp4",
        uid=uid,
        source="camera",
        size=1_234_567,
        sha256="00",
        utc_zero_ms=START,
        duration=90_000 * 75,
        uncertainty_ms=1,
        av_offset_ms=None,
        shared_clock=True,
        map=(),
        tracks=(),
        decisions=(),
        verdict=verdict,
    )


def _manifest(*outputs: Output, ledger: tuple[Entry, ...] = ()) -> Manifest:
    origin = Origin("agora", "", "abc_room", "00")
    refused = (Refusal(HOSTILE, "camera", "the pictures are vp8"),) if ledger else ()
    return Manifest(origin, Options().as_text(), outputs, refused, ledger, "recpipe 0")


def _plan(seconds: float, refusal: str = "") -> OutputPlan:
    return OutputPlan(
        file="ann.mp4",
        uid="ann",
        source="camera",
        zero=START * 90,
        pieces=(Piece(START * 90, START * 90 + 900_000, 0),),
        video=None,
        audio=None,
        shape=None,
        sound=None,
        max_audio_edits=60,
        odd=(),
        black=False,
        shared_clock=True,
        decisions=(Decision("copy h264 640x360", "MP4 holds it as it is"),),
        estimate=Estimate(seconds, 1_000_000, 100_000_000),
        refusal=refusal,
    )


def _plans() -> tuple[Plan, ...]:
    outputs = (_plan(2.0), _plan(3.0), _plan(4.0), _plan(50.0, "the pictures are vp8"))
    return (Plan(Recording("agora", "2026/03", "abc_room"), outputs, (LOSS,), Options()),)


def test_the_text_of_a_plan(golden: Callable[[str, str], None]) -> None:
    golden("report/golden/planned.txt", "\n".join(plan_lines(_plans(), whole(_plans(), 2))) + "\n")


def test_the_text_of_a_merge(golden: Callable[[str, str], None]) -> None:
    merged = [
        Merged("out/a", _manifest(_output("ann", GOOD)), already=True, code=ExitCode.GOOD),
        Merged(
            "out/b",
            _manifest(_output("ann", GOOD), _output("ben", BAD), ledger=(LOSS,)),
            already=False,
            code=ExitCode.VERIFICATION,
        ),
    ]
    golden("report/golden/merged.txt", "\n".join(merged_lines(merged)) + "\n")
    document = merged_document(merged, ExitCode.VERIFICATION)
    assert [each["exit_code"] for each in document["recordings"]] == [0, 5]
    assert document["exit_code"] == 5


def test_the_text_of_a_verification(golden: Callable[[str, str], None]) -> None:
    found = Verification((Checked("out/ann.mp4", "ann", GOOD), Checked("out/\x07.mp4", HOSTILE, BAD)))
    golden("report/golden/verified.txt", "\n".join(verification_lines(found)) + "\n")
    document = verification_document(found)
    assert [file["good"] for file in document["files"]] == [True, False]
    assert document["exit_code"] == found.exit_code == ExitCode.VERIFICATION


@pytest.mark.parametrize(
    ("jobs", "seconds", "memory"),
    [
        pytest.param(1, 9.0, 100_000_000, id="one after another takes the sum and the memory of one"),
        pytest.param(2, 4.5, 200_000_000, id="two at once halve it"),
        pytest.param(9, 4.0, 300_000_000, id="it never takes less than the longest"),
    ],
)
def test_the_estimate_of_all_files_leaves_refused_ones_out(jobs: int, seconds: float, memory: int) -> None:
    assert whole(_plans(), jobs) == Estimate(seconds, 3_000_000, memory)
    assert plan_document(_plans(), whole(_plans(), jobs), ExitCode.USAGE)["estimate"]["seconds"] == seconds


def test_a_ledger_without_end_is_cut_with_a_count_of_the_rest() -> None:
    lines = list(entry_lines([LOSS] * (MOST_LINES + 2), Sort.LOSS))
    assert len(lines) == MOST_LINES + 1
    assert lines[-1] == "and 2 losses more"


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        pytest.param([], "empty", id="nothing"),
        pytest.param([LOSS, Entry(Sort.NOTE, "n"), Entry(Sort.NOTE, "m")], "1 loss, 2 notes", id="two sorts"),
    ],
)
def test_a_ledger_in_a_few_words(entries: list[Entry], text: str) -> None:
    assert tally(entries) == text

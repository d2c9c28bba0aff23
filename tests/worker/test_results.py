"""What a job came to is read back from its summary, whoever wrote that."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pipeline.worker.queue.jobs import Ended, Job, Order, State
from pipeline.worker.queue.results import Result, result_of


def ended(summary: str, vendor: str = "") -> Job:
    return Job(1, Order("k", "{}", vendor=vendor), State.DONE, 1, 1, 0, end=Ended(State.DONE, 0, "", summary))


@pytest.mark.parametrize(
    "summary",
    [
        "",
        "no JSON",
        "[]",
        '{"recordings": 3}',
        '{"recordings": [3, null, {}]}',
        '{"recordings": [{"recording": null, "outputs": [{"size": "x"}], "losses": {}, "lost_ms": null}]}',
        "[" * 100_000,
        '{"recordings": [{"outputs": [{"size": 1%s}], "lost_ms": true}]}' % ("0" * 400),
        '{"recordings": [{"outputs": [{"size": -1}], "losses": [{"count": -3}]}]}',
    ],
    ids=lambda text: text[:40],
)
def test_what_cannot_be_read_of_a_summary_counts_as_nothing(summary: str) -> None:
    assert replace(result_of(ended(summary)), files=0) == Result()


def test_a_result_is_that_of_all_recordings_of_the_job() -> None:
    def recording(**changed: Any) -> dict[str, Any]:
        outputs = [
            {"size": 10, "utc_zero_ms": 1000, "duration_ms": 5000},
            {"size": 20, "utc_zero_ms": 3000, "duration_ms": 9000},
        ]
        return {"recording": {"vendor": "trtc"}, "outputs": outputs, "lost_ms": 7, **changed}

    summary = json.dumps(
        {"recordings": [recording(), recording(outputs=[]), recording(losses=[{"count": 2}])]}
    )
    assert result_of(ended(summary)) == Result("trtc", 4, 60, 2, 21, 22_000)
    assert result_of(ended(summary, "agora")).vendor == "agora"

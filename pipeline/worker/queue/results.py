"""What a job came to, read back from the summary that its worker wrote. Pure.

Whoever reaches the queue may have written a summary: what cannot be read of one counts as nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.worker.queue.jobs import MOST_NUMBER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.worker.queue.jobs import Job


@dataclass(frozen=True, slots=True)
class Result:
    """What a job came to, as far as its summary tells.

    Attributes:
        vendor: of its recording; empty where nobody knows.
        files: that were made, pictures of snapshots too.
        size: bytes of its files, but for pictures.
        losses: entries.
        lost_ms: media.
        media_ms: from the first picture or sound of a recording to the last, of all recordings.
    """

    vendor: str = ""
    files: int = 0
    size: int = 0
    losses: int = 0
    lost_ms: int = 0
    media_ms: int = 0


def summary_of(job: Job) -> dict[str, Any] | None:
    """What came out, as its worker wrote it; None where there is nothing that can be read."""
    try:
        found = json.loads(job.end.summary) if job.end else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def result_of(job: Job) -> Result:
    """The result of a job that has ended; what cannot be read of it counts as nothing."""
    vendor, files, size, losses, lost_ms, media_ms = job.order.vendor, 0, 0, 0, 0, 0
    for recording in _list(summary_of(job) or {}, "recordings"):
        origin = recording.get("recording")
        if not vendor and isinstance(origin, dict) and isinstance(origin.get("vendor"), str):
            vendor = origin["vendor"]
        outputs = _list(recording, "outputs")
        files += len(outputs) + _number(recording, "pictures")
        size += sum(_number(each, "size") for each in outputs)
        losses += sum(_number(each, "count") for each in _list(recording, "losses"))
        lost_ms += _number(recording, "lost_ms")
        if outputs:
            begin = min(_number(each, "utc_zero_ms") for each in outputs)
            end = max(_number(each, "utc_zero_ms") + _number(each, "duration_ms") for each in outputs)
            media_ms += end - begin
    return Result(vendor, files, size, losses, lost_ms, media_ms)


def _list(document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = document.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _number(document: Mapping[str, Any], name: str) -> int:
    found = document.get(name)
    return found if type(found) is int and 0 <= found <= MOST_NUMBER else 0

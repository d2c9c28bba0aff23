"""Jobs as the engines have them: in columns, which all of them call alike. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pipeline.worker.queue.jobs import ENDED, Ended, Job, Needs, Order

if TYPE_CHECKING:
    from pipeline.worker.queue.jobs import State


class Row(Protocol):
    """What any driver gives."""

    def __getitem__(self, column: str, /) -> Any:
        """The value in a column."""


def job_of(row: Row, state: State) -> Job:
    """The job in a row.

    Args:
        row: with all columns of a job.
        state: which each engine says in its own way.
    """
    end = None
    if state in ENDED and row["code"] is not None:
        end = Ended(state, row["code"], row["sentence"], row["summary"])
    return Job(
        id=row["id"],
        order=Order(
            key=row["key"],
            document=row["document"],
            priority=row["priority"],
            not_before_ms=row["not_before_ms"],
            deadline_ms=row["deadline_ms"],
            needs=Needs(row["cores"], row["memory"], row["disk"]),
            vendor=row["vendor"],
        ),
        state=state,
        attempts=row["attempts"],
        token=row["token"],
        submitted_ms=row["submitted_ms"],
        started_ms=row["started_ms"],
        ended_ms=row["ended_ms"],
        worker=row["worker"],
        progress=row["progress"],
        end=end,
        sentence=row["sentence"],
        parent=row["parent"],
        parts=row["parts"],
    )


def needs_values(needs: Needs) -> dict[str, int]:
    """For the columns that say what a job takes."""
    return {"cores": needs.cores, "memory": needs.memory, "disk": needs.disk}

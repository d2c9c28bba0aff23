"""Shares in a queue: what is ordered, what is known of what was ordered, and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import ExitCode
from pipeline.job.shares import Dead, Known
from pipeline.worker.queue.jobs import Needs, Order, Parted, State
from pipeline.worker.queue.schedule import due_ms
from pipeline.worker.shift.chunks.documents import document_of, share_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.job.shares import Share
    from pipeline.worker.queue.engine import Engine
    from pipeline.worker.queue.jobs import Job
    from pipeline.worker.shift.words import Apart

MOST = 10_000
"""Shares of a job that are looked at; a day of pictures has some 300."""
_DIGITS = 16
_PERMILLE = 1000


def parted(job: Job, apart: Apart) -> Parted:
    """The end of an attempt that asks for shares: with the job's priority, and by its deadline."""
    orders = tuple(_order(job, share) for share in apart.shares)
    return Parted(orders, apart.sentence, apart.counts)


def _order(job: Job, share: Share) -> Order:
    # The same pieces of another job are pieces of another key: whoever ends his own ends nobody else's.
    key = f"{job.order.key}/{share.work}/{share.identity[:_DIGITS]}/{share.names[0]}"
    document = document_of(job.order.document, share)
    order = job.order
    needs = Needs(1, order.needs.memory)
    return Order(key, document, order.priority, 0, due_ms(job), needs, vendor=order.vendor)


def known(engine: Engine, job: Job) -> Known:
    """What a queue knows of the shares of a job that is about to begin. Raises as `Engine.jobs`."""
    if not job.parts:
        return Known(engine.one_host)
    parts = engine.jobs({State.DONE, State.DEAD}, parent=job.id, most=MOST)
    dead = next((part.end for part in parts if part.end and part.state is State.DEAD), None)
    return Known(
        engine.one_host,
        tuple(share for part in parts if part.state is State.DONE for share in _shares(part)),
        Dead(ExitCode(dead.code), dead.sentence) if dead else None,
    )


def _shares(part: Job) -> Sequence[Share]:
    found = share_of(part.order.document)
    return (found[1],) if found else ()


def standing(engine: Engine, job: Job) -> str:
    """How far a job is that waits for its shares, such as "3 of 12 pieces are made"; empty for any other.

    Raises as `Engine.jobs`.
    """
    if not job.parts or job.state is not State.WAITING:
        return ""
    parts = engine.jobs(parent=job.id, most=MOST)
    sizes = {part.id: sum(len(share.names) for share in _shares(part)) for part in parts}
    made = sum(_made(part, sizes[part.id]) for part in parts)
    return f"{made} of {sum(sizes.values())} pieces are made"


def _made(part: Job, size: int) -> int:
    """Pieces that a job has made, by its progress while it runs."""
    if part.state is State.DONE:
        return size
    return size * max(0, part.progress) // _PERMILLE if part.state is State.RUNNING else 0

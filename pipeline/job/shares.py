"""Shares of a composite: which of its pieces another job makes, and what is known of them. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.errors import ExitCode

FROM_MS = 600_000
"""Composites of this length and more are made by several jobs, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Spread:
    """From which length on composites are made by several jobs of a queue.

    Attributes:
        from_ms: this length; None for never.
        asked: somebody said so, who knows that every worker reaches the folders that are named.
    """

    from_ms: int | None = FROM_MS
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """Pieces that one job makes.

    Attributes:
        work: key of the job whose recording it is (`pipeline.model.job_key`).
        file: the composite.
        identity: of the work, by `pipeline.steps.pieces.identity_of`.
        names: of the pieces.
    """

    work: str
    file: str
    identity: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dead:
    """A share that cannot be made: exit code and sentence of its job."""

    code: ExitCode
    sentence: str


@dataclass(frozen=True, slots=True)
class Known:
    """What a queue knows of the shares of a job.

    Attributes:
        reached: every worker reaches the folders of every other one.
        made: shares whose jobs have ended well.
        dead: one whose job has not; None where there is none.
    """

    reached: bool
    made: tuple[Share, ...] = ()
    dead: Dead | None = None


class Parting(Exception):  # noqa: N818 - no error: others go on
    """Raised in the middle of a job whose composite is to be made in shares.

    Args:
        shares: which.
        counts: the attempt counts, for shares of an earlier one are of no use.
    """

    def __init__(self, shares: tuple[Share, ...], *, counts: bool) -> None:
        super().__init__()
        self.shares = shares
        self.counts = counts

    @property
    def sentence(self) -> str:
        """For people."""
        pieces = sum(len(share.names) for share in self.shares)
        return f"its pieces ({pieces}) are made by other jobs ({len(self.shares)})."


def of_work(known: Sequence[Share], work: str, identity: str) -> frozenset[str]:
    """The pieces of a work that shares hold."""
    alike = (share for share in known if (share.work, share.identity) == (work, identity))
    return frozenset(name for share in alike for name in share.names)

"""Many sources at once, as decisions: what each is called below a place, which are done, what came of all.

A *source* is what a command calls SOURCE. It may hold several recordings; each has a row of its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.errors import CommandError, ExitCode
from pipeline.model.outputs import hashed, safe

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

NAME = "{name}"
"""Stands in a place for the folder of a source; a place without it gets that folder below it."""
FINISHED = frozenset({ExitCode.GOOD, ExitCode.LOSSES})
"""What ended so is not looked at again by ``--resume``."""


class State(StrEnum):
    """How a recording ended."""

    DONE = "done"
    ALREADY = "already"  # an earlier run has made all of it
    BEFORE = "before"  # so says the state of an earlier batch; nobody has looked
    PARTIAL = "partial"  # with losses, refused users, or files that failed their verification
    FAILED = "failed"  # nothing came out that can be used


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one recording.

    Attributes:
        source: where it was looked for.
        place: where its files are.
        recording: its title; empty where it failed before that was known.
        files: that are good.
        losses: entries of the ledger.
        media_ms: of all good files together.
        code: what it alone would have returned.
        sentence: why it failed, or the first thing that is wrong; empty where nothing is.
        kind: the class of the error that ended it; empty where none did.
    """

    source: str
    place: str
    state: State
    code: ExitCode
    recording: str = ""
    files: int = 0
    losses: int = 0
    media_ms: int = 0
    sentence: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A source that has to be done.

    Attributes:
        source: as it was written.
        identity: the same for the same source, however it was written.
        place: where its files go, as it was or would be written.
        target: the identity of that.
        own: the caller chose this place for this source.
        whole: it was found in a source, and is not taken apart again.
    """

    source: str
    identity: str
    place: str
    target: str
    own: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a source.

    Attributes:
        identity: of the source.
        place: the identity of where its files went.
        work: what was asked for, as a short text that is the same for the same.
        rows: one for each recording, those of sources that were found in it included.
    """

    identity: str
    place: str
    work: str
    rows: tuple[Row, ...]

    @property
    def code(self) -> ExitCode:
        """The most severe of its rows'."""
        return code_of(self.rows)


def code_of(rows: Iterable[Row]) -> ExitCode:
    """What a batch returns: the highest exit code, as they are sorted by severity.

    >>> code_of([]).name
    'GOOD'
    """
    return max((row.code for row in rows), default=ExitCode.GOOD)


def count_states(rows: Iterable[Row]) -> dict[State, int]:
    """How many ended how, in the order of `State`."""
    counted = Counter(row.state for row in rows)
    return {state: counted[state] for state in State}


def folder_name(last: str, identity: str) -> str:
    """What the folder of a source is called: the last part of its address and 8 hex digits of a hash of all.

    It depends on nothing but the source, so that any batch finds what another has made.

    Args:
        last: part of the address.
        identity: as in `Item`.

    >>> folder_name("room7", "calls:a/room7/"), folder_name("room7", "calls:b/room7/")
    ('room7_e165cb0c', 'room7_4a6de765')
    """
    return hashed(safe(last), identity)


def place_for(place: str, folder: str) -> str:
    """A place with the folder of a source in it.

    >>> place_for("merged", "a"), place_for("vod:", "a"), place_for("out/{name}/mp4", "a")
    ('merged/a', 'vod:a', 'out/a/mp4')
    """
    return place.replace(NAME, folder) if NAME in place else inside(place, folder)


def inside(place: str, folder: str) -> str:
    """A folder of a place or source, as it is written.

    >>> inside("rec", "a"), inside("rec/", "a"), inside("calls:", "a/b")
    ('rec/a', 'rec/a', 'calls:a/b')
    """
    return f"{place}{folder}" if place.endswith(("/", ":")) else f"{place}/{folder}"


def distinct(items: Iterable[Item]) -> list[Item]:
    """The items, each once; what was asked for twice is done once.

    Args:
        items: in their order.

    Raises:
        CommandError: two sources have one place.
    """
    whose: dict[str, Item] = {}
    for item in items:
        first = whose.setdefault(item.target, item)
        if first.identity != item.identity:
            raise CommandError(
                f"{first.source} and {item.source} would both go to {item.place}: give each another place."
            )
    return list(whose.values())


def apart(prefixes: Collection[str]) -> tuple[str, ...]:
    """The folders of a source that are sources by themselves, sorted; none where its recordings share one.

    Args:
        prefixes: the folder of each recording inside the source; "" where it lies in the source itself.

    >>> apart(["b", "a", "a"]), apart(["", "a"]), apart(["a", "a/b"]), apart([])
    (('a', 'b'), (), (), ())
    """
    found = sorted({f"{prefix}/" for prefix in prefixes})
    if "/" in found or any(b.startswith(a) for n, a in enumerate(found) for b in found[n + 1 : n + 2]):
        return ()
    return tuple(sorted(prefix[:-1] for prefix in found))


def before(found: Outcome | None, work: str, *, accept_loss: bool) -> tuple[Row, ...] | None:
    """The rows of a source that an earlier batch has finished; None where it has not.

    Args:
        found: the last outcome of the source in its place; None where there is none.
        work: what is asked for now: that of other options is not taken for it.
        accept_loss: losses count for nothing.
    """
    if found is None or found.work != work or found.code not in FINISHED:
        return None
    return tuple(
        replace(
            row,
            state=State.BEFORE,
            code=ExitCode.GOOD if accept_loss and row.code is ExitCode.LOSSES else row.code,
        )
        for row in found.rows
    )

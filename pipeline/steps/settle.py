"""Settle: wait until a recording is complete and has stopped changing, or has had time enough."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pipeline.errors import ConditionError, InputError, ObjectMissingError, UnsafeUriError
from pipeline.model.completeness import AT_ONCE, Completeness, Listing, Run, Settling, seen, verdict
from pipeline.steps.find import find

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.sources.protocol import Source
    from pipeline.vendors.inventory import Object

TELL_MS = 600_000
"""Between two words about the same wait."""


def settle(
    fresh: Callable[[], Source],
    rule: Settling,
    *,
    clock: Callable[[], int],
    sleep: Callable[[float], None],
    tell: Callable[[str], None],
) -> Source:
    """The source, when there is no reason to wait any longer.

    Playlists are read again only after something has changed.

    Args:
        fresh: gives the source, listed anew.
        rule: how long to wait.
        clock: UTC ms.
        sleep: waits seconds.
        tell: is told a sentence when a wait begins or goes on, and at the end if anything is missing.

    Raises:
        NoRecordingError: there is none; what has not begun to arrive is not waited for.
        CommandError, InputError, StorageError: it cannot be listed or read.
    """
    if rule == AT_ONCE:
        return fresh()
    listing: Listing | None = None
    missing: tuple[str, ...] = ()
    told: tuple[bool, int] | None = None
    while True:
        source = fresh()
        objects = source.objects()
        before, now = listing, clock()
        newest = max((item.modified_ms for item in objects), default=0)
        listing = seen(before, _fingerprint(objects), newest, now)
        if before is None or listing.fingerprint != before.fingerprint:
            try:
                missing = _missing(source)
            except (ConditionError, ObjectMissingError) as error:  # it changed since it was listed
                listing, missing = Listing("", now), (str(error).removesuffix("."),)
        decided = verdict(now, Completeness(missing, listing.changed_ms), rule)
        if isinstance(decided, Run):
            if decided.without:
                tell(
                    f"{source.name} has not changed for long enough and is taken as it is: {decided.without}."
                )
            return source
        if told is None or told[0] != bool(missing) or now - told[1] >= TELL_MS:
            told = bool(missing), now
            tell(f"waiting for {source.name}: {decided.why}.")
        sleep(decided.ms / 1000)


def _fingerprint(objects: Sequence[Object]) -> str:
    """Of keys, sizes and times of writing."""
    lines = (f"{item.key}\0{item.size}\0{item.modified_ms}\n" for item in objects)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _missing(source: Source) -> tuple[str, ...]:
    """What its recordings lack; a playlist that is just being written is one of these things."""
    try:
        found = find(source)
    except UnsafeUriError:
        raise
    except InputError as error:
        return (str(error).removesuffix("."),)
    return tuple(sentence for inventory in found.inventories for sentence in inventory.missing)

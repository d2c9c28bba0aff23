"""Files that the vendor has finished: which are used, where each begins, and why others are left alone.

Slices are the better source: they are stamped one by one. So a finished file of a user counts only where no
slice of his is there. Where its name tells no time, a playlist beside it may; parts of one file follow one
another by their numbers (TRTC ``_<Index>``, Agora ``_<index>``).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pipeline.model.ledger import Entry, Sort
from pipeline.model.slices import NOWHERE, Slice, State
from pipeline.vendors.base import Content
from pipeline.vendors.inventory.meaning import Who, who_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pipeline.vendors.inventory.listing import Named

FORMATS = ("mp4", "", "m4a", "aac")
"""Extensions that are read, best first; Volcengine may write none."""


FIRST_INDEX = {"agora": 0, "trtc": 1}
MOST_MISSING = 100


def choose(
    files: Iterable[Named], has_slices: Collection[Who]
) -> tuple[dict[Who, tuple[Named, ...]], tuple[Entry, ...]]:
    """The finished files to use for each user, in order; and why others are left alone.

    Args:
        files: finished files of one recording.
        has_slices: users of whom at least one slice is there.
    """
    notes: list[Entry] = []
    by_user: dict[Who, list[Named]] = defaultdict(list)
    for n in files:
        who = who_of(n)
        if who in has_slices:
            what = "ignored: a finished file; the slices are there and are the better source"
            notes.append(Entry(Sort.NOTE, what, who[0], key=n.item.key))
        elif n.name.extension not in FORMATS:
            what = f"ignored: a finished file in {n.name.extension.upper()}, of which nothing is read"
            notes.append(Entry(Sort.NOTE, what, who[0], key=n.item.key))
        else:
            by_user[who].append(n)
    chosen: dict[Who, tuple[Named, ...]] = {}
    for who, own in by_user.items():
        best = min((n.name.extension for n in own), key=FORMATS.index)
        chosen[who] = tuple(sorted((n for n in own if n.name.extension == best), key=_order))
        what = f"ignored: the same as {chosen[who][0].item.key} in another format"
        notes += [Entry(Sort.NOTE, what, who[0], key=n.item.key) for n in own if n.name.extension != best]
        notes += _missing(who, chosen[who])
    return chosen, tuple(notes)


def _missing(who: Who, files: Sequence[Named]) -> Iterator[Entry]:
    """Parts whose number is left out between others, or before them."""
    for recorder in dict.fromkeys(n.name.failover for n in files):
        numbers = {n.name.index for n in files if n.name.failover == recorder and n.name.index is not None}
        first = FIRST_INDEX.get(files[0].name.vendor, 0)
        for number in sorted(set(range(first, max(numbers, default=first))) - numbers)[:MOST_MISSING]:
            what = f"part {number} of a finished file is not there; what comes after it is placed too early"
            yield Entry(Sort.LOSS, what, who[0], key=files[0].item.key)


def _order(named: Named) -> tuple[int, int, int, str]:
    name = named.name
    return name.stamp_ms or 0, name.failover or 0, name.index or 0, named.item.key


def slices_of(files: Sequence[Named], begins: Mapping[int | None, int]) -> list[Slice]:
    """Finished files of one user as slices, in order.

    Args:
        files: as `choose` gives them.
        begins: UTC ms of the first media by a playlist, by the fail-over number of the recorder.
    """
    out: list[Slice] = []
    for number, n in enumerate(files):
        stamp_ms, stamp_from, follows = n.name.stamp_ms, "name", ""
        first_of_recorder = not number or files[number - 1].name.failover != n.name.failover
        if stamp_ms is None and first_of_recorder and n.name.failover in begins:
            stamp_ms, stamp_from = begins[n.name.failover], "tag"
        elif stamp_ms is None and out:
            stamp_ms, stamp_from, follows = out[-1].stamp_ms + 1, "count", out[-1].key
        elif stamp_ms is None:
            stamp_ms, stamp_from = 0, NOWHERE
        state = State.PRESENT if n.item.size else State.EMPTY
        shared = n.name.content is Content.BOTH
        out.append(
            Slice(n.item.key, n.item.size, state, stamp_ms, stamp_from, shared=shared, follows=follows)
        )
    return out

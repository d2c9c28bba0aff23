"""Right to left: in which order the parts of a line stand (UAX #9, the Unicode bidirectional algorithm).

The library that shapes letters does this for text of one font. A line with several fonts has to be cut first,
and then the order of the cuts must be known. Embeddings, overrides and isolates are not read (names have them
taken out), nor are brackets paired (rule N0).
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
LEFT, RIGHT = "L", "R"
_STRONG = {"L": LEFT, "R": RIGHT, "AL": RIGHT}
_NUMBERS = {"EN", "AN"}
_WEAK = {"ES", "ET", "CS"}


def levels(clusters: Sequence[str]) -> list[int]:
    """The embedding level of each cluster: even from left to right, odd from right to left."""
    kinds = [unicodedata.bidirectional(each[0]) or LEFT for each in clusters]
    strong = (_STRONG[kind] for kind in kinds if kind in _STRONG)
    base = int(next(strong, LEFT) == RIGHT)  # P2, P3
    start = RIGHT if base else LEFT
    resolved = _neutral(_weak(kinds, start), start)
    return [_level(kind, base) for kind in resolved]


def _level(kind: str, base: int) -> int:
    """Rules I1 and I2."""
    if base:
        return 1 if kind == RIGHT else 2
    return {LEFT: 0, RIGHT: 1}.get(kind, 2)


def _weak(kinds: Sequence[str], start: str) -> list[str]:
    """Rules W1 to W7: what numbers, signs beside them and marks count as."""
    found: list[str] = []
    last = start
    for kind in kinds:
        last = kind if kind in _STRONG else last
        if kind == "EN" and last == "AL":
            found.append("AN")  # W2
        else:
            found.append("R" if kind == "AL" else kind)  # W3
    for n in range(1, len(found) - 1):
        beside = {found[n - 1], found[n + 1]}
        if (
            len(beside) == 1
            and beside <= _NUMBERS
            and (found[n] == "CS" or (found[n], *beside) == ("ES", "EN"))
        ):
            found[n] = found[n - 1]  # W4
    _take_in_signs(found)
    found = ["ON" if kind in _WEAK or kind == "NSM" else kind for kind in found]  # W6
    last = start
    for n, kind in enumerate(found):
        last = kind if kind in _STRONG else last
        if kind == "EN" and last == LEFT:
            found[n] = LEFT  # W7
    return found


def _take_in_signs(kinds: list[str]) -> None:
    """Rule W5: signs such as per cent belong to the number beside them."""
    for order in (range(1, len(kinds)), range(len(kinds) - 2, -1, -1)):
        for n in order:
            if kinds[n] == "ET" and kinds[n - order.step] == "EN":
                kinds[n] = "EN"


def _neutral(kinds: Sequence[str], start: str) -> list[str]:
    """Rules N1 and N2: what is neither takes the side of both neighbours, or of the line."""
    found = list(kinds)
    before, open_from = start, 0
    for n, kind in enumerate([*kinds, start]):
        side = RIGHT if kind in _NUMBERS else kind
        if side in {LEFT, RIGHT}:
            found[open_from:n] = [side if side == before else start] * (n - open_from)
            before, open_from = side, n + 1
    return found


def shown(runs: Sequence[tuple[int, T]]) -> list[tuple[int, T]]:
    """Runs with their levels, from left to right as they stand (rule L2)."""
    order = list(runs)
    deepest = max((level for level, _run in order), default=0)
    for level in range(deepest, 0, -1):
        at = 0
        while at < len(order):
            end = at
            while end < len(order) and order[end][0] >= level:
                end += 1
            order[at:end] = reversed(order[at:end])
            at = max(end, at + 1)
    return order

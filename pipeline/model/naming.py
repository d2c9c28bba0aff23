"""The final names of outputs: by a pattern of our own, or by a naming that is handed in.

The names that vendors give to finished files are in the folders of the vendors; here they are a `Naming`, and
what it is told. What our own patterns may hold is in `pipeline.model.outputs`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pipeline.model import ticks
from pipeline.model.containers import Container
from pipeline.model.mixing import MIX
from pipeline.model.outputs import unique

if TYPE_CHECKING:
    from pipeline.model.plan import OutputPlan


@dataclass(frozen=True, slots=True)
class Facts:
    """What a name can tell of one output.

    Attributes:
        uid: whose it is; empty where it is of all users.
        source: ``camera`` or ``screen``.
        zero_ms: UTC ms of file zero; 0 or little more where nothing tells when it began.
        length_ms: of the file.
        container: what the file is.
        pictures: whether it has any.
        refused: it will not be made.
    """

    uid: str
    source: str
    zero_ms: int
    length_ms: int
    container: Container = Container.MP4
    pictures: bool = True
    refused: bool = False

    def ending(self, known: frozenset[str]) -> str | None:
        """The end of its name, with the dot, among those ``known``; None where there is none for it.

        An MP4 of sound alone is ``.m4a`` where that is known, and is an ``.mp4`` too.

        >>> Facts("ann", "camera", 0, 0, pictures=False).ending(frozenset({".mp4"}))
        '.mp4'
        """
        own = self.container.ending(pictures=self.pictures)
        if own in known:
            return own
        return ".mp4" if self.container is Container.MP4 and ".mp4" in known else None


Naming: TypeAlias = Callable[[Sequence[Facts]], Sequence[str]]
"""Gives the outputs of a recording their names, endings included; raises `CommandError` where it cannot."""


def numbered(likes: Sequence[object], files: Sequence[Facts]) -> list[tuple[int, int]]:
    """Of each file, which one it is of those that are alike, from 0, and how many of these there are.

    They are in the order of their beginnings, with those that will not be made behind the others.

    Args:
        likes: equal for files that are alike.
        files: of the same length.

    >>> early, late = Facts("ann", "camera", 1, 0), Facts("ann", "camera", 2, 0)
    >>> numbered("aab", [late, early, late])
    [(1, 2), (0, 2), (0, 1)]
    """
    total, seen = Counter(likes), defaultdict[object, int](int)
    out = [(0, 0)] * len(files)
    for at in sorted(range(len(files)), key=lambda n: (files[n].refused, files[n].zero_ms, n)):
        out[at] = seen[likes[at]], total[likes[at]]
        seen[likes[at]] += 1
    return out


def names(drafts: Sequence[OutputPlan], naming: Naming | None) -> Sequence[str]:
    """Final names of planned outputs, endings included.

    Args:
        drafts: ``file`` is their pattern, filled in.
        naming: what takes the place of the pattern; None for nothing.

    Raises:
        CommandError: the naming has no name for one of them.
    """
    if naming is not None:
        return naming([_facts(draft) for draft in drafts])
    stems = unique([(d.file, identity) for d, identity in zip(drafts, _identities(drafts), strict=True)])
    endings = (d.container.ending(pictures=d.pictures) for d in drafts)
    return [stem + ending for stem, ending in zip(stems, endings, strict=True)]


def _facts(draft: OutputPlan) -> Facts:
    return Facts(
        uid="" if draft.source == MIX else draft.uid,
        source=draft.source,
        zero_ms=ticks.to_ms(draft.zero),
        length_ms=ticks.to_ms(draft.duration),
        container=draft.container,
        pictures=draft.pictures,
        refused=bool(draft.refusal),
    )


def _identities(drafts: Sequence[OutputPlan]) -> list[str]:
    """What tells outputs apart whose names are the same: of one user's, which of them it is."""
    out: list[str] = []
    for n, draft in enumerate(drafts):
        who = f"{draft.uid}\0{draft.source}\0{draft.zero}\0{draft.file}"
        before = sum((d.uid, d.source, d.file) == (draft.uid, draft.source, draft.file) for d in drafts[:n])
        out.append(f"{who}\0{before}" if before else who)
    return out

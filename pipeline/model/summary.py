"""The summary of a manifest: what others are told when a recording is done, partly done, or has failed.

It is short whatever happened: losses are counted by their kind, not listed. Everything else is in the
manifest, which lies at the same place.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.errors import ExitCode
from pipeline.model import ticks
from pipeline.model.manifest import Origin, Published, Refusal  # noqa: TC001 - pydantic reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.errors import RecpipeError
    from pipeline.model.ledger import Entry
    from pipeline.model.manifest import Manifest, Output

MOST_KINDS = 50
"""Kinds of losses that are told apart; the smaller ones are counted together."""
OTHERS = "other losses; manifest.json has them all"
_NUMBER = re.compile(r"(?<!\w)\d(?:[\d.,:x]*\d)?")


class State(StrEnum):
    """How a recording ended."""

    DONE = "done"  # nothing was lost
    PARTIAL = "partial"  # finished, with losses, refused users, or files that failed their verification
    FAILED = "failed"  # nothing came out that can be used


@dataclass(frozen=True, slots=True)
class Made:
    """An output of the manifest, without how it came to be.

    Attributes:
        etag: of the object that it became in a store; empty in a folder.
        good: it passed its verification.
        published: the media that it became.
    """

    file: str
    uid: str
    source: str
    container: str
    size: int
    sha256: str
    etag: str
    duration_ms: int
    utc_zero_ms: int
    good: bool
    published: tuple[Published, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """Losses of one kind.

    Attributes:
        what: a ledger entry's sentence with ``…`` for names and numbers.
        count: of entries.
        ms: of media, each user's sound and pictures counted by themselves, and no time twice.
    """

    what: str
    count: int
    ms: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why nothing came out: as the command's error document says it.

    Attributes:
        kind: the class of the error; empty where none was raised.
    """

    sentence: str
    exit_code: int
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of one recording.

    Attributes:
        recording: None where it failed before it was known.
        place: where the files and ``manifest.json`` are.
        revision: counts from 1; a later one replaces the files, because the inputs changed.
        lost_ms: media lost in all, counted as in `Lost`.
        pictures: how many were taken, contact sheets counted too; the manifest names them.
        failure: where ``state`` is failed, and only there.
    """

    state: State
    recording: Origin | None
    place: str
    revision: int
    outputs: tuple[Made, ...] = ()
    refused: tuple[Refusal, ...] = ()
    losses: tuple[Lost, ...] = ()
    lost_ms: int = 0
    failure: Failure | None = None
    pictures: int = 0

    def __post_init__(self) -> None:
        if (self.state is State.FAILED) != (self.failure is not None) or (self.failure and self.outputs):
            raise ValueError("a summary tells a failure where the state is failed, and no outputs beside it")
        if self.revision < 1:
            raise ValueError("revisions are counted from 1")


def summary_of(manifest: Manifest, *, place: str) -> Summary:
    """The summary of a finished job.

    Args:
        manifest: what it wrote.
        place: where to, as the user wrote it.
    """
    failure = _nothing_good(manifest)
    complete = not (manifest.losses or manifest.refused) and all(o.verdict.good for o in manifest.outputs)
    return Summary(
        state=State.FAILED if failure else State.DONE if complete else State.PARTIAL,
        recording=manifest.recording,
        place=place,
        revision=manifest.revision,
        outputs=() if failure else tuple(map(_made, manifest.outputs)),
        refused=manifest.refused,
        losses=_by_kind(manifest.losses),
        lost_ms=_lost_ms(manifest.losses),
        failure=failure,
        pictures=len(manifest.pictures),
    )


def failed(error: RecpipeError, *, recording: Origin | None, place: str, revision: int = 1) -> Summary:
    """The summary of a job that an error ended; ``recording`` is None where that came first."""
    failure = Failure(str(error), int(error.exit_code), type(error).__name__)
    return Summary(State.FAILED, recording, place, revision, failure=failure)


def _nothing_good(manifest: Manifest) -> Failure | None:
    """Why there is no file that can be used, with the exit code that the command has for it."""
    if manifest.pictures or any(output.verdict.good for output in manifest.outputs):
        return None
    bad, refused = manifest.outputs, manifest.refused
    if bad:
        first = f"{bad[0].file}: {bad[0].verdict.problems[0]}"
        return Failure(f"all files failed their verification: {first}.", int(ExitCode.VERIFICATION))
    if refused:
        first = f"user {refused[0].uid}: {refused[0].why}"
        return Failure(f"all users are refused: {first.rstrip('.')}.", int(ExitCode.USAGE))
    return Failure("no file came out of the recording.", int(ExitCode.INPUT))


def _made(output: Output) -> Made:
    return Made(
        file=output.file,
        uid=output.uid,
        source=output.source,
        container=output.container,
        size=output.size,
        sha256=output.sha256,
        etag=output.etag,
        duration_ms=ticks.to_ms(output.duration),
        utc_zero_ms=output.utc_zero_ms,
        good=output.verdict.good,
        published=output.published,
    )


def _by_kind(entries: Iterable[Entry]) -> tuple[Lost, ...]:
    """The losses by kind, those of the most media first."""
    kinds: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        kinds[_kind(entry)].append(entry)
    found = [Lost(what, len(of_it), _lost_ms(of_it)) for what, of_it in kinds.items()]
    found.sort(key=lambda lost: (-lost.ms, -lost.count, lost.what))
    if len(found) <= MOST_KINDS:
        return tuple(found)
    small = [entry for lost in found[MOST_KINDS - 1 :] for entry in kinds[lost.what]]
    return (*found[: MOST_KINDS - 1], Lost(OTHERS, len(small), _lost_ms(small)))


def _kind(entry: Entry) -> str:
    """Its sentence without the object's name and without numbers."""
    what = entry.what.replace(entry.key, "…") if entry.key else entry.what
    return _NUMBER.sub("…", what)


def _lost_ms(entries: Iterable[Entry]) -> int:
    """Time of lost media: a slice that is missing and the hole that it leaves are one."""
    spans: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for entry in entries:
        if entry.start_ms is not None and entry.end_ms is not None:
            spans[entry.uid, entry.track].append((entry.start_ms, entry.end_ms))
    return sum(_covered(sorted(each)) for each in spans.values())


def _covered(spans: Iterable[tuple[int, int]]) -> int:
    """Length of what sorted spans cover together."""
    total, until = 0, None
    for start, end in spans:
        begin = start if until is None else max(start, until)
        total += max(0, end - begin)
        until = end if until is None else max(until, end)
    return total

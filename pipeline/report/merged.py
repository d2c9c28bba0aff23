"""What merge made, from manifests, as lines and as a document."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pipeline.model import ticks
from pipeline.model.ledger import Sort
from pipeline.model.options import Verify
from pipeline.report.ledgers import entry_lines, tally
from pipeline.report.pictures import files_of, picture_rows
from pipeline.report.words import columns, count, length, size, visible, whose

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.errors import ExitCode
    from pipeline.model.manifest import Manifest, Output, Verdict

VERSION = 1


@dataclass(frozen=True, slots=True)
class Merged:
    """One recording: the folder of its files, its manifest, whether all was there from before, its code."""

    place: str
    manifest: Manifest
    already: bool
    code: ExitCode


def merged_document(merged: Sequence[Merged], code: ExitCode) -> dict[str, Any]:
    """What ``merge --json`` prints: every manifest, and where it lies."""
    return {
        "version": VERSION,
        "recordings": [recording_document(each) for each in merged],
        "exit_code": int(code),
    }


def recording_document(each: Merged) -> dict[str, Any]:
    """One recording of it."""
    return {
        "place": each.place,
        "already": each.already,
        "exit_code": int(each.code),
        "manifest": asdict(each.manifest),
    }


def merged_lines(merged: Sequence[Merged]) -> Iterator[str]:
    """What ``merge`` prints: a line for each file, what was refused and lost, and a summary."""
    for each in merged:
        manifest = each.manifest
        yield from columns([_made(each.place, output) for output in manifest.outputs])
        for output in manifest.outputs:
            yield from problems(f"{each.place}/{output.file}", output.verdict)
        yield from columns(picture_rows(manifest.pictures))
        for refusal in manifest.refused:
            yield f"refused {whose(refusal.uid)}: {visible(refusal.why)}"
        yield from entry_lines(manifest.ledger, Sort.LOSS)
        good = files_of(manifest)
        done = "already done: " if each.already else ""
        yield f"{done}{good} in {visible(each.place)}, ledger: {tally(manifest.ledger)}"


def _made(place: str, output: Output) -> tuple[str, ...]:
    path = visible(f"{place}/{output.file}")
    return length(ticks.to_ms(output.duration)), size(output.size), verdict(output.verdict), path


def problems(path: str, found: Verdict) -> Iterator[str]:
    """What is wrong with a file, a line each."""
    return (f"BAD  {visible(path)}: {visible(problem)}" for problem in found.problems)


def verdict(found: Verdict) -> str:
    """What a verification found, in a few words.

    >>> from pipeline.model.manifest import Verdict
    >>> verdict(Verdict("full", 12, 300)), verdict(Verdict("fast", 12, 0)), verdict(Verdict("off", 0, 0))
    ('verified: 12 checks, 300 frames decoded', 'verified: 12 checks', 'not verified (--verify off)')
    >>> verdict(Verdict("full", 12, 0, ("moov stands after the media",)))
    'BAD: 1 problem'
    """
    if found.problems:
        return f"BAD: {count(len(found.problems), 'problem')}"
    if found.level == Verify.OFF:
        return "not verified (--verify off)"
    decoded = f", {count(found.decoded, 'frame')} decoded" if found.decoded else ""
    return f"verified: {count(found.checks, 'check')}{decoded}"

"""Render: make every output of a plan beside its final name, each verified; several users at once.

An output that is not finished is a hidden ``.part`` file. It is locked while it is written, so that two
runs never write one file; a run that was killed leaves one behind, and the next run writes it anew.
"""

from __future__ import annotations

import errno
import fcntl
import gc
import hashlib
import multiprocessing
import os
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeVar, cast

from pipeline.errors import InputError, NoSpaceError, OutputError, WorkerKilledError
from pipeline.media.aside import die_with_parent
from pipeline.media.output import make
from pipeline.media.tally import Surprise
from pipeline.model import ticks
from pipeline.model.manifest import Output, Reason, Stretch, Verdict
from pipeline.model.options import Verify
from pipeline.steps.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.sharedctypes import Synchronized

    from pipeline.media.remux import Remuxed
    from pipeline.model.ledger import Entry
    from pipeline.model.plan import OutputPlan
    from pipeline.sources.protocol import Source

P = TypeVar("P")
R = TypeVar("R")
P_contra = TypeVar("P_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)
POLL_SECONDS = 0.2
PIECES = ".pieces"
LOCK_TRIES, LOCK_SECONDS = 20, 0.1


@dataclass(frozen=True, slots=True)
class Rendered:
    """A file that was made beside its name, or what its slices hold that was not planned for."""

    output: Output | None
    entries: tuple[Entry, ...]
    surprise: str = ""


def part_of(place: Path, file: str) -> Path:
    """Where an output is written before it has its name."""
    return place / f".{file}.part"


def pieces_of(part: Path) -> Path:
    """Where the pieces of a composite lie, beside that."""
    return part.with_suffix(PIECES)


class Making(Protocol[P_contra, R_co]):
    """Makes one of what is planned; it can be handed to another process."""

    def __call__(self, output: P_contra, progress: Callable[[int], None], *, processes: int) -> R_co:
        """Make it, telling input bytes as they are read, by so many processes at once."""
        ...


class Maker(Protocol):
    """Makes and verifies one output; it can be handed to another process."""

    def __call__(self, output: OutputPlan, progress: Callable[[int], None], *, processes: int) -> Rendered:
        """Make it, telling input bytes as they are read, by so many processes at once."""
        ...


def render(
    outputs: Sequence[P],
    make: Making[P, R],
    *,
    jobs: int,
    progress: Callable[[int], None],
) -> list[R]:
    """Make what is planned, in the order given.

    Args:
        outputs: which.
        make: makes one of them.
        jobs: how many at a time.
        progress: called often, with input bytes read since the last call.

    Raises:
        InputError: a slice cannot be read.
        OutputError: the place cannot be written.
        NoSpaceError: the disk is full.
    """
    if jobs <= 1 or len(outputs) <= 1:
        return [make(output, progress, processes=jobs) for output in outputs]
    context = multiprocessing.get_context("fork")
    done = context.Value("q", 0)
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start, initargs=(done, os.getpid()))
    try:
        futures = [pool.submit(_in_child, make, output) for output in outputs]
        waiting, told = set(futures), 0
        while waiting:
            finished, waiting = wait(waiting, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            now = done.value  # once: it grows meanwhile
            progress(now - told)
            told = now
            for future in finished:
                future.result()
        return [future.result() for future in futures]
    except BrokenProcessPool as error:
        raise killed() from error
    except BaseException:
        for process in list(pool._processes.values()):  # noqa: SLF001 - the pool has no way to stop a running task
            process.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_done: Synchronized[int] | None = None
_parent = 0


def _start(done: Synchronized[int], parent: int) -> None:
    global _done, _parent
    _done, _parent = done, parent
    die_with_parent(parent)


def _advance(count: int) -> None:
    if os.getppid() != _parent:
        os._exit(1)  # the run was killed: nobody waits for this file
    if _done is not None:
        with _done.get_lock():
            _done.value += count


def _in_child(make: Making[P, R], output: P) -> R:
    return make(output, _advance, processes=1)


@contextmanager
def uncollected() -> Iterator[None]:
    """Millions of small values are made and none of them forms a cycle: collecting would only take time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@dataclass(frozen=True, slots=True)
class IntoFolder:
    """Makes and verifies outputs beside their names in a folder.

    Attributes:
        source: where the slices are.
        place: the folder.
        level: how much is verified.
    """

    source: Source
    place: Path
    level: Verify

    def __call__(self, output: OutputPlan, progress: Callable[[int], None], *, processes: int) -> Rendered:
        """As `Maker`."""
        return render_one(output, self.source, self.place, self.level, progress, processes=processes)


def render_one(
    output: OutputPlan,
    source: Source,
    place: Path,
    level: Verify,
    progress: Callable[[int], None],
    *,
    processes: int = 1,
) -> Rendered:
    """Make and verify one output beside its name; nothing is left of one that fails."""
    part = part_of(place, output.file)
    try:
        with uncollected():
            hashing = level is not Verify.OFF
            write = partial(make, progress=progress, processes=processes, hashing=hashing)
            made = _write(output, source, part, write)
    except Surprise as surprise:
        part.unlink(missing_ok=True)
        return Rendered(None, (), str(surprise))
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    described = describe(output, made)
    verdict, facts = verify(part, described, level)
    if facts is not None:
        described = replace(described, size=facts.size, sha256=facts.sha256)
    else:
        described = replace(described, size=part.stat().st_size, sha256=_sha256(part))
    if not verdict.good:
        part.unlink(missing_ok=True)
    return Rendered(replace(described, verdict=verdict), made.entries)


def _write(output: OutputPlan, source: Source, part: Path, write: partial[Remuxed]) -> Remuxed:
    try:
        # Not truncated before it is ours alone.
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "w+b") as sink:
            lock(sink.fileno(), part)
            # At close ext4 flushes a file that was truncated, even one that was empty.
            if os.fstat(sink.fileno()).st_size:
                sink.truncate(0)
            if output.composed:
                return _composed(output, source, part, sink, write)
            return write(output, source.whole(*output.reading), sink, partial(_scratch, part))
    except EOFError as error:
        raise killed() from error
    except OSError as error:
        raise blame(error, part) from error


def _composed(
    output: OutputPlan, source: Source, part: Path, sink: BinaryIO, write: partial[Remuxed]
) -> Remuxed:
    from pipeline.drawing.studio import Studio  # with what copying needs not
    from pipeline.layout.composite import CompositePlan
    from pipeline.steps.compose import compose

    if not isinstance(output, CompositePlan):
        raise TypeError(f"{output.file} is no composite")

    gc.enable()  # frames of PyAV form cycles
    artist = Studio(dict(output.files), output.fonts)
    folder = pieces_of(part)
    asked = write.keywords
    return compose(
        output,
        source,
        artist,
        sink,
        folder,
        processes=asked["processes"],
        progress=asked["progress"],
    )


def _scratch(part: Path) -> BinaryIO:
    """A file without a name on the disk of an output: whoever kills the run, nothing of it stays."""
    try:
        return cast("BinaryIO", TemporaryFile(dir=part.parent))
    except OSError as error:
        raise blame(OSError(error.errno, error.strerror), part) from error


def killed() -> WorkerKilledError:
    """The error for a process of ours that was killed."""
    return WorkerKilledError(
        "a process that was copying was killed, most often because memory ran out: run again with --jobs 1."
    )


def blame(error: OSError, part: Path) -> InputError | OutputError | NoSpaceError:
    """Whose fault an OSError is: the disk's, the output place's or a slice's."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return NoSpaceError(
            f"the disk of {part.parent} is full: free some space and run again; nothing unfinished was left."
        )
    where = error.filename
    ours = {part, pieces_of(part)}
    if where is not None and ours.isdisjoint({(path := Path(os.fsdecode(where))), path.parent}):
        return InputError(f"{where} cannot be read ({error.strerror}): make it readable and run again.")
    return OutputError(f"{part.parent} cannot be written ({error.strerror}): choose another place.")


def in_use(part: Path) -> bool:
    """Whether a run has an unfinished file now."""
    try:
        with part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def lock(descriptor: int, part: Path) -> None:
    """Have an open file for this run alone; raises OutputError where another has it."""
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_SECONDS)  # a run that was killed may need a moment to be gone
        else:
            return
    raise OutputError(f"{part.parent} is being written by another recpipe: wait for it to end.")


def describe(output: OutputPlan, made: Remuxed) -> Output:
    """What the manifest says of a file, before size, hash and verdict are known."""
    spans = {track.medium: track.spans[0].at for track in made.tracks if track.spans}
    placed = len(spans) > 1 and not any(track.transcoded for track in made.tracks)
    offset = spans["audio"] - spans["video"] if placed else None
    return Output(
        file=output.file,
        uid=output.uid,
        source=output.source,
        size=0,
        sha256="",
        utc_zero_ms=ticks.to_ms(output.zero),
        duration=made.duration,
        uncertainty_ms=max((track.uncertainty_ms for track in output.tracks), default=0),
        av_offset_ms=None if offset is None else ticks.to_ms(offset),
        shared_clock=output.shared_clock,
        map=tuple(Stretch(ticks.to_ms(p.start), p.at, p.end - p.start) for p in output.pieces),
        tracks=made.tracks,
        decisions=tuple(Reason(d.what, d.why) for d in output.decisions),
        verdict=Verdict(Verify.OFF, 0, 0),
        container=output.container,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

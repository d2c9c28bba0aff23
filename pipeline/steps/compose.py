"""Compose: the sound and the pieces of pictures of a composite made side by side, then copied into one file.

Pieces lie in a hidden folder beside the file. One that is finished is kept, whatever ends the run: the next
run of the same work makes the others. The folder goes when the file is whole.
"""

from __future__ import annotations

import gc
import os
import pickle
import shutil
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import asdict
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline.errors import InputError, OutputError
from pipeline.media.aside import die_with_parent
from pipeline.media.compose.chunk import make_chunk
from pipeline.media.compose.join import join
from pipeline.media.mix.sound import encode_sound
from pipeline.media.tally import Surprise
from pipeline.steps.pieces import Workshop, described, identity_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from multiprocessing.sharedctypes import Synchronized
    from pathlib import Path

    from pipeline.layout.composite import Chunk, CompositePlan
    from pipeline.media.compose.artist import Artist
    from pipeline.media.remux import Remuxed
    from pipeline.sources.protocol import Source

POLL_SECONDS = 0.2
SOUND = "sound"


def compose(
    plan: CompositePlan,
    source: Source,
    artist: Artist,
    sink: BinaryIO,
    folder: Path,
    *,
    processes: int,
    progress: Callable[[int], None],
) -> Remuxed:
    """Make a composite.

    Args:
        plan: what it is.
        source: where its slices are.
        artist: draws what is not recorded.
        sink: an empty file that can be written, read and sought.
        folder: where its pieces are made, and those of an earlier run lie.
        processes: how many are made at once.
        progress: called now and then with input bytes, as many as `CompositePlan.reads` in all.

    Raises:
        CommandError: the encoder does not work here.
        InputError: a slice is not what its ends promised.
        OSError: a slice cannot be read or a file not written.
        OutputError: a piece was changed by somebody else.
        EOFError: a process was killed.
    """
    if plan.encoding is None:
        return encode_sound(plan, source.whole(*plan.reading), sink, progress, hashing=True)
    folder.mkdir(exist_ok=True)
    shop = Workshop(plan, source, artist, folder, identity_of(plan))
    names = names_of(plan)
    missing = [name for name in names if shop.told(name) is None]
    steps, there = _Steps(plan, progress), plan.frames - frames_of(plan, missing)
    steps.reach(there)
    try:
        for _ in _made(shop, missing, processes, lambda frames, _: steps.reach(there + frames)):
            pass
    except BaseException:
        _tidy(folder)
        raise
    told = {name: _told(shop, name) for name in names}
    pieces = [shop.file(name_of(chunk)) for chunk in plan.chunks]
    try:
        joined = join(plan, pieces, shop.file(SOUND) if plan.mix else None, sink)
    except ValueError as error:
        shutil.rmtree(folder)
        raise OutputError(f"{plan.file} cannot be put together ({error}): run again.") from error
    steps.reach(plan.frames)
    shutil.rmtree(folder)
    return described(plan, joined, [told[name_of(chunk)] for chunk in plan.chunks], told.get(SOUND))


def make_pieces(
    shop: Workshop, names: Sequence[str], *, processes: int, progress: Callable[[int], None]
) -> Generator[str]:
    """Make some pieces of a composite and no file of them; each is named when it is finished.

    Args:
        shop: where they are made.
        names: of `names_of`.
        processes: how many are made at once.
        progress: called often, with frames and input bytes of sound since the last call.

    Raises:
        CommandError: the encoder does not work here.
        InputError: a slice is not what its ends promised.
        OSError: a slice cannot be read or a file not written.
        EOFError: a process was killed.
    """
    told = 0

    def reach(frames: int, heard: int) -> None:
        nonlocal told
        progress(frames + heard - told)
        told = frames + heard

    yield from _made(shop, names, processes, reach)


def _tidy(folder: Path) -> None:
    """Only finished pieces stay of a run that ends early."""
    for path in folder.glob(".*"):
        path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()  # unless there are any


def name_of(chunk: Chunk) -> str:
    """Of a piece of the pictures."""
    return f"{chunk.number:05d}"


def names_of(plan: CompositePlan) -> list[str]:
    """Of all pieces; the sound first, which takes longest."""
    return [*((SOUND,) if plan.mix else ()), *map(name_of, plan.chunks)]


def frames_of(plan: CompositePlan, names: Sequence[str]) -> int:
    """How many frames pieces have together."""
    return sum(chunk.end - chunk.first for chunk in plan.chunks if name_of(chunk) in names)


def _told(shop: Workshop, name: str) -> dict[str, Any]:
    told = shop.told(name)
    if told is None:
        raise OutputError(f"{shop.file(name)} was removed or changed while others were made: run again.")
    return told


class _Steps:
    """Progress in frames, told as input bytes."""

    def __init__(self, plan: CompositePlan, progress: Callable[[int], None]) -> None:
        self._frames, self._bytes = max(1, plan.frames), plan.reads
        self._progress, self._told = progress, 0

    def reach(self, frames: int) -> None:
        """So many frames are made in all."""
        now = self._bytes * min(frames, self._frames) // self._frames
        self._progress(max(0, now - self._told))
        self._told = max(self._told, now)


def _made(
    shop: Workshop, names: Sequence[str], processes: int, tell: Callable[[int, int], None]
) -> Iterator[str]:
    """Make pieces, and name each that is finished; ``tell`` gets their frames and their bytes of sound."""
    context = get_context("fork")
    done, heard = context.Value("q", 0), context.Value("q", 0)
    if processes <= 1 or len(names) <= 1:
        _start(done, heard)
        for name in names:
            _piece(shop, name, lambda: tell(done.value, heard.value))
            yield name
        return
    pool = ProcessPoolExecutor(
        processes,
        mp_context=context,
        initializer=_start_apart,
        initargs=(done, heard, pickle.dumps(shop), os.getpid()),
    )
    try:
        flying = {pool.submit(_in_child, name): name for name in names}
        while flying:
            finished, _ = wait(flying, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            tell(done.value, heard.value)
            for future in finished:
                future.result()
                yield flying.pop(future)
    except BrokenProcessPool as error:
        raise EOFError from error
    except BaseException:
        for process in list(pool._processes.values()):  # noqa: SLF001 - the pool has no way to stop a running task
            process.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_done: Synchronized[int] | None = None
_heard: Synchronized[int] | None = None
_shop: Workshop | None = None


def _start(done: Synchronized[int], heard: Synchronized[int]) -> None:
    global _done, _heard
    _done, _heard = done, heard


def _start_apart(done: Synchronized[int], heard: Synchronized[int], shop: bytes, parent: int) -> None:
    global _shop  # noqa: PLW0603 - as above; with every piece the plan of all slices would be pickled anew
    _shop = pickle.loads(shop)  # noqa: S301 - it is from the process that began this one
    _start(done, heard)
    die_with_parent(parent)
    gc.enable()  # frames of PyAV form cycles


def _in_child(name: str) -> None:
    if _shop is None:
        raise AssertionError(name)
    _piece(_shop, name)


def _piece(shop: Workshop, name: str, tell: Callable[[], None] = lambda: None) -> None:
    """Make one piece, in whatever process."""
    made = shop.folder / f".{name}.part"

    def advance(count: int) -> None:
        counter = _heard if name == SOUND else _done
        if counter is not None:
            with counter.get_lock():
                counter.value += count
        tell()

    try:
        with made.open("w+b") as sink:
            if name == SOUND:
                told = _sound(shop, sink, advance)
            else:
                told = _pictures(shop, shop.plan.chunks[int(name)], sink, advance)
    except Surprise as surprise:
        raise InputError(f"{shop.plan.file} cannot be composed: {surprise}.") from surprise
    shop.finish(name, made, told)


def _sound(shop: Workshop, sink: BinaryIO, advance: Callable[[int], None]) -> dict[str, Any]:
    plan = shop.plan
    tracks = [[p.piece.key for run in s.audio.runs for p in run.placed] for s in plan.speakers]
    made = encode_sound(plan, shop.source.whole(*tracks), sink, advance, hashing=True)
    return {"track": asdict(made.tracks[0]), "entries": [asdict(entry) for entry in made.entries]}


def _pictures(shop: Workshop, chunk: Chunk, sink: BinaryIO, advance: Callable[[int], None]) -> dict[str, Any]:
    plan = shop.plan
    start, end = plan.utc(chunk.first), plan.utc(chunk.end)
    tracks = [
        [p.piece.key for run in tile.video.runs for p in run.placed if p.at < end and p.end >= start]
        for tile in plan.tiles
    ]
    opened = shop.source.whole(*tracks)
    decoded = make_chunk(plan, chunk, shop.artist, opened, sink, progress=advance)
    return {"decoded": [asdict(each) for each in decoded]}

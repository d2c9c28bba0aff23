"""Compose: the sound and the pieces of pictures of a composite made side by side, then copied into one file.

Pieces lie in a hidden folder beside the file. One that is finished is kept, whatever ends the run: the next
run of the same work makes the others. The folder goes when the file is whole.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import pickle
import shutil
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline import __version__
from pipeline.errors import InputError, OutputError
from pipeline.media.aside import die_with_parent
from pipeline.media.compose.chunk import Decoded, make_chunk
from pipeline.media.compose.join import join
from pipeline.media.mix.sound import encode_sound
from pipeline.media.remux import Remuxed
from pipeline.media.tally import UNDECODED, Surprise, fits
from pipeline.model import ticks
from pipeline.model.ledger import Entry, Sort
from pipeline.model.manifest import Dropped, OutputTrack, Span, Transcoded, track_of
from pipeline.model.slices import Medium
from pipeline.steps.props import contents

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.sharedctypes import Synchronized
    from pathlib import Path

    from pipeline.layout.composite import Chunk, CompositePlan
    from pipeline.media.compose.artist import Artist
    from pipeline.media.compose.join import Joined
    from pipeline.sources.protocol import Source

POLL_SECONDS = 0.2
SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where the pieces of a composite are made.

    Attributes:
        plan: the composite.
        source: where its slices are.
        artist: draws what is not recorded.
        folder: of the pieces.
        identity: of the work, as `identity_of` tells it.
    """

    plan: CompositePlan
    source: Source
    artist: Artist
    folder: Path
    identity: str

    def file(self, name: str) -> Path:
        """A finished piece."""
        return self.folder / f"{name}.mp4"

    def told(self, name: str) -> dict[str, Any] | None:
        """What was noted of a piece when it was finished; None where it is not."""
        try:
            told = json.loads((self.folder / f"{name}.json").read_text("utf-8"))
            with self.file(name).open("rb") as file:
                same = hashlib.file_digest(file, "sha256").hexdigest() == told["sha256"]
        except (OSError, ValueError, KeyError):
            return None
        return told if same and told["of"] == self.identity else None

    def finish(self, name: str, made: Path, told: dict[str, Any]) -> None:
        """Give a piece its name; its note is written last."""
        with made.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        made.replace(self.file(name))
        note = self.folder / f".{name}.json"
        note.write_text(json.dumps({**told, "of": self.identity, "sha256": digest}), "utf-8")
        note.replace(self.folder / f"{name}.json")


def identity_of(plan: CompositePlan) -> str:
    """The same for the same work only: the plan, what its images and fonts hold, and what makes it.

    Long for a long call, whose plan has all its slices: it is asked for once.
    """
    digest = hashlib.sha256(repr(plan).encode("utf-8", "surrogatepass"))
    digest.update(f"recpipe {__version__}, PyAV {version('av')}".encode())
    digest.update(contents([*(path for _, path in plan.files), *plan.fonts]).encode())
    return digest.hexdigest()


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
    names = [*((SOUND,) if plan.mix else ()), *(_name(chunk) for chunk in plan.chunks)]
    missing = [name for name in names if shop.told(name) is None]
    steps = _Steps(plan, progress)
    steps.reach(sum(chunk.end - chunk.first for chunk in plan.chunks if _name(chunk) not in missing))
    try:
        _make(shop, missing, steps, processes)
    except BaseException:
        _tidy(folder)
        raise
    told = {name: _told(shop, name) for name in names}
    pieces = [shop.file(_name(chunk)) for chunk in plan.chunks]
    joined = join(plan, pieces, shop.file(SOUND) if plan.mix else None, sink)
    steps.reach(plan.frames)
    shutil.rmtree(folder)
    return _remuxed(plan, joined, [told[_name(chunk)] for chunk in plan.chunks], told.get(SOUND))


def _tidy(folder: Path) -> None:
    """Only finished pieces stay of a run that ends early."""
    for path in folder.glob(".*"):
        path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()  # unless there are any


def _name(chunk: Chunk) -> str:
    return f"{chunk.number:05d}"


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


def _make(shop: Workshop, names: Sequence[str], steps: _Steps, processes: int) -> None:
    """Make pieces; the sound first, which takes longest."""
    done = get_context("fork").Value("q", shop.plan.frames - _frames_of(shop, names))
    if processes <= 1 or len(names) <= 1:
        _start(done)
        for name in names:
            _piece(shop, name, lambda: steps.reach(done.value))
        return
    context = get_context("fork")
    pool = ProcessPoolExecutor(
        processes,
        mp_context=context,
        initializer=_start_apart,
        initargs=(done, pickle.dumps(shop), os.getpid()),
    )
    try:
        waiting = {pool.submit(_in_child, name) for name in names}
        while waiting:
            finished, waiting = wait(waiting, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            steps.reach(done.value)
            for future in finished:
                future.result()
    except BrokenProcessPool as error:
        raise EOFError from error
    except BaseException:
        for process in list(pool._processes.values()):  # noqa: SLF001 - the pool has no way to stop a running task
            process.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _frames_of(shop: Workshop, names: Sequence[str]) -> int:
    return sum(chunk.end - chunk.first for chunk in shop.plan.chunks if _name(chunk) in names)


_done: Synchronized[int] | None = None
_shop: Workshop | None = None


def _start(done: Synchronized[int]) -> None:
    global _done  # noqa: PLW0603 - what a pool hands to its processes once
    _done = done


def _start_apart(done: Synchronized[int], shop: bytes, parent: int) -> None:
    global _shop  # noqa: PLW0603 - as above; with every piece the plan of all slices would be pickled anew
    _shop = pickle.loads(shop)  # noqa: S301 - it is from the process that began this one
    _start(done)
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
        if _done is not None:
            with _done.get_lock():
                _done.value += count
        tell()

    try:
        with made.open("w+b") as sink:
            if name == SOUND:
                told = _sound(shop, sink)
            else:
                told = _pictures(shop, shop.plan.chunks[int(name)], sink, advance)
    except Surprise as surprise:
        raise InputError(f"{shop.plan.file} cannot be composed: {surprise}.") from surprise
    shop.finish(name, made, told)


def _sound(shop: Workshop, sink: BinaryIO) -> dict[str, Any]:
    plan = shop.plan
    tracks = [[p.piece.key for run in s.audio.runs for p in run.placed] for s in plan.speakers]
    made = encode_sound(plan, shop.source.whole(*tracks), sink, lambda _: None, hashing=True)
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


def _remuxed(
    plan: CompositePlan, joined: Joined, told: Sequence[dict[str, Any]], sound: dict[str, Any] | None
) -> Remuxed:
    decoded = [Decoded(**each) for piece in told for each in piece["decoded"]]
    packets = sum(each.packets for each in decoded)
    lost = sum(each.undecoded for each in decoded)
    dropped = (Dropped(UNDECODED, lost),) if lost else ()
    video = OutputTrack(
        medium=Medium.VIDEO,
        codec=str(plan.encoding.codec) if plan.encoding else "",
        timescale=ticks.TICKS,
        packets_in=packets,
        packets_out=0,
        inserted=0,
        dropped=dropped,
        payload_sha256=joined.pictures,
        spans=_spans(plan, packets - lost),
        fills=(),
        clocks=tuple(fit for tile in plan.tiles for fit in fits(tile.video)),
        end=plan.duration,
        width=plan.canvas.width,
        height=plan.canvas.height,
        transcoded=Transcoded(packets - lost, joined.frames, ()),
    )
    tracks: tuple[OutputTrack, ...] = (video,)
    entries = tuple(_entries(plan, decoded))
    if sound is not None:
        tracks = (*tracks, track_of(sound["track"]))
        entries = (*entries, *map(_entry, sound["entries"]))
    return Remuxed(tracks, entries, plan.duration)


def _entry(document: dict[str, Any]) -> Entry:
    return Entry(**{**document, "sort": Sort(document["sort"])})


def _spans(plan: CompositePlan, packets: int) -> tuple[Span, ...]:
    """The pieces, so that both sides of each join are decoded; what was decoded counts in the first."""
    ends = [*(plan.at(chunk.first) for chunk in plan.chunks[1:]), plan.duration]
    return tuple(
        Span(
            ticks.to_ms(plan.utc(chunk.first)),
            plan.at(chunk.first),
            end,
            chunk.first,
            0 if chunk.number else packets,
            "a piece of the composite",
        )
        for chunk, end in zip(plan.chunks, ends, strict=True)
    )


def _entries(plan: CompositePlan, decoded: Sequence[Decoded]) -> list[Entry]:
    """What could not be decoded, a line for each stream."""
    lost: Counter[tuple[str, str]] = Counter()
    keys: dict[tuple[str, str], str] = {}
    for each in decoded:
        if each.undecoded:
            lost[each.uid, each.source] += each.undecoded
            keys[each.uid, each.source] = each.key
    entry = Entry(Sort.LOSS, "", start_ms=ticks.to_ms(plan.zero), track=Medium.VIDEO)
    return [
        replace(
            entry,
            what=f"{many} pictures could not be decoded; the one before is shown",
            uid=uid,
            key=keys[uid, source],
        )
        for (uid, source), many in sorted(lost.items())
    ]

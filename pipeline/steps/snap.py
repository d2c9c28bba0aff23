"""Snap: take the pictures of a reel, check each, and put them where they go; several reels at once."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

from pipeline.drawing.encoded import jpeg, png
from pipeline.errors import InputError, OutputError
from pipeline.media.reopen_picture import picture_facts
from pipeline.media.stills.run import RunStills
from pipeline.media.tally import Surprise
from pipeline.model import ticks
from pipeline.model.ledger import Entry, Sort
from pipeline.model.manifest import Picture
from pipeline.model.options import Verify
from pipeline.model.slices import Medium
from pipeline.model.snapshots import Format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.drawing.sheet import Sheet
    from pipeline.media.stills.decode import Still, Taken
    from pipeline.model.snapshots import Reel, Shot, SnapshotOptions
    from pipeline.sources.protocol import Source
    from pipeline.steps.place import Keeper


@dataclass(frozen=True, slots=True)
class Snapped:
    """What came of a reel."""

    pictures: tuple[Picture, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Snap:
    """Takes reels; it can be handed to another process.

    Attributes:
        source: where the slices are.
        keep: puts the pictures where they go.
        options: what was asked for.
    """

    source: Source
    keep: Keeper
    options: SnapshotOptions

    def __call__(self, output: Reel, progress: Callable[[int], None], *, processes: int) -> Snapped:  # noqa: ARG002 - one process a reel
        """Take one.

        Raises:
            InputError: a slice cannot be read.
            OutputError: a picture does not decode after it was made, or the place cannot be written.
            NoSpaceError: the disk is full.
            StorageError: the store does not do what it is asked.
        """
        if self.keep.at_once == 1:
            return _Snapping(self, output, progress).all()
        with ThreadPoolExecutor(self.keep.at_once) as pool:
            return _Snapping(self, output, progress, pool).all()


@dataclass(slots=True)
class _Snapping:
    """One reel while it is taken."""

    snap: Snap
    reel: Reel
    progress: Callable[[int], None]
    pool: ThreadPoolExecutor | None = None
    read: int = 0
    pictures: list[Picture] = field(default_factory=list)
    leaving: deque[tuple[int, Future[str]]] = field(default_factory=deque)
    entries: list[Entry] = field(default_factory=list)
    made: tuple[Still, bytes] | None = None
    why: str = "it cannot be decoded"

    def all(self) -> Snapped:
        sheet = self._sheet()
        missed: list[int] = []
        for shot, taken in self._taken():
            if taken is None or taken.still is None:
                missed.append(ticks.to_ms(shot.at))
                if sheet is not None:
                    sheet.leave(f"{_time(shot.at)} none")
                continue
            still = taken.still
            self._put(shot.file, self._encoded(still), (shot.at, taken.since), (still.width, still.height))
            if sheet is not None:
                sheet.add(still.pixels, still.width, still.height, _time(shot.at))
        if sheet is not None and self.pictures:
            first, count = ticks.from_ms(self.pictures[0].utc_ms), len(self.pictures)
            size = sheet.width, sheet.height
            self._put(self.reel.sheet, sheet.jpeg(), (first, first), size, stills=count)
        if missed:
            self._lost(missed)
        self._arrive(0)
        self.progress(max(0, self.reel.reads - self.read))
        return Snapped(tuple(self.pictures), tuple(self.entries))

    def _sheet(self) -> Sheet | None:
        if not self.reel.sheet:
            return None
        from pipeline.drawing.sheet import Sheet  # with fonts, which pictures alone do not need

        return Sheet(len(self.reel.shots))

    def _taken(self) -> Iterator[tuple[Shot, Taken | None]]:
        """Every shot in its order with what was taken; None where its slices cannot be read on."""
        opened = self.snap.source.whole(self.reel.reading)
        options = self.snap.options
        nearest = ticks.from_ms(options.nearest_ms)
        for number, group in groupby(self.reel.shots, key=lambda shot: shot.run):
            run, left = self.reel.track.runs[number], deque(group)
            stills = RunStills(run, opened, nearest, options.width, self._advance)
            try:
                for taken in stills.take([shot.seen for shot in left]):
                    yield left.popleft(), taken
            except Surprise as surprise:
                self.why = str(surprise)
            except OSError as error:
                key = error.filename or run.placed[0].piece.key
                raise InputError(
                    f"{key} cannot be read ({error.strerror}): make it readable and run again."
                ) from error
            yield from ((shot, None) for shot in left)

    def _advance(self, count: int) -> None:
        self.read += count
        self.progress(count)

    def _encoded(self, still: Still) -> bytes:
        """The file of a picture; made once for moments that show the same."""
        if self.made is None or self.made[0] is not still:
            options = self.snap.options
            if options.format is Format.PNG:
                data = png(still.pixels, still.width, still.height)
            else:
                data = jpeg(still.pixels, still.width, still.height, options.quality)
            self.made = still, data
        return self.made[1]

    def _put(
        self, file: str, data: bytes, when: tuple[int, int], size: tuple[int, int], *, stills: int = 0
    ) -> None:
        """Check a file and put it where it goes; ``when`` it was asked for and is shown from."""
        checked = self.snap.options.verify is Verify.FULL
        if checked:
            _check(file, data, size)
        digest = hashlib.sha256(data).hexdigest()
        etag = ""
        if self.pool is None:
            etag = self.snap.keep(file, data, digest)
        else:
            going = self.pool.submit(self.snap.keep, file, data, digest)
            self.leaving.append((len(self.pictures), going))
            self._arrive(2 * self.snap.keep.at_once)
        picture = Picture(
            file=file,
            uid=self.reel.uid,
            source=self.reel.source,
            utc_ms=ticks.to_ms(when[0]),
            shown_ms=ticks.to_ms(when[1]),
            size=len(data),
            sha256=digest,
            width=size[0],
            height=size[1],
            stills=stills,
            checked=checked,
            etag=etag,
        )
        self.pictures.append(picture)

    def _arrive(self, most: int) -> None:
        """Wait until no more than so many pictures are on their way."""
        while len(self.leaving) > most:
            number, going = self.leaving.popleft()
            self.pictures[number] = replace(self.pictures[number], etag=going.result())

    def _lost(self, missed: list[int]) -> None:
        what = f"no picture at {len(missed)} of the moments ({self.why})"
        self.entries.append(Entry(Sort.LOSS, what, self.reel.uid, Medium.VIDEO, missed[0], missed[-1]))


def _check(file: str, data: bytes, size: tuple[int, int]) -> None:
    try:
        found = picture_facts(data)
    except ValueError as error:
        raise OutputError(f"{file} was made and {error}: run again.") from error
    if found != size:
        raise OutputError(
            f"{file} was made and has {found[0]}x{found[1]} pixels of {size[0]}x{size[1]}: run again."
        )


def _time(at: int) -> str:
    """The time of day of UTC ticks, milliseconds where there are any."""
    return ticks.clock(at).removesuffix(".000")

"""Stream: make an output into a store while its slices arrive, and verify what came to be there.

What is so small that it leaves whole is verified before. The rest is reopened where it lies: its tables, and
its joins by decoding them; that its bytes are those which left is told by the store, or by reading them back.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from pipeline.errors import CorruptError
from pipeline.media.output import make
from pipeline.media.tally import Surprise
from pipeline.model.manifest import Part
from pipeline.model.options import Verify
from pipeline.sources.ranges import RangeFile
from pipeline.steps.render import Rendered, blame, describe, killed, uncollected
from pipeline.steps.verify import verify_movie
from pipeline.storage.leaving import ROOM, Leaving
from pipeline.storage.part_sizes import Sizes
from pipeline.storage.protocol import Stat

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.media.remux import Remuxed
    from pipeline.model.plan import OutputPlan
    from pipeline.sources.protocol import Source
    from pipeline.storage.leaving import Sent
    from pipeline.storage.protocol import Extras, Store

STEP = 8 << 20
"""Bytes that are read back at a time."""


@dataclass(frozen=True, slots=True)
class IntoStore:
    """Makes and verifies outputs as they leave for a store.

    Attributes:
        source: where the slices are.
        store: their place; a key is a file's name.
        level: how much is verified.
        sharing: how many outputs leave at once; what each has on its way is less.
    """

    source: Source
    store: Store
    level: Verify
    sharing: int = 1

    def stream(
        self, output: OutputPlan, extras: Extras, progress: Callable[[int], None], *, processes: int
    ) -> Rendered:
        """Make and verify an output that can leave while it is made; nothing is left of one that fails.

        Raises:
            StorageError: either store does not do what it is asked.
            CorruptError: other bytes are there than left.
            InputError: a slice cannot be read.
        """
        try:
            with self._leaving(output, extras) as leaving:
                made = self._made(output, leaving, progress, processes)
                if leaving.whole is not None:
                    return self._put(output, made, leaving, leaving.whole)
                sent = leaving.finish()
            return self._checked(output, made, sent)
        except Surprise as surprise:
            return Rendered(None, (), str(surprise))
        except EOFError as error:
            raise killed() from error
        except OSError as error:
            raise blame(error, Path(output.file)) from error

    def _leaving(self, output: OutputPlan, extras: Extras) -> Leaving:
        sizes, room = Sizes.within(self.store.parts), ROOM // self.sharing
        return Leaving(self.store, output.file, extras, sizes=sizes, room=room)

    def _made(
        self, output: OutputPlan, leaving: Leaving, progress: Callable[[int], None], processes: int
    ) -> Remuxed:
        whole, hashing = self.source.whole(*output.reading), self.level is not Verify.OFF
        with uncollected():
            return make(output, whole, leaving, BytesIO, progress, processes=processes, hashing=hashing)

    def _put(self, output: OutputPlan, made: Remuxed, leaving: Leaving, data: bytes) -> Rendered:
        """A file that is in memory is verified there, and leaves if it is good."""
        described = describe(output, made)
        verdict, _ = verify_movie(lambda: BytesIO(data), len(data), described, self.level, whole=True)
        digest = hashlib.sha256(data).hexdigest()
        told = replace(described, size=len(data), sha256=digest, verdict=verdict)
        if verdict.good:
            sent = leaving.finish()
            told = replace(told, etag=self._confirmed(output.file, sent), parts=parts_of(sent))
        return Rendered(told, made.entries)

    def _checked(self, output: OutputPlan, made: Remuxed, sent: Sent) -> Rendered:
        """A file that left in parts is verified where it lies, and removed where it is not good."""
        etag = self._confirmed(output.file, sent)
        described, there = describe(output, made), Stat(output.file, sent.size, etag)
        verdict, _ = verify_movie(
            lambda: cast("BinaryIO", RangeFile(self.store, there)),
            sent.size,
            described,
            self.level,
            whole=False,
        )
        if not verdict.good:
            self.store.delete(output.file)
        told = replace(described, size=sent.size, etag=etag, parts=parts_of(sent), verdict=verdict)
        return Rendered(told, made.entries)

    def _confirmed(self, file: str, sent: Sent) -> str:
        """The ETag of what is there; what differs from what left is removed. Raises CorruptError."""
        try:
            return _confirmed(self.store, sent, file)
        except CorruptError:
            self.store.delete(file)
            raise


def parts_of(sent: Sent) -> tuple[Part, ...]:
    """What the manifest tells of the parts in which a file went."""
    return tuple(Part(size, md5) for size, md5 in zip(sent.sizes, sent.md5s, strict=True))


def _confirmed(store: Store, sent: Sent, file: str) -> str:
    """The ETag of what is there.

    Raises:
        CorruptError: it is not what left.
    """
    there = store.stat(file)
    if there.size != sent.size:
        raise CorruptError(f"{file} has {there.size} bytes of {sent.size} in the store: run again.")
    if sent.vouched:  # rclone tells another ETag from then on
        return there.etag
    start = 0
    for number, (size, md5) in enumerate(zip(sent.sizes, sent.md5s, strict=True), 1):
        if _md5_of(store, file, start, size) != md5:
            raise CorruptError(f"part {number} of {file} has other bytes in the store than left: run again.")
        start += size
    return there.etag


def _md5_of(store: Store, file: str, start: int, size: int) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for at in range(start, start + size, STEP):
        digest.update(store.get_range(file, at, min(STEP, start + size - at)).data)
    return digest.hexdigest()

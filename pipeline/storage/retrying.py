"""Trying again what may pass by itself: the only place that does, and a store that does it.

How often is bounded by time in all, not by a count; a Retry-After is kept, and a wait that would end after
that time is not begun.
"""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import stamina

from pipeline.errors import ConditionError, NotifyError, ObjectMissingError, StorageError
from pipeline.storage.etags import whole_etag
from pipeline.storage.passing import Passing
from pipeline.storage.protocol import ALWAYS, PLAIN, Extras, Got, Stat, Store, Unless, Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline.storage.profile import Parts

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try.

    Attributes:
        seconds: in all, for one call.
        first: the first wait, doubled from then on, with as much again by chance.
        longest: the longest wait that the store did not ask for.
    """

    seconds: float = 120.0
    first: float = 0.2
    longest: float = 15.0


STEP = 8 << 20
"""Bytes that are read back at a time."""
PAGE = 1000
"""Keys of a listing that are asked for again together: those of an answer (Amazon S3 API, ListObjectsV2)."""
PATIENT = Patience()
# Without a handler of its own, its warnings would be printed by logging's last resort.
logging.getLogger("stamina").addHandler(logging.NullHandler())


log = logging.getLogger("recpipe.retrying")
"""Told now and then what is tried again, and for how long; the commands print it."""
log.addHandler(logging.NullHandler())


class Notices:
    """When it is time to tell that something is tried again: once it takes long, and then now and then.

    One for all calls of a store: sixteen threads that wait for it are no sixteen pieces of news.
    """

    FIRST, NEXT = 3.0, 30.0
    """Seconds of trying before the first notice, and between two; the waits are short before, long behind."""

    def __init__(self) -> None:
        self._last: float | None = None

    def tell(self, error: Exception, tried: float, left: float, now: float) -> None:
        """A call failed that is tried again.

        Args:
            error: of it.
            tried: seconds since it was first made.
            left: seconds for which it is tried again.
            now: the clock.
        """
        early = tried < self.FIRST
        if early or left <= 0 or (self._last is not None and now - self._last < self.NEXT):
            return
        self._last = now
        said = str(error).removesuffix(".").removesuffix(": run again later").removesuffix(": run again")
        log.warning("%s; it is tried again for %.0f s more.", said, left)


def again(
    call: Callable[[], T],
    patience: Patience = PATIENT,
    clock: Callable[[], float] = time.monotonic,
    notices: Notices | None = None,
) -> T:
    """The result of a call that may be made any number of times; at last, the error of the last one.

    Args:
        call: may raise a retryable error of a store or a receiver, whose ``after`` says how many seconds the
            other side asks to wait.
        patience: how long to try.
        clock: seconds that only rise.
        notices: shared by calls that fail together; None for its own.
    """
    started, limit, notices = clock(), patience.seconds, notices or Notices()

    def worth_it(error: Exception) -> bool | float:
        if not isinstance(error, StorageError | NotifyError) or not error.retryable:
            return False
        after: float | None = getattr(error, "after", None)
        now = clock()
        if after and now - started + after > limit:
            return False
        notices.tell(error, now - started, limit - (now - started), now)
        return after or True  # "at once" is no reason to ask thousands of times a minute

    for attempt in stamina.retry_context(
        on=worth_it,
        attempts=None,
        timeout=limit,
        wait_initial=patience.first,
        wait_max=patience.longest,
        wait_jitter=patience.first,
    ):
        with attempt:
            return call()
    raise AssertionError("the last attempt gave neither a result nor an error")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of Retry-After, which is a number or a date (RFC 9110 10.2.3); None where nothing is asked.

    Args:
        headers: of an answer, names in small letters.
    """
    text = headers.get("retry-after", "")
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, TypeError):  # a date without a zone cannot be compared
        return None
    return max(0.0, wait.total_seconds())


class Retrying:
    """Any store, with patience.

    Args:
        store: what may fail.
        patience: how long to try.
        clock: seconds that only rise.
    """

    def __init__(
        self, store: Store, patience: Patience = PATIENT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._patience = patience
        self._clock = clock
        self._notices = Notices()

    def __repr__(self) -> str:
        return f"Retrying({self._store!r})"

    def again(self, call: Callable[[], T]) -> T:
        """The result of a call that may be made any number of times."""
        return again(call, self._patience, self._clock, self._notices)

    @property
    def parts(self) -> Parts:
        """As `Writes.parts`."""
        return self._store.parts

    def list(self, prefix: str, after: str = "") -> Iterator[Stat]:
        """As `Lists.list`; what failed in the middle goes on behind the last key that came."""
        left: Iterator[Stat] | None = None

        def some() -> list[Stat]:
            nonlocal left
            left = left or self._store.list(prefix, after)
            try:
                return list(islice(left, PAGE))
            except StorageError:
                left = None
                raise

        while found := self.again(some):
            yield from found
            after = found[-1].key

    def stat(self, key: str) -> Stat:
        """As `Reads.stat`."""
        return self.again(lambda: self._store.stat(key))

    def get(self, key: str) -> Got:
        """As `Reads.get`."""
        return self.again(lambda: self._store.get(key))

    def get_range(self, key: str, start: int, length: int) -> Got:
        """As `Reads.get_range`."""
        return self.again(lambda: self._store.get_range(key, start, length))

    def put(self, key: str, data: bytes, extras: Extras = PLAIN, unless: Unless = ALWAYS) -> Stat:
        """As `Writes.put`; a refusal after an answer that was lost may only mean that the write was done."""
        tried = False

        def write() -> Stat:
            nonlocal tried
            try:
                return self._store.put(key, data, extras, unless)
            except ConditionError:
                if tried and (there := self._mine(key, data)) is not None:
                    return there
                raise
            finally:
                tried = True

        return self.again(write)

    def _mine(self, key: str, data: bytes) -> Stat | None:
        """What is there, if these are its bytes."""
        try:
            got = self._store.get(key)
        except ObjectMissingError:
            return None
        return got.stat if got.data == data else None

    def delete(self, key: str) -> None:
        """As `Writes.delete`."""
        self.again(lambda: self._store.delete(key))

    def upload(self, key: str, extras: Extras = PLAIN) -> RetryingUpload:
        """As `Writes.upload`; an answer that was lost may leave an upload without parts behind."""
        return RetryingUpload(self, self.again(lambda: self._store.upload(key, extras)), key)

    def abort(self, key: str, upload: str) -> None:
        """As `Writes.abort`."""
        self.again(lambda: self._store.abort(key, upload))

    def uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """As `Writes.uploads`."""
        return iter(self.again(lambda: list(self._store.uploads(prefix))))


class _Part(NamedTuple):
    size: int
    etag: str
    md5: str


class RetryingUpload(Passing):
    """An upload, with the patience of its store."""

    def __init__(self, store: Retrying, upload: Upload, key: str) -> None:
        super().__init__(upload)
        self._store = store
        self._key = key
        self._parts: dict[int, _Part] = {}

    def part(self, number: int, data: bytes) -> str:
        """As `Upload.part`."""
        etag = self._store.again(lambda: self._upload.part(number, data))
        md5 = etag if self.md5 else hashlib.md5(data, usedforsecurity=False).hexdigest()
        self._parts[number] = _Part(len(data), etag, md5)
        return etag

    def complete(self) -> Stat:
        """As `Upload.complete`; an upload that is gone after an answer was lost may be the object by now."""
        tried = False

        def finish() -> Stat:
            nonlocal tried
            try:
                return self._upload.complete()
            except ObjectMissingError:
                if tried and (there := self._done()) is not None:
                    return there
                raise
            finally:
                tried = True

        return self._store.again(finish)

    def _done(self) -> Stat | None:
        """The object, if it was made of these parts."""
        try:
            there = self._store.stat(self._key)
        except ObjectMissingError:
            return None
        if there.size != sum(part.size for part in self._parts.values()):
            return None
        vouched = there.etag == whole_etag({number: part.etag for number, part in self._parts.items()})
        return there if vouched or self._reads_back() else None

    def _reads_back(self) -> bool:
        """Whether the object's bytes are those of the parts: many stores' ETags do not tell."""
        start = 0
        for _, part in sorted(self._parts.items()):
            digest = hashlib.md5(usedforsecurity=False)
            for at in range(start, start + part.size, STEP):
                length = min(STEP, start + part.size - at)
                digest.update(self._store.get_range(self._key, at, length).data)
            if digest.hexdigest() != part.md5:
                return False
            start += part.size
        return True

    def abort(self) -> None:
        """As `Upload.abort`."""
        self._store.again(self._upload.abort)

"""Taking a job, keeping it while its work moves, letting it go: in a store by a record, on disk by a lock.

A store without conditional writes may let two runners write at once. Each reads its token again before a
visible act, and all acts are harmless twice, so that the one that wrote last goes on and the other stops.

A record whose time is over proves nothing, though the token in it is ours: we may have stood still between
our look at it and our writing, while another took the job, did it and let it go. The time in a record is
counted from before that look, and it is renewed so often that a record that was written so late is over.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from pipeline.errors import ConditionError, ObjectMissingError, OwnedError, StorageError
from pipeline.journal.here import is_alive, this_runner
from pipeline.journal.owner import LEASE_MS, Owner, may_take, owner_of
from pipeline.storage.protocol import Extras, Unless

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.storage.protocol import Stat, Store

TRIES = 3
"""To take a job that others take and let go at the same moment."""
RENEWALS = 6
"""In the time of a lease: one in `MARGIN_MS`, so that none that came late lasts beyond another's taking."""
LOOKS, PAUSE_S = 10, 0.5
"""Of a fork of the process that took the job, until that one has renewed the record."""
_JSON = Extras("application/json")


class Lease(Protocol):
    """A job that is this runner's."""

    @property
    def held(self) -> bool:
        """It was not let go."""
        ...

    def check(self) -> None:
        """Before a visible act. Raises OwnedError where another run has the job by now."""
        ...

    def beat(self) -> None:
        """The work moves: to be called often; asks for something now and then. Raises as `check`."""
        ...

    def release(self) -> None:
        """Let it go; harmless where it is another's."""
        ...


class StoreLease:
    """By a record in a store.

    Args:
        store: where.
        key: of the record.
        now: UTC ms.
    """

    def __init__(self, store: Store, key: str, now: Callable[[], int]) -> None:
        self._store = store
        self._key = key
        self._now = now
        self._token = uuid4().hex
        self._keeper = os.getpid()
        self._late = False
        self._stat = self._taken()
        self._held = True
        self._told = time.monotonic()

    @property
    def held(self) -> bool:
        """As `Lease.held`."""
        return self._held

    def _taken(self) -> Stat:
        """The record written, for the first time or in another's place. Raises OwnedError."""
        for _ in range(TRIES):
            with suppress(ConditionError):
                return self._written(Unless(exists=True))
            try:
                got = self._store.get(self._key)
            except ObjectMissingError:
                continue
            self._refuse_live(owner_of(got.data))
            with suppress(ConditionError):
                return self._written(Unless(changed_from=got.stat.etag))
        raise OwnedError(f"{self._key} is taken by others again and again: run again later.")

    def _refuse_live(self, owner: Owner | None) -> None:
        me = this_runner()
        alive = is_alive(owner.runner) if owner and owner.runner.beside(me) else None
        if owner and not may_take(owner, me, alive=alive, now_ms=self._now()):
            until = datetime.fromtimestamp(owner.until_ms / 1000, UTC)
            raise OwnedError(
                f"another recpipe works on this job (process {owner.runner.pid} on {owner.runner.host}): "
                f"run again when it has ended, or after {until:%H:%M:%S} UTC if it was killed."
            )

    def _written(self, unless: Unless) -> Stat:
        owner = Owner(this_runner(), self._token, self._now() + LEASE_MS)
        self._store.put(self._key, owner.to_json(), _JSON, unless)
        return self._valid()  # two that wrote at once both learn whose it is

    def _valid(self) -> Stat:
        """Of the record that was just written. Raises OwnedError where it came too late."""
        stat = self._ours()
        if stat is None:
            self._late = True
            self.release()
            raise _stood_still()
        return stat

    def _ours(self) -> Stat | None:
        """Of the record; None where its time is over. Raises OwnedError where it is another's."""
        if self._late:
            raise _stood_still()
        try:
            got = self._store.get(self._key)
        except ObjectMissingError:
            got = None
        owner = owner_of(got.data) if got else None
        if got is None or owner is None or owner.token != self._token:
            by = f" (process {owner.runner.pid} on {owner.runner.host})" if owner else ""
            raise OwnedError(
                f"another recpipe has taken this job over{by}: this run stops, let that one end."
            )
        return got.stat if self._now() <= owner.until_ms else None

    def check(self) -> None:
        """As `Lease.check`; one whose time is over is renewed first, by the process that took the job."""
        looks = 0
        while self._ours() is None:
            if os.getpid() == self._keeper:
                self._renew()
                return
            looks += 1
            if looks == LOOKS:
                raise _stood_still()
            time.sleep(PAUSE_S)

    def beat(self) -> None:
        """As `Lease.beat`."""
        if time.monotonic() - self._told >= LEASE_MS / 1000 / RENEWALS:
            self._renew()

    def _renew(self) -> None:
        try:
            self._stat = self._written(Unless(changed_from=self._stat.etag))
        except (ConditionError, ObjectMissingError):  # the latter where it is gone (Amazon S3, If-Match)
            self._stat = self._valid()  # another thread was sooner
        self._told = time.monotonic()

    def release(self) -> None:
        """As `Lease.release`."""
        self._held = False
        with suppress(OwnedError, ObjectMissingError):
            owner = owner_of(self._store.get(self._key).data)
            if owner is not None and owner.token == self._token:
                self._store.delete(self._key)


def _stood_still() -> OwnedError:
    return OwnedError(
        "another recpipe may have taken this job over while this run stood still: this run stops, run again."
    )


class FolderLease:
    """By a lock of the operating system, which ends with the process.

    Args:
        path: of a file for it, removed at the end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = self._locked()

    @property
    def held(self) -> bool:
        """As `Lease.held`."""
        return self._descriptor >= 0

    def _locked(self) -> int:
        while True:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                raise OwnedError(
                    f"another recpipe works on the job of {self._path.parent}: run again when it has ended."
                ) from None
            except OSError as error:
                os.close(descriptor)
                raise StorageError(f"{self._path} cannot be locked ({error.strerror}).") from error
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), self._path.stat()):
                    return descriptor
            os.close(descriptor)  # its owner removed it before we had the lock

    def check(self) -> None:
        """As `Lease.check`: the lock is ours until we let it go."""

    def beat(self) -> None:
        """As `Lease.beat`."""

    def release(self) -> None:
        """As `Lease.release`."""
        if self._descriptor >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1

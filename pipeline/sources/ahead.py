"""Objects fetched by several threads before they are asked for, in memory of a bounded size."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar
from weakref import finalize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

THREADS = 16


class _Coming(NamedTuple):
    key: str
    cost: int


class Ahead(Generic[T]):
    """What keys give, fetched in the order given.

    The first is fetched alone and by the caller: who wants no more starts no threads, and may fork. In a
    process that was forked later, what waits is fetched anew. After an error, and when this is forgotten,
    what was not begun is not fetched.

    Args:
        keys: in the order in which they will be asked for; some may be left out.
        fetch: gives what a key stands for, in any thread.
        cost: bytes of it in memory.
        room: bytes that may wait; one at least does.
        threads: how many fetch at once.
    """

    def __init__(
        self,
        keys: Sequence[str],
        fetch: Callable[[str], T],
        cost: Callable[[str], int],
        room: int,
        threads: int = THREADS,
    ) -> None:
        self._coming = deque(_Coming(key, cost(key)) for key in keys)
        self._left = {key for key, _ in self._coming}
        self._fetch = fetch
        self._room = room
        self._threads = threads
        self._waiting: deque[tuple[_Coming, Future[T]]] = deque()
        self._held = 0
        self._pool: ThreadPoolExecutor | None = None
        self._process = os.getpid()
        self._begun = False

    def has(self, key: str) -> bool:
        """Whether a key was not asked for yet."""
        return key in self._left

    def take(self, key: str) -> T:
        """What a key gives; those before it are forgotten. Raises what fetching it raised."""
        if key not in self._left:
            return self._fetch(key)
        if not self._begun:
            self._begun = True
            self._skip_to(key)
            self._coming.popleft()
            return self._fetch(key)
        if self._process != os.getpid():
            self._restart()
        while True:
            self._fill()
            coming, future = self._waiting.popleft()
            self._held -= coming.cost
            self._left.discard(coming.key)
            if coming.key == key:
                self._fill()
                return self._ended(future)
            future.cancel()

    def _restart(self) -> None:
        """Begin again with what waits: a forked process has none of the threads that were to bring it."""
        self._coming.extendleft(coming for coming, _ in reversed(self._waiting))
        self._waiting.clear()
        self._held, self._pool, self._process = 0, None, os.getpid()

    def _skip_to(self, key: str) -> None:
        while self._coming[0].key != key:
            self._left.discard(self._coming.popleft().key)
        self._left.discard(key)

    def _fill(self) -> None:
        """Begin to fetch what there is room for."""
        while self._coming and (not self._waiting or self._held + self._coming[0].cost <= self._room):
            coming = self._coming.popleft()
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads)
                # Or the interpreter, when it ends, would first fetch all that waits.
                finalize(self, self._pool.shutdown, wait=False, cancel_futures=True)
            self._waiting.append((coming, self._pool.submit(self._fetch, coming.key)))
            self._held += coming.cost

    def _ended(self, future: Future[T]) -> T:
        pool = self._pool
        try:
            got = future.result()
        except Exception:
            self._restart()  # most often nobody asks for more
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)
            raise
        if not self._coming and not self._waiting and pool is not None:
            pool.shutdown(wait=False)
        return got

"""Which pictures of a stream must be decoded for some moments: found while it goes by, in one pass."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from itertools import chain, takewhile
from typing import TYPE_CHECKING

from pipeline.media.stills.decode import Taken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipeline.media.stills.decode import StillDecoder, Unit

MOST_WAITING = 32 << 20
"""Bytes of pictures that wait for a moment; then they are decoded, whether needed or not."""


class EarlierError(Exception):
    """A moment needs a key frame that lies before what was read."""


class Window:
    """The moments that are looked for in a stretch of a stream.

    Args:
        moments: numbers and UTC ticks, rising.
        nearest: ticks by which a key frame may be earlier or later that takes a moment's place; 0 for none.
        decoder: decodes what is needed.
        whole: nothing lies before the stretch; what cannot be decoded then is left out.
    """

    def __init__(
        self, moments: Sequence[tuple[int, int]], nearest: int, decoder: StillDecoder, *, whole: bool
    ) -> None:
        self._near = deque(moments if nearest else ())
        self._exact = deque(() if nearest else moments)
        self._nearest = nearest
        self._decoder = decoder
        self._whole = whole
        self._key: Unit | None = None  # the last one
        self._group: deque[Unit] = deque()  # not decoded yet
        self._held = 0
        self._times: list[int] = []  # of the pictures from the key frame on at which decoding begins

    def of(self, units: Iterable[Unit]) -> Iterator[Taken]:
        """The pictures of the moments, one for each, about in their order.

        Args:
            units: the pictures of the stretch in decoding order.

        Raises:
            EarlierError: the first moment that is open needs an earlier beginning.
        """
        for unit in units:
            yield from self._decide(unit.due)
            if not (self._near or self._exact or self._decoder.busy):
                return
            if unit.key:
                yield from self._met(unit)
            elif self._times:
                self._add(unit)
            yield from self._decoded(all_of_it=self._held > MOST_WAITING)
        yield from self._decide(None)
        yield from self._decoder.drain()

    def _decide(self, now: int | None) -> Iterator[Taken]:
        """Settle the moments for which nothing can come any more that is decoded at ``now`` or later."""
        while self._near and (now is None or now > self._near[0][1] + self._nearest):
            yield from self._from_keys(*self._near.popleft(), None)
        while self._exact and (now is None or now > self._exact[0][1]):
            number, at = self._exact.popleft()
            shown = bisect_right(self._times, at)
            if shown:
                del self._times[: shown - 1]
                yield from self._decoder.want(number, self._times[0])
                yield from self._decoded()
            elif self._whole:
                yield Taken(number, at, None)
            else:
                raise EarlierError

    def _from_keys(self, number: int, at: int, after: Unit | None) -> Iterator[Taken]:
        """The nearer of the key frames on both sides; where none is near, the exact picture later."""
        keys = [key for key in (self._key, after) if key is not None and abs(key.at - at) <= self._nearest]
        nearest = min(keys, key=lambda key: abs(key.at - at), default=None)
        taken = self._decoder.alone(number, nearest) if nearest else None
        if taken is not None:
            yield taken
        else:
            self._exact.append((number, at))

    def _met(self, key: Unit) -> Iterator[Taken]:
        """A key frame: nothing before it is needed, unless a moment before it is still open."""
        while self._near and self._near[0][1] <= key.at:
            yield from self._from_keys(*self._near.popleft(), key)
        self._key = key
        if not self._is_needed(key.at):
            yield from self._decoder.drain()
            self._group.clear()
            self._times.clear()
            self._held = 0
        self._add(key)

    def _is_needed(self, key: int) -> bool:
        """Whether a moment is open that shows a picture of this group before the next key frame."""
        opened = chain(*(takewhile(lambda m: m[1] < key, line) for line in (self._near, self._exact)))
        return bool(self._times) and any(self._times[0] <= at for _, at in opened)

    def _add(self, unit: Unit) -> None:
        self._group.append(unit)
        self._held += len(unit.data)
        if unit.shown:
            insort(self._times, unit.at)

    def _decoded(self, *, all_of_it: bool = False) -> Iterator[Taken]:
        """Decode what waits, as far as it is needed."""
        while self._group and (all_of_it or self._decoder.busy):
            unit = self._group.popleft()
            self._held -= len(unit.data)
            yield from self._decoder.feed(unit)

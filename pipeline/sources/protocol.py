"""What the steps ask of the place where a recording lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.vendors.inventory import Object
    from pipeline.vendors.volcengine import Task

MOST_OBJECTS = 300_000
HIDDEN = "."


class Source(Protocol):
    """A recording's place; keys are paths below it, with ``/`` between folders."""

    @property
    def name(self) -> str:
        """As the user wrote it, for sentences."""
        ...

    @property
    def task(self) -> Task | None:
        """What is known of the Volcengine task that wrote it; None where nothing is."""
        ...

    @property
    def far(self) -> bool:
        """Reading it takes requests: a plan reads as little of it as it can."""
        ...

    @property
    def read(self) -> int:
        """Bytes of objects that came over the net so far."""
        ...

    def objects(self) -> tuple[Object, ...]:
        """Its objects but hidden ones, in order of their keys; a store is listed once.

        Raises:
            CommandError: there is no such place.
            InputError: it cannot be listed, or holds more than `MOST_OBJECTS` objects.
            StorageError: the store does not answer.
        """
        ...

    def fresh(self) -> Source:
        """The same place, listed anew when it is asked for its objects."""
        ...

    def etags(self, keys: Sequence[str]) -> dict[str, str]:
        """The ETags of some objects, as they were listed; "" of those that have none, as files."""
        ...

    def open(self, key: str) -> BinaryIO:
        """An object as a file, to be read anywhere. Raises OSError or StorageError."""
        ...

    def shared(self, processes: int) -> None:
        """So many processes will read outputs of it at once: what each holds in memory is less."""
        ...

    def ends(self, keys: Sequence[str], *, again: bool) -> Callable[[str], BinaryIO]:
        """Opens objects whose ends will be read, in about this order; ``again`` if all of them will later."""
        ...

    def whole(self, *tracks: Sequence[str]) -> Callable[[str], BinaryIO]:
        """Opens objects that will be read whole, each track's in this order."""
        ...

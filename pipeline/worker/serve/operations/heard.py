"""What the public listener tells the operations one: how many deliveries came, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Counters(Protocol):
    """How many deliveries came in, by route and by what became of them."""

    def numbers(self) -> Mapping[tuple[str, str], int]:
        """Those that are none may be left out."""
        ...


class HeardTask(Protocol):
    """A vendor's task, as a person is told of it."""

    @property
    def vendor(self) -> str:
        """Whose."""
        ...

    @property
    def app(self) -> str:
        """Of which of our apps there."""
        ...

    @property
    def task(self) -> str:
        """What the vendor calls it."""
        ...

    @property
    def became(self) -> str:
        """What became of it."""
        ...

    @property
    def changed_ms(self) -> int:
        """UTC, when something was heard or made of it last."""
        ...


class Inbox(Protocol):
    """The events that are kept. Any thread may ask."""

    def latest(self, most: int = 100) -> Sequence[HeardTask]:
        """Tasks, those first of which something was heard or made last."""
        ...

    def counts(self) -> tuple[int, int]:
        """How many events are kept, and how many tasks wait to be looked at."""
        ...


class Silence:
    """Counters where nothing is listened to."""

    def numbers(self) -> Mapping[tuple[str, str], int]:
        """None."""
        return {}

"""What publishing asks of a VOD service: to take a finished file, once, however often the run is stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Film:
    """A finished file that is to become a medium.

    Attributes:
        file: its name, with the suffix that tells the container.
        title: for people.
        size: bytes.
        sha256: of its bytes, 64 hexadecimal digits.
        open: opens it at its beginning; called once or more, from any thread.
    """

    file: str
    title: str
    size: int
    sha256: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Medium:
    """What the service made of a file.

    Attributes:
        id: the service's own: Tencent's FileId, Volcengine's Vid.
        url: where it is played, "" where the service tells none.
    """

    id: str
    url: str = ""


class Vod(Protocol):
    """A VOD service with its settings and credentials."""

    @property
    def name(self) -> str:
        """For sentences: of the service and of its settings."""
        ...

    def check(self) -> None:
        """Ask whether it can be reached and takes the credentials, in seconds and without a trace.

        Raises:
            DeniedError, StorageError.
        """
        ...

    def publish(
        self, film: Film, begun: Mapping[str, str], note: Callable[[Mapping[str, str]], None]
    ) -> Medium:
        """Hand over a file; with what an earlier try has noted, the same medium comes out, not a second.

        Args:
            film: what.
            begun: what the last call of ``note`` was given for this film, by whatever process; {} at first.
            note: keeps what a later try needs, before the act that it is about; returns when it is kept.

        Raises:
            StorageError: it refuses, or does not answer in time.
        """
        ...

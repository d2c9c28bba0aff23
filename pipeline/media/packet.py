"""One packet of a slice with its raw times, and what any reader of a run can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Packet(NamedTuple):
    """One PES packet, block or sample; a named tuple because there are ten thousands.

    ``pts`` and ``dts`` are 33-bit counts of 1/90000 s; ``dts`` equals ``pts`` where the slice has none
    (ISO/IEC 13818-1 2.4.3.7); ``pts`` is None where the packet has none. ``piece`` is the index of the slice
    it begins in. ``torn`` says that parts of it are missing, or that it refers to what is missing.
    """

    pts: int | None
    dts: int | None
    piece: int
    data: bytes
    torn: bool = False


class Packets(Protocol):
    """The packets of one medium of a run, in the order in which they stand there.

    What cannot be read on raises `Surprise`, a file that cannot be read OSError.
    """

    @property
    def breaks(self) -> Mapping[int, int]:
        """Places with missing or damaged bytes by index of the slice, of those read so far."""

    @property
    def skipped(self) -> Mapping[int, int]:
        """Bytes that belong to no packet by index of the slice, of those read so far."""

    @property
    def lost(self) -> int:
        """Packets that the slices hold and that were not handed out."""

    @property
    def position(self) -> int:
        """Bytes read so far."""

    def __iter__(self) -> Iterator[Packet]:
        """All packets."""

    def close(self) -> None:
        """Free what reading took."""

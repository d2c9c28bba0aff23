"""What happened to the packets of one track while they were copied; packets in = packets out + dropped."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pipeline.model import ticks
from pipeline.model.ledger import Entry, Sort
from pipeline.model.manifest import ClockFit, Dropped, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model.timeline import TrackTime

CHUNK = ticks.TICKS
"""File ticks that one chunk of samples spans: a second, so that players need little read-ahead."""

OUTSIDE = "outside the cut"
OVERLAP = "overlap"
NO_KEY = "before the first key frame"
NO_PTS = "no time stamp"
NO_PICTURE = "no picture in it"
BACKWARD = "time stamp goes backward"
INCOMPLETE = "cut off"


class Chunk(NamedTuple):
    """Samples of one track that are written together; ``at`` is the file tick they are due at."""

    at: int
    samples: list[bytes]


@dataclass(slots=True)
class Tally:
    """Counts, hash and spans of one track."""

    packets_in: int = 0
    packets_out: int = 0
    dts_moved: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    entries: list[Entry] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    def copied(self, samples: Sequence[bytes]) -> None:
        """Take the payloads of copied packets into the hash, in file order."""
        self._hash.update(b"".join(samples))
        self.packets_out += len(samples)

    def drop(self, reason: str, count: int = 1) -> None:
        """Note packets that are left out."""
        self.dropped[reason] += count

    def note(self, sort: Sort, what: str, at: int, key: str = "") -> None:
        """Write a line for the ledger; ``at`` is UTC ticks."""
        self.entries.append(Entry(sort, what, start_ms=ticks.to_ms(at), key=key))

    def drops(self) -> tuple[Dropped, ...]:
        """The dropped packets by reason, for the manifest."""
        return tuple(Dropped(reason, count) for reason, count in sorted(self.dropped.items()))

    @property
    def sha256(self) -> str:
        """Hex digest over the payloads so far."""
        return self._hash.hexdigest()


def fits(track: TrackTime) -> tuple[ClockFit, ...]:
    """The clocks of a track, for the manifest."""
    return tuple(
        ClockFit(ticks.to_ms(c.utc), c.media, c.slope_ppb, c.uncertainty_ms, c.stamps) for c in track.clocks
    )


class Surprise(Exception):  # noqa: N818 - the word of the design for it
    """The stream is not what its ends promised; the text says what was found, and the plan must change."""

"""What happened to the packets of one track while they were copied; packets in = packets out + dropped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pipeline.model import ticks
from pipeline.model.ledger import Entry, Sort
from pipeline.model.manifest import ClockFit, Dropped, Encoded, OutputTrack, Span
from pipeline.model.timeline import tolerance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.media.mp4.writer import SampleTimes, TrackHeader
    from pipeline.model.timeline import Run, TrackTime

CHUNK = ticks.TICKS
"""File ticks that one chunk of samples spans: a second, so that players need little read-ahead."""

OUTSIDE = "outside the cut"
OVERLAP = "overlap"
BEHIND = "behind the user's other pictures"
DRIFT = "clock drift"
UNDECODED = "could not be decoded"
HIDDEN = "never shown"
NO_KEY = "before the first key frame"
NO_PTS = "no time stamp"
NO_PICTURE = "no picture in it"
BACKWARD = "time stamp goes backward"
INCOMPLETE = "cut off"
DAMAGED = "damaged"


class Chunk(NamedTuple):
    """Samples of one track that are written together.

    ``at`` is the file tick they are due at, ``sizes`` their bytes in order; ``copied`` says that they came
    from the input and are hashed.
    """

    at: int
    sizes: list[int]
    data: bytes
    copied: bool


@dataclass(slots=True)
class Tally:
    """Counts and spans of one track."""

    packets_in: int = 0
    packets_out: int = 0
    dts_moved: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    entries: list[Entry] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    encoded: list[Encoded] = field(default_factory=list)

    def encode(self, sample: int, at: int, until: int) -> None:
        """Note a sample that was encoded anew: its index, and the file ticks it is shown from and until."""
        last = self.encoded[-1] if self.encoded else None
        if last is not None and last.first + last.count == sample:
            self.encoded[-1] = replace(last, count=last.count + 1, until=until, packets=last.packets + 1)
        else:
            self.encoded.append(Encoded(sample, 1, at, until, 1))

    def copied(self, at: int, samples: list[bytes]) -> Chunk:
        """Count samples that go out, as the chunk that takes them there."""
        self.packets_out += len(samples)
        return Chunk(at, list(map(len, samples)), b"".join(samples), copied=True)

    def damaged(self, run: Run, lost: int, breaks: Mapping[int, int], skipped: Mapping[int, int]) -> None:
        """Note PES packets that the demuxer did not hand out, and what is wrong with TS packets.

        Args:
            run: the run.
            lost: PES packets that its slices hold and that did not come out.
            breaks: places with missing or damaged bytes, by index of the slice.
            skipped: bytes that belong to no packet, by index of the slice.
        """
        for index, count in skipped.items():
            placed = run.placed[index]
            self.note(
                Sort.REPAIR, f"{count} bytes in it belong to no packet; left out", placed.at, placed.piece.key
            )
        if lost:
            self.packets_in += lost
            self.drop(DAMAGED, lost)
        for index in breaks:
            placed = run.placed[index]
            what = "parts of it are missing or damaged; what is damaged was dropped"
            self.note(Sort.LOSS, what, placed.at, placed.piece.key)
        if lost and not breaks:
            what = f"{lost} PES packets are damaged and could not be read; dropped"
            self.note(Sort.LOSS, what, run.start, run.placed[0].piece.key)

    def reached(self, run: Run, first: int | None, last: int) -> None:
        """Note media that the ends of the slices promise and that did not come out, in UTC ticks.

        Args:
            run: the run as planned.
            first: where its first access unit was; None if none came.
            last: where its last access unit ended.
        """
        ends = run.placed[0].piece.ends
        least = tolerance(ends.step if ends else 0, sound=bool(ends and ends.form.rate))
        end = run.placed[-1].end
        if first is None or first - run.start > least:
            self._short(run, run.start, end if first is None else first)
        if first is not None and end - last > least:
            self._short(run, last, end)

    def _short(self, run: Run, start: int, end: int) -> None:
        what = f"{ticks.duration(end - start)} that its slices promise did not come out of them"
        key = run.placed[0].piece.key
        times = ticks.to_ms(start), ticks.to_ms(end)
        self.entries.append(Entry(Sort.LOSS, what, start_ms=times[0], end_ms=times[1], key=key))

    def drop(self, reason: str, count: int = 1) -> None:
        """Note packets that are left out."""
        if count:
            self.dropped[reason] += count

    def note(self, sort: Sort, what: str, at: int, key: str = "") -> None:
        """Write a line for the ledger; ``at`` is UTC ticks."""
        self.entries.append(Entry(sort, what, start_ms=ticks.to_ms(at), key=key))

    def drops(self) -> tuple[Dropped, ...]:
        """The dropped packets by reason, for the manifest."""
        return tuple(Dropped(reason, count) for reason, count in sorted(self.dropped.items()))


def fits(track: TrackTime) -> tuple[ClockFit, ...]:
    """The clocks of a track, for the manifest."""
    return tuple(
        ClockFit(ticks.to_ms(c.utc), c.media, c.slope_ppb, c.uncertainty_ms, c.stamps) for c in track.clocks
    )


class Made(NamedTuple):
    """A track when all its chunks are out."""

    times: SampleTimes
    track: OutputTrack
    entries: tuple[Entry, ...]


class Copier(Protocol):
    """What copies one track: a header, chunks in order of time, and then what was made."""

    def header(self) -> TrackHeader:
        """The MP4's track header."""

    def chunks(self) -> Iterator[Chunk]:
        """Everything that is written."""

    @property
    def ends(self) -> int:
        """File ticks where its media ends, once all chunks are out."""

    def made(self, end: int, payload_sha256: str) -> Made:
        """What was made, in a file that ends at ``end`` (file ticks)."""


class Surprise(Exception):  # noqa: N818 - the word of the design for it
    """The stream is not what its ends promised; the text says what was found, and the plan must change."""

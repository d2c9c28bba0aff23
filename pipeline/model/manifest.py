"""The manifest: what came out, from what, how it was placed, what was lost; the mark of a finished job.

It holds no run times and nothing that depends on the machine, so that the same inputs and options give the
same bytes. Times are UTC milliseconds, or file ticks of 1/90000 s where a check must be exact.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline.model.job_key import job_key
from pipeline.model.ledger import Entry  # noqa: TC001 - pydantic reads the annotations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import TypeAdapter

VERSION = 1
FILE = "manifest.json"
MOST_MANIFEST_BYTES = 256_000_000


@dataclass(frozen=True, slots=True)
class Dropped:
    """Packets of the input that are not in the output, and why."""

    reason: str
    packets: int


@dataclass(frozen=True, slots=True)
class Fill:
    """Silent frames that were put in: ``count`` samples from index ``first`` on."""

    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Encoded:
    """Samples that were encoded anew: ``count`` from index ``first`` on, file ticks ``at`` to ``until``.

    ``packets`` of the input went into them: as many of pictures, another number of sound.
    """

    first: int
    count: int
    at: int
    until: int
    packets: int


@dataclass(frozen=True, slots=True)
class Span:
    """A contiguous stretch of a track.

    Attributes:
        utc_ms: UTC of its first sample.
        at: file ticks of its first sample's presentation.
        until: file ticks where its last sample's own length ends.
        first: index of its first sample in the file.
        packets: how many samples it has.
        why: what began it.
    """

    utc_ms: int
    at: int
    until: int
    first: int
    packets: int
    why: str


@dataclass(frozen=True, slots=True)
class ClockFit:
    """UTC against media time of a stretch: UTC ms at a media time in ticks, slope, how far stamps scatter."""

    utc_ms: int
    media_ticks: int
    slope_ppb: int
    uncertainty_ms: int
    stamps: int


@dataclass(frozen=True, slots=True)
class Transcoded:
    """Sound that was decoded, of one user or of many, and encoded as a whole.

    Attributes:
        packets: that were decoded.
        frames: that the encoder made: all samples of the file.
        levels: of each span, what was encoded, in tenths of dB below full scale (RMS); -1200 is silence.
        gain: hundredths of dB by which it was made louder.
        loudness: hundredths of LUFS that it then had; None where none was asked for, or it has none.
    """

    packets: int
    frames: int
    levels: tuple[int, ...]
    gain: int = 0
    loudness: int | None = None


@dataclass(frozen=True, slots=True)
class OutputTrack:
    """A track of an output.

    ``packets_in == packets_out + packets_encoded + sum(dropped)``, where ``packets_out`` were copied.
    The file holds ``packets_out + samples_encoded + inserted`` samples. Of sound that was ``transcoded``
    nothing is copied: its packets count in the first sum, its frames in the second, ``first`` and ``packets``
    of its spans are packets that were decoded, and the hash is over what the encoder made.
    ``payload_sha256`` is over the payloads of the copied packets in file order, hashed as they were read;
    empty when the work was done without verification.
    """

    medium: str
    codec: str
    timescale: int
    packets_in: int
    packets_out: int
    inserted: int
    dropped: tuple[Dropped, ...]
    payload_sha256: str
    spans: tuple[Span, ...]
    fills: tuple[Fill, ...]
    clocks: tuple[ClockFit, ...]
    end: int
    encoded: tuple[Encoded, ...] = ()
    dts_moved: int = 0
    width: int = 0
    height: int = 0
    clockwise: int = 0
    rate: int = 0
    channels: int = 0
    transcoded: Transcoded | None = None

    @property
    def packets_encoded(self) -> int:
        """How many packets were encoded anew."""
        return sum(each.packets for each in self.encoded)

    @property
    def samples_encoded(self) -> int:
        """How many samples came of them."""
        return sum(each.count for each in self.encoded)


@dataclass(frozen=True, slots=True)
class Stretch:
    """UTC to file time: ``utc_ms`` lies at file tick ``at``, and so on for ``length`` ticks."""

    utc_ms: int
    at: int
    length: int


@dataclass(frozen=True, slots=True)
class Reason:
    """A decision of the plan and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What reopening the output found; ``good`` when ``problems`` is empty.

    Attributes:
        level: ``full``, ``fast`` or ``off`` (then nothing was checked).
        checks: how many single checks were made.
        decoded: pictures and sound frames that were decoded without an error.
        problems: a sentence each.
    """

    level: str
    checks: int
    decoded: int
    problems: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """No problem was found."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a file that went into a store together: how many, and their MD5."""

    size: int
    md5: str


@dataclass(frozen=True, slots=True)
class Published:
    """A medium that a VOD service made of a file: which service, and the id and address that it told."""

    service: str
    id: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """One finished file.

    Attributes:
        sha256: of all bytes; empty where the file left in parts while it was made.
        utc_zero_ms: UTC of file zero.
        duration: file ticks.
        uncertainty_ms: how well absolute UTC is known, at worst.
        av_offset_ms: first sound minus first picture; None unless it has both.
        map: UTC to file time, in order.
        container: what the file is.
        etag: of the object that it became in a store; empty in a folder.
        parts: that went into a store, in order.
        published: the media that VOD services made of it.
    """

    file: str
    uid: str
    source: str
    size: int
    sha256: str
    utc_zero_ms: int
    duration: int
    uncertainty_ms: int
    av_offset_ms: int | None
    shared_clock: bool
    map: tuple[Stretch, ...]
    tracks: tuple[OutputTrack, ...]
    decisions: tuple[Reason, ...]
    verdict: Verdict
    container: str = "mp4"
    etag: str = ""
    parts: tuple[Part, ...] = ()
    published: tuple[Published, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """One finished picture: a still of a user, or a sheet of many.

    Attributes:
        utc_ms: UTC of the moment that was asked for; of a sheet its first.
        shown_ms: UTC from which this picture was shown; of a sheet as ``utc_ms``.
        sha256: of all bytes.
        width: pixels, as it is looked at; so is ``height``.
        stills: how many small pictures a sheet shows; 0 where it is no sheet.
        checked: it was decoded again after it was made.
        etag: of the object that it became in a store; empty in a folder.
    """

    file: str
    uid: str
    source: str
    utc_ms: int
    shown_ms: int
    size: int
    sha256: str
    width: int
    height: int
    stills: int = 0
    checked: bool = True
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A user whose file was not made, and why."""

    uid: str
    source: str
    why: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a recording came from.

    Attributes:
        prefix: its folder inside the source.
        name: the vendor's own name of it.
        inputs_sha256: over its listing (keys, sizes) and playlists; of a composite, its images and fonts too.
    """

    vendor: str
    prefix: str
    name: str
    inputs_sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about the outputs of one recording.

    Attributes:
        revision: counts from 1; a job that finds other slices than before replaces its files by the next.
        deletes_source: the slices were removed after this, or are just being removed.
        pictures: that were taken, by user and then by time.
    """

    recording: Origin
    options: dict[str, str]
    outputs: tuple[Output, ...]
    refused: tuple[Refusal, ...]
    ledger: tuple[Entry, ...]
    tool: str
    version: int = field(default=VERSION)
    revision: int = 1
    deletes_source: bool = False
    pictures: tuple[Picture, ...] = ()

    @property
    def losses(self) -> tuple[Entry, ...]:
        """Media that was recorded and is not in the outputs."""
        return tuple(entry for entry in self.ledger if entry.sort == "loss")

    @property
    def files(self) -> frozenset[str]:
        """The names of the outputs that are good, and of the pictures."""
        good = (output.file for output in self.outputs if output.verdict.good)
        return frozenset((*good, *(picture.file for picture in self.pictures)))

    @property
    def entries(self) -> tuple[Output | Picture, ...]:
        """Every file that it tells of."""
        return (*self.outputs, *self.pictures)

    @property
    def job(self) -> str:
        """The key of the job that makes it: the same recording, the same options."""
        return job_key(self.recording.vendor, self.recording.prefix, self.recording.name, self.options)

    def same_work(self, other: Manifest) -> bool:
        """Whether both are of the same inputs, options and version of the tool."""
        mine, others = ((m.recording, m.options, m.tool) for m in (self, other))
        return mine == others

    def to_json(self) -> str:
        """The document, the same bytes for the same value."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document, generated from the types above."""
    from pydantic import TypeAdapter  # 0.1 s that a merge does not need

    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **TypeAdapter(Manifest).json_schema()}


@cache
def reader() -> TypeAdapter[Manifest]:
    """What reads manifests back; made once, because that takes 0.1 s."""
    from pydantic import TypeAdapter

    return TypeAdapter(Manifest)


def from_json(text: str) -> Manifest:
    """A manifest read back.

    Raises:
        ValueError: it is no manifest of a version we know; the text says where.
    """
    found = reader().validate_json(text)
    if found.version != VERSION:
        raise ValueError(f"manifest version {found.version} is not {VERSION}")
    return found


def track_of(document: dict[str, Any]) -> OutputTrack:
    """A track read back from what `dataclasses.asdict` made of it.

    Raises:
        ValueError: it is none.
    """
    from pydantic import TypeAdapter

    return TypeAdapter(OutputTrack).validate_python(document)


def total_dropped(tracks: Sequence[OutputTrack]) -> int:
    """Packets that did not make it into the file, over all tracks."""
    return sum(d.packets for t in tracks for d in t.dropped)

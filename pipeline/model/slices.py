"""What is known of a slice before its packets are copied: its stamps, its tags, its two ends.

A `Slice` is made once, where a listing, a playlist and a look at both ends of the file meet; from here on
nothing is asked of the file again until its packets are copied.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from pipeline.model import ticks

NO_PTS = -1
NOWHERE = "nowhere"
"""Where the stamp of a slice is from of which nothing tells when it began."""
EARLY = 2 * ticks.TICKS
"""Cameras and microphones do not stop for this long without the recorder cutting the slice."""


class Medium(StrEnum):
    """What a track carries."""

    AUDIO = "audio"
    VIDEO = "video"


class Container(StrEnum):
    """What the packets of a slice lie in."""

    TS = "ts"  # MPEG-TS
    MP4 = "mp4"  # MP4 (ISO base media), not fragmented
    ADTS = "adts"  # AAC in ADTS and nothing else, without time stamps
    WEBM = "webm"  # WebM or Matroska


class State(StrEnum):
    """Whether the bytes of a slice can be used."""

    PRESENT = "present"
    MISSING = "missing"  # a playlist lists it and it is not there
    EMPTY = "empty"  # 0 bytes
    UNREADABLE = "unreadable"  # no container that is known, or no access unit in it


@dataclass(frozen=True, slots=True)
class Format:
    """Codec parameters of a slice; two slices join by copy only where these agree.

    Attributes:
        codec: ``h264``, ``hevc``, ``vp8``, ``vp9``, ``aac``, ``opus``, or another name that merge refuses.
        width: coded size in pixels, 0 for sound.
        height: as width.
        rate: sound samples a second as the stream's headers say, 0 for pictures.
        channels: sound channels, 0 for pictures.
        parameters: hex digest of the parameter sets (H.264/HEVC), the ADTS configuration (AAC), the header
            (Opus; pre-skip and input rate left out), or what of a key frame's header a sample entry tells
            (VP9).
    """

    codec: str
    width: int = 0
    height: int = 0
    rate: int = 0
    channels: int = 0
    parameters: str = ""

    def __str__(self) -> str:
        if self.rate:
            channels = {1: "mono", 2: "stereo"}.get(self.channels, f"{self.channels} ch")
            return f"{self.codec} {self.rate} Hz {channels}"
        return f"{self.codec} {self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Change:
    """Codec parameters that begin inside a slice, ``after`` ticks behind its first PTS."""

    after: int
    form: Format


@dataclass(frozen=True, slots=True)
class Turned:
    """A rotation that begins inside a slice, ``after_ms`` behind its stamp: degrees to turn it upright."""

    after_ms: int
    clockwise: int


@dataclass(frozen=True, slots=True)
class Ends:
    """Media time at both ends of a slice, from its first and last PES packets.

    Attributes:
        first: 33-bit PTS of the first access unit.
        span: ticks from that PTS to the end of the last access unit, in presentation order.
        step: ticks of one access unit (sound: exact; pictures: median of what was seen).
        key: the first access unit is a random access point (always true for sound).
        form: codec parameters.
        whole: bytes from and up to which it consists of whole TS packets; None for all of it.
        cut: 33-bit PTS of a last access unit whose end is not there, `NO_PTS` where that is not there either;
            None when it ends well.
        after: ticks by which ``first`` is later than the first access unit of any track, which is stamped;
            negative by what an encoder delays, where the stamp is of what is heard.
        pid: the packet identifier of its stream.
        changes: codec parameters that begin inside it; only known once it was read whole.
        container: what its packets lie in.
        clockwise: degrees that its own display matrix turns it.
        created_ms: UTC ms at which it says it was made; 0 where it does not.
    """

    first: int
    span: int
    step: int
    key: bool
    form: Format
    whole: tuple[int, int] | None = None
    cut: int | None = None
    after: int = 0
    pid: int = 0
    changes: tuple[Change, ...] = ()
    container: Container = Container.TS
    clockwise: int = 0
    created_ms: int = 0

    @property
    def line(self) -> int:
        """33-bit PTS of the moment that the file is stamped with."""
        return (self.first - self.after) % ticks.WRAP

    @property
    def last_form(self) -> Format:
        """The codec parameters it ends with."""
        return self.changes[-1].form if self.changes else self.form


@dataclass(frozen=True, slots=True)
class Slice:
    """One file of one track.

    Attributes:
        key: its path inside the source.
        size: bytes; 0 when missing.
        state: whether it can be used.
        why: for `State.UNREADABLE`, what was found instead; a sentence part.
        stamp_ms: UTC of its first media by the best source there is; 0 where there is none.
        stamp_from: ``tag``, ``name``; ``count`` where it follows another slice; `NOWHERE`.
        extinf_us: length by the playlist in microseconds; None if unlisted.
        opens: a START or DISCONTINUITY tag stands before it: it begins a new run.
        returns: a START tag stands before it: its user came, or came back.
        listed: a playlist names it.
        clockwise: degrees to turn its pictures upright.
        shared: it may hold sound and pictures; one of them alone is no damage.
        turns: rotations that begin inside it, in order.
        recorder: which one wrote it: 0 the first, others took over from it (fail-over).
        ends: what its ends say; None unless `State.PRESENT`.
        follows: key of the slice behind which it begins, where nothing tells its stamp; else empty.
    """

    key: str
    size: int
    state: State
    stamp_ms: int
    stamp_from: str
    extinf_us: int | None = None
    opens: bool = False
    returns: bool = False
    listed: bool = True
    clockwise: int = 0
    turns: tuple[Turned, ...] = ()
    shared: bool = False
    recorder: int = 0
    ends: Ends | None = None
    why: str = ""
    follows: str = ""

    def ends_early(self) -> int:
        """Ticks by which its media ends before the length that its playlist gives; 0 when that is little."""
        if self.ends is None or self.extinf_us is None:
            return 0
        early = ticks.from_us(self.extinf_us) - self.ends.span
        return early if early > EARLY else 0

    def stamped(self) -> int:
        """UTC ticks of its first access unit by its stamp."""
        return ticks.from_ms(self.stamp_ms) + (self.ends.after if self.ends else 0)

    def length_ms(self) -> int:
        """Its length in milliseconds: by its own media where readable, else by the playlist; 0 if unknown."""
        if self.ends is not None:
            return ticks.to_ms(self.ends.span)
        return (self.extinf_us + 500) // 1000 if self.extinf_us else 0


def with_known_forms(slices: tuple[Slice, ...]) -> tuple[Slice, ...]:
    """Slices whose pictures begin without parameter sets (no key frame) under those that were in force.

    A decoder keeps the sets of the slice before; where there is none, those of the next are the best guess.
    """
    known = [s.ends.form for s in slices if s.ends is not None and s.ends.form.parameters]
    if not known:
        return slices
    out: list[Slice] = []
    form = known[0]
    for piece in slices:
        ends = piece.ends
        if ends is None:
            out.append(piece)
            continue
        form = ends.form if ends.form.parameters else form
        same_codec = ends.form.codec == form.codec
        out.append(replace(piece, ends=replace(ends, form=form)) if same_codec else piece)
        form = ends.last_form if ends.changes else form
    return tuple(out)


@dataclass(frozen=True, slots=True)
class Track:
    """One medium of one source of one user, as its slices in the order of their stamps.

    Attributes:
        ended: its playlists all end with ENDLIST.
        marks_returns: the vendor marks returns by START tags: a long hole without one is a loss.
    """

    uid: str
    source: str
    medium: Medium
    slices: tuple[Slice, ...]
    ended: bool = True
    marks_returns: bool = False

    def cut_short(self) -> tuple[tuple[Slice, int], ...]:
        """Slices whose media ends too early for their listed length, and the ticks that are missing.

        Not where the next slice follows on its heels: then the listed length is not true.
        """
        out = []
        for number, piece in enumerate(self.slices if self.source != "screen" else ()):
            early = piece.ends_early()
            if early and piece.ends and number + 1 < len(self.slices):
                early = min(early, self.slices[number + 1].stamped() - piece.stamped() - piece.ends.span)
            if early > EARLY:
                out.append((piece, early))
        return tuple(out)

    @property
    def usable(self) -> tuple[Slice, ...]:
        """The slices whose ends could be read."""
        return tuple(s for s in self.slices if s.ends is not None)


@dataclass(frozen=True, slots=True)
class User:
    """One user's tracks of one source (camera and microphone, or a shared screen)."""

    uid: str
    source: str
    audio: Track | None = None
    video: Track | None = None

    @property
    def tracks(self) -> tuple[Track, ...]:
        """What there is, pictures first."""
        return tuple(t for t in (self.video, self.audio) if t is not None)


def with_own_lengths(user: User) -> User:
    """The user with the listed length of a shared slice only for the medium that fills it.

    The other one was switched off in it: that is no damage.
    """
    filled = {
        s.key for track in user.tracks for s in track.slices if s.shared and s.ends and not s.ends_early()
    }

    def own(track: Track | None) -> Track | None:
        if track is None:
            return None
        slices = (
            replace(s, extinf_us=None) if s.ends_early() and s.key in filled else s for s in track.slices
        )
        return replace(track, slices=tuple(slices))

    return replace(user, audio=own(user.audio), video=own(user.video)) if filled else user


@dataclass(frozen=True, slots=True)
class Recording:
    """One task in one room.

    Attributes:
        vendor: folder name of the vendor.
        prefix: folder of its objects inside the source; empty at top level.
        name: the vendor's name of it (``<sid>_<cname>``, ``<SdkAppId>_<RoomId>``).
        users: sorted by uid and source.
    """

    vendor: str
    prefix: str
    name: str
    users: tuple[User, ...] = field(default=())

    @property
    def title(self) -> str:
        """Prefix and name, as a person would point at it."""
        return "/".join(part for part in (self.prefix, self.name) if part) or "the recording"

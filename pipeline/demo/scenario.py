"""What a generated recording shall contain: a vendor, users and their stretches of media, and faults.

Only values live here (`pipeline.demo.scenario_toml` reads them from text); a scenario that exists can be
recorded. All times are whole milliseconds since the recording's start.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.demo.picture import MIN_LONG_SIDE, MIN_SIDE, USER_BITS
from pipeline.media.encode import ADTS_RATES, VideoCodec
from pipeline.media.ts.writer import STAMP_MODULUS

if TYPE_CHECKING:
    from pipeline.media.encode_webm import VpxCodec

SESSION_GAP_MS = 15_000
"""A stream that stays away longer comes back with a START event (Agora, "Recorded files": segments)."""

_ID = r"[A-Za-z0-9_@.\-]{1,128}"
_MAX_FPS = 60
_MAX_LENGTH_MS = 24 * 3_600_000
_MAX_SIDE = 4096
_MAX_BFRAMES = 4
_MIN_SLICE_MS = 1000
_CHANNELS = (1, 2)
_SOUND_FRAMES_AT_LEAST = 3


class ScenarioError(ValueError):
    """A scenario that cannot be read or recorded; one sentence says why."""


class Vendor(StrEnum):
    """Whose file names and playlists are written."""

    AGORA = "agora"
    TRTC = "trtc"
    VOLCENGINE = "volcengine"
    AGORA_ONPREMISE = "agora_onpremise"


class Source(StrEnum):
    """What the pictures show; Agora knows no difference, TRTC writes ``main`` and ``aux``."""

    CAMERA = "camera"
    SCREEN = "screen"


class Track(StrEnum):
    """What a slice holds; the value is the word in file names of both vendors."""

    AUDIO = "audio"
    VIDEO = "video"
    BOTH = "audiovideo"


class Pts(StrEnum):
    """How slices of a track are stamped."""

    CONTINUE = "continue"  # one clock for the whole recording and both tracks of a user
    RESTART = "restart"  # every slice begins at the same stamp


class FaultKind(StrEnum):
    """What is wrong with one slice."""

    MISSING = "missing"  # listed, not there
    EMPTY = "empty"  # listed, zero bytes
    TRUNCATED = "truncated"  # ends in the middle of a TS packet, half-way
    RANDOM = "random"  # bytes that are no TS
    HTML = "html"  # an error page saved under the slice's name
    DUPLICATE = "duplicate"  # its playlist line stands twice
    UNLISTED = "unlisted"  # there, not in the playlist


Stretch = tuple[int, int]
"""From and to in milliseconds since the recording's start, ``to`` excluded."""


@dataclass(frozen=True, slots=True)
class Style:
    """How playlists are written.

    Attributes:
        comma: a comma ends EXTINF; None for the vendor's habit (Agora none, TRTC one).
        whole_seconds: EXTINF has no decimals.
        unix_time: Agora's TIME is Unix milliseconds, not 17 digits of UTC.
        crlf: lines end in CR LF.
        bom: the text begins with a byte order mark.
        ended: EXT-X-ENDLIST stands last; without it the recorder died.
        written: there are playlists at all.
        combined: instead of an index a track, one of both: ``_av.m3u8``, and ``_av.mpd`` for WebM (Agora).
    """

    comma: bool | None = None
    whole_seconds: bool = False
    unix_time: bool = False
    crlf: bool = False
    bom: bool = False
    ended: bool = True
    written: bool = True
    combined: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """Of pictures: coded pixels before any turn, and degrees they are turned anticlockwise."""

    width: int
    height: int
    rotation: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height


@dataclass(frozen=True, slots=True)
class Change:
    """From ``at_ms`` (since the recording's start) on, pictures have another shape.

    A new size begins with a key frame and its own parameter sets; a new rotation begins in mid-stream.
    """

    at_ms: int
    shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One publisher: a camera with a microphone, or a screen.

    Attributes:
        uid: user id as the vendor's names carry it (plain text; decimal for Agora).
        number: what his pictures are marked with, 0..255; also picks colour and tone.
        width: coded pixels, before any turn.
        height: as width.
        fps: pictures per second; their times are rounded to whole milliseconds.
        jitter_ms: each picture comes up to this much later than its place, by a fixed pattern.
        codec: of the pictures.
        bframes: B-pictures between two others.
        gop_ms: key frame distance.
        rotation: degrees the coded pictures are turned anticlockwise, 0, 90, 180 or 270.
        rate: sound samples per second.
        channels: 1 or 2.
        picture: stretches with pictures.
        sound: stretches with sound.
        pts: stamp policy.
        pts_start: 33-bit stamp of the recording's start (continue) or of every slice (restart).
        source: camera or screen.
        merged: sound and pictures in the same slices (TRTC ``audiovideo``).
        bit_rate: of the pictures in bit/s; None for constant quality.
        changes: of the pictures, in order.
        sampled: samples a second by UTC, where the sender's clock is not true; ``rate`` is what it claims.
        web: stretches in which he sends from a browser: pictures in ``web_codec``, sound in Opus at 48 kHz,
            in WebM; a stretch of pictures or sound lies in one of them or in none.
        web_codec: ``vp8`` or ``vp9``.
        web_sound: sound comes in WebM too; else the recorder makes AAC of it (Agora's default stream mode).
        stall: (at, for) in milliseconds: the clock of his sound stands still; its time stamps show no hole.
    """

    uid: str
    number: int
    width: int = 320
    height: int = 180
    fps: int = 15
    jitter_ms: int = 0
    codec: VideoCodec = "h264"
    bframes: int = 0
    gop_ms: int = 2000
    rotation: int = 0
    rate: int = 48_000
    channels: int = 1
    picture: tuple[Stretch, ...] = ()
    sound: tuple[Stretch, ...] = ()
    pts: Pts = Pts.CONTINUE
    pts_start: int = 126_000
    source: Source = Source.CAMERA
    merged: bool = False
    bit_rate: int | None = None
    changes: tuple[Change, ...] = ()
    sampled: int | None = None
    stall: Stretch | None = None
    web: tuple[Stretch, ...] = ()
    web_codec: VpxCodec = "vp8"
    web_sound: bool = True

    def __post_init__(self) -> None:
        who = f"user {self.uid!r}"
        _demand(0 <= self.number < 1 << USER_BITS, f"{who}: the number is 0..255, not {self.number}")
        self._check_picture(who)
        self._check_web(who)
        _demand(self.rate in ADTS_RATES, f"{who}: AAC has no rate of {self.rate} Hz")
        _demand(self.channels in _CHANNELS, f"{who}: channels are 1 or 2, not {self.channels}")
        _demand(0 <= self.pts_start < STAMP_MODULUS, f"{who}: pts_start has 33 bits, not {self.pts_start}")
        _demand(bool(self.picture or self.sound), f"{who}: neither sound nor picture")
        _check_stretches(f"{who}: picture", self.picture, 2 * self.frame_ms, apart_ms=4 * self.frame_ms)
        _check_stretches(f"{who}: sound", self.sound, _SOUND_FRAMES_AT_LEAST * 1024 * 1000 // self.rate + 1)
        _demand(not (self.source is Source.SCREEN and self.sound), f"{who}: a screen has no sound of its own")
        _demand(
            not self.merged or bool(self.picture and self.sound),
            f"{who}: merged slices need sound and picture",
        )

    def _check_picture(self, who: str) -> None:
        for shape in (self.shape_at(0), *(change.shape for change in self.changes)):
            _check_shape(who, shape)
        _demand(all(a.at_ms < b.at_ms for a, b in pairwise(self.changes)), f"{who}: changes are not in order")
        _demand(0 < self.fps <= _MAX_FPS, f"{who}: fps is 1..{_MAX_FPS}, not {self.fps}")
        _demand(
            0 <= self.jitter_ms < self.frame_ms // 2,
            f"{who}: jitter_ms stays below half a picture's {self.frame_ms} ms",
        )
        _demand(self.codec in {"h264", "hevc"}, f"{who}: codec is h264 or hevc, not {self.codec!r}")
        _demand(0 <= self.bframes <= _MAX_BFRAMES, f"{who}: bframes is 0..{_MAX_BFRAMES}, not {self.bframes}")
        _demand(
            self.gop_ms >= self.frame_ms, f"{who}: a key frame distance below one picture: {self.gop_ms} ms"
        )
        _demand(self.bit_rate is None or self.bit_rate > 0, f"{who}: bit_rate is positive")

    def _check_web(self, who: str) -> None:
        _check_stretches(f"{who}: web", self.web, 1)
        for begun, ended in (*self.picture, *(self.sound if self.web_sound else ())):
            over = any(a < ended and begun < b and not a <= begun < ended <= b for a, b in self.web)
            _demand(not over, f"{who}: the stretch from {begun} ms is sent from a browser only in part")
        _demand(self.web_codec in {"vp8", "vp9"}, f"{who}: web_codec is vp8 or vp9, not {self.web_codec!r}")
        _demand(not (self.web and self.merged), f"{who}: WebM slices hold one track")

    def is_web(self, at_ms: int, *, sound: bool) -> bool:
        """Whether sound or pictures lie in WebM then, in milliseconds since the recording's start."""
        return (self.web_sound or not sound) and any(begun <= at_ms < ended for begun, ended in self.web)

    def clock(self, at_ticks: int, *, sound: bool) -> int:
        """What the sender's clock shows, in ticks since the recording's start."""
        if self.stall is not None and sound:
            at, length = (ms * 90 for ms in self.stall)
            at_ticks -= min(length, max(0, at_ticks - at))
        return at_ticks if self.sampled is None else at_ticks * self.sampled // self.rate

    def shape_at(self, at_ms: int) -> Shape:
        """The shape of the pictures, in milliseconds since the recording's start."""
        first = Shape(self.width, self.height, self.rotation)
        return next((c.shape for c in reversed(self.changes) if c.at_ms <= at_ms), first)

    @property
    def frame_ms(self) -> int:
        """Distance of two pictures, rounded down."""
        return 1000 // self.fps

    @property
    def tracks(self) -> tuple[Track, ...]:
        """What kinds of slices the user has."""
        if self.merged:
            return (Track.BOTH,)
        return (Track.AUDIO,) * bool(self.sound) + (Track.VIDEO,) * bool(self.picture)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One slice gone wrong: the ``index``-th (from 0) of a user's track."""

    uid: str
    track: Track
    index: int
    kind: FaultKind
    source: Source = Source.CAMERA

    def __post_init__(self) -> None:
        _demand(self.index >= 0, f"fault of user {self.uid!r}: slices count from 0, not {self.index}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A whole recording.

    Attributes:
        vendor: whose habits are followed.
        start_ms: UTC milliseconds of the recording's start.
        users: publishers, each (uid, source) once.
        slice_ms: when a slice is full.
        channel: channel name (Agora) or room id (TRTC, Volcengine).
        style: how playlists are written.
        faults: what goes wrong, at most one per slice.
        finished: slices are MP4s that play by themselves, and there are no playlists.
        mixed: a composite; its one user stands for all and has no id.
    """

    vendor: Vendor
    start_ms: int
    users: tuple[User, ...]
    slice_ms: int
    channel: str
    style: Style = field(default_factory=Style)
    faults: tuple[Fault, ...] = ()
    finished: bool = False
    mixed: bool = False

    def __post_init__(self) -> None:
        _demand(self.start_ms > 0, f"start is UTC after 1970, not {self.start_ms} ms")
        _demand(bool(self.users), "a recording without users leaves no files")
        _demand(self.slice_ms >= _MIN_SLICE_MS, f"slices last at least a second, not {self.slice_ms} ms")
        _demand(bool(self.channel), "the channel has a name")
        keys = [(user.uid, user.source) for user in self.users]
        _demand(len(set(keys)) == len(keys), "a user id and source occurs twice")
        _demand(not self.mixed or len(self.users) == 1, "a composite has one user, who stands for all")
        named = all(bool(user.uid) is not self.mixed for user in self.users)
        _demand(named, "only a composite has no user id")
        _demand(not (self.finished and self.faults), "faults are those of slices")
        if self.mixed:
            _demand(self.users[0].merged, "a composite has sound and picture in the same slices")
        elif self.vendor is Vendor.AGORA:
            self._check_agora()
        elif self.vendor is Vendor.VOLCENGINE:
            self._check_volcengine()
        elif self.vendor is Vendor.AGORA_ONPREMISE:
            apart = not any(user.merged or user.web or user.source is Source.SCREEN for user in self.users)
            _demand(apart, "the on-premise SDK writes sound and pictures apart, and knows no screens")
            _demand(not self.faults, "faults are those of slices")
        else:
            _demand(self.channel.isascii() and self.channel.isdigit(), "a TRTC room id is decimal here")
        if self.vendor is not Vendor.AGORA:
            _demand(not any(user.web for user in self.users), "only Agora leaves WebM")
            _demand(not self.style.combined, "only Agora writes combined indexes")
        _demand(len({_place(fault) for fault in self.faults}) == len(self.faults), "a slice has two faults")
        for fault in self.faults:
            owner = next((user for user in self.users if (user.uid, user.source) == _place(fault)[:2]), None)
            _demand(owner is not None, f"a fault names user {fault.uid!r}, who is not there")
            _demand(
                owner is not None and fault.track in owner.tracks,
                f"a fault names {fault.track} of user {fault.uid!r}, who has no such slices",
            )

    def _check_agora(self) -> None:
        for user in self.users:
            _demand(
                user.uid.isascii() and user.uid.isdigit(), f"an Agora user id is decimal, not {user.uid!r}"
            )
            _demand(user.source is Source.CAMERA, f"user {user.uid!r}: Agora's names do not know screens")
            apart = self.finished or not user.merged
            _demand(apart, f"user {user.uid!r}: Agora never merges sound and picture in a slice")
        _demand("/" not in self.channel and self.channel.isascii(), "an Agora channel is ASCII without '/'")

    def _check_volcengine(self) -> None:
        for user in self.users:
            whole = user.merged or not (user.sound and user.picture)
            _demand(whole, f"user {user.uid!r}: Volcengine writes sound and picture into the same slices")
            _demand(re.fullmatch(_ID, user.uid) is not None, f"{user.uid!r} is no user id of Volcengine")
        _demand(re.fullmatch(_ID, self.channel) is not None, f"{self.channel!r} is no room id of Volcengine")


def _check_shape(who: str, shape: Shape) -> None:
    size = f"{shape.width}x{shape.height}"
    short, long = sorted((shape.width, shape.height))
    _demand(
        short >= MIN_SIDE and MIN_LONG_SIDE <= long <= _MAX_SIDE, f"{who}: {size} is too small or too big"
    )
    _demand(shape.width % 2 == shape.height % 2 == 0, f"{who}: {size} has an odd side, H.264 needs even")
    _demand(
        shape.rotation in {0, 90, 180, 270}, f"{who}: rotation is 0, 90, 180 or 270, not {shape.rotation}"
    )


def _place(fault: Fault) -> tuple[str, Source, Track, int]:
    return fault.uid, fault.source, fault.track, fault.index


def _check_stretches(what: str, stretches: tuple[Stretch, ...], shortest_ms: int, apart_ms: int = 0) -> None:
    before = 0
    for from_ms, to_ms in stretches:
        _demand(
            before <= from_ms,
            f"{what}: a stretch from {from_ms} ms is too early, the next may begin at {before} ms",
        )
        _demand(
            to_ms - from_ms >= shortest_ms,
            f"{what}: the stretch from {from_ms} ms is shorter than {shortest_ms} ms",
        )
        _demand(to_ms <= _MAX_LENGTH_MS, f"{what}: a recording ends within 24 hours")
        before = to_ms + apart_ms


def _demand(holds: bool, sentence: str) -> None:  # noqa: FBT001 - the condition is the subject
    if not holds:
        raise ScenarioError(sentence)

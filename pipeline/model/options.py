"""What the caller asked merge for, as values that are valid once they exist."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from pipeline.errors import CommandError
from pipeline.model import ticks
from pipeline.model.containers import Container
from pipeline.model.slices import Medium


class By(StrEnum):
    """One file per what."""

    USER = "user"
    SESSION = "session"


class Tracks(StrEnum):
    """Which media of a user go into the file."""

    BOTH = "av"
    AUDIO = "audio"
    VIDEO = "video"

    @property
    def media(self) -> tuple[Medium, ...]:
        """The media it stands for."""
        return {
            Tracks.BOTH: (Medium.VIDEO, Medium.AUDIO),
            Tracks.AUDIO: (Medium.AUDIO,),
            Tracks.VIDEO: (Medium.VIDEO,),
        }[self]


class Gaps(StrEnum):
    """What fills the time in which a user is absent."""

    HOLD = "hold"  # last picture, silence
    BLACK = "black"  # a black picture, silence
    DROP = "drop"  # removed where neither sound nor picture is there for more than 15 s


class OnChange(StrEnum):
    """What happens where the pictures of a user change their size or rotation."""

    FIT = "fit"  # the shape shown longest is copied, the rest is re-encoded into it
    SPLIT = "split"  # a file for each stretch of one shape
    COPY = "copy"  # everything is copied; some players stop or stretch


class Screen(StrEnum):
    """What becomes of the pictures of a shared screen."""

    OWN = "own"  # a file of its own
    PREFER = "prefer"  # in the camera's file, in place of the camera while it is shared
    FILL = "fill"  # in the camera's file, where the camera is off
    ONLY = "only"  # with the user's sound; the camera's pictures are left out
    NONE = "none"  # left out


class Align(StrEnum):
    """Where a file's zero lies."""

    USER = "user"  # at the user's first media
    RECORDING = "recording"  # at the recording's first media, the same for all users


class Missing(StrEnum):
    """What happens when a listed slice is missing or empty."""

    FILL = "fill"
    FAIL = "fail"


class Verify(StrEnum):
    """How much of an output is checked after it was written."""

    FULL = "full"  # structure, payload hashes, durations, and decoding at both ends and every join
    FAST = "fast"  # all but the decoding
    OFF = "off"


LOUDNESS = (-40, -8)
"""LUFS that can be asked for; broadcasters ask for -23, podcasts for -16, streaming services for -14."""

_OFFSET = re.compile(r"\+?(?:(?:(\d{1,3}):)?(\d{1,2}):)?(\d{1,7})(?:\.(\d{1,3}))?s?", re.ASCII)
_STAMP = re.compile(r"\d{17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the recording: UTC ticks, or ticks from the recording's first media.

    >>> Moment.parse("1:30.5")
    Moment(at=8145000, absolute=False)
    >>> Moment.parse("2026-01-20T11:30:22.488Z") == Moment.parse("20260120113022488")
    True
    """

    at: int
    absolute: bool

    @classmethod
    def parse(cls, text: str) -> Moment:
        """Read ``90``, ``1:30.5``, an ISO date and time with a zone, or a 17-digit UTC stamp.

        Raises:
            CommandError: it is none of them.
        """
        if _STAMP.fullmatch(text):
            text = f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}.{text[14:]}Z"
        if match := _OFFSET.fullmatch(text):
            hours, minutes, seconds, fraction = match.groups()
            whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds)
            return cls(ticks.from_ms(whole * 1000 + int((fraction or "0").ljust(3, "0"))), absolute=False)
        try:
            point = datetime.fromisoformat(text)
        except ValueError:
            point = None
        if point is None or point.tzinfo is None:
            raise CommandError(
                f"{text!r} is no moment: give seconds or h:mm:ss from the recording's start, or a UTC time "
                "such as 2026-01-20T11:30:22.488Z."
            )
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        since = point - epoch
        ms = (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
        return cls(ticks.from_ms(ms), absolute=True)

    def utc(self, recording_start: int) -> int:
        """UTC ticks of it in a recording whose first media is at ``recording_start``."""
        return self.at if self.absolute else recording_start + self.at


@dataclass(frozen=True, slots=True)
class Options:
    """What decides the content of the outputs; the same options on the same inputs give the same bytes.

    Attributes:
        uids: only these users; all when empty.
        start: cut before it (snaps to the key frame before); None for the beginning.
        end: cut after it (snaps to the key frame after); None for the end.
        max_audio_edits: frames an hour that may go in or out of copied sound to keep its count with a fast or
            slow clock; sound that would need more is resampled.
        container: what the files are; one that holds only sound makes ``tracks`` sound.
        mix: the sound of all users as one file.
        loudness: LUFS that sound is brought to, encoded anew; None leaves it as it is.
        name: pattern of output names with ``{uid} {screen} {utc} {kind} {recording}``; empty for the default.
            Or a vendor's naming, as `pipeline.vendors.styles` reads it.
    """

    uids: tuple[str, ...] = ()
    by: By = By.USER
    tracks: Tracks = Tracks.BOTH
    container: Container = Container.MP4
    gaps: Gaps = Gaps.HOLD
    on_change: OnChange = OnChange.FIT
    screen: Screen = Screen.OWN
    mix: bool = False
    loudness: int | None = None
    align: Align = Align.USER
    missing: Missing = Missing.FILL
    start: Moment | None = None
    end: Moment | None = None
    max_audio_edits: int = 60
    name: str = ""
    verify: Verify = Verify.FULL

    def __post_init__(self) -> None:
        if self.max_audio_edits < 0:
            raise CommandError("--max-audio-edits is below 0: give a number of frames an hour.")
        comparable = self.start and self.end and self.start.absolute == self.end.absolute
        if self.start and self.end and comparable and self.end.at <= self.start.at:
            raise CommandError("--end lies before --start: give an end that is later.")
        if alone := self.sound_alone:
            if self.tracks is Tracks.VIDEO:
                raise CommandError(f"{alone} has no pictures: leave --tracks video out.")
            object.__setattr__(self, "tracks", Tracks.AUDIO)  # what it means, however it was said
        self._check_sound()

    def _check_sound(self) -> None:
        asked = "--mix" if self.mix else "--loudness" if self.loudness is not None else ""
        if asked and self.container.wrapped:
            raise CommandError(f"{asked} makes AAC or MP3: use --container m4a or mp3.")
        if self.mix and self.by is By.SESSION:
            raise CommandError("--mix is one file for all: leave --by session out.")
        if self.loudness is None:
            return
        if self.tracks is not Tracks.AUDIO:
            raise CommandError("--loudness is for files of sound: add --tracks audio or --mix.")
        if not LOUDNESS[0] <= self.loudness <= LOUDNESS[1]:
            raise CommandError(f"--loudness is {LOUDNESS[0]} to {LOUDNESS[1]} LUFS, such as -16.")

    @property
    def sound_alone(self) -> str:
        """The option by which files hold sound alone, whatever --tracks says; empty if none does."""
        return f"--container {self.container}" if self.container.sound_only else "--mix" if self.mix else ""

    @property
    def composes(self) -> bool:
        """All users go into one picture and one mix."""
        return False

    @property
    def encodes_sound(self) -> bool:
        """No sound is copied: it is decoded, treated and encoded."""
        return self.mix or self.loudness is not None or self.container is Container.MP3

    def as_text(self) -> dict[str, str]:
        """What was asked for, as the manifest keeps it: only what differs from doing nothing special."""

        def moment(value: Moment | None) -> str:
            if value is None:
                return ""
            return ticks.iso(value.at) if value.absolute else f"+{ticks.duration(value.at)}"

        return {
            "uids": shlex.join(sorted(set(self.uids))),
            "by": self.by,
            "tracks": self.tracks,
            "container": self.container,
            "gaps": self.gaps,
            "on_change": self.on_change,
            "screen": self.screen,
            "mix": "yes" if self.mix else "",
            "loudness": "" if self.loudness is None else str(self.loudness),
            "align": self.align,
            "missing": self.missing,
            "start": moment(self.start),
            "end": moment(self.end),
            "max_audio_edits": str(self.max_audio_edits),
            "name": self.name,
            "verify": self.verify,
        }
